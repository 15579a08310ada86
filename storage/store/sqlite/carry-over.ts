// What can be read of a damaged day, into a new one: every row is taken only if its checksum holds and what it points to was taken too.
import type { DatabaseSync } from 'node:sqlite'
import { isSoundChunk } from './bodies.ts'
import { keyframeSeed, objectSum, ownerSum, putSum, rowSum, textSum } from './check.ts'
import { storeLimits } from './limits.ts'
import { namespaceOf } from '#storage/store/meaning.ts'
import type { Partition } from './partition.ts'
import { slots } from './place.ts'
import { minuteMicros, Totals } from './put.ts'
import { readableFromEnds, readableRows } from './readable.ts'
import { itemOf, type Traits } from './row.ts'
import { bindings, readColumns, rowColumns, type Row, type StoredObject } from './schema.ts'
import { spansOf, type StoredSpan } from './spans.ts'
import { bindRevision } from './state.ts'
import { copyWords } from './carry-words.ts'

export interface Carried {
	/** Records in the new day. */
	kept: number
	/** Of those, records whose body is lost. */
	bodiesLost: number
	/** Full text finds their summaries and names only. */
	wordsLost: boolean
}

type Sound = (row: Row) => boolean

export function carryOver(source: DatabaseSync, target: Partition, pages: readonly number[] | undefined): Carried {
	carryTexts(source, target)
	carryObjects(source, target)
	carryChunks(source, target)
	const carried = { kept: 0, bodiesLost: 0, wordsLost: !copyWords(source, target, pages) }
	carryRecords(source, target, carried)
	carryKeyframe(source, target)
	const put = target.prepare('INSERT OR IGNORE INTO put(seq, rows, sum) VALUES(?, ?, ?)')
	for (const { key, rows, sum } of readableRows(source, 'put', 'seq', 'rows, sum'))
		if (rows instanceof Uint8Array && sum === putSum(key, rows)) put.run(key, rows, sum)
	return carried
}

/** Texts stand twice, in the table and in its index. */
function carryTexts(source: DatabaseSync, target: Partition): void {
	const insert = target.prepare('INSERT OR IGNORE INTO text(id, text, sum) VALUES(?, ?, ?)')
	const take = (id: unknown, text: unknown, sum: unknown): void => {
		if (typeof id === 'number' && typeof text === 'string' && sum === textSum(id, text)) insert.run(id, text, sum)
	}
	for (const { key, text, sum } of readableRows(source, 'text', 'id', 'text, sum')) take(key, text, sum)
	const sql = "SELECT id, text, sum FROM text INDEXED BY text_text WHERE text >= ''"
	for (const { id, text, sum } of readableFromEnds(source, sql, 'text $, sum $')) take(id, text, sum)
}

/** So do objects. */
function carryObjects(source: DatabaseSync, target: Partition): void {
	const insert = target.prepare(
		'INSERT OR IGNORE INTO object(id, cluster, resource, grp, namespace, name, kind, uid, sum) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)',
	)
	const columns = 'cluster, resource, grp AS "group", namespace, name, kind, uid, sum'
	const take = (found: StoredObject & { readonly sum: number }): void => {
		const { id, cluster, resource, group, namespace, name, kind, uid, sum } = found
		if (sum === objectSum(found)) insert.run(id, cluster, resource, group, namespace, name, kind, uid, sum)
	}
	for (const found of readableRows(source, 'object', 'id', columns))
		take({ ...found, id: found.key } as unknown as StoredObject & { sum: number })
	const sql = `SELECT id, ${columns} FROM object INDEXED BY object_key WHERE cluster >= ''`
	const order = 'cluster $, resource $, grp $, namespace $, name $, kind $, uid $, sum $'
	for (const found of readableFromEnds(source, sql, order)) take(found as unknown as StoredObject & { sum: number })
}

function carryChunks(source: DatabaseSync, target: Partition): void {
	const insert = target.prepare('INSERT INTO chunk(id, base, ends, data, sum) VALUES(?, ?, ?, ?, ?)')
	for (const { key, base, ends, data, sum } of readableRows(source, 'chunk', 'id', 'base, ends, data, sum'))
		if (isSoundChunk(key, { base, ends, data, sum }))
			insert.run(key, base as number | null, ends as Uint8Array, data as Uint8Array, sum as number)
}

function carryRecords(source: DatabaseSync, target: Partition, carried: Carried): void {
	const insert = target.prepare(`INSERT OR IGNORE INTO record(row, ${rowColumns}) VALUES(?${', ?'.repeat(rowColumns.split(',').length)})`)
	const owner = target.prepare('INSERT OR IGNORE INTO owner(uid, obj, sum) VALUES(?, ?, ?)')
	const totals = new Totals(target.spans())
	const pointsWell = pointsWellIn(target)
	const hasBody = hasBodyIn(target)
	for (const found of readableRows(source, 'record', 'row', readColumns)) {
		const row = { ...found, row: found.key } as unknown as Row
		if (row.sum !== rowSum(row.row, row) || !pointsWell(row)) continue
		const whole = hasBody(row)
		const kept = whole
			? row
			: { ...row, body: null, rest: JSON.stringify({ ...restOf(row), note: 'its body was lost to damage of the store' }) }
		const bound = { ...kept, rev: kept.rev === null ? null : bindRevision(BigInt(kept.rev)) }
		if (insert.run(row.row, ...bindings(bound), rowSum(row.row, bound)).changes === 0) continue
		carried.kept += 1
		if (!whole) carried.bodiesLost += 1
		const item = itemOf(target, kept)
		totals.extend(item)
		totals.count(
			item.cluster,
			item.object ? namespaceOf(item.object) : (item.log?.namespace ?? ''),
			Math.floor(row.row / slots / minuteMicros),
			row.kind,
			row.flags,
		)
		if (item.kind === 'change') for (const { uid } of item.owners ?? []) owner.run(uid, row.obj, ownerSum(uid, row.obj))
	}
	totals.write(target)
}

function carryKeyframe(source: DatabaseSync, target: Partition): void {
	const insert = target.prepare(
		`INSERT OR IGNORE INTO keyframe(cluster, key, ${rowColumns}) VALUES(?, ?${', ?'.repeat(rowColumns.split(',').length)})`,
	)
	const owner = target.prepare('INSERT OR IGNORE INTO owner(uid, obj, sum) VALUES(?, ?, ?)')
	const pointsWell = pointsWellIn(target)
	const hasBody = hasBodyIn(target)
	for (const found of readableRows(source, 'keyframe', 'row', `cluster, key AS object_key, ${readColumns}`)) {
		const row = { ...found, row: found.key } as unknown as Row
		const { cluster, object_key: key } = found as unknown as { cluster: string; object_key: string }
		// One without its body is made anew from the day before, where that is there.
		if (typeof cluster !== 'string' || typeof key !== 'string' || row.sum !== rowSum(0, row, keyframeSeed(cluster, key))) continue
		if (!pointsWell(row) || !hasBody(row)) continue
		insert.run(cluster, key, ...bindings({ ...row, rev: row.rev === null ? null : bindRevision(BigInt(row.rev)) }), row.sum)
		const traits = row.traits === null ? {} : (target.json(row.traits) as Traits)
		for (const { uid } of traits.o ?? []) owner.run(uid, row.obj, ownerSum(uid, row.obj))
	}
}

const restOf = (row: Row): object => (row.rest === null ? {} : (JSON.parse(row.rest) as object))

/** Whether the texts and objects that a row points to are there. */
function pointsWellIn(target: Partition): Sound {
	const is = (id: number | null, read: (id: number) => unknown): boolean => {
		try {
			return id === null || read(id) !== undefined
		} catch {
			return false // lost with the page it stood on
		}
	}
	const text = (id: number): unknown => target.text(id)
	const object = (id: number): unknown => target.object(id)
	return (row) =>
		[row.space, row.traits, row.paths, row.source].every((id) => is(id, text)) && [row.obj, row.own].every((id) => is(id, object))
}

/** Whether the body that a row points to can be read. */
function hasBodyIn(target: Partition): Sound {
	const chunks = new Map<number, boolean>()
	return ({ body }) => {
		if (body === null) return true
		const chunk = Math.floor(body / storeLimits.chunkBodies)
		const known = chunks.get(chunk)
		if (known !== undefined) return known
		let readable = true
		try {
			target.bodies.read(body)
		} catch {
			readable = false // told as lost
		}
		chunks.set(chunk, readable)
		return readable
	}
}

/** How many records the day's own counters name; undefined where they cannot be read. */
export function recordsIn(source: DatabaseSync): number | undefined {
	try {
		let records = 0
		for (const span of spansOf(source.prepare('SELECT * FROM span').all() as unknown as StoredSpan[]).values()) records += span.records
		return records
	} catch {
		return undefined // told as an unknown number
	}
}
