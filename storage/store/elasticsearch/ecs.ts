// The names of the Elastic Common Schema and of Elastic's own Kubernetes integration, as aliases of our fields: its rules and dashboards find our records, and nothing is stored twice.
import { boolean, date, ip, keyword, long, object, text, type Field, type Fields } from './fields.ts'
import type { RecordClass } from './names.ts'

const ecsVersion = '9.4.0'

/** ECS name → field below `kubetape`. */
type Aliases = Readonly<Record<string, string>>

const ofAll: Aliases = {
	message: 'item.summary',
	'orchestrator.cluster.name': 'item.cluster',
	'orchestrator.namespace': 'namespace',
	'orchestrator.resource.name': 'item.object.name',
	'orchestrator.resource.type': 'resourceOnly',
	'orchestrator.resource.id': 'item.uid',
	'agent.type': 'item.source',
}

const kubernetes: Aliases = { 'kubernetes.labels': 'item.labels', 'container.image.name': 'item.images' }

const ofClass: Readonly<Record<RecordClass, Aliases>> = {
	changes: {
		...kubernetes,
		'event.id': 'item.id',
		'event.action': 'item.operation',
		'event.sequence': 'item.revision',
		'kubernetes.namespace': 'namespace',
	},
	events: {
		...kubernetes,
		'event.id': 'item.id',
		'event.action': 'item.event.reason',
		'event.reason': 'item.event.reason',
		'event.sequence': 'item.revision',
		'kubernetes.event.count': 'item.event.count',
		'kubernetes.event.message': 'item.event.message',
		'kubernetes.event.reason': 'item.event.reason',
		'kubernetes.event.type': 'item.event.type',
		'kubernetes.event.source.component': 'item.event.reporter',
		'kubernetes.event.metadata.name': 'item.event.object.name',
		'kubernetes.event.metadata.namespace': 'item.event.object.namespace',
		'kubernetes.event.involved_object.kind': 'item.objectKind',
		'kubernetes.event.involved_object.name': 'item.object.name',
		'kubernetes.event.involved_object.uid': 'item.uid',
		'kubernetes.event.involved_object.resource_version': 'item.event.regardingRevision',
	},
	audit: {
		'event.id': 'item.audit.auditID',
		'event.action': 'item.audit.verb',
		'user.name': 'item.audit.user',
		'user.effective.name': 'item.audit.impersonated',
		'group.name': 'item.audit.groups',
		'source.ip': 'item.audit.sourceIPs.ip',
		'client.ip': 'item.audit.sourceIPs.ip',
		'user_agent.original': 'item.audit.userAgent',
		'url.original': 'item.audit.requestURI',
		'http.response.status_code': 'item.audit.code',
		'kubernetes.audit.annotations.authorization_k8s_io/decision': 'item.audit.decision',
		'kubernetes.audit.annotations.authorization_k8s_io/reason': 'item.audit.reason',
	},
	logs: {
		...kubernetes,
		'event.id': 'item.id',
		'kubernetes.namespace': 'item.log.namespace',
		'kubernetes.pod.name': 'item.log.pod',
		'kubernetes.pod.uid': 'item.log.podUid',
		'kubernetes.container.name': 'item.log.container',
		'kubernetes.node.name': 'item.log.node',
		'host.name': 'item.log.node',
		'log.level': 'item.log.level',
		'log.offset': 'item.log.offset',
		'log.file.path': 'item.log.file',
		'service.name': 'item.log.component',
		stream: 'item.log.stream',
	},
	ledger: { 'event.id': 'item.id' },
}

/** What stands in the documents themselves, beside `@timestamp`. */
const real: Readonly<Record<string, Field>> = {
	'@timestamp': { type: 'date' },
	'ecs.version': keyword,
	'event.kind': keyword,
	'event.category': keyword,
	'event.type': keyword,
	'event.outcome': keyword,
	'event.module': keyword,
	'event.dataset': keyword,
	'data_stream.type': keyword,
	'data_stream.dataset': keyword,
	'data_stream.namespace': keyword,
	'orchestrator.type': keyword,
}

const container = object({
	image: keyword,
	name: keyword,
	securityContext: object({
		privileged: boolean,
		allowPrivilegeEscalation: boolean,
		runAsUser: { ...long, ignore_malformed: true },
		capabilities: object({ add: keyword }),
	}),
})
const requested = object({
	kind: keyword,
	spec: object({
		type: keyword,
		serviceAccountName: keyword,
		hostIPC: boolean,
		hostNetwork: boolean,
		hostPID: boolean,
		securityContext: object({ runAsUser: { ...long, ignore_malformed: true } }),
		containers: container,
		initContainers: container,
		volumes: object({ hostPath: object({ path: keyword }) }),
	}),
	rules: object({ verbs: keyword, resources: keyword, apiGroups: keyword, resourceNames: keyword }),
	roleRef: object({ kind: keyword, name: keyword, apiGroup: keyword }),
	subjects: object({ kind: keyword, name: keyword, namespace: keyword }),
})
const user = object({ username: keyword, uid: keyword, groups: keyword })

/** The audit entry itself, under the names of Elastic's integration. What its rules look at is indexed. */
const auditEntry: Readonly<Record<string, Field>> = {
	kind: keyword,
	apiVersion: keyword,
	level: keyword,
	auditID: keyword,
	stage: keyword,
	requestURI: keyword,
	verb: keyword,
	sourceIPs: ip,
	userAgent: keyword,
	requestReceivedTimestamp: date,
	stageTimestamp: date,
	user,
	impersonatedUser: user,
	objectRef: object({
		resource: keyword,
		namespace: keyword,
		name: keyword,
		uid: keyword,
		apiGroup: keyword,
		apiVersion: keyword,
		resourceVersion: keyword,
		subresource: keyword,
	}),
	responseStatus: object({ code: { ...long, ignore_malformed: true }, status: keyword, reason: keyword, message: text }),
	requestObject: requested,
	responseObject: requested,
}

interface Growing {
	[name: string]: Field | Growing
}

/** Fields by their dotted names, nested. A slash is no dot: Elastic's names of annotations have both. */
function nested(fields: Readonly<Record<string, Field>>): Fields {
	const root: Growing = {}
	for (const [name, field] of Object.entries(fields)) {
		const parts = name.split('.')
		let at = root
		for (const part of parts.slice(0, -1)) at = (at[part] ??= {}) as Growing
		at[parts.at(-1) ?? ''] = field
	}
	const built = (tree: Growing): Fields =>
		Object.fromEntries(
			Object.entries(tree).map(([name, field]) => [
				name,
				'type' in field && typeof field.type === 'string' ? (field as Field) : object(built(field as Growing)),
			]),
		)
	return built(root)
}

export function ecsFields(of: RecordClass): Fields {
	const aliases = Object.entries({ ...ofAll, ...ofClass[of] }).map(([name, path]): [string, Field] => [
		name,
		{ type: 'alias', path: `kubetape.${path}` },
	])
	const entry =
		of === 'audit' ? Object.entries(auditEntry).map(([name, field]): [string, Field] => [`kubernetes.audit.${name}`, field]) : []
	return nested({ ...real, ...Object.fromEntries(entry), ...Object.fromEntries(aliases) })
}

/** Dataset by class, where Elastic's integration has one: what its rules and dashboards look at. */
export const datasets: Partial<Readonly<Record<RecordClass, { readonly type: string; readonly dataset: string }>>> = {
	audit: { type: 'logs', dataset: 'kubernetes.audit_logs' },
	logs: { type: 'logs', dataset: 'kubernetes.container_logs' },
	events: { type: 'metrics', dataset: 'kubernetes.event' },
}

/** The beginning of every document of a class: what is the same in all of them, as JSON without its last brace. `event` stays open. */
export function constantPart(of: RecordClass, prefix: string): string {
	const set = datasets[of]
	const stream = set ? `"data_stream":${JSON.stringify({ ...set, namespace: prefix })},` : ''
	return `{"ecs":{"version":"${ecsVersion}"},"orchestrator":{"type":"kubernetes"},${stream}"event":{"kind":"event","module":"kubernetes","dataset":"${set?.dataset ?? `kubetape.${of}`}"`
}
