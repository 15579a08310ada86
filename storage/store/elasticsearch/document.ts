// A record as a line of a bulk request: made once, sent as often as needed. Bodies go in as the bytes they are.
import type { Indexed } from '#records/indexed.ts'
import { objectKey, resourceName } from '#records/object-key.ts'
import { formatTime } from '#records/time.ts'
import { aboutOf, bodyToStore, isNoise, isWholeInSummary, namespaceOf, searchedParts } from '#storage/store/meaning.ts'
import { constantPart } from './ecs.ts'
import { elasticLimits } from './limits.ts'
import { classOf, placeOf, recordClasses, type Names, type Place, type RecordClass } from './names.ts'
import { wordsOf } from './words.ts'

export interface Line {
	readonly id: string
	readonly index: string
	/** The action and the document, each with its line end. */
	readonly bytes: Uint8Array
}

/** A record and where it belongs. */
export interface Placed {
	readonly id: string
	readonly index: string
	readonly indexed: Indexed
	readonly class: RecordClass
	readonly place: Place
}

export type Prepared = Placed & Line

type Part = Record<string, unknown>

const decimal = (revision: bigint | null): string | null => (revision === null ? null : revision.toString())
const hasAny = (map: object): boolean => {
	for (const _ in map) return true
	return false
}

export const clusterKey = (cluster: string, key: string): string => `${cluster}\n${key}`
export const aboutText = (cluster: string, key: string, kind: string, uid: string): string => `${cluster}\n${key}\n${kind}\n${uid}`

/** Members of an object without its braces, each followed by a comma; empty where there are none. */
function membersOf(part: Part): string {
	const json = JSON.stringify(part)
	return json === '{}' ? '' : `${json.slice(1, -1)},`
}

/** JSON leaves out what is undefined: each of these is listed in item.ts. */
const filled = (text: string): string | undefined => (text === '' ? undefined : text)

const numberText = (value: number): string => (Number.isFinite(value) ? String(value) : 'null')

/** What is the same for record after record: made once, kept while it is used. */
class Kept<T> {
	readonly #made = new Map<string, T>()

	of(key: string, make: () => T): T {
		const known = this.#made.get(key)
		if (known !== undefined) return known
		if (this.#made.size >= elasticLimits.keptFragments) this.#made.clear()
		const made = make()
		this.#made.set(key, made)
		return made
	}
}

/** For what is the same in one record after the other. */
function sameAgain(make: (text: string) => string): (text: string) => string {
	let last = { text: '', made: make('') }
	return (text) => {
		if (last.text !== text) last = { text, made: make(text) }
		return last.made
	}
}

const quote = (text: string): string => JSON.stringify(text)
const quoteCluster = sameAgain(quote)
const quoteSource = sameAgain(quote)
const quoteSpace = sameAgain(quote)
const keptWords = new Kept<string>()
/** Many records have the same summary. */
const wordsMaking = (text: string): string =>
	text.length > elasticLimits.keptCharacters ? wordsOf(text) : keptWords.of(text, () => wordsOf(text))

/** What of an item only its kind has, as members. */
function ownMembers(indexed: Indexed): string {
	const { record } = indexed
	switch (record.kind) {
		case 'change':
		case 'event': {
			const version = `"space":${quoteSpace(record.space)},"revision":"${record.revision}","operation":"${record.operation}","sighting":"${record.sighting}","encoding":"${record.encoding}",`
			if (record.kind === 'change')
				return record.note === undefined && !record.folded ? version : version + membersOf({ note: record.note, folded: record.folded })
			const { object, reason, message, type, count, reporter, regarding, firstAt, lastAt } = record
			const event = { object, reason, message, type, count, reporter, regardingRevision: decimal(regarding.revision), firstAt, lastAt }
			return version + membersOf({ event, note: record.note })
		}
		case 'audit': {
			const { level, user, groups, sourceIPs, userAgent, verb, stage, code } = record
			const { auditID, requestURI, requestReceivedAt, dryRun, truncated, missing } = record
			const responseRevision = decimal(record.responseRevision)
			const [impersonated, subresource] = [filled(record.impersonated), filled(record.subresource)]
			const [decision, reason] = [filled(record.decision), filled(record.reason)]
			const sent = { level, user, groups, impersonated, sourceIPs, userAgent, verb, subresource, decision, reason, stage, code }
			return membersOf({ audit: { ...sent, auditID, requestURI, requestReceivedAt, dryRun, responseRevision, truncated, missing } })
		}
		case 'log': {
			const { restart, file, follows, journal, offset, flags, originalBytes } = record
			const text = isWholeInSummary(record, indexed.summary) ? { raw: record.raw } : { textChars: record.text.length }
			const from = {
				namespace: filled(record.namespace),
				pod: filled(record.pod),
				podUid: filled(record.podUid),
				container: filled(record.container),
				restart,
				component: filled(record.component),
				node: filled(record.node),
				stream: filled(record.stream),
				level: filled(record.level),
				file,
				follows,
				journal,
			}
			return membersOf({ log: { ...from, offset, flags, originalBytes, ...text } })
		}
		default:
			return ''
	}
}

type About = NonNullable<ReturnType<typeof aboutOf>>

/** What records of one object have in common, as members. */
interface OfObject {
	readonly item: string
	readonly worked: string
	/** Of a version of it. */
	readonly own: string
}

const ofObjects = new Kept<OfObject>()

function ofObject(cluster: string, { object, kind, uid }: About): OfObject {
	const { resource, group, namespace, name } = object
	return ofObjects.of(`${cluster}\n${resource}\n${group}\n${namespace}\n${name}\n${kind}\n${uid}`, () => {
		const key = objectKey(object)
		return {
			item: membersOf({ object: { resource, group, namespace, name }, ...(kind ? { objectKind: kind } : {}), ...(uid ? { uid } : {}) }),
			worked: membersOf({
				namespace: namespaceOf(object),
				resource: resourceName(object),
				resourceOnly: resource,
				kind: kind.toLowerCase(),
				about: aboutText(cluster, key, kind, uid),
				...(uid === '' ? { nameless: clusterKey(cluster, key) } : {}),
			}),
			own: membersOf({ key, ownNamespace: namespace, ownName: name }),
		}
	})
}

/** As JSON shows it: revisions are decimal strings. */
function itemText(indexed: Indexed, about: OfObject | undefined): string {
	const { record, facets, paths, labels, owners, images } = indexed
	const head = `{"id":"${record.id}","kind":"${record.kind}","cluster":${quoteCluster(record.cluster)},"source":${quoteSource(record.source)},"occurredAt":${numberText(record.occurredAt)},"occurredBound":${numberText(record.occurredBound)},"observedAt":${numberText(record.observedAt)},`
	let shared = ''
	if (facets.length > 0 || paths.length > 0) shared += `"facets":${JSON.stringify(facets)},"paths":${JSON.stringify(paths)},`
	if (hasAny(labels)) shared += `"labels":${JSON.stringify(labels)},`
	if (owners.length > 0) shared += `"owners":${JSON.stringify(owners)},`
	if (images.length > 0) shared += `"images":${JSON.stringify(images)},`
	return `${head}${about?.item ?? ''}${ownMembers(indexed)}${shared}"summary":${JSON.stringify(indexed.summary)},"severity":"${indexed.severity}"}`
}

const wordsText = (indexed: Indexed): string => searchedParts(indexed).map(wordsMaking).join(' ')

/** What questions are asked by, as members. */
function workedOutMembers(indexed: Indexed, about: OfObject | undefined, { at }: Place, stamp: number, n: number, bodied: boolean): string {
	const { record } = indexed
	const part = `"at":${at},"noise":${isNoise(indexed)},"put":[${stamp},${n}],${about?.worked ?? ''}`
	if (record.kind !== 'change' && record.kind !== 'event') return part
	const own =
		record.kind === 'change' ? about : ofObject(record.cluster, { object: record.object, kind: record.objectKind, uid: record.uid })
	return `${part}${own?.own ?? ''}"bodied":${bodied},`
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

function statementMembers({ record }: Indexed): string {
	if (record.kind !== 'gap' && record.kind !== 'coverage' && record.kind !== 'reject') return ''
	const fields = Object.entries(record).map(([name, value]) => [name, revisionFields.has(name) ? decimal(value as bigint | null) : value])
	return membersOf({ statement: Object.fromEntries(fields) as Part })
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

let second = { number: Number.NaN, text: '' }

/** As formatTime; most records are of the same second as the one before. */
function isoTime(at: number): string {
	const number = Math.floor(at / 1_000_000)
	if (number !== second.number) second = { number, text: formatTime(Math.min(number * 1_000_000, Number.MAX_SAFE_INTEGER)).slice(0, -7) }
	return `${second.text}${String(at - number * 1_000_000).padStart(6, '0')}Z`
}

export class Documents {
	readonly #constant: Readonly<Record<RecordClass, string>>
	readonly #names: Names

	constructor(names: Names) {
		this.#names = names
		this.#constant = Object.fromEntries(recordClasses.map((of) => [of, constantPart(of, names.prefix)])) as Record<RecordClass, string>
	}

	placesOf(records: readonly Indexed[], now: number): readonly Placed[] {
		return records.map((indexed) => {
			const place = placeOf(indexed.record, now)
			const of = classOf(indexed.record.kind)
			return { id: indexed.record.id, index: this.#names.of(of, place.day), indexed, class: of, place }
		})
	}

	/** In the order of the records, of which `from` came before. */
	prepare(placed: readonly Placed[], stamp: number, from = 0): readonly Prepared[] {
		const lines = new Lines()
		return placed.map((each, n) => {
			lines.text(`{"create":{"_index":"${each.index}","_id":"${each.id}"}}\n`)
			this.#write(lines, each.indexed, each.class, each.place, stamp, from + n)
			return { ...each, bytes: lines.take() }
		})
	}

	#write(lines: Lines, indexed: Indexed, of: RecordClass, place: Place, stamp: number, n: number): void {
		const body = bodyToStore(indexed)
		const meant = aboutOf(indexed)
		const about = meant && ofObject(indexed.record.cluster, meant)
		const worked = workedOutMembers(indexed, about, place, stamp, n, body !== null)
		const words = JSON.stringify(wordsText(indexed))
		const known = `{${worked}"words":${words},${statementMembers(indexed)}"item":${itemText(indexed, about)}`
		const head = `${this.#constant[of]}${eventPart(indexed)}},"@timestamp":"${isoTime(place.at)}","kubetape":${known}`
		if (!body) return lines.text(`${head}}}\n`)
		lines.text(of === 'audit' ? `${head}},"kubernetes":{"audit":` : `${head},"body":`)
		lines.json(body)
		lines.text('}}\n')
	}

	/** The same record in a form that Elasticsearch takes whatever is in it: the item and the body are kept, and searched by little. */
	plain({ id, index, indexed, class: of, place }: Prepared, stamp: number): Line {
		const lines = new Lines()
		const body = bodyToStore(indexed)
		const meant = aboutOf(indexed)
		const about = meant && ofObject(indexed.record.cluster, meant)
		const item = JSON.parse(itemText(indexed, about)) as Part
		const { kind, cluster, severity, space, revision, operation } = item
		const part = {
			item: { id, kind, cluster, severity, space, revision, operation },
			plain: { item, ...(body ? { body: body.text } : {}) },
		}
		const known = `{${workedOutMembers(indexed, about, place, stamp, 0, body !== null)}${statementMembers(indexed)}${membersOf(part).slice(0, -1)}}`
		lines.text(`{"create":{"_index":"${index}","_id":"${id}"}}\n`)
		lines.text(`${this.#constant[of]}},"@timestamp":"${isoTime(place.at)}","kubetape":${known}}\n`)
		return { id, index, bytes: lines.take() }
	}
}
