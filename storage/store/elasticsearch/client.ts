// The connection to Elasticsearch: the official client's own transport, which answers with status and text whatever the status; what goes wrong below HTTP is the program's own error.
import { readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { Client, errors } from '@elastic/elasticsearch'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import type { ElasticsearchStoreConfig } from './config.ts'

/** What a server answered. A refused request can have no text at all. */
export interface Answer {
	readonly status: number
	readonly text: string
}

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE' | 'HEAD'

export interface Asked {
	readonly method: Method
	readonly path: string
	readonly query?: Readonly<Record<string, string>>
	/** An object is sent as JSON, bytes as lines of JSON. */
	readonly body?: object | Uint8Array
	/** In place of the configured one. */
	readonly timeoutMs?: number
}

export interface Connection {
	/** Rejects with STORAGE_AUTH where it is not allowed, STORAGE_UNAVAILABLE where no answer came (then the request may have been done), STORAGE_TLS where the two do not trust each other. */
	ask(asked: Asked): Promise<Answer>
	close(): Promise<void>
}

const untrusted = /certificate|self.signed|unable to verify|altname|TLS|SSL|EPROTO|CERT_/i

function secret(what: string, path: string): string {
	try {
		return readFileSync(path, 'utf8').trim()
	} catch (error) {
		throw new KubetapeError('CONFIG_UNREADABLE', `store.elasticsearch.${what}: ${messageOf(error)}`, { cause: error })
	}
}

/** Undefined where none is configured. */
function authOf(config: ElasticsearchStoreConfig): NonNullable<ConstructorParameters<typeof Client>[0]['auth']> | undefined {
	const apiKey = config.apiKeyFile === undefined ? config.apiKey : secret('apiKeyFile', config.apiKeyFile)
	if (apiKey !== undefined) return { apiKey }
	if (config.username === undefined) return undefined
	const password = config.passwordFile === undefined ? config.password : secret('passwordFile', config.passwordFile)
	return { username: config.username, password: password ?? '' }
}

async function textOf(body: unknown): Promise<string> {
	if (typeof body === 'string') return body
	const chunks: Buffer[] = []
	for await (const chunk of body as Readable) chunks.push(chunk as Buffer)
	return Buffer.concat(chunks).toString('utf8')
}

/** Throws CONFIG_UNREADABLE where a file that the configuration names cannot be read. Nothing is sent yet. `until`: no request waits any longer. */
export function connect(config: ElasticsearchStoreConfig, until?: AbortSignal): Connection {
	const auth = authOf(config)
	const nodes = config.url.split(',')
	const client = new Client({
		nodes,
		maxRetries: 0,
		requestTimeout: config.timeoutMs,
		...(auth ? { auth } : {}),
		...(config.caFile === undefined ? {} : { tls: { ca: secret('caFile', config.caFile) } }),
	})
	const type = (of: string): string => `application/vnd.elasticsearch+${of}; compatible-with=${config.compatibility}`
	return {
		async ask({ method, path, query, body, timeoutMs }) {
			try {
				const lines = body instanceof Uint8Array
				const answer = await client.transport.request(
					{
						method,
						path,
						...(query ? { querystring: query } : {}),
						...(body === undefined
							? {}
							: { body: lines ? Buffer.from(body.buffer, body.byteOffset, body.byteLength) : JSON.stringify(body) }),
					},
					{
						asStream: true,
						meta: true,
						headers: { accept: type('json'), ...(body === undefined ? {} : { 'content-type': type(lines ? 'x-ndjson' : 'json') }) },
						...(timeoutMs === undefined ? {} : { requestTimeout: timeoutMs }),
						// One for each request: the transport has it abort where the request is late.
						...(until ? { signal: AbortSignal.any([until]) } : {}),
					},
				)
				return granted({ status: answer.statusCode ?? 0, text: await textOf(answer.body) }, config.url)
			} catch (error) {
				throw connectionError(error, config.url)
			}
		},
		close: () => client.close(),
	}
}

/** A block of an index is a 403 too: that is for the caller. */
function granted(answer: Answer, url: string): Answer {
	if (answer.status !== 401 && !(answer.status === 403 && answer.text.includes('security_exception'))) return answer
	const reason = /"reason":"([^"\\]{0,200})/.exec(answer.text)?.[1] ?? `HTTP ${answer.status}`
	throw new KubetapeError('STORAGE_AUTH', `Elasticsearch at ${url} refuses: ${reason}`)
}

function connectionError(error: unknown, url: string): unknown {
	if (error instanceof errors.ConfigurationError || error instanceof KubetapeError) return error
	if (error instanceof errors.ProductNotSupportedError)
		return new KubetapeError('CONFIG_INVALID', `store.elasticsearch.url: what answers at ${url} is no Elasticsearch`, { cause: error })
	const message = messageOf(error)
	if (untrusted.test(message) || untrusted.test(String((error as NodeJS.ErrnoException).code)))
		return new KubetapeError(
			'STORAGE_TLS',
			`${url}: ${message}: name its authority with store.elasticsearch.caFile, and the host as its certificate does`,
			{
				cause: error,
			},
		)
	return new KubetapeError('STORAGE_UNAVAILABLE', `Elasticsearch does not answer at ${url}: ${message}`, { cause: error })
}
