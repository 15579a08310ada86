// Writing one put into one day: rows, words, bodies, counters, all in one transaction.
import type { StatementSync } from 'node:sqlite'
import type { Indexed } from '#records/indexed.ts'
import type { RecordKind } from '#records/record.ts'
import type { Revision } from '#records/revision.ts'
import type { PendingBody } from './bodies.ts'
import { countFactor, counterSeed, counterSum, ownerSum, putSum, rowSum } from './check.ts'
import { DamageError } from './errors.ts'
import { aboutOf, bodyToStore, namespaceOf, searchedText } from '#storage/store/meaning.ts'
import type { ObjectMemo } from './objects.ts'
import type { Partition } from './partition.ts'
import { slots } from './place.ts'
import { areAlike, areSame, flagsOf, restOf, traitsOf } from './row.ts'
import { bindings, kinds, operations, rowColumns, type StoredObject, type StoredRow } from './schema.ts'
import { sumOfSpan, type Span } from './spans.ts'
import { bindRevision } from './state.ts'
import { objectTags, tagsOf } from './words.ts'

const insertSql = `INSERT OR IGNORE INTO record(row, ${rowColumns}) VALUES(?${', ?'.repeat(rowColumns.split(',').length)})`
const wordsSql = 'INSERT INTO words(rowid, text, tags) VALUES(?, ?, ?)'
const ownerSql = 'INSERT OR IGNORE INTO owner(uid, obj, sum) VALUES(?, ?, ?)'
const minuteSql = `INSERT INTO minute(minute, cluster, namespace, kind, severity, noise, records, sum) VALUES(?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT DO UPDATE SET records = records + excluded.records, sum = sum + excluded.records * ${countFactor}`
const spanSql = 'INSERT OR REPLACE INTO span VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'
export const minuteMicros = 60_000_000
const dayMicros = 86_400_000_000

/** What is counted of a record. */
export interface Counted {
	readonly id: string
	readonly kind: RecordKind
	readonly cluster: string
	readonly occurredAt: number
	readonly space?: string
	readonly revision?: Revision
}

/** Space of a version; other kinds have none. */
export function spanKey(record: Counted): string {
	return `${record.cluster}\0${kinds.indexOf(record.kind)}\0${record.kind === 'change' || record.kind === 'event' ? (record.space ?? '') : ''}`
}

interface Prepared {
	readonly indexed: Indexed
	/** What the record is about, as the day knows it. */
	readonly about: ObjectMemo | undefined
	readonly own: number | null
	readonly body: PendingBody | undefined
}

function prepare(partition: Partition, indexed: Indexed): Prepared {
	const { record } = indexed
	const { objects } = partition
	const meant = aboutOf(indexed)
	const about = meant && objects.memo(record.cluster, meant.object, meant.kind, meant.uid)
	const own = record.kind === 'event' ? objects.memo(record.cluster, record.object, record.objectKind, record.uid).object.id : null
	const bytes = bodyToStore(indexed)?.bytes
	return { indexed, about, own, body: bytes ? { like: own ?? about?.object.id ?? 0, bytes, place: 0 } : undefined }
}

/** What the records of one put add up to. */
export class Totals {
	readonly #spans: Map<string, Span>
	readonly #touched = new Set<Span>()
	#last: Span | undefined
	/** By cluster, namespace, and minute with kind, severity and noise. */
	readonly #minutes = new Map<string, Map<string, Map<number, number>>>()

	constructor(spans: Map<string, Span>) {
		this.#spans = spans
	}

	count(cluster: string, namespace: string, minute: number, kind: number, flags: number): void {
		let ofCluster = this.#minutes.get(cluster)
		if (!ofCluster) this.#minutes.set(cluster, (ofCluster = new Map()))
		let ofNamespace = ofCluster.get(namespace)
		if (!ofNamespace) ofCluster.set(namespace, (ofNamespace = new Map()))
		const key = minute * 64 + kind * 8 + (flags & 7)
		ofNamespace.set(key, (ofNamespace.get(key) ?? 0) + 1)
	}

	extend(record: Counted): void {
		const versioned = record.kind === 'change' || record.kind === 'event'
		const kind = kinds.indexOf(record.kind)
		const space = (versioned ? record.space : undefined) ?? ''
		const revision = (versioned ? record.revision : undefined) ?? 0n
		const at = record.occurredAt
		const last = this.#last
		let span = last?.kind === kind && last.cluster === record.cluster && last.space === space ? last : undefined
		const key = span ? '' : spanKey(record)
		span ??= this.#spans.get(key)
		if (!span) {
			const ends = { idMin: record.id, idMax: record.id, atMin: at, atMax: at, revMin: revision, revMax: revision }
			span = { cluster: record.cluster, kind, space, records: 0, ...ends }
			this.#spans.set(key, span)
		}
		if (span !== last) this.#touched.add(span)
		this.#last = span
		span.records += 1
		if (record.id < span.idMin) span.idMin = record.id
		if (record.id > span.idMax) span.idMax = record.id
		if (at < span.atMin) span.atMin = at
		if (at > span.atMax) span.atMax = at
		if (revision < span.revMin) span.revMin = revision
		if (revision > span.revMax) span.revMax = revision
	}

	write(partition: Partition): void {
		const minutes = partition.prepare(minuteSql)
		for (const [cluster, ofCluster] of this.#minutes) {
			for (const [namespace, ofNamespace] of ofCluster) {
				const seed = counterSeed(cluster, namespace)
				for (const [key, records] of ofNamespace) {
					const minute = Math.floor(key / 64)
					const counted = [(key >> 3) & 7, key & 3, (key >> 2) & 1] as const
					minutes.run(minute, cluster, namespace, ...counted, records, counterSum(seed, minute, ...counted) + records * countFactor)
				}
			}
		}
		const spans = partition.prepare(spanSql)
		for (const span of this.#touched) {
			const ids = [Buffer.from(span.idMin, 'hex'), Buffer.from(span.idMax, 'hex')] as const
			const ends = [span.atMin, span.atMax, span.revMin.toString(), span.revMax.toString()] as const
			spans.run(span.cluster, span.kind, span.space, span.records, ...ids, ...ends, sumOfSpan(span))
		}
	}
}

/** The slot of a record among those of its microsecond: from its id, so that it does not depend on the order of puts. */
const slotOf = (id: string): number => Number.parseInt(id.slice(28), 16)

/** Inserts the row in its place, or in the next one that is free. A microsecond that is full goes on in the next one; the row then tells its own time. */
function insertRow(partition: Partition, insert: StatementSync, indexed: Indexed, values: StoredRow): number {
	const { record } = indexed
	const inDay = Math.floor(record.occurredAt) - partition.start
	const absurd = inDay < 0 || inDay >= dayMicros
	const base = Math.max(0, Math.min(inDay, dayMicros - 1)) * slots
	const first = slotOf(record.id)
	for (let slot = first; ; slot++) {
		const row = slot < 2 * slots ? base + (slot % slots) : base + slot - slots
		const at = absurd || row >= base + slots ? record.occurredAt : null
		const placed = at === null ? values : { ...values, at }
		const { changes } = insert.run(row, ...bindings(placed), rowSum(row, placed))
		if (changes !== 0) return row
		if (slot === first && partition.rowOfId(record.id) !== undefined)
			throw new DamageError(`record ${record.id} is there and its span does not tell`)
	}
}

/** The number of the interned part: of the same object it is mostly the one of the record before. */
function traitsId(partition: Partition, indexed: Indexed, about: ObjectMemo | undefined): number | null {
	const { record, labels, owners, images } = indexed
	const versioned = record.kind === 'change' || record.kind === 'event'
	const shared = versioned && about ? { apiVersion: record.apiVersion, labels, owners, images } : undefined
	const before = record.kind === 'change' ? about?.change : about?.event
	if (shared && before && areAlike(before, shared)) return before.traits
	const text = traitsOf(indexed)
	const traits = text === undefined ? null : partition.intern(text)
	if (!shared || !about) return traits
	if (record.kind === 'event') about.event = { ...shared, traits }
	else {
		about.change = { ...shared, traits }
		const owner = partition.prepare(ownerSql)
		for (const { uid } of owners) owner.run(uid, about.object.id, ownerSum(uid, about.object.id))
	}
	return traits
}

/** The number of the changed paths: an object changes in the same way again and again. */
function pathsId(partition: Partition, { facets, paths }: Indexed, about: ObjectMemo | undefined): number | null {
	if (facets.length === 0 && paths.length === 0) return null
	const before = about?.paths
	if (before && areSame(before.paths, paths) && areSame(before.facets, facets)) return before.id
	const id = partition.intern(JSON.stringify({ facets, paths }))
	if (about) about.paths = { facets, paths, id }
	return id
}

/** For what is the same for one record after the other. */
function sameAgain(intern: (text: string) => number): (text: string) => number {
	let last = { text: '', id: 0 }
	return (text) => {
		if (last.id === 0 || last.text !== text) last = { text, id: intern(text) }
		return last.id
	}
}

const wellFormed = (text: string): string => (text.isWellFormed() ? text : text.toWellFormed())

/** Inserts records that are new to the store into an open transaction. Gives the objects that changed. */
export function insertAll(partition: Partition, records: readonly Indexed[], seq: number): ReadonlySet<StoredObject> {
	const prepared = records.map((indexed) => prepare(partition, indexed))
	partition.bodies.write(prepared.flatMap(({ body }) => body ?? []))
	const totals = new Totals(partition.spans())
	const changed = new Set<StoredObject>()
	const rows = new Float64Array(records.length)
	const ids = Buffer.alloc(records.length * 16)
	const intern = (text: string): number => partition.intern(text)
	const internSpace = sameAgain(intern)
	const internSource = sameAgain(intern)
	const insert = partition.prepare(insertSql)
	const words = partition.prepare(wordsSql)
	for (const [index, { indexed, about, own, body }] of prepared.entries()) {
		const { record } = indexed
		const versioned = record.kind === 'change' || record.kind === 'event'
		const kind = kinds.indexOf(record.kind)
		const flags = flagsOf(indexed)
		ids.write(record.id, index * 16, 16, 'hex')
		const row = insertRow(partition, insert, indexed, {
			kind,
			id: ids.subarray(index * 16, index * 16 + 16),
			obj: about?.object.id ?? null,
			own,
			space: internSpace(versioned ? record.space : record.cluster),
			rev: versioned ? bindRevision(record.revision) : null,
			op: versioned ? operations.indexOf(record.operation) : null,
			flags,
			traits: traitsId(partition, indexed, about),
			paths: pathsId(partition, indexed, about),
			summary: wellFormed(indexed.summary),
			rest: restOf(indexed),
			observed: Math.round(record.observedAt - record.occurredAt),
			bound: record.occurredBound,
			source: internSource(record.source),
			body: body?.place ?? null,
			at: null,
		})
		if (about) about.tags ??= objectTags(about.object, intern)
		words.run(row, searchedText(indexed), tagsOf(indexed, about?.tags ?? '', own, intern))
		if (record.kind === 'change' && about) changed.add(about.object)
		totals.extend(record)
		const namespace = about ? namespaceOf(about.object) : record.kind === 'log' ? record.namespace : ''
		totals.count(record.cluster, namespace, Math.floor(row / slots / minuteMicros), kind, flags)
		rows[index] = row
	}
	totals.write(partition)
	const bytes = Buffer.from(rows.buffer)
	partition.prepare('INSERT INTO put(seq, rows, sum) VALUES(?, ?, ?)').run(seq, bytes, putSum(seq, bytes))
	partition.lastSeq = seq
	return changed
}
