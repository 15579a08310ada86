// Writing one put into one day: rows, words, bodies, counters, all in one transaction.
import type { Indexed } from '#records/indexed.ts'
import type { ObjectRef } from '#records/object-key.ts'
import type { Body } from '#records/body.ts'
import type { PendingBody } from './bodies.ts'
import type { Partition, Span } from './partition.ts'
import { slots } from './place.ts'
import { flagsOf, restOf, traitsOf } from './row.ts'
import { kinds, operations, rowColumns } from './schema.ts'
import { bindRevision, keyOf } from './state.ts'
import { tagsOf, wordsOf } from './words.ts'

const insertSql = `INSERT OR IGNORE INTO record(row, ${rowColumns}) VALUES(?${', ?'.repeat(rowColumns.split(',').length)})`
const wordsSql = 'INSERT INTO words(rowid, text, tags) VALUES(?, ?, ?)'
const minuteSql = `INSERT INTO minute(minute, cluster, namespace, kind, severity, noise, records) VALUES(?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT DO UPDATE SET records = records + excluded.records`
const spanSql = 'INSERT OR REPLACE INTO span VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'
export const minuteMicros = 60_000_000

/** Space of a version; other kinds have none. */
export function spanKey(indexed: Indexed): string {
	const { record } = indexed
	return [record.cluster, kinds.indexOf(record.kind), record.kind === 'change' || record.kind === 'event' ? record.space : ''].join('\0')
}

function bodyToStore(indexed: Indexed): Body | null {
	const { record } = indexed
	if (record.kind === 'change' || record.kind === 'event')
		return record.operation === 'deleted' ? (record.before ?? record.after) : record.after
	return record.kind === 'audit' ? record.body : null
}

interface Prepared {
	readonly indexed: Indexed
	readonly object: ObjectRef | null
	readonly obj: number | null
	readonly own: number | null
	readonly body: PendingBody | undefined
}

function prepare(partition: Partition, indexed: Indexed): Prepared {
	const { record } = indexed
	let object: ObjectRef | null = null
	let obj: number | null = null
	let own: number | null = null
	if (record.kind === 'change') {
		object = record.object
		obj = partition.internObject(record.cluster, record.object, record.objectKind, record.uid)
	} else if (record.kind === 'event') {
		object = record.regarding
		obj = partition.internObject(record.cluster, record.regarding, record.regarding.kind, record.regarding.uid)
		own = partition.internObject(record.cluster, record.object, record.objectKind, record.uid)
	} else if (record.kind === 'audit' && record.object) {
		object = record.object
		obj = partition.internObject(record.cluster, record.object, '', record.responseUid)
	} else if (record.kind === 'log' && record.pod !== '') {
		object = { resource: 'pods', group: '', namespace: record.namespace, name: record.pod }
		obj = partition.internObject(record.cluster, object, 'Pod', record.podUid)
	}
	const bytes = bodyToStore(indexed)?.bytes
	return { indexed, object, obj, own, body: bytes ? { like: own ?? obj ?? 0, bytes, place: 0 } : undefined }
}

function extend(spans: Map<string, Span>, indexed: Indexed, at: number): Span {
	const { record } = indexed
	const key = spanKey(indexed)
	const versioned = record.kind === 'change' || record.kind === 'event'
	const revision = versioned ? record.revision : 0n
	let span = spans.get(key)
	if (!span) {
		const kind = kinds.indexOf(record.kind)
		span = {
			cluster: record.cluster,
			kind,
			space: versioned ? record.space : '',
			records: 0,
			idMin: record.id,
			idMax: record.id,
			atMin: at,
			atMax: at,
			revMin: revision,
			revMax: revision,
		}
		spans.set(key, span)
	}
	span.records += 1
	if (record.id < span.idMin) span.idMin = record.id
	if (record.id > span.idMax) span.idMax = record.id
	if (at < span.atMin) span.atMin = at
	if (at > span.atMax) span.atMax = at
	if (revision < span.revMin) span.revMin = revision
	if (revision > span.revMax) span.revMax = revision
	return span
}

/** The slot of a record among those of its microsecond: from its id, so that it does not depend on the order of puts. */
const slotOf = (id: string): number => Number.parseInt(id.slice(28), 16)

/** Inserts records that are new to the store into an open transaction. Gives the keys of objects that changed. */
export function insertAll(partition: Partition, records: readonly Indexed[], seq: number): Map<string, readonly [string, string]> {
	const prepared = records.map((indexed) => prepare(partition, indexed))
	partition.bodies.write(prepared.flatMap(({ body }) => body ?? []))
	const spans = partition.spans()
	const touchedSpans = new Set<Span>()
	const minutes = new Map<string, { readonly values: readonly (string | number)[]; count: number }>()
	const keys = new Map<string, readonly [string, string]>()
	const rows: number[] = []
	const intern = (text: string): number => partition.intern(text)
	const insert = partition.prepare(insertSql)
	const words = partition.prepare(wordsSql)
	const owner = partition.prepare('INSERT OR IGNORE INTO owner(uid, obj) VALUES(?, ?)')
	for (const { indexed, object, obj, own, body } of prepared) {
		const { record } = indexed
		const versioned = record.kind === 'change' || record.kind === 'event'
		const flags = flagsOf(indexed)
		const traits = traitsOf(indexed)
		const paths =
			indexed.facets.length > 0 || indexed.paths.length > 0 ? JSON.stringify({ facets: indexed.facets, paths: indexed.paths }) : undefined
		const inDay = Math.floor(record.occurredAt) - partition.start
		const absurd = inDay < 0 || inDay >= 86_400_000_000
		const base = Math.max(0, Math.min(inDay, 86_399_999_999)) * slots
		let slot = slotOf(record.id)
		const values = [
			kinds.indexOf(record.kind),
			Buffer.from(record.id, 'hex'),
			obj,
			own,
			intern(versioned ? record.space : record.cluster),
			versioned ? bindRevision(record.revision) : null,
			versioned ? operations.indexOf(record.operation) : null,
			flags,
			traits === undefined ? null : intern(traits),
			paths === undefined ? null : intern(paths),
			indexed.summary,
			restOf(indexed),
			Math.round(record.observedAt - record.occurredAt),
			record.occurredBound,
			intern(record.source),
			body?.place ?? null,
		] as const
		let row = base + slot
		while (insert.run(row, ...values, absurd || row >= base + slots ? record.occurredAt : null).changes === 0) {
			slot = slot + 1
			// A microsecond that is full goes on in the next one; the row then tells its own time.
			row = slot < 2 * slots ? base + (slot % slots) : base + slot - slots
		}
		words.run(row, wordsOf(indexed), tagsOf(indexed, object, own, intern))
		if (obj !== null && record.kind === 'change') for (const { uid } of indexed.owners) owner.run(uid, obj)
		if (record.kind === 'change') {
			const key = keyOf(partition.object(obj ?? 0))
			keys.set(`${record.cluster}\0${key}`, [record.cluster, key])
		}
		touchedSpans.add(extend(spans, indexed, record.occurredAt))
		const minute = Math.floor(row / slots / minuteMicros)
		const namespace = object?.namespace ?? (record.kind === 'log' ? record.namespace : '')
		const counter = [minute, record.cluster, namespace, kinds.indexOf(record.kind), flags & 3, (flags >> 2) & 1] as const
		const key = counter.join('\0')
		const known = minutes.get(key)
		if (known) known.count += 1
		else minutes.set(key, { values: counter, count: 1 })
		rows.push(row)
	}
	const minuteInsert = partition.prepare(minuteSql)
	for (const { values, count } of minutes.values()) minuteInsert.run(...values, count)
	const spanInsert = partition.prepare(spanSql)
	for (const span of touchedSpans) {
		spanInsert.run(
			span.cluster,
			span.kind,
			span.space,
			span.records,
			Buffer.from(span.idMin, 'hex'),
			Buffer.from(span.idMax, 'hex'),
			span.atMin,
			span.atMax,
			span.revMin.toString(),
			span.revMax.toString(),
		)
	}
	partition.prepare('INSERT INTO put(seq, rows) VALUES(?, ?)').run(seq, JSON.stringify(rows))
	return keys
}
