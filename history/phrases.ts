// One changed field in a few words. A phrase is undefined where the field says nothing that another does not say better.
import type { Severity } from '#records/indexed.ts'
import type { FieldChange } from './diff.ts'
import { textOf } from './text.ts'

type Fields = Readonly<Record<string, unknown>>
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})
const shownMax = 60

/** A value as it stands in a sentence: short. */
export function shown(value: unknown): string {
	if (value === undefined) return 'none'
	const text = typeof value === 'string' ? value : JSON.stringify(value)
	return text.length > shownMax ? `${text.slice(0, shownMax - 1)}…` : text
}

/** A redacted value: that it changed can be told, its hash tells a reader nothing. */
const hidden = (value: unknown): boolean => typeof value === 'string' && value.startsWith('kubetape:hmac:')

const arrow = (change: FieldChange): string =>
	hidden(change.after) || hidden(change.before)
		? change.op
		: change.op === 'added'
			? `set to ${shown(change.after)}`
			: change.op === 'removed'
				? 'removed'
				: `${shown(change.before)} → ${shown(change.after)}`

/** Of two images of one repository only the tags are told. */
function imageArrow(change: FieldChange): string {
	const [before, after] = [change.before, change.after]
	if (typeof before !== 'string' || typeof after !== 'string') return arrow(change)
	const [a, b] = [before.lastIndexOf(':'), after.lastIndexOf(':')]
	return a > 0 && b > 0 && before.slice(0, a) === after.slice(0, b) ? `${before.slice(a + 1)} → ${after.slice(b + 1)}` : arrow(change)
}

interface Pattern {
	readonly path: RegExp
	readonly say: (change: FieldChange, match: readonly string[], kind: string, after: Fields, before: Fields) => string | undefined
}

const silent = (): undefined => undefined

function containerState(change: FieldChange, name: string): string | undefined {
	const state = change.path.endsWith('.state') ? fields(change.after) : { [change.path.split('.').at(-1) ?? '']: change.after }
	const waiting = fields(state['waiting'])
	const terminated = fields(state['terminated'])
	if (typeof waiting['reason'] === 'string') return `container ${name} waiting: ${waiting['reason']}`
	if (typeof terminated['reason'] === 'string' || typeof terminated['exitCode'] === 'number')
		return `container ${name} ended: ${textOf(terminated['reason'] ?? 'exit')}, exit code ${textOf(terminated['exitCode'] ?? '?')}`
	if (state['running'] !== undefined) return `container ${name} running`
	return undefined
}

const patterns: readonly Pattern[] = [
	{
		path: /(?:time|Time|Timestamp|Probe)$|observedGeneration$|containerID$|imageID$|\.started$|podIPs|hostIPs|uid$|\.lastState|allocatedResources|\.resources$/,
		say: silent,
	},
	{ path: /^status\.(?:terminatingReplicas|collisionCount|fullyLabeledReplicas|volumesInUse|images\b)/, say: silent },
	{ path: /^status\.nodeInfo/, say: () => 'system information reported' },
	{ path: /^rules/, say: () => 'rules changed' },
	{ path: /^(?:subsets|endpoints)\b/, say: () => 'addresses changed' },
	{ path: /^spec\.taints$/, say: (change) => (change.op === 'removed' ? 'taints removed' : `taints set: ${keysOf(change.after, 'key')}`) },
	{
		path: /^metadata\.(labels|annotations)$/,
		say: (change, [, what]) =>
			change.op === 'changed'
				? `${what} changed`
				: saysNothing(change.after ?? change.before)
					? undefined
					: `${what} ${change.op}: ${Object.keys(fields(change.after ?? change.before))
							.slice(0, 4)
							.join(', ')}`,
	},
	{ path: /last-change-trigger-time|pod-template-hash"?\]?$/, say: silent },
	{ path: /containers\[([^\]]+)\]\.image$/i, say: (change, [, name]) => `image ${name} ${imageArrow(change)}` },
	{ path: /^spec\.replicas$/, say: (change) => `replicas ${arrow(change)}` },
	{
		path: /ontainers\[([^\]]+)\]\.env\[([^\]]+)\](?:\.value)?$/,
		say: (change, [, container, name]) => `env ${name} of ${container} ${change.op === 'changed' ? arrow(change) : change.op}`,
	},
	{ path: /ontainers\[([^\]]+)\]\.resources\.(.+)$/, say: (change, [, container, what]) => `${what} of ${container} ${arrow(change)}` },
	{
		path: /ontainerStatuses\[([^\]]+)\]\.(?:state|state\.\w+)$/,
		say: (change, [, name]) => (change.op === 'removed' ? undefined : containerState(change, name ?? '')),
	},
	{ path: /ontainerStatuses\[([^\]]+)\]\.restartCount$/, say: (change, [, name]) => `restarts of ${name} ${arrow(change)}` },
	{
		path: /ontainerStatuses\[([^\]]+)\]\.ready$/,
		say: (change, [, name]) => `container ${name} ${change.after === true ? 'ready' : 'not ready'}`,
	},
	{
		path: /ontainerStatuses\[([^\]]+)\]\.state\.waiting\.reason$/,
		say: (change, [, name]) => (change.op === 'removed' ? undefined : `container ${name} waiting: ${shown(change.after)}`),
	},
	{ path: /ontainerStatuses/, say: silent },
	{ path: /^spec\.nodeName$/, say: (change) => `bound to ${shown(change.after)}` },
	{ path: /^spec\.unschedulable$/, say: (change) => (change.after === true ? 'cordoned' : 'uncordoned') },
	{ path: /^spec\.taints\[([^\]]+)\]$/, say: (change, [, name]) => `taint ${name} ${change.op}` },
	{ path: /^status\.phase$/, say: (change) => `phase ${arrow(change)}` },
	{
		path: /^status\.conditions\[([^\]]+)\]\.status$/,
		say: (change, [, name], _kind, after) => `${name} ${arrow(change)}${reasonOf(conditionOf(after, name))}`,
	},
	{
		path: /^status\.conditions\[([^\]]+)\]$/,
		say: (change, [, name]) =>
			change.op === 'added' ? `${name} ${shown(fields(change.after)['status'])}${reasonOf(change.after)}` : `condition ${name} removed`,
	},
	{
		path: /^status\.conditions\[([^\]]+)\]\.reason$/,
		say: (change, [, name], _kind, after, before) =>
			change.op === 'removed' || conditionOf(before, name)['status'] !== conditionOf(after, name)['status']
				? undefined
				: `${name}: ${shown(change.after)}`,
	},
	{ path: /^status\.conditions/, say: silent },
	{ path: /^metadata\.deletionTimestamp$/, say: () => 'marked for deletion' },
	{ path: /^metadata\.deletionGracePeriodSeconds$/, say: silent },
	{
		path: /^metadata\.finalizers(?:\["?([^"\]]+)"?\])?$/,
		say: (change, [, name]) => (name === undefined ? `finalizers ${arrow(change)}` : `finalizer ${name} ${change.op}`),
	},
	{
		path: /^metadata\.labels(?:\.([^.[]+)|\["([^"]+)"\])$/,
		say: (change, [, plain, quoted]) => `label ${plain ?? quoted} ${arrow(change)}`,
	},
	{
		path: /^metadata\.annotations(?:\.([^.[]+)|\["([^"]+)"\])$/,
		say: (change, [, plain, quoted]) =>
			(quoted ?? plain)?.startsWith('kubectl.kubernetes.io/last-applied') ? undefined : `annotation ${plain ?? quoted} ${arrow(change)}`,
	},
	{
		path: /^(?:data|binaryData|stringData)(?:\.([^.[]+)|\["([^"]+)"\])$/,
		say: (change, [, plain, quoted], kind) =>
			kind === 'Secret' ? `${plain ?? quoted} ${change.op}` : `${plain ?? quoted} ${arrow(change)}`,
	},
	{ path: /^status\.(\w+)$/, say: (change, [, name]) => (typeof change.after === 'object' ? undefined : `${name} ${arrow(change)}`) },
]

const keysOf = (list: unknown, key: string): string =>
	Array.isArray(list) ? list.map((item) => textOf(fields(item)[key])).join(', ') : 'none'
const saysNothing = (map: unknown): boolean =>
	Object.keys(fields(map)).every((key) => /last-change-trigger-time|last-applied-configuration/.test(key))

function conditionOf(body: Fields, type: string | undefined): Fields {
	const conditions = fields(body['status'])['conditions']
	return Array.isArray(conditions) ? fields(conditions.find((condition) => fields(condition)['type'] === type)) : {}
}

function reasonOf(condition: unknown): string {
	const reason = fields(condition)['reason']
	return typeof reason === 'string' && reason !== '' ? ` (${reason})` : ''
}

export function phrase(kind: string, change: FieldChange, before: Fields, after: Fields): string | undefined {
	for (const { path, say } of patterns) {
		const match = path.exec(change.path)
		if (match) return say(change, match, kind, after, before)
	}
	return `${change.path} ${arrow(change)}`
}

const badReasons =
	/CrashLoopBackOff|ImagePullBackOff|ErrImagePull|OOMKilled|CreateContainer\w*Error|InvalidImageName|Evicted|FailedScheduling|Unschedulable|ProgressDeadlineExceeded|BackoffLimitExceeded|DeadlineExceeded/

/** A warning or an error where the change says that something does not work. */
export function alarming(kind: string, changes: readonly FieldChange[]): Severity {
	let severity: Severity = 'normal'
	for (const change of changes) {
		if (change.facet !== 'status') continue
		if (change.path === 'status.phase' && change.after === 'Failed') return 'error'
		if (kind === 'Node' && change.path === 'status.conditions[Ready].status' && change.after !== 'True') return 'error'
		if (
			/^status\.conditions\[(?:Failed|FailureTarget)\]/.test(change.path) &&
			(change.after === 'True' || fields(change.after)['status'] === 'True')
		)
			severity = 'warning'
		if (
			change.op !== 'removed' &&
			typeof change.after !== 'boolean' &&
			badReasons.test(typeof change.after === 'string' ? change.after : JSON.stringify(change.after))
		)
			severity = 'warning'
		if (/ontainerStatuses.*state$/.test(change.path) && Number(fields(fields(change.after)['terminated'])['exitCode'] ?? 0) !== 0)
			severity = 'warning'
	}
	return severity
}
