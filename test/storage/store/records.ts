// Small records for the tests of the store.
import { Body } from '#records/body.ts'
import { auditId, logId, statementId, versionId } from '#records/id.ts'
import type { Indexed } from '#records/indexed.ts'
import { objectKey, type ObjectRef } from '#records/object-key.ts'
import type { AuditEntry, Change, ClusterEvent, Gap, LogLine, Redacted, Reject, StoredRecord } from '#records/record.ts'
import type { Clock } from '#runtime/clock.ts'

/** 2026-11-23T12:00:00Z */
export const noon = Date.parse('2026-11-23T12:00:00Z') * 1000
export const dayMicros = 86_400_000_000
export const fixedClock: Clock = { nowMicros: () => noon + dayMicros / 4, sleep: () => Promise.resolve() }

function indexed<R extends StoredRecord>(record: R, more: Partial<Indexed>): Indexed {
	return {
		record: record as unknown as Redacted<StoredRecord>,
		summary: '',
		severity: 'normal',
		facets: [],
		paths: [],
		labels: {},
		owners: [],
		images: [],
		text: '',
		...more,
	}
}

const envelope = (at: number) => ({ cluster: 'blue', source: 'etcd', occurredAt: at, occurredBound: 0, observedAt: at + 5 })

export interface ChangeOptions {
	readonly at?: number
	readonly revision: number
	readonly object?: Partial<ObjectRef>
	readonly kind?: string
	readonly uid?: string
	readonly operation?: Change['operation']
	readonly body?: object
	readonly cluster?: string
	readonly space?: string
	readonly renewTime?: string
	readonly more?: Partial<Indexed>
}

export function aPodRef(name = 'web-7f9c'): ObjectRef {
	return { resource: 'pods', group: '', namespace: 'shop', name }
}

export function aChange(options: ChangeOptions): Indexed {
	const object = { ...aPodRef(), ...options.object }
	const cluster = options.cluster ?? 'blue'
	const space = options.space ?? 'main'
	const operation = options.operation ?? 'updated'
	const body = Body.ofValue(
		options.body ?? {
			kind: options.kind ?? 'Pod',
			metadata: { name: object.name, resourceVersion: String(options.revision) },
			spec: { filler: 'x'.repeat(50) },
		},
	)
	const change: Change = {
		...envelope(options.at ?? noon + options.revision * 1000),
		cluster,
		kind: 'change',
		id: versionId(cluster, space, objectKey(object), BigInt(options.revision)),
		space,
		revision: BigInt(options.revision),
		operation,
		sighting: 'watch',
		object,
		apiVersion: 'v1',
		objectKind: options.kind ?? 'Pod',
		uid: options.uid ?? `uid-${object.name}`,
		before: operation === 'deleted' ? body : null,
		after: operation === 'deleted' || options.renewTime !== undefined ? null : body,
		beforeRevision: null,
		owners: options.more?.owners ?? [],
		encoding: 'json',
	}
	const stored: Change =
		options.renewTime === undefined ? change : { ...change, folded: { renewTime: options.renewTime, managedTimes: [] } }
	return indexed(stored, { summary: `change ${options.revision}`, ...options.more })
}

export function anEvent(options: {
	readonly at?: number
	readonly revision: number
	readonly name?: string
	readonly regarding?: string
	readonly operation?: ClusterEvent['operation']
}): Indexed {
	const object = { resource: 'events', group: '', namespace: 'shop', name: options.name ?? 'web-7f9c.17a' }
	const at = options.at ?? noon + options.revision * 1000
	const name = options.regarding ?? 'web-7f9c'
	const event: ClusterEvent = {
		...envelope(at),
		kind: 'event',
		id: versionId('blue', 'main', objectKey(object), BigInt(options.revision)),
		space: 'main',
		revision: BigInt(options.revision),
		operation: options.operation ?? 'created',
		sighting: 'watch',
		object,
		apiVersion: 'v1',
		objectKind: 'Event',
		uid: `uid-${object.name}`,
		before: null,
		after: Body.ofValue({ reason: 'BackOff' }),
		beforeRevision: null,
		owners: [],
		encoding: 'json',
		reason: 'BackOff',
		message: 'Back-off restarting failed container',
		type: 'Warning',
		count: 1,
		reporter: 'kubelet',
		regarding: { ...aPodRef(name), kind: 'Pod', uid: `uid-${name}`, revision: 7n, fieldPath: '' },
		firstAt: at,
		lastAt: at,
	}
	return indexed(event, { summary: 'BackOff: Back-off restarting failed container', severity: 'warning' })
}

export function anAudit(options: {
	readonly at?: number
	readonly n: number
	readonly user?: string
	readonly verb?: string
	readonly code?: number
	readonly name?: string
}): Indexed {
	const at = options.at ?? noon + options.n * 1000
	const entry: AuditEntry = {
		...envelope(at),
		kind: 'audit',
		id: auditId('blue', `a-${options.n}`, 'ResponseComplete', String(at), at),
		auditID: `a-${options.n}`,
		stage: 'ResponseComplete',
		level: 'Metadata',
		verb: options.verb ?? 'patch',
		requestURI: '/api/v1',
		user: options.user ?? 'alice',
		groups: ['system:authenticated'],
		impersonated: '',
		sourceIPs: ['10.0.0.1'],
		userAgent: 'kubectl/1.36',
		object: aPodRef(options.name),
		subresource: '',
		code: options.code ?? 200,
		decision: 'allow',
		reason: '',
		requestReceivedAt: at,
		dryRun: false,
		responseRevision: 9n,
		responseUid: '',
		truncated: false,
		body: Body.ofValue({ auditID: `a-${options.n}` }),
	}
	return indexed(entry, { summary: `${entry.user} ${entry.verb} pod` })
}

export function aGap(at: number): Indexed {
	const gap: Gap = {
		...envelope(at),
		kind: 'gap',
		id: statementId('gap', 'blue', at, 'x'),
		space: 'main',
		scope: '/registry',
		reason: 'compacted',
		fromRevision: 5n,
		toRevision: 9n,
		fromAt: null,
		toAt: null,
		touched: [],
		touchedCount: 0,
		detail: '',
	}
	return indexed(gap, { summary: 'compacted', severity: 'warning' })
}

export function aReject(cluster: string, at: number): Indexed {
	const reject: Reject = {
		...envelope(at),
		cluster,
		kind: 'reject',
		id: statementId('reject', cluster, at, 'x'),
		step: 'etcd.decode',
		reason: 'no value',
		where: '/registry/x',
		sha256: 'aa',
		sizeBytes: 1,
	}
	return indexed(reject, { summary: 'no value' })
}

/** A line of the container `web` of the Pod that aPodRef() names. */
export function aLine(options: { readonly at: number; readonly offset?: number; readonly more?: Partial<LogLine> }): Indexed {
	const offset = options.offset ?? options.at - noon
	const file = options.more?.file ?? 'f1'
	const line: LogLine = {
		...envelope(options.at),
		source: 'logs',
		kind: 'log',
		id: logId('blue', file, offset, options.at),
		file,
		offset,
		stream: 'stdout',
		namespace: 'shop',
		pod: 'web-7f9c',
		podUid: 'uid-web-7f9c',
		container: 'web',
		restart: 0,
		component: '',
		node: '',
		level: '',
		text: `line ${offset}`,
		flags: [],
		...options.more,
	}
	return indexed(line, { summary: line.text })
}
