// Records to rows and rows to items.
import type { Indexed } from '#records/indexed.ts'
import type { RecordKind, OwnerRef } from '#records/record.ts'
import type { Micros } from '#records/time.ts'
import { isNoise, isWholeInSummary } from '#storage/store/meaning.ts'
import type { Item } from '#storage/store/port.ts'
import type { Partition } from './partition.ts'
import { timeOf } from './place.ts'
import { encodings, encodingShift, kinds, noiseFlag, operations, severities, sightings, sightingShift, type Row } from './schema.ts'

/** Interned: the same for many records of an object. */
export interface Traits {
	readonly a?: string
	readonly l?: Readonly<Record<string, string>>
	readonly o?: readonly OwnerRef[]
	readonly i?: readonly string[]
	/** Of audit entries: what the same client sends again and again. */
	readonly c?: Readonly<Record<string, unknown>>
}

const revisionFields = new Set(['revision', 'regardingRevision', 'responseRevision', 'fromRevision', 'toRevision'])
const encode = (value: unknown): string =>
	JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? part.toString() : part))

export function parseRest(text: string): Record<string, unknown> {
	return JSON.parse(text, (key, value: unknown) =>
		typeof value === 'string' && revisionFields.has(key) && /^\d{1,19}$/.test(value) ? BigInt(value) : value,
	) as Record<string, unknown>
}

export function flagsOf(indexed: Indexed): number {
	const { record } = indexed
	let flags = Math.max(0, severities.indexOf(indexed.severity))
	if (isNoise(indexed)) flags |= noiseFlag
	if (record.kind === 'change' || record.kind === 'event')
		flags |= (sightings.indexOf(record.sighting) << sightingShift) | (encodings.indexOf(record.encoding) << encodingShift)
	return flags
}

/** Lists of texts, alike. */
export function areSame(a: readonly string[], b: readonly string[]): boolean {
	if (a.length !== b.length) return false
	for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false
	return true
}

function areSameLabels(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
	if (a === b) return true
	let more = 0
	for (const key in a) {
		if (a[key] !== b[key]) return false
		more += 1
	}
	for (const _ in b) more -= 1
	return more === 0
}

function areSameOwners(a: readonly OwnerRef[], b: readonly OwnerRef[]): boolean {
	if (a.length !== b.length) return false
	for (let index = 0; index < a.length; index++) {
		const one = a[index]
		const other = b[index]
		if (one?.uid !== other?.uid || one?.name !== other?.name || one?.kind !== other?.kind || one?.apiVersion !== other?.apiVersion)
			return false
	}
	return true
}

/** What a change or a cluster event has in common with the one before of the same object, mostly. */
export type Shared = Pick<Indexed, 'labels' | 'owners' | 'images'> & { readonly apiVersion: string }

export function areAlike(a: Shared, b: Shared): boolean {
	return (
		a.apiVersion === b.apiVersion && areSame(a.images, b.images) && areSameLabels(a.labels, b.labels) && areSameOwners(a.owners, b.owners)
	)
}

/** The interned part, as JSON; undefined where it is empty. */
export function traitsOf(indexed: Indexed): string | undefined {
	const { record } = indexed
	const traits: Record<string, unknown> = {}
	if ('apiVersion' in record && record.apiVersion) traits['a'] = record.apiVersion
	for (const _ in indexed.labels) {
		traits['l'] = indexed.labels
		break
	}
	if (indexed.owners.length > 0) traits['o'] = indexed.owners
	if (indexed.images.length > 0) traits['i'] = indexed.images
	if (record.kind === 'audit') {
		traits['c'] = {
			level: record.level,
			user: record.user,
			groups: record.groups,
			impersonated: record.impersonated,
			sourceIPs: record.sourceIPs,
			userAgent: record.userAgent,
			verb: record.verb,
			subresource: record.subresource,
			decision: record.decision,
			reason: record.reason,
			stage: record.stage,
			code: record.code,
		}
	} else if (record.kind === 'log') {
		traits['c'] = {
			namespace: record.namespace,
			pod: record.pod,
			podUid: record.podUid,
			container: record.container,
			restart: record.restart,
			component: record.component,
			node: record.node,
			stream: record.stream,
			level: record.level,
			file: record.file,
			follows: record.follows,
			journal: record.journal,
		}
	}
	for (const _ in traits) return JSON.stringify(traits)
	return undefined
}

/** What only this record has, as JSON; null where it is empty. */
export function restOf(indexed: Indexed): string | null {
	const { record } = indexed
	switch (record.kind) {
		case 'change':
			return record.folded || record.note !== undefined ? JSON.stringify({ folded: record.folded, note: record.note }) : null
		case 'event':
			return encode({
				note: record.note,
				event: {
					object: record.object,
					reason: record.reason,
					message: record.message,
					type: record.type,
					count: record.count,
					reporter: record.reporter,
					regardingRevision: record.regarding.revision,
					firstAt: record.firstAt,
					lastAt: record.lastAt,
				},
			})
		case 'audit':
			return encode({
				audit: {
					auditID: record.auditID,
					requestURI: record.requestURI,
					requestReceivedAt: record.requestReceivedAt,
					dryRun: record.dryRun,
					responseRevision: record.responseRevision,
					truncated: record.truncated,
					missing: record.missing,
				},
			})
		case 'log':
			return JSON.stringify({
				log: {
					offset: record.offset,
					flags: record.flags,
					originalBytes: record.originalBytes,
					...(isWholeInSummary(record, indexed.summary) ? { raw: record.raw } : { textChars: record.text.length }),
				},
			})
		default:
			return encode({ record })
	}
}

export function occurredAt(partition: Partition, row: Row): Micros {
	return row.at ?? timeOf(partition.start, row.row)
}

const hexId = (row: Row): string => Buffer.from(row.id).toString('hex')

/** The statement a row of kind gap, coverage or reject holds. */
export function statementOf<T>(row: Row): T {
	return parseRest(row.rest ?? '{}')['record'] as T
}

export function itemOf(partition: Partition, row: Row, cluster?: string): Item {
	const at = occurredAt(partition, row)
	const kind = kinds[row.kind] as RecordKind
	const object = row.obj === null ? undefined : partition.object(row.obj)
	const traits = row.traits === null ? {} : (partition.json(row.traits) as Traits)
	const rest = row.rest === null ? {} : parseRest(row.rest)
	const versioned = kind === 'change' || kind === 'event'
	const statement = rest['record'] as { cluster?: string } | undefined
	const item: Record<string, unknown> = {
		id: hexId(row),
		kind,
		cluster: cluster ?? object?.cluster ?? statement?.cluster ?? (row.space === null ? '' : partition.text(row.space)),
		source: partition.text(row.source),
		occurredAt: at,
		occurredBound: row.bound,
		observedAt: at + row.observed,
		summary: row.summary,
		severity: severities[row.flags & 3],
	}
	if (object) {
		item['object'] = { resource: object.resource, group: object.group, namespace: object.namespace, name: object.name }
		if (object.kind) item['objectKind'] = object.kind
		if (object.uid) item['uid'] = object.uid
	}
	if (versioned) {
		item['space'] = row.space === null ? '' : partition.text(row.space)
		item['revision'] = BigInt(row.rev ?? '0')
		item['operation'] = operations[row.op ?? 0]
		item['sighting'] = sightings[(row.flags >> sightingShift) & 3]
		item['encoding'] = encodings[(row.flags >> encodingShift) & 7]
		if (kind === 'event') item['event'] = rest['event']
	}
	if (rest['note'] !== undefined) item['note'] = rest['note']
	if (rest['folded'] !== undefined) item['folded'] = rest['folded']
	if (row.paths !== null) Object.assign(item, partition.json(row.paths))
	if (traits.l) item['labels'] = traits.l
	if (traits.o) item['owners'] = traits.o
	if (traits.i) item['images'] = traits.i
	if (kind === 'audit' || kind === 'log') item[kind] = { ...traits.c, ...(rest[kind] as object) }
	return item as unknown as Item
}
