// From what the store gives to what the API says: times RFC 3339, revisions decimal strings.
import { objectKey, type ObjectRef } from '#records/object-key.ts'
import type { Reject } from '#records/record.ts'
import { formatTime, type Micros } from '#records/time.ts'
import type { Bucket, ClusterInfo, Item, Version } from '#storage/store/port.ts'
import type { WireBucket, WireCluster, WireItem, WireObject, WireReject, WireState } from './wire.ts'

const microsMax = 8_640_000_000_000_000

/** Whatever a record claims, a time that can be written. */
export function wireTime(micros: Micros): string {
	const sane = Number.isFinite(micros) ? Math.min(Math.max(Math.floor(micros), 0), microsMax) : 0
	return formatTime(sane)
}

export function wireObject(ref: ObjectRef): WireObject {
	return { resource: ref.resource, group: ref.group, namespace: ref.namespace, name: ref.name, key: objectKey(ref) }
}

const copied = [
	'objectKind',
	'uid',
	'space',
	'operation',
	'sighting',
	'encoding',
	'note',
	'folded',
	'facets',
	'paths',
	'labels',
	'owners',
	'images',
	'log',
] as const

export function wireItem(item: Item): WireItem {
	const wire: Record<string, unknown> = {
		id: item.id,
		kind: item.kind,
		cluster: item.cluster,
		source: item.source,
		time: wireTime(item.occurredAt),
		timeBoundSeconds: Number.isFinite(item.occurredBound) ? item.occurredBound / 1e6 : 0,
		observed: wireTime(item.observedAt),
		summary: item.summary,
		severity: item.severity,
	}
	if (item.object) wire['object'] = wireObject(item.object)
	if (item.revision !== undefined) wire['revision'] = item.revision.toString()
	for (const field of copied) if (item[field] !== undefined) wire[field] = item[field]
	if (item.event) wire['event'] = wireEvent(item.event)
	if (item.audit) wire['audit'] = wireAudit(item.audit)
	return wire as unknown as WireItem
}

function wireEvent(event: NonNullable<Item['event']>): NonNullable<WireItem['event']> {
	const { firstAt, lastAt, object, regardingRevision, ...rest } = event
	return {
		...rest,
		object: wireObject(object),
		regardingRevision: regardingRevision?.toString() ?? null,
		firstTime: wireTime(firstAt),
		lastTime: wireTime(lastAt),
	}
}

function wireAudit(audit: NonNullable<Item['audit']>): NonNullable<WireItem['audit']> {
	const { requestReceivedAt, responseRevision, ...rest } = audit
	return { ...rest, requestReceived: wireTime(requestReceivedAt), responseRevision: responseRevision?.toString() ?? null }
}

/** The state of a cluster event is of the event, not of what it regards. */
export function wireState(version: Version): WireState {
	const readable = version.body !== null && version.operation !== 'deleted'
	const item = wireItem(version.event ? { ...version, object: version.event.object } : version)
	return { item, body: readable && version.body ? version.body.object : null }
}

export function wireBucket(bucket: Bucket): WireBucket {
	return { from: wireTime(bucket.from), to: wireTime(bucket.to), counts: bucket.counts, warnings: bucket.warnings }
}

export function wireCluster(info: ClusterInfo, replay: boolean): WireCluster {
	const spaces = info.spaces.map((space) => ({
		space: space.space,
		firstRevision: space.firstRevision.toString(),
		lastRevision: space.lastRevision.toString(),
	}))
	return { name: info.name, firstTime: wireTime(info.firstAt), lastTime: wireTime(info.lastAt), counts: info.counts, spaces, replay }
}

export function wireReject(reject: Reject): WireReject {
	const { id, cluster, source, step, reason, where, sha256, sizeBytes } = reject
	return {
		id,
		cluster,
		source,
		time: wireTime(reject.occurredAt),
		observed: wireTime(reject.observedAt),
		step,
		reason,
		where,
		sha256,
		sizeBytes,
	}
}
