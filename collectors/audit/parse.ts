// One line of an audit log to an audit entry (or a reject). Format: apiserver pkg/apis/audit/v1/types.go; v1beta1 has the same fields, and the legacy text form some of them.
import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import { Body } from '#records/body.ts'
import { auditId, statementId } from '#records/id.ts'
import type { ObjectRef } from '#records/object-key.ts'
import type { AuditEntry, AuditStage, Reject } from '#records/record.ts'
import { parseRevision } from '#records/revision.ts'
import { parseTime, type Micros } from '#records/time.ts'
import { limits } from '#runtime/limits.ts'
import { eventOfGke, gkeMissing } from './gke.ts'
import { JsonScan, prepare } from './json-scan.ts'
import { legacyMissing, parseLegacy } from './legacy.ts'

export interface AuditLineContext {
	readonly cluster: string
	readonly source: string
	/** When the line was read; `asOccurred` where that is not known (a recording): the entry's own time is taken then. */
	readonly observedAt: Micros
	readonly asOccurred?: boolean
	/** File and offset, for a reject. */
	readonly where: string
	/** What tells the line from all others of its source, whenever it is read again: its offset. Where this is not given, `where` is taken. */
	readonly identity?: string
	/** When the entry before it in the source was written; undefined where none is known. A reject that is repeated after a crash has the same id by it. */
	readonly after?: Micros | undefined
	/** The apiVersion of the list it is an item of: an item need not say its kind again. */
	readonly itemOf?: string
}

type Fields = Readonly<Record<string, unknown>>
const none: Fields = {}
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : none)
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [])

const versions: ReadonlySet<unknown> = new Set(['audit.k8s.io/v1', 'audit.k8s.io/v1beta1'])
const stages: ReadonlySet<unknown> = new Set<AuditStage>(['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'])
const dryRunParameter = /[?&]dryRun=All(?:&|$)/

/** All that is read of the bodies. */
const bodies = prepare({
	requestObject: { kind: 'value', dryRun: 'value', metadata: { name: 'value' } },
	responseObject: { metadata: { name: 'value', uid: 'value', resourceVersion: 'value' }, details: { uid: 'value' } },
})
/** Set beside the members of an Event whose bodies were left out on the way. */
const skippedMark = ' skipped'
const reasons = { 'not JSON': 'the line is not JSON', 'nested too deeply': `nested deeper than ${limits.jsonDepthMax} levels` } as const

/** What AKS puts in the place of a body that is too large (Azure Monitor, table AKSAudit). */
const skippedBody = '"skipped-too-big-size-object"'

/** Keeps the line as it is: the entry's body is the line itself; of a line in the legacy form it is an Event made of it. Never throws. */
export function parseAuditLine(line: Uint8Array | string, context: AuditLineContext): AuditEntry | Reject {
	const bytes = typeof line === 'string' ? Buffer.from(line) : Buffer.from(line.buffer, line.byteOffset, line.byteLength)
	if (typeof line !== 'string' && !isUtf8(bytes)) return rejectLine(line, context, 'the line is not UTF-8')
	const event = envelopeOf(bytes)
	const legacy = event === 'not JSON' ? parseLegacy(bytes.toString('utf8')) : undefined
	const entry = legacy
		? readLossy(legacy, legacyMissing, context)
		: typeof event === 'string'
			? reasons[event]
			: read(event, Body.ofBytes(bytes), context)
	return typeof entry === 'string' ? rejectLine(line, context, entry) : entry
}

/** An entry of GKE's in Cloud Logging: the entry's body is the Event that was made of it, with the rest of it under `gke`. Never throws. */
export function parseGkeEntry(bytes: Buffer, context: AuditLineContext): AuditEntry | Reject {
	const event = eventOfGke(fields(JSON.parse(bytes.toString('utf8'))))
	const entry = event ? readLossy(event, gkeMissing, context) : 'not an entry of the API server'
	return typeof entry === 'string' ? rejectLine(bytes, context, entry) : entry
}

function readLossy(event: Fields, missing: readonly string[], context: AuditLineContext): AuditEntry | string {
	const entry = read(event, Body.ofText(JSON.stringify(event)), context)
	return typeof entry === 'string' ? entry : { ...entry, missing }
}

/** The entry's fields; of its bodies only what is read of them: the bodies are most of an entry, and are parsed by whoever asks for them. */
function envelopeOf(bytes: Buffer): Fields | 'not JSON' | 'nested too deeply' {
	const members = new JsonScan(bytes).members(bodies)
	const refusal = members === 'escaped name' ? new JsonScan(bytes).check() : typeof members === 'string' ? members : undefined
	if (refusal === 'not JSON' || refusal === 'nested too deeply') return refusal
	// A name that might be one of those wanted is written with escapes: the whole is parsed.
	if (typeof members === 'string') return fields(JSON.parse(bytes.toString('utf8')))
	let json = ''
	let done = 0
	for (const { from, to } of members) {
		json += `${bytes.toString('utf8', done, from)}null`
		done = to
	}
	const event = fields(JSON.parse(json + bytes.toString('utf8', done)))
	if (members.length === 0) return event
	const skipped = members.some(({ from, to }) => to - from === skippedBody.length && bytes.toString('latin1', from, to) === skippedBody)
	return { ...event, ...Object.fromEntries(members.map(({ name, found }) => [name, found])), ...(skipped ? { [skippedMark]: true } : {}) }
}

/** The entry, or why it is none. */
function read(event: Fields, body: Body, context: AuditLineContext): AuditEntry | string {
	const isItem = context.itemOf !== undefined
	if ((event['kind'] ?? (isItem ? 'Event' : undefined)) !== 'Event' || !versions.has(event['apiVersion'] ?? context.itemOf))
		return 'not an audit.k8s.io/v1 or v1beta1 Event'
	const { auditID, stage } = event
	if (typeof auditID !== 'string' || auditID === '') return 'auditID is missing'
	if (!stages.has(stage)) return 'stage is not one of the four'
	const receivedText = text(event['requestReceivedTimestamp'])
	// v1beta1 before Kubernetes 1.9 had one timestamp only.
	const stageText = text(event['stageTimestamp']) || text(event['timestamp']) || receivedText
	const stageAt = parseTime(stageText)
	if (stageAt === undefined) return 'stageTimestamp is not a time'
	const user = fields(event['user'])
	const annotations = fields(event['annotations'])
	const status = fields(event['responseStatus'])
	const request = fields(event['requestObject'])
	const response = fields(event['responseObject'])
	const answered = fields(response['metadata'])
	const requestURI = text(event['requestURI'])
	const code = status['code']
	return {
		kind: 'audit',
		id: auditId(context.cluster, auditID, stage as AuditStage, stageText, stageAt),
		cluster: context.cluster,
		source: context.source,
		occurredAt: stageAt,
		occurredBound: 0,
		observedAt: context.asOccurred === true ? stageAt : context.observedAt,
		auditID,
		stage: stage as AuditStage,
		level: text(event['level']),
		verb: text(event['verb']),
		requestURI,
		user: text(user['username']),
		groups: texts(user['groups']),
		impersonated: text(fields(event['impersonatedUser'])['username']),
		sourceIPs: texts(event['sourceIPs']),
		userAgent: text(event['userAgent']),
		object: objectOf(event['objectRef'], text(answered['name']) || text(fields(request['metadata'])['name'])),
		subresource: text(fields(event['objectRef'])['subresource']),
		code: typeof code === 'number' && Number.isSafeInteger(code) ? code : 0,
		decision: text(annotations['authorization.k8s.io/decision']),
		reason: text(annotations['authorization.k8s.io/reason']),
		requestReceivedAt: parseTime(receivedText) ?? stageAt,
		dryRun: dryRunParameter.test(requestURI) || (request['kind'] === 'DeleteOptions' && texts(request['dryRun']).includes('All')),
		responseRevision: parseRevision(answered['resourceVersion']) ?? null,
		responseUid: text(answered['uid']) || text(fields(status['details'])['uid']) || text(fields(response['details'])['uid']),
		truncated: annotations['audit.k8s.io/truncated'] === 'true' || event[skippedMark] === true,
		body,
	}
}

/** The same key as the change of that object has: a Namespace lies in no namespace, and an Event has one key in both its groups. */
function objectOf(objectRef: unknown, otherwise: string): ObjectRef | null {
	const ref = fields(objectRef)
	const resource = text(ref['resource'])
	if (resource === '') return null
	const group = text(ref['apiGroup'])
	return {
		resource,
		group: resource === 'events' && group === 'events.k8s.io' ? '' : group,
		namespace: resource === 'namespaces' && group === '' ? '' : text(ref['namespace']),
		name: text(ref['name']) || otherwise,
	}
}

/**
 * `line` as its bytes, or as what is known of them where they were too many to keep. The id depends on the source alone: on the entry before, on
 * the place and on the bytes, and not on when it was read; so a reject that is told again after a crash is the same record. It occurred between the
 * entry before and its sighting.
 */
export function rejectLine(
	line: Uint8Array | string | { readonly sha256: string; readonly sizeBytes: number },
	context: AuditLineContext,
	reason: string,
): Reject {
	const known =
		typeof line === 'object' && 'sha256' in line ? line : { sha256: hash('sha256', line, 'hex'), sizeBytes: Buffer.byteLength(line) }
	const { cluster, source, observedAt, where, after } = context
	const occurredAt = after ?? observedAt
	return {
		kind: 'reject',
		id: statementId('reject', cluster, after ?? 0, 'audit.parse', context.identity ?? where, known.sha256),
		cluster,
		source,
		occurredAt,
		occurredBound: Math.max(0, observedAt - occurredAt),
		observedAt,
		step: 'audit.parse',
		reason,
		where,
		sha256: known.sha256,
		sizeBytes: known.sizeBytes,
	}
}
