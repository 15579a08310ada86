// Records for tests: one of each kind with sensible values, and arbitraries of all of them.
import * as fc from 'fast-check'
import { Body } from '#records/body.ts'
import { auditId, logId, statementId, versionId } from '#records/id.ts'
import { objectKey } from '#records/object-key.ts'
import type { AuditEntry, Change, ClusterEvent, Coverage, Gap, KubetapeRecord, LogLine, Redacted, Reject } from '#records/record.ts'

/** 2026-11-23T10:00:00Z in microseconds. */
export const testBegin = 1_795_428_000_000_000
const envelope = { cluster: 'test', source: 'replay', occurredAt: testBegin, occurredBound: 0, observedAt: testBegin }
const pod = { resource: 'pods', group: '', namespace: 'shop', name: 'web-0' }

/** Stands for processors/redact in tests of what comes after it. */
export function asRedacted<R extends KubetapeRecord>(record: R): Redacted<R> {
	return record as Redacted<R>
}

/** An update of a Pod at revision 100; the id follows cluster, space, object and revision unless it is given. */
export function aChange(overrides: Partial<Change> = {}): Change {
	const object = overrides.object ?? pod
	const revision = overrides.revision ?? 100n
	const id = versionId(overrides.cluster ?? envelope.cluster, overrides.space ?? 'main', objectKey(object), revision)
	const value = (phase: string, at: bigint) => ({
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name: object.name, resourceVersion: `${at}` },
		status: { phase },
	})
	const bodies = {
		before: Body.ofValue(value('Pending', revision - 1n)),
		after: Body.ofValue(value('Running', revision)),
		beforeRevision: revision - 1n,
	}
	const seen = { space: 'main', revision, operation: 'updated', sighting: 'watch', encoding: 'json' } as const
	return {
		...envelope,
		kind: 'change',
		id,
		...seen,
		object,
		apiVersion: 'v1',
		objectKind: 'Pod',
		uid: 'uid-web-0',
		...bodies,
		owners: [],
		...overrides,
	}
}

/** A change that can be told by its revision, for tests that count. */
export function numberedRecord(number: number, name = 'web'): Redacted {
	return asRedacted(aChange({ revision: BigInt(number), object: { ...pod, name } }))
}

export function aClusterEvent(overrides: Partial<ClusterEvent> = {}): ClusterEvent {
	const object = overrides.object ?? { resource: 'events', group: '', namespace: 'shop', name: 'web-0.17a' }
	const { kind: _kind, ...version } = aChange({
		object,
		revision: overrides.revision ?? 101n,
		cluster: overrides.cluster ?? envelope.cluster,
		objectKind: 'Event',
		before: null,
		beforeRevision: null,
		operation: 'created',
	})
	const regarding = { ...pod, kind: 'Pod', uid: 'uid-web-0', revision: 100n, fieldPath: 'spec.containers{web}' }
	const said = { reason: 'BackOff', message: 'Back-off restarting failed container', type: 'Warning', count: 3, reporter: 'kubelet' }
	return { ...version, kind: 'event', ...said, regarding, firstAt: testBegin - 60_000_000, lastAt: testBegin, ...overrides }
}

export function anAuditEntry(overrides: Partial<AuditEntry> = {}): AuditEntry {
	const auditID = overrides.auditID ?? 'd1b6fd2e-0000-4000-8000-000000000001'
	const stage = overrides.stage ?? 'ResponseComplete'
	const at = overrides.occurredAt ?? testBegin
	const request = {
		auditID,
		stage,
		level: 'RequestResponse',
		verb: 'patch',
		requestURI: '/api/v1/namespaces/shop/pods/web-0/status',
		user: 'system:node:n1',
		groups: ['system:nodes'],
	} as const
	const answer = {
		code: 200,
		decision: 'allow',
		reason: '',
		requestReceivedAt: at - 5000,
		dryRun: false,
		responseRevision: 100n,
		responseUid: 'uid-web-0',
		truncated: false,
	}
	const from = { impersonated: '', sourceIPs: ['10.0.0.7'], userAgent: 'kubelet/v1.36', object: pod, subresource: 'status' }
	const id = auditId(overrides.cluster ?? envelope.cluster, auditID, stage, String(at), at)
	return {
		...envelope,
		kind: 'audit',
		id,
		...request,
		...from,
		...answer,
		body: Body.ofValue({ kind: 'Event', auditID, stage }),
		...overrides,
	}
}

export function aLogLine(overrides: Partial<LogLine> = {}): LogLine {
	const file = overrides.file ?? 'shop_web-0_web/0.log'
	const offset = overrides.offset ?? 0
	const id = logId(overrides.cluster ?? envelope.cluster, file, offset, overrides.occurredAt ?? testBegin)
	const where = { namespace: 'shop', pod: 'web-0', podUid: 'uid-web-0', container: 'web', restart: 0, component: '', node: 'n1' }
	return {
		...envelope,
		kind: 'log',
		id,
		file,
		offset,
		stream: 'stdout',
		...where,
		level: 'info',
		text: 'listening on :8080',
		flags: [],
		...overrides,
	}
}

export function aGap(overrides: Partial<Gap> = {}): Gap {
	const id = statementId('gap', overrides.cluster ?? envelope.cluster, testBegin, String(overrides.fromRevision ?? 5n))
	const range = { fromRevision: 5n, toRevision: 9n, fromAt: testBegin - 1_000_000, toAt: testBegin }
	return {
		...envelope,
		kind: 'gap',
		id,
		space: 'main',
		scope: '/registry/',
		reason: 'compacted',
		...range,
		touched: [objectKey(pod)],
		touchedCount: 1,
		detail: 'compacted at 9',
		...overrides,
	}
}

export function aCoverage(overrides: Partial<Coverage> = {}): Coverage {
	const id = statementId('coverage', overrides.cluster ?? envelope.cluster, testBegin, String(overrides.fromRevision ?? 10n))
	return {
		...envelope,
		kind: 'coverage',
		id,
		space: 'main',
		scope: '/registry/',
		fromRevision: 10n,
		toRevision: 19n,
		versions: 10,
		chain: 'ab'.repeat(32),
		...overrides,
	}
}

export function aReject(overrides: Partial<Reject> = {}): Reject {
	const id = statementId('reject', overrides.cluster ?? envelope.cluster, testBegin, overrides.where ?? '/registry/pods/shop/web-0@100')
	return {
		...envelope,
		kind: 'reject',
		id,
		step: 'etcd.decode',
		reason: 'truncated',
		where: '/registry/pods/shop/web-0@100',
		sha256: 'cd'.repeat(32),
		sizeBytes: 12,
		...overrides,
	}
}

/** Text as found in the wild, all Unicode that UTF-8 can carry. */
const text = fc.string({ unit: 'binary', maxLength: 40 })
const revision = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })
const micros = fc.integer({ min: 0, max: 4_000_000_000_000_000 })
const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/)
const object = fc.record({ resource: word, group: fc.oneof(fc.constant(''), word), namespace: fc.oneof(fc.constant(''), word), name: word })
const owner = fc.record({ apiVersion: word, kind: word, name: word, uid: word })
/** Without -0, which JSON text does not keep. */
const value = fc.jsonValue({ maxDepth: 3 }).map((json): unknown => JSON.parse(JSON.stringify(json)))
/** A body in each of the forms it can be in. */
const body = fc.oneof(
	value.map((json) => Body.ofValue(json)),
	value.map((json) => Body.ofText(JSON.stringify(json))),
	value.map((json) => Body.ofBytes(Buffer.from(JSON.stringify(json)))),
)
const envelopeOf = { cluster: text, source: word, occurredAt: micros, occurredBound: fc.nat(), observedAt: micros }
const versionOf = {
	...envelopeOf,
	space: word,
	revision,
	operation: fc.constantFrom('created', 'updated', 'deleted'),
	sighting: fc.constantFrom('watch', 'snapshot', 'gap'),
	object,
	uid: text,
	before: fc.option(body),
	after: fc.option(body),
	beforeRevision: fc.option(revision),
	owners: fc.array(owner, { maxLength: 3 }),
	encoding: fc.constantFrom('protobuf', 'json', 'api', 'encrypted', 'raw'),
} as const

export const objectArbitrary = object
export const recordArbitrary: fc.Arbitrary<KubetapeRecord> = fc.oneof(
	fc.record(versionOf).map((fields) => aChange(fields)),
	fc
		.record({
			...versionOf,
			message: text,
			count: fc.nat(),
			regarding: fc.record({
				resource: word,
				group: word,
				namespace: word,
				name: text,
				kind: word,
				uid: text,
				revision: fc.option(revision),
				fieldPath: text,
			}),
		})
		.map((fields) => aClusterEvent(fields)),
	fc
		.record({
			...envelopeOf,
			auditID: text,
			user: text,
			groups: fc.array(text, { maxLength: 3 }),
			userAgent: text,
			object: fc.option(object),
			responseRevision: fc.option(revision),
			body,
		})
		.map((fields) => anAuditEntry(fields)),
	fc
		.record({ ...envelopeOf, file: text, offset: fc.nat(), text: fc.string({ unit: 'binary', maxLength: 300 }), restart: fc.nat() })
		.map((fields) => aLogLine(fields)),
	fc
		.record({
			...envelopeOf,
			fromRevision: fc.option(revision),
			toRevision: fc.option(revision),
			fromAt: fc.option(micros),
			touched: fc.array(text, { maxLength: 5 }),
			detail: text,
		})
		.map((fields) => aGap(fields)),
	fc.record({ ...envelopeOf, fromRevision: revision, toRevision: revision, versions: fc.nat() }).map((fields) => aCoverage(fields)),
	fc.record({ ...envelopeOf, where: text, reason: text, sizeBytes: fc.nat() }).map((fields) => aReject(fields)),
)

/** A record with its bodies as values, so that two can be compared whatever form their bodies came in. */
export function plain(record: KubetapeRecord): Record<string, unknown> {
	return Object.fromEntries(
		Object.entries(record).map(([key, field]: [string, unknown]) => [key, field instanceof Body ? { body: field.value } : field]),
	)
}
