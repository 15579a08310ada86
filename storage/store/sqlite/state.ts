// Which version of an object stood at a time or revision, in one day, and its body.
import { Body } from '#records/body.ts'
import { unfoldLease, type FoldedLease } from '#records/lease.ts'
import type { Revision } from '#records/revision.ts'
import { keyframeSeed, rowSum } from './check.ts'
import { DamageError } from './errors.ts'
import { resourceName } from '#records/object-key.ts'
import type { Partition } from './partition.ts'
import { slots } from './place.ts'
import { parseRest } from './row.ts'
import { bucketExpression, bucketOf, bucketsTable, kinds, operations, readColumns, type Row, type StoredObject } from './schema.ts'

/** Up to where: rows up to `row`, revisions of `space` up to `revision`. */
export interface Limit {
	readonly row?: number
	readonly space?: string
	readonly revision?: Revision
}

/** A place in a cluster's order of versions. */
export interface Standing {
	readonly space: string
	readonly revision: Revision
}

export interface Found {
	readonly partition: Partition
	readonly row: Row
	readonly inKeyframe: boolean
	readonly space: string
	readonly revision: Revision
}

/** Later spaces win, then higher revisions. Rank: by when a space was first seen. */
export type Ranks = ReadonlyMap<string, number>

export function newer(ranks: Ranks, a: Found, b: Found | undefined): boolean {
	if (!b) return true
	const byRank = (ranks.get(a.space) ?? 0) - (ranks.get(b.space) ?? 0)
	return byRank === 0 ? a.revision > b.revision : byRank > 0
}

/** Ranks of one cluster's spaces over all days. */
export function ranksOf(partitions: readonly Partition[], cluster: string): Ranks {
	const first = new Map<string, number>()
	for (const partition of partitions) {
		for (const span of partition.spans().values()) {
			if (span.cluster !== cluster || span.kind > 1) continue
			first.set(span.space, Math.min(first.get(span.space) ?? Number.POSITIVE_INFINITY, span.atMin))
		}
	}
	return new Map([...first].toSorted((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1)).map(([space], rank) => [space, rank]))
}

export const bindRevision = (revision: Revision): number | bigint =>
	revision <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(revision) : revision
const revisionMax = 2n ** 63n - 1n

/** The last row number of a day. */
const rowMax = 86_400_000_000 * slots + slots
/** The newest of each bucket of time, and of those the newest. */
const standingSql = (
	more: string,
): string => `${bucketsTable} SELECT r.row AS row, CAST(max(r.rev) AS TEXT) AS rev FROM bucket CROSS JOIN record r
	ON r.row = (SELECT row FROM record INDEXED BY record_object WHERE ${bucketExpression} = bucket.n AND obj = ?1 AND kind = 0 AND space = ?2 AND rev <= ?3 AND row <= ?4${more} ORDER BY rev DESC LIMIT 1)
	WHERE bucket.n <= ?5`

/** The newest version of the key within the day's own rows. `bodied`: only one with a body. */
export function standing(
	partition: Partition,
	objects: readonly StoredObject[],
	ranks: Ranks,
	limit: Limit,
	bodied = false,
): Found | undefined {
	let best: Found | undefined
	const sql = bodied ? standingSql(' AND body IS NOT NULL') : standingSql('')
	const last = Math.min(limit.row ?? Number.MAX_SAFE_INTEGER, rowMax)
	for (const space of ranks.keys()) {
		if (limit.space !== undefined && space !== limit.space) continue
		const spaceId = partition.findText(space)
		if (spaceId === undefined) continue
		for (const object of objects) {
			const values = [object.id, spaceId, bindRevision(limit.revision ?? revisionMax), last, bucketOf(last)] as const
			const found = partition.get<{ row: number | null; rev: string }>(sql, ...values)
			if (!found || found.row === null) continue
			const candidate = { space, revision: BigInt(found.rev) }
			if (best && !newer(ranks, candidate as Found, best)) continue
			const row = partition.row(found.row)
			if (row?.obj !== object.id || row.space !== spaceId || row.rev !== found.rev)
				throw new DamageError(`the index leads from object ${object.id} to another`)
			best = { partition, row, inKeyframe: false, ...candidate }
		}
	}
	return best
}

const keyframeSql = `SELECT row, ${readColumns} FROM keyframe WHERE cluster = ? AND key = ?`

export function inKeyframe(partition: Partition, cluster: string, key: string, limit: Limit = {}): Found | undefined {
	const row = partition.get<Row>(keyframeSql, cluster, key)
	if (!row) return undefined
	if (row.sum !== rowSum(0, row, keyframeSeed(cluster, key))) throw new DamageError(`the keyframe's row ${row.row} fails its checksum`)
	const found = { partition, row, inKeyframe: true, space: partition.text(row.space ?? 0), revision: BigInt(row.rev ?? '0') }
	if (limit.space !== undefined && found.space !== limit.space) return undefined
	if (limit.revision !== undefined && found.revision > limit.revision) return undefined
	return found
}

/** The highest revision of each space that the day's keyframe holds of a cluster. */
export function keyframeEnds(partition: Partition, cluster: string): Standing[] {
	const sql = 'SELECT space, CAST(max(rev) AS TEXT) AS rev FROM keyframe WHERE cluster = ? GROUP BY space'
	return partition
		.all<{ space: number; rev: string }>(sql, cluster)
		.map(({ space, rev }) => ({ space: partition.text(space), revision: BigInt(rev) }))
}

/** Changes of a cluster, newest by time first, from the row number down; some of them, and none only where there is none. */
export function* newestRows(partition: Partition, cluster: string, row: number, rows: number): Generator<Standing> {
	const sql = `SELECT row, ${readColumns} FROM record WHERE row <= ? ORDER BY row DESC LIMIT ?`
	let to = row
	for (let any = false; !any;) {
		const found = partition.all<Row>(sql, to, rows)
		for (const each of found) {
			if (each.sum !== rowSum(each.row, each)) throw new DamageError(`row ${each.row} fails its checksum`)
			const { kind, obj, space, rev } = each
			if (kind !== 0 || obj === null || partition.object(obj).cluster !== cluster) continue
			any = true
			yield { space: partition.text(space ?? 0), revision: BigInt(rev ?? '0') }
		}
		const end = found.at(-1)
		if (!end || found.length < rows) return
		to = end.row - 1
	}
}

export function isDeleted(row: Row): boolean {
	return operations[row.op ?? 0] === 'deleted'
}

/** The row's body; of a folded Lease one made from the newest body before it, in this day or its keyframe. */
export function bodyOf(partition: Partition, row: Row, ranks: Ranks): Body | null {
	if (row.body !== null) return Body.ofBytes(partition.bodies.read(row.body))
	if (kinds[row.kind] !== 'change' || row.obj === null || row.rest === null) return null
	const folded = parseRest(row.rest)['folded'] as FoldedLease | undefined
	if (!folded) return null
	const object = partition.object(row.obj)
	const limit = { space: partition.text(row.space ?? 0), revision: BigInt(row.rev ?? '0') }
	const key = keyOf(object)
	const base =
		standing(partition, partition.objectsOf(object.cluster, key), ranks, limit, true) ?? inKeyframe(partition, object.cluster, key, limit)
	if (!base || base.row.body === null) return null
	return unfoldLease(Body.ofBytes(partition.bodies.read(base.row.body)), folded, row.rev ?? '0')
}

export function keyOf(object: StoredObject): string {
	return `${resourceName(object)}/${object.namespace === '' ? '-' : object.namespace}/${object.name}`
}
