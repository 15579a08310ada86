// What several dashboards say alike: fields, questions, controls, and the commonest buckets and metrics.
import { all, atLeast, is, not, startsWith, type Query } from './query.ts'
import type { Bucket, Control, Metric } from './panel.ts'

export const field = {
	kind: 'kubetape.item.kind',
	severity: 'kubetape.item.severity',
	noise: 'kubetape.noise',
	cluster: 'orchestrator.cluster.name',
	namespace: 'orchestrator.namespace',
	resource: 'orchestrator.resource.type',
	name: 'orchestrator.resource.name',
	message: 'message',
	source: 'agent.type',
	action: 'event.action',
	outcome: 'event.outcome',
	user: 'user.name',
	effectiveUser: 'user.effective.name',
	address: 'source.ip',
	userAgent: 'user_agent.original',
	code: 'http.response.status_code',
	stage: 'kubetape.item.audit.stage',
	subresource: 'kubetape.item.audit.subresource',
	decision: 'kubetape.item.audit.decision',
	facets: 'kubetape.item.facets',
	paths: 'kubetape.item.paths',
	image: 'container.image.name',
	revision: 'event.sequence',
	reason: 'kubernetes.event.reason',
	eventType: 'kubernetes.event.type',
	eventCount: 'kubernetes.event.count',
	eventSource: 'kubernetes.event.source.component',
	regardingKind: 'kubernetes.event.involved_object.kind',
	regardingName: 'kubernetes.event.involved_object.name',
	statedReason: 'kubetape.statement.reason',
	statedScope: 'kubetape.statement.scope',
	rejectStep: 'kubetape.statement.step',
	regardingUid: 'kubernetes.event.involved_object.uid',
} as const

/** Without Leases that only renewed and Events that expired. */
export const told: Query = is(field.noise, false)
export const alarming: Query = is(field.severity, 'warning', 'error')
/** A request has several stages, of which the last tells how it ended. */
export const ended: Query = not(is(field.stage, 'RequestReceived', 'ResponseStarted'))
export const writes: Query = is(field.action, 'create', 'update', 'patch', 'delete', 'deletecollection')
export const byPeople: Query = not(startsWith(field.user, 'system:'))
export const failed: Query = is(field.outcome, 'failure')
export const forbidden: Query = is(field.code, 401, 403)
export const serverErrors: Query = atLeast(field.code, 500)
export const endedAnd = (...queries: readonly Query[]): Query => all(ended, ...queries)

export const clusterControl: Control = { id: 'cluster', field: field.cluster, label: 'Cluster' }
export const namespaceControl: Control = { id: 'namespace', field: field.namespace, label: 'Namespace' }

export const overTime: Bucket = { by: 'time' }
export const top = (label: string, of: string, size: number): Bucket => ({ by: 'terms', label, field: of, size })
export const topAndOther = (label: string, of: string, size: number): Bucket => ({ by: 'terms', label, field: of, size, other: true })

export const count = (label: string, where?: Query): Metric => ({ of: 'count', label, ...(where ? { where } : {}) })
export const unique = (label: string, of: string): Metric => ({ of: 'unique', label, field: of })
export const latest: Metric = { of: 'latest', label: 'Latest' }

export const color = { plain: '#6092C0', good: '#54B399', warning: '#D6BF57', bad: '#E7664C' } as const
