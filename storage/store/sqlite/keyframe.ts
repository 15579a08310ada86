// Keyframes: what stood when a day began, so that a past state is read from one day.
import type { Partition } from './partition.ts'
import type { PendingBody } from './bodies.ts'
import { keyframeSeed, ownerSum, rowSum } from './check.ts'
import { occurredAt } from './row.ts'
import { bindings, rowColumns, type StoredObject, type StoredRow } from './schema.ts'
import { bindRevision, bodyOf, inKeyframe, isDeleted, keyOf, newer, ranksOf, standing, type Found, type Ranks } from './state.ts'

const insertSql = `INSERT OR REPLACE INTO keyframe(cluster, key, ${rowColumns}) VALUES(?, ?${', ?'.repeat(rowColumns.split(',').length)})`
/** Objects whose bodies are in memory together. */
const entriesAtOnce = 256

interface Entry {
	readonly found: Found
	readonly ranks: Ranks
}

function write(target: Partition, entries: readonly Entry[]): void {
	const pending: PendingBody[] = []
	const rows = entries.map(({ found, ranks }) => {
		const object = found.partition.guard(() => found.partition.object(found.row.obj ?? 0))
		const obj = target.objects.memo(object.cluster, object, object.kind, object.uid).object.id
		const bytes = found.partition.guard(() => bodyOf(found.partition, found.row, ranks)?.bytes)
		const body = bytes ? { like: obj, bytes, place: 0 } : undefined
		if (body) pending.push(body)
		return { found, object, obj, body }
	})
	// By kind: objects of one kind resemble each other.
	target.bodies.write(pending)
	const insert = target.prepare(insertSql)
	const owner = target.prepare('INSERT OR IGNORE INTO owner(uid, obj, sum) VALUES(?, ?, ?)')
	for (const { found, object, obj, body } of rows) {
		const { partition: from, row } = found
		const move = (id: number | null): number | null => (id === null ? null : target.intern(from.guard(() => from.text(id))))
		if (row.traits !== null)
			for (const { uid } of (from.json(row.traits) as { o?: readonly { uid: string }[] }).o ?? []) owner.run(uid, obj, ownerSum(uid, obj))
		const key = keyOf(object)
		const moved: StoredRow = {
			...row,
			obj,
			own: null,
			space: move(row.space),
			rev: bindRevision(found.revision),
			traits: move(row.traits),
			paths: move(row.paths),
			source: move(row.source) ?? 0,
			body: body?.place ?? null,
			at: occurredAt(from, row),
		}
		insert.run(object.cluster, key, ...bindings(moved), rowSum(0, moved, keyframeSeed(object.cluster, key)))
	}
}

/** What the keyframe after `partition` holds for a key: its newest version; a deletion only where it was that day, so that a stale version that arrives a little later does not bring it back. */
function carried(partition: Partition, cluster: string, key: string, ranks: Ranks): Found | undefined {
	return partition.guard(() => {
		const own = standing(partition, partition.objectsOf(cluster, key), ranks, {})
		const before = inKeyframe(partition, cluster, key)
		if (own && newer(ranks, own, before)) return own
		return before && isDeleted(before.row) ? undefined : before
	})
}

/** Fills the keyframe of a day that begins behind `previous`. `missing`: only keys that it does not hold yet. */
export function fillKeyframe(target: Partition, previous: Partition, all: readonly Partition[], missing = false): void {
	const ranks = new Map<string, Ranks>()
	let entries: Entry[] = []
	for (const objects of previous.objects.keys()) {
		const first = objects[0]
		if (!first || (missing && inKeyframe(target, first.cluster, keyOf(first)))) continue
		let ofCluster = ranks.get(first.cluster)
		if (!ofCluster) ranks.set(first.cluster, (ofCluster = ranksOf(all, first.cluster)))
		const found = carried(previous, first.cluster, keyOf(first), ofCluster)
		if (found) entries.push({ found, ranks: ofCluster })
		if (entries.length < entriesAtOnce) continue
		write(target, entries)
		entries = []
	}
	write(target, entries)
}

/** Records came into a day that others follow: brings these objects on, day by day. The later days' changes are durable before the day's own are. */
export function carryOn(
	partition: Partition,
	later: readonly Partition[],
	changed: Iterable<StoredObject>,
	all: readonly Partition[],
): void {
	const ranks = new Map<string, Ranks>()
	const keys = new Map([...changed].map((object) => [`${object.cluster}\0${keyOf(object)}`, [object.cluster, keyOf(object)] as const]))
	let previous = partition
	for (const next of later) {
		const entries: Entry[] = []
		const gone: number[] = []
		for (const [cluster, key] of keys.values()) {
			const ofCluster = ranks.get(cluster) ?? ranksOf(all, cluster)
			ranks.set(cluster, ofCluster)
			const found = carried(previous, cluster, key, ofCluster)
			const there = next.guard(() => inKeyframe(next, cluster, key))
			if (!found && there) gone.push(there.row.row)
			else if (found && (!there || newer(ofCluster, found, there))) entries.push({ found, ranks: ofCluster })
		}
		if (entries.length > 0 || gone.length > 0) {
			next.transact(() => {
				write(next, entries)
				for (const row of gone) next.prepare('DELETE FROM keyframe WHERE row = ?').run(row)
			})
		}
		previous = next
	}
}
