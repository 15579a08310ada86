// Keyframes: what stood when a day began, so that a past state is read from one day.
import type { Partition } from './partition.ts'
import type { PendingBody } from './bodies.ts'
import { occurredAt } from './row.ts'
import { rowColumns } from './schema.ts'
import { bindRevision, bodyOf, inKeyframe, isDeleted, keyOf, newer, ranksOf, standing, type Found, type Ranks } from './state.ts'

const insertSql = `INSERT OR REPLACE INTO keyframe(cluster, key, ${rowColumns}) VALUES(?, ?${', ?'.repeat(rowColumns.split(',').length)})`

function write(target: Partition, entries: readonly { readonly found: Found; readonly ranks: Ranks }[]): void {
	const pending: PendingBody[] = []
	const rows = entries.map(({ found, ranks }) => {
		const object = found.partition.object(found.row.obj ?? 0)
		const obj = target.internObject(object.cluster, object, object.kind, object.uid)
		const bytes = bodyOf(found.partition, found.row, ranks)?.bytes
		const body = bytes ? { like: obj, bytes, place: 0 } : undefined
		if (body) pending.push(body)
		return { found, object, obj, body }
	})
	// By kind: objects of one kind resemble each other.
	target.bodies.write(pending)
	const insert = target.prepare(insertSql)
	const owner = target.prepare('INSERT OR IGNORE INTO owner(uid, obj) VALUES(?, ?)')
	for (const { found, object, obj, body } of rows) {
		const { partition: from, row } = found
		const move = (id: number | null): number | null => (id === null ? null : target.intern(from.text(id)))
		if (row.traits !== null)
			for (const { uid } of (from.json(row.traits) as { o?: readonly { uid: string }[] }).o ?? []) owner.run(uid, obj)
		insert.run(
			object.cluster,
			keyOf(object),
			row.kind,
			row.id,
			obj,
			null,
			move(row.space),
			bindRevision(found.revision),
			row.op,
			row.flags,
			move(row.traits),
			move(row.paths),
			row.summary,
			row.rest,
			row.observed,
			row.bound,
			move(row.source),
			body?.place ?? null,
			occurredAt(from, row),
		)
	}
}

/** What the keyframe after `partition` holds for a key: its newest version; a deletion only where it was that day, so that a stale version that arrives a little later does not bring it back. */
export function carried(partition: Partition, cluster: string, key: string, ranks: Ranks): Found | undefined {
	const own = standing(partition, partition.objectsOf(cluster, key), ranks, {})
	const before = inKeyframe(partition, cluster, key)
	if (own && newer(ranks, own, before)) return own
	return before && isDeleted(before.row) ? undefined : before
}

/** Fills the keyframe of a day that begins behind `previous`. */
export function fillKeyframe(target: Partition, previous: Partition, all: readonly Partition[]): void {
	const ranks = new Map<string, Ranks>()
	const entries: { found: Found; ranks: Ranks }[] = []
	for (const objects of previous.keys()) {
		const first = objects[0]
		if (!first) continue
		let ofCluster = ranks.get(first.cluster)
		if (!ofCluster) ranks.set(first.cluster, (ofCluster = ranksOf(all, first.cluster)))
		const found = carried(previous, first.cluster, keyOf(first), ofCluster)
		if (found) entries.push({ found, ranks: ofCluster })
	}
	write(target, entries)
}

/** Records came into a day that others follow: brings these keys on, day by day. The later days' changes are durable before the day's own are. */
export function carryOn(
	partition: Partition,
	later: readonly Partition[],
	keys: ReadonlyMap<string, readonly [string, string]>,
	all: readonly Partition[],
): void {
	const ranks = new Map<string, Ranks>()
	let previous = partition
	for (const next of later) {
		const entries: { found: Found; ranks: Ranks }[] = []
		const gone: number[] = []
		for (const [cluster, key] of keys.values()) {
			const ofCluster = ranks.get(cluster) ?? ranksOf(all, cluster)
			ranks.set(cluster, ofCluster)
			const found = carried(previous, cluster, key, ofCluster)
			const there = inKeyframe(next, cluster, key)
			if (!found && there) gone.push(there.row.row)
			else if (found && (!there || newer(ofCluster, found, there))) entries.push({ found, ranks: ofCluster })
		}
		if (entries.length > 0 || gone.length > 0) {
			next.db.exec('BEGIN IMMEDIATE')
			try {
				write(next, entries)
				for (const row of gone) next.prepare('DELETE FROM keyframe WHERE row = ?').run(row)
				next.db.exec('COMMIT')
			} catch (error) {
				if (next.db.isTransaction) next.db.exec('ROLLBACK')
				next.reset()
				throw error
			}
		}
		previous = next
	}
}
