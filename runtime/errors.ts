// Every error the program makes: one registry of codes, whether trying again can help, and the exit status. Documented in docs/reference/errors.md (generated).

export interface ErrorEntry {
	readonly retryable: boolean
	/** Exit status when it ends the process: 2 used wrongly, 3 could not run. */
	readonly exit: 1 | 2 | 3
	/** HTTP status when it answers a request. */
	readonly http: number
	readonly help: string
}

const entry = (retryable: boolean, exit: 1 | 2 | 3, http: number, help: string): ErrorEntry => ({ retryable, exit, http, help })

/** Codes are AREA_WHAT. Add one here, run `npm run generate`, and it is documented. */
export const errorRegistry = {
	CONFIG_INVALID: entry(false, 2, 500, 'The configuration is wrong. The message names the key and the nearest known one.'),
	CONFIG_UNREADABLE: entry(false, 2, 500, 'The configuration file cannot be read. Check the path and its permissions.'),
	CLI_USAGE: entry(false, 2, 400, 'The command line is wrong. Run the command with --help.'),
	CLI_INTERRUPTED: entry(true, 3, 500, 'The command was stopped before it was done. Run it again.'),
	CLI_SERVER_UNREACHABLE: entry(true, 3, 502, 'No server answers there. Start one, or name it with --server.'),
	RUNTIME_PORT_TAKEN: entry(false, 3, 500, 'Another program listens on that port. Stop it, or choose another with --port.'),
	RUNTIME_DATA_DIR_LOCKED: entry(false, 3, 500, 'Another process uses this data directory. Stop it, or choose another with --data-dir.'),
	RUNTIME_NO_PERMISSION: entry(false, 3, 500, 'The file or directory may not be read or written by this user.'),
	RUNTIME_LISTEN_REFUSED: entry(false, 2, 500, 'Listening beyond loopback needs authentication. Configure it, or listen on 127.0.0.1.'),
	STORAGE_DISK_FULL: entry(true, 3, 503, 'The disk is full. Processing pauses; free space and it goes on.'),
	STORAGE_CORRUPT: entry(false, 3, 500, 'A stored file is damaged. The message names it; what precedes the damage is kept.'),
	STORAGE_FORMAT: entry(false, 3, 500, 'A stored file was written by another version. The message names it and its format.'),
	STORAGE_BUSY: entry(true, 3, 503, 'The storage is busy. Try again.'),
	STORAGE_TOO_LARGE: entry(false, 3, 413, 'One record is larger than the limit of the storage.'),
	STORAGE_UNAVAILABLE: entry(true, 3, 503, 'The storage does not answer. It is tried again.'),
	STORAGE_AUTH: entry(
		false,
		3,
		502,
		'The storage refused the credentials, or what they may do. Check user, password or API key, and the privileges in its README.',
	),
	STORAGE_TLS: entry(false, 3, 502, 'The storage is not trusted, or does not trust us. Check caFile and the name in the address.'),
	LOG_POSITION_UNKNOWN: entry(
		false,
		3,
		500,
		'The position was not given by this reader, or the records behind it were removed by retention.',
	),
	KAFKA_AUTH: entry(
		false,
		3,
		502,
		'The brokers refused the credentials, or what they may do. Check log.kafka.sasl and the access lists of topics and groups.',
	),
	KAFKA_TLS: entry(
		false,
		3,
		502,
		'The brokers are not trusted, or do not trust us. Check log.kafka.tls and the name in log.kafka.brokers.',
	),
	KAFKA_TOPIC: entry(false, 3, 500, 'A topic of the record log is missing or not as it must be. The message says what to change.'),
	ETCD_UNAVAILABLE: entry(true, 3, 502, 'No etcd endpoint answers. It is tried again, endpoint by endpoint.'),
	ETCD_AUTH: entry(false, 3, 502, 'etcd refused the credentials, or what they may read. Check user, password, role and the option prefix.'),
	ETCD_TLS: entry(
		false,
		3,
		502,
		'etcd is not trusted, or does not trust us. Check caFile, certFile, keyFile and the name in the endpoint.',
	),
	ETCD_COMPACTED: entry(true, 3, 502, 'etcd has compacted the revision asked for. A snapshot is taken and the gap recorded.'),
	ETCD_PROTOCOL: entry(true, 3, 502, 'etcd answered against its own protocol. The stream is opened anew.'),
	KUBERNETES_UNAVAILABLE: entry(true, 3, 502, 'The API server does not answer. It is tried again.'),
	KUBERNETES_AUTH: entry(false, 3, 502, 'The API server refused the credentials. Check the kubeconfig and its context.'),
	KUBERNETES_GONE: entry(
		true,
		3,
		502,
		'The API server no longer has that resourceVersion. The resource is listed anew and the gap recorded.',
	),
	KIBANA_UNAVAILABLE: entry(true, 3, 502, 'Kibana does not answer, or is not ready yet. Check --url; with --wait it is tried again.'),
	KIBANA_AUTH: entry(
		false,
		3,
		502,
		'Kibana refused the credentials, or what they may do. The user needs the privilege to manage saved objects in that space.',
	),
	KIBANA_TLS: entry(false, 3, 502, 'Kibana is not trusted. Name its authority with --ca-file, and the host as its certificate does.'),
	KIBANA_VERSION: entry(false, 3, 502, 'That Kibana is older than what the dashboards need: 9.0.'),
	KIBANA_REFUSED: entry(false, 3, 502, 'Kibana did not take the saved objects, or what answers is no Kibana. The message says why.'),
	JOURNAL_UNAVAILABLE: entry(true, 3, 502, 'journalctl does not give the journal: the message says why. It is started again.'),
	RECORDING_INVALID: entry(false, 3, 400, 'The folder is no recording: see the format in docs/reference/recording.md.'),
	AUDIT_UNREADABLE: entry(false, 3, 400, 'The audit log cannot be read. Check the path and its permissions.'),
	QUERY_INVALID: entry(false, 2, 400, 'A query parameter is wrong. The message names it.'),
	CURSOR_INVALID: entry(false, 2, 400, 'The cursor does not belong to this query. Begin again without it.'),
	API_HOST_REFUSED: entry(
		false,
		2,
		403,
		'The request names another host than this machine. Open the page under the address that was printed.',
	),
	API_METHOD_NOT_ALLOWED: entry(false, 2, 405, 'The API only answers questions: GET and HEAD.'),
	API_TOO_MANY_STREAMS: entry(true, 3, 503, 'Too many live streams are open. Close one, or try again.'),
	NOT_FOUND: entry(false, 1, 404, 'Nothing by that name is known.'),
	INTERNAL: entry(false, 3, 500, 'A defect in the program. The log has the details.'),
} as const satisfies Readonly<Record<string, ErrorEntry>>

export type ErrorCode = keyof typeof errorRegistry

export class KubetapeError extends Error {
	readonly code: ErrorCode
	readonly details: Readonly<Record<string, unknown>>

	constructor(
		code: ErrorCode,
		message: string,
		options: { readonly cause?: unknown; readonly details?: Readonly<Record<string, unknown>> } = {},
	) {
		super(message, options.cause === undefined ? {} : { cause: options.cause })
		this.name = 'KubetapeError'
		this.code = code
		this.details = options.details ?? {}
	}

	get retryable(): boolean {
		return errorRegistry[this.code].retryable
	}
}

/** Whether trying again can help against whatever was thrown. */
export function isRetryable(error: unknown): boolean {
	return error instanceof KubetapeError && error.retryable
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error)
}
