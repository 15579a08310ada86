// Cluster events as objects: which version of each stood. They live for an hour or so, and are in no keyframe: the days themselves tell.
import type { ObjectRef } from '#records/object-key.ts'
import { objectKey } from '#records/object-key.ts'
import type { At } from '#storage/store/port.ts'
import { DamageError } from './errors.ts'
import type { Partition } from './partition.ts'
import { dayEnd, lastRow } from './place.ts'
import { kinds } from './schema.ts'
import { keyOf, type Found, type Ranks } from './state.ts'
import { tagMatch } from './words.ts'

const narrow = 'r.row, r.own, r.space, CAST(r.rev AS TEXT) AS rev'
const scanSql = `SELECT ${narrow} FROM words CROSS JOIN record r ON r.row = words.rowid WHERE words MATCH ? AND words.rowid <= ?`

interface Sight {
	readonly row: number
	readonly own: number
	readonly space: number
	readonly rev: string
}

export const isEvent = (object: ObjectRef): boolean => object.resource === 'events' && object.group === ''

/** The day of a time and the one before it, or every day where a revision is asked for: the newest first. */
function daysFor(partitions: readonly Partition[], at: At): readonly Partition[] {
	if (!('time' in at)) return partitions.toReversed()
	return partitions
		.filter((partition) => partition.start <= at.time)
		.slice(-2)
		.toReversed()
}

function* sights(partition: Partition, match: string, at: At, ranks: Ranks): Generator<Sight & { readonly rank: number }> {
	const limit = 'time' in at ? lastRow(partition.start, Math.min(at.time, dayEnd(partition.day))) : Number.MAX_SAFE_INTEGER
	const space = 'revision' in at ? (at.space ?? [...ranks.keys()].at(-1)) : undefined
	for (const sight of partition.all<Sight>(scanSql, match, limit)) {
		const name = partition.text(sight.space)
		if ('revision' in at && (name !== space || BigInt(sight.rev) > at.revision)) continue
		yield { ...sight, rank: ranks.get(name) ?? 0 }
	}
}

const isNewer = (a: { rank: number; rev: string }, b: { rank: number; rev: string } | undefined): boolean =>
	!b || a.rank > b.rank || (a.rank === b.rank && BigInt(a.rev) > BigInt(b.rev))

function foundOf(partition: Partition, sight: Sight): Found {
	const row = partition.row(sight.row)
	if (row?.own !== sight.own || row.space !== sight.space || row.rev !== sight.rev)
		throw new DamageError(`row ${sight.row} fails its checksum`)
	return { partition, row, inKeyframe: false, space: partition.text(sight.space), revision: BigInt(sight.rev) }
}

/** The version of one event that stood; a deletion is one too. */
export function eventAt(partitions: readonly Partition[], cluster: string, object: ObjectRef, at: At, ranks: Ranks): Found | undefined {
	// A deletion comes at most a day behind the last update: the newest day that knows the event has its newest version.
	for (const partition of 'time' in at ? partitions.filter(({ start }) => start <= at.time).toReversed() : daysFor(partitions, at)) {
		const found = partition.guard(() => {
			let best: (Sight & { readonly rank: number }) | undefined
			for (const { id } of partition.objectsOf(cluster, objectKey(object)))
				for (const sight of sights(partition, tagMatch([`o${id}`]), at, ranks)) if (isNewer(sight, best)) best = sight
			return best && foundOf(partition, best)
		})
		if (found) return found
	}
	return undefined
}

/** The newest version of every event of the cluster, by object key; deletions among them. */
export function eventsAt(partitions: readonly Partition[], cluster: string, at: At, ranks: Ranks): ReadonlyMap<string, Found> {
	const newest = new Map<string, { readonly partition: Partition; readonly sight: Sight & { readonly rank: number } }>()
	for (const partition of daysFor(partitions, at)) {
		partition.guard(() => {
			for (const sight of sights(partition, tagMatch([`k${kinds.indexOf('event')}`]), at, ranks)) {
				const object = partition.object(sight.own)
				if (object.cluster !== cluster) continue
				const key = keyOf(object)
				if (isNewer(sight, newest.get(key)?.sight)) newest.set(key, { partition, sight })
			}
		})
	}
	const found = new Map<string, Found>()
	for (const [key, { partition, sight }] of newest) {
		found.set(
			key,
			partition.guard(() => foundOf(partition, sight)),
		)
	}
	return found
}
