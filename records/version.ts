// Makes the record of one version of one object: a cluster event where the object is a Kubernetes Event, a change otherwise.
import type { Catalog } from './catalog.ts'
import { versionId } from './id.ts'
import { objectKey } from './object-key.ts'
import type { Change, ClusterEvent, VersionRecord } from './record.ts'
import { parseRevision } from './revision.ts'
import { parseTime, type Micros } from './time.ts'

type VersionInput = Omit<Change, 'kind' | 'id'>
type Fields = Readonly<Record<string, unknown>>

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})

/** `input.object` decides: resource `events` of the core group or of events.k8s.io is a cluster event. `catalog` finds the resource of what it regards. */
export function makeVersion(input: VersionInput, catalog: Catalog): VersionRecord {
	// One stored object is served in both groups: one key, one id.
	const isEvent = input.object.resource === 'events' && (input.object.group === '' || input.object.group === 'events.k8s.io')
	const object = isEvent ? { ...input.object, group: '' } : input.object
	const id = versionId(input.cluster, input.space, objectKey(object), input.revision)
	if (!isEvent) return { ...input, kind: 'change', id }
	const body = (input.after ?? input.before)?.object ?? {}
	return { ...input, object, kind: 'event', id, ...readEvent(body, catalog, input.occurredAt) }
}

/** Reads core/v1 and events.k8s.io/v1 alike (wire formats: kubernetes/api core/v1 and events/v1 types.go). */
export function readEvent(
	body: Fields,
	catalog: Catalog,
	otherwise: Micros,
): Pick<ClusterEvent, 'reason' | 'message' | 'type' | 'count' | 'reporter' | 'regarding' | 'firstAt' | 'lastAt'> {
	const regarding = fields(body['involvedObject'] ?? body['regarding'])
	const series = fields(body['series'])
	const source = fields(body['source'] ?? body['deprecatedSource'])
	const metadata = fields(body['metadata'])
	const times = [
		series['lastObservedTime'],
		body['lastTimestamp'] ?? body['deprecatedLastTimestamp'],
		body['eventTime'],
		body['firstTimestamp'] ?? body['deprecatedFirstTimestamp'],
		metadata['creationTimestamp'],
	]
	const firsts = [body['firstTimestamp'] ?? body['deprecatedFirstTimestamp'], body['eventTime'], metadata['creationTimestamp']]
	const first = (values: readonly unknown[]): Micros => {
		for (const value of values) {
			const at = typeof value === 'string' ? parseTime(value) : undefined
			if (at !== undefined) return at
		}
		return otherwise
	}
	const count = series['count'] ?? body['count'] ?? body['deprecatedCount']
	const type = catalog.byKind(text(regarding['apiVersion']), text(regarding['kind']))
	return {
		reason: text(body['reason']),
		message: text(body['message'] ?? body['note']),
		type: text(body['type']),
		count: typeof count === 'number' && count > 0 ? count : 1,
		reporter: text(body['reportingComponent'] ?? body['reportingController']) || text(source['component']),
		regarding: {
			resource: type?.resource ?? '',
			group: type?.group ?? '',
			namespace: type && !type.namespaced ? '' : text(regarding['namespace']),
			name: text(regarding['name']),
			kind: text(regarding['kind']),
			uid: text(regarding['uid']),
			revision: parseRevision(regarding['resourceVersion']) ?? null,
			fieldPath: text(regarding['fieldPath']),
		},
		firstAt: first(firsts),
		lastAt: first(times),
	}
}
