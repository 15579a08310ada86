// A record as a line of a bulk request: made once, sent as often as needed. Bodies go in as the bytes they are.
import type { Indexed } from '#records/indexed.ts'
import { objectKey, resourceName } from '#records/object-key.ts'
import { formatTime } from '#records/time.ts'
import { aboutOf, bodyToStore, isNoise, isWholeInSummary, namespaceOf, searchedText } from '#storage/store/meaning.ts'
import { constantPart } from './ecs.ts'
import { classOf, placeOf, recordClasses, type Names, type Place, type RecordClass } from './names.ts'
import { wordsOf } from './words.ts'

export interface Line {
	readonly id: string
	readonly index: string
	/** The action and the document, each with its line end. */
	readonly bytes: Uint8Array
}

export interface Prepared extends Line {
	readonly indexed: Indexed
	readonly class: RecordClass
	readonly place: Place
}

type Part = Record<string, unknown>

const decimal = (revision: bigint | null): string | null => (revision === null ? null : revision.toString())
const hasAny = (map: object): boolean => {
	for (const _ in map) return true
	return false
}

export const clusterKey = (cluster: string, key: string): string => `${cluster}\n${key}`
export const aboutText = (cluster: string, key: string, kind: string, uid: string): string => `${cluster}\n${key}\n${kind}\n${uid}`

/** What of an item only its kind has. */
function ownPart(indexed: Indexed): Part {
	const { record } = indexed
	switch (record.kind) {
		case 'change':
		case 'event': {
			const version: Part = {
				space: record.space,
				revision: record.revision.toString(),
				operation: record.operation,
				sighting: record.sighting,
				encoding: record.encoding,
			}
			if (record.kind === 'change') return { ...version, note: record.note, folded: record.folded }
			const { object, reason, message, type, count, reporter, regarding, firstAt, lastAt } = record
			const event = { object, reason, message, type, count, reporter, regardingRevision: decimal(regarding.revision), firstAt, lastAt }
			return { ...version, event, note: record.note }
		}
		case 'audit': {
			const { level, user, groups, impersonated, sourceIPs, userAgent, verb, subresource, decision, reason, stage, code } = record
			const { auditID, requestURI, requestReceivedAt, dryRun, truncated, missing } = record
			const sent = { level, user, groups, impersonated, sourceIPs, userAgent, verb, subresource, decision, reason, stage, code }
			const answered = {
				auditID,
				requestURI,
				requestReceivedAt,
				dryRun,
				responseRevision: decimal(record.responseRevision),
				truncated,
				missing,
			}
			return { audit: { ...sent, ...answered } }
		}
		case 'log': {
			const { namespace, pod, podUid, container, restart, component, node, stream, level, file, follows, journal } = record
			const { offset, flags, originalBytes } = record
			const text = isWholeInSummary(record, indexed.summary) ? { raw: record.raw } : { textChars: record.text.length }
			const from = { namespace, pod, podUid, container, restart, component, node, stream, level, file, follows, journal }
			return { log: { ...from, offset, flags, originalBytes, ...text } }
		}
		default:
			return {}
	}
}

/** As JSON shows it: revisions are decimal strings. */
function itemPart(indexed: Indexed): Part {
	const { record, facets, paths, labels, owners, images } = indexed
	const about = aboutOf(indexed)
	const item: Part = {
		id: record.id,
		kind: record.kind,
		cluster: record.cluster,
		source: record.source,
		occurredAt: record.occurredAt,
		occurredBound: record.occurredBound,
		observedAt: record.observedAt,
		summary: indexed.summary,
		severity: indexed.severity,
	}
	if (about) {
		const { resource, group, namespace, name } = about.object
		item['object'] = { resource, group, namespace, name }
		if (about.kind) item['objectKind'] = about.kind
		if (about.uid) item['uid'] = about.uid
	}
	const { event, audit, log, ...own } = ownPart(indexed)
	Object.assign(item, own)
	if (event) item['event'] = event
	if (facets.length > 0 || paths.length > 0) Object.assign(item, { facets, paths })
	if (hasAny(labels)) item['labels'] = labels
	if (owners.length > 0) item['owners'] = owners
	if (images.length > 0) item['images'] = images
	if (audit) item['audit'] = audit
	if (log) item['log'] = log
	return item
}

function workedOutPart(indexed: Indexed, { at }: Place, put: readonly number[], bodied: boolean): Part {
	const { record } = indexed
	const about = aboutOf(indexed)
	const part: Part = { at, noise: isNoise(indexed), put, words: wordsOf(searchedText(indexed)) }
	if (about) {
		const { object, kind, uid } = about
		const key = objectKey(object)
		part['namespace'] = namespaceOf(object)
		part['resource'] = resourceName(object)
		part['resourceOnly'] = object.resource
		part['kind'] = kind.toLowerCase()
		part['about'] = aboutText(record.cluster, key, kind, uid)
		if (uid === '') part['nameless'] = clusterKey(record.cluster, key)
	}
	if (record.kind === 'change' || record.kind === 'event') {
		part['key'] = objectKey(record.object)
		part['ownNamespace'] = record.object.namespace
		part['ownName'] = record.object.name
		part['bodied'] = bodied
	}
	return part
}

const eventTypes: Readonly<Record<string, string>> = {
	created: '"creation"',
	updated: '"change"',
	deleted: '"deletion"',
	create: '"creation"',
	update: '"change"',
	patch: '"change"',
	delete: '"deletion"',
	deletecollection: '"deletion"',
}

/** Category, type and outcome. The outcome of a request is what its answer says; an entry from before the answer has none. */
function eventPart({ record }: Indexed): string {
	if (record.kind === 'change') return `,"category":["configuration"],"type":[${eventTypes[record.operation] ?? ''}]`
	if (record.kind !== 'audit') return ''
	const outcome = record.code >= 400 || record.decision === 'forbid' ? 'failure' : record.code > 0 ? 'success' : 'unknown'
	const refused = record.decision === 'forbid' || record.code === 401 || record.code === 403
	return `,"category":["api"],"type":[${eventTypes[record.verb] ?? '"access"'}${refused ? ',"denied"' : ''}],"outcome":"${outcome}"`
}

const revisionFields = new Set(['revision', 'fromRevision', 'toRevision'])

function statementPart(indexed: Indexed): Part {
	const { record } = indexed
	if (record.kind !== 'gap' && record.kind !== 'coverage' && record.kind !== 'reject') return {}
	const fields = Object.entries(record).map(([name, value]) => [name, revisionFields.has(name) ? decimal(value as bigint | null) : value])
	return { statement: Object.fromEntries(fields) as Part }
}

const bufferBytes = 256 * 1024

/** Writes one behind the other into a buffer that grows. */
class Lines {
	#buffer = Buffer.allocUnsafe(bufferBytes)
	#begin = 0
	#end = 0

	#reserve(bytes: number): void {
		if (this.#end + bytes <= this.#buffer.length) return
		// What was given out keeps the old one; what is being written moves along.
		const begun = this.#end - this.#begin
		const grown = Buffer.allocUnsafe(Math.max(bufferBytes, (begun + bytes) * 2))
		this.#buffer.copy(grown, 0, this.#begin, this.#end)
		this.#buffer = grown
		this.#begin = 0
		this.#end = begun
	}

	text(text: string): void {
		this.#reserve(text.length * 3)
		this.#end += this.#buffer.write(text, this.#end, 'utf8')
	}

	/** JSON that may have been written over several lines: outside its strings a line end is a space. */
	json(body: { readonly bytesAtMost: number; writeTo(target: Buffer, at: number): number }): void {
		this.#reserve(body.bytesAtMost)
		const from = this.#end
		this.#end += body.writeTo(this.#buffer, from)
		const written = this.#buffer.subarray(from, this.#end)
		for (const lineEnd of [10, 13]) for (let at = written.indexOf(lineEnd); at >= 0; at = written.indexOf(lineEnd, at + 1)) written[at] = 32
	}

	take(): Uint8Array {
		const taken = this.#buffer.subarray(this.#begin, this.#end)
		this.#begin = this.#end
		return taken
	}
}

const isoTime = (at: number): string => formatTime(Math.min(at, Number.MAX_SAFE_INTEGER))

export class Documents {
	readonly #constant: Readonly<Record<RecordClass, string>>
	readonly #names: Names

	constructor(names: Names) {
		this.#names = names
		this.#constant = Object.fromEntries(recordClasses.map((of) => [of, constantPart(of, names.prefix)])) as Record<RecordClass, string>
	}

	/** In the order of the records. */
	prepare(records: readonly Indexed[], now: number, stamp: number): readonly Prepared[] {
		const lines = new Lines()
		return records.map((indexed, n) => {
			const place = placeOf(indexed.record, now)
			const of = classOf(indexed.record.kind)
			const index = this.#names.of(of, place.day)
			lines.text(`{"create":{"_index":"${index}","_id":"${indexed.record.id}"}}\n`)
			this.#write(lines, indexed, of, place, [stamp, n])
			return { id: indexed.record.id, index, bytes: lines.take(), indexed, class: of, place }
		})
	}

	#write(lines: Lines, indexed: Indexed, of: RecordClass, place: Place, put: readonly number[]): void {
		const body = bodyToStore(indexed)
		const part = { ...workedOutPart(indexed, place, put, body !== null), item: itemPart(indexed), ...statementPart(indexed) }
		const known = JSON.stringify(part)
		const head = `${this.#constant[of]}${eventPart(indexed)}},"@timestamp":"${isoTime(place.at)}"`
		if (!body) return lines.text(`${head},"kubetape":${known}}\n`)
		if (of === 'audit') {
			lines.text(`${head},"kubetape":${known},"kubernetes":{"audit":`)
			lines.json(body)
			return lines.text('}}\n')
		}
		lines.text(`${head},"kubetape":${known.slice(0, -1)},"body":`)
		lines.json(body)
		lines.text('}}\n')
	}

	/** The same record in a form that Elasticsearch takes whatever is in it: the item and the body are kept, and searched by little. */
	plain({ id, index, indexed, class: of, place }: Prepared, stamp: number): Line {
		const lines = new Lines()
		const body = bodyToStore(indexed)
		const { words: _, ...worked } = workedOutPart(indexed, place, [stamp, 0], body !== null)
		const item = itemPart(indexed)
		const { kind, cluster, severity, space, revision, operation } = item
		const plain = { item, ...(body ? { body: body.text } : {}) }
		const part = { ...worked, item: { id, kind, cluster, severity, space, revision, operation }, plain, ...statementPart(indexed) }
		lines.text(`{"create":{"_index":"${index}","_id":"${id}"}}\n`)
		lines.text(`${this.#constant[of]}},"@timestamp":"${isoTime(place.at)}","kubetape":${JSON.stringify(part)}}\n`)
		return { id, index, bytes: lines.take() }
	}
}
