// Options of the log collector: container logs of the node, and files of the node and the control plane.
import { Type, type Static } from 'typebox'

const closed = { additionalProperties: false } as const

const multiline = Type.Union(
	['none', 'stack', 'indent'].map((rule) => Type.Literal(rule)),
	{
		default: 'none',
		description:
			'Which lines belong to the one before: `stack` those of stack traces (Java, Python, Go) and of klog’s multi-line values, `indent` every line that begins with a blank; `none` leaves each line alone.',
	},
)
const bytesPerSecondMax = Type.Integer({
	default: 0,
	minimum: 0,
	description: 'Beyond so many bytes a second, lines of one container or file are left out, and a gap record says which; 0 sets no limit.',
})

export const podLogsConfig = Type.Object(
	{
		root: Type.String({
			default: '/var/log/pods',
			minLength: 1,
			description: 'Where the kubelet keeps container logs: NAMESPACE_POD_UID/CONTAINER/RESTART.log, rotated and packed ones beside them.',
		}),
		multiline,
		bytesPerSecondMax,
	},
	{ ...closed, description: 'Logs of the node’s containers: CRI and Docker JSON lines.' },
)

export const logFilesConfig = Type.Object(
	{
		paths: Type.Array(Type.String({ minLength: 2, pattern: '^/', form: 'an absolute path, in which * and ? stand for parts of a name' }), {
			minItems: 1,
			maxItems: 100,
			description: 'Files, as absolute paths; `*` and `?` stand for parts of a name. Rotated files beside them are read too.',
		}),
		component: Type.Optional(
			Type.String({ minLength: 1, description: 'What writes them (`kube-apiserver`, `etcd`); the name of the file where it is left out.' }),
		),
		time: Type.String({
			default: 'auto',
			minLength: 1,
			description:
				'How a line tells its time: `auto` (klog, JSON of klog, zap and slog, RFC 3339 at the beginning), `none` (when it was read), or a form with %Y %m %d %e %b %H %M %S %f %z, such as `%Y-%m-%d %H:%M:%S,%f`, which stands at the beginning.',
		}),
		multiline,
		bytesPerSecondMax,
	},
	{ ...closed, description: 'Files of the node or the control plane: klog, JSON or plain text.' },
)

export const journaldConfig = Type.Object(
	{
		directory: Type.Optional(
			Type.String({
				pattern: '^/',
				form: 'an absolute path',
				description:
					'Folder of the journal (`/var/log/journal`, where the host’s is mounted); the journal of this machine where it is left out.',
			}),
		),
		units: Type.Array(Type.String({ minLength: 1, pattern: '^[^*?\\[-][^*?\\[]*$', form: 'the name of a unit, without patterns' }), {
			default: [],
			maxItems: 100,
			description: 'Only of these units (`kubelet.service`), and what systemd says of them; all where the list is empty.',
		}),
		program: Type.String({ default: 'journalctl', minLength: 1, description: 'What journalctl is called, or where it is.' }),
	},
	{ ...closed, description: 'The journal of the node, read with journalctl: every boot that is in it, oldest first.' },
)

export const logsConfig = Type.Object(
	{
		pods: Type.Optional(podLogsConfig),
		files: Type.Array(logFilesConfig, { default: [], maxItems: 100, description: 'Further files.' }),
		journald: Type.Optional(journaldConfig),
		node: Type.String({
			default: '',
			description: 'Name of the node, told with every line; of lines from the journal the host’s name where it is left out.',
		}),
		pollMs: Type.Integer({
			default: 1000,
			minimum: 10,
			maximum: 60_000,
			description: 'Every file is looked at so often, also where the file system tells of changes.',
		}),
		lineBytesMax: Type.Integer({
			default: 2_097_152,
			minimum: 1024,
			maximum: 16_777_216,
			description: 'Longest line that is kept whole, in bytes. A longer one is cut off, and says how long it was.',
		}),
		lastLineMs: Type.Integer({
			default: 5000,
			minimum: 10,
			maximum: 600_000,
			description: 'A last line without its end is read after such a pause.',
		}),
		filesOpenMax: Type.Integer({
			default: 4096,
			minimum: 16,
			maximum: 1_000_000,
			description: 'So many files are kept open at most. Those that are read to their end are closed first.',
		}),
	},
	{ ...closed, description: 'Log lines of the node’s containers and components, from their files.' },
)

export type LogsConfig = Static<typeof logsConfig>
export type JournaldConfig = Static<typeof journaldConfig>
export type Multiline = Static<typeof multiline>
