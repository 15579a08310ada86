// One object through time: its versions, the one that stood, and the state of all.
import { objectKey, type ObjectRef } from '#records/object-key.ts'
import type { Revision } from '#records/revision.ts'
import type { At, Item, Page, PageRequest, StateSelector, Version } from '#storage/store/port.ts'
import { cursorOf, readCursor } from '#storage/store/cursor.ts'
import { DamageError } from './errors.ts'
import { eventAt, eventsAt, isEvent } from './events.ts'
import { isOfKind } from '#storage/store/meaning.ts'
import type { Partition } from './partition.ts'
import { dayEnd, firstRow, lastRow } from './place.ts'
import { itemOf } from './row.ts'
import type { Row, StoredObject } from './schema.ts'
import {
	bodyOf,
	inKeyframe,
	isDeleted,
	keyframeEnds,
	keyOf,
	newer,
	newestRows,
	ranksOf,
	standing,
	type Found,
	type Limit,
	type Ranks,
	type Standing,
} from './state.ts'

interface Place {
	readonly partition: Partition
	readonly row: number
	readonly rank: number
	readonly revision: bigint
}

export function history(
	partitions: readonly Partition[],
	cluster: string,
	object: ObjectRef,
	page: PageRequest & { readonly from?: number; readonly to?: number },
): Page<Item> {
	const order = page.order ?? 'asc'
	const bound = ['history', cluster, object, order, page.from, page.to]
	const stand = page.cursor === undefined ? undefined : readCursor<{ n: number; r: string }>(page.cursor, bound)
	const ranks = ranksOf(partitions, cluster)
	const places: Place[] = []
	const from = page.from ?? 0
	const to = page.to ?? Number.MAX_SAFE_INTEGER
	for (const partition of partitions) {
		partition.guard(() => {
			const add = (found: Row): void => {
				const rank = ranks.get(partition.text(found.space ?? 0)) ?? 0
				places.push({ partition, row: found.row, rank, revision: BigInt(found.rev ?? '0') })
			}
			const first = firstRow(partition.start, from)
			const last = lastRow(partition.start, to)
			for (const { id } of partition.objectsOf(cluster, objectKey(object))) {
				for (const row of partition.rowsOf(id, first, last)) {
					const found = partition.row(row)
					if (found?.obj !== id) throw new DamageError(`the index leads from object ${id} to another`)
					if (found.kind === 0) add(found)
				}
				const sql = 'SELECT rowid AS row FROM words WHERE words MATCH ? AND rowid BETWEEN ? AND ?'
				if (object.resource !== 'events') continue
				for (const { row } of partition.all<{ row: number }>(sql, `tags : "zqo${id}"`, first, last)) {
					const found = partition.row(row)
					if (found) add(found)
				}
			}
		})
	}
	const direction = order === 'asc' ? 1 : -1
	const compare = (a: Pick<Place, 'rank' | 'revision'>, b: Pick<Place, 'rank' | 'revision'>): number =>
		(a.rank - b.rank || (a.revision < b.revision ? -1 : a.revision > b.revision ? 1 : 0)) * direction
	const behind = stand ? { rank: stand.n, revision: BigInt(stand.r) } : undefined
	const rest = places.filter((place) => !behind || compare(place, behind) > 0).toSorted(compare)
	const shown = rest.slice(0, page.limit)
	const end = shown.at(-1)
	const items = shown.flatMap(({ partition, row }) => {
		const full = partition.row(row)
		return full ? [itemOf(partition, full, cluster)] : []
	})
	return { items, next: end && rest.length > shown.length ? cursorOf({ n: end.rank, r: end.revision.toString() }, bound) : null }
}

interface Scope {
	readonly base: Partition
	/** Days to look in, each with its limit; only the base's keyframe counts. */
	readonly parts: readonly { readonly partition: Partition; readonly limit: Limit }[]
}

/** Whether all that a day's keyframe was made of stood at the limit: then it can be begun with, and what it lacks was deleted or unknown by then. */
function reaches(earlier: readonly Partition[], partition: Partition, cluster: string, limit: Standing, ranks: Ranks): boolean {
	const rank = ranks.get(limit.space) ?? 0
	const later = (space: string, revision: bigint): boolean => {
		const other = ranks.get(space) ?? 0
		return other > rank || (other === rank && revision > limit.revision)
	}
	for (const before of earlier) {
		for (const span of before.guard(() => before.spans()).values())
			if (span.cluster === cluster && span.kind === 0 && later(span.space, span.revMax)) return false
	}
	// Days before it may be gone: what its keyframe holds tells of them.
	return !partition.guard(() => keyframeEnds(partition, cluster)).some(({ space, revision }) => later(space, revision))
}

/** The day whose keyframe a past state begins with, and what to read besides. */
function scopeOf(partitions: readonly Partition[], cluster: string, at: At, ranks: Ranks): Scope | undefined {
	if ('time' in at) {
		const base = partitions.findLast((partition) => partition.start <= at.time)
		return base && { base, parts: [{ partition: base, limit: { row: lastRow(base.start, Math.min(at.time, dayEnd(base.day))) } }] }
	}
	const space = at.space ?? [...ranks.keys()].at(-1)
	if (space === undefined) return undefined
	const limit = { space, revision: at.revision }
	const base =
		partitions.findLast((partition, index) => reaches(partitions.slice(0, index), partition, cluster, limit, ranks)) ?? partitions[0]
	if (!base) return undefined
	const later = partitions
		.slice(partitions.indexOf(base) + 1)
		.filter((partition) => (partition.spans().get([cluster, 0, space].join('\0'))?.revMin ?? at.revision + 1n) <= at.revision)
	return { base, parts: [base, ...later].map((partition) => ({ partition, limit })) }
}

function best(scope: Scope, cluster: string, key: string, ranks: Ranks): Found | undefined {
	let found = inKeyframe(scope.base, cluster, key, scope.parts[0]?.limit.revision === undefined ? {} : scope.parts[0].limit)
	for (const { partition, limit } of scope.parts) {
		const candidate = partition.guard(() => standing(partition, partition.objectsOf(cluster, key), ranks, limit))
		if (candidate && newer(ranks, candidate, found)) found = candidate
	}
	return found
}

function versionOf(partition: Partition, row: Row, ranks: Ranks): Version {
	return partition.guard(() => ({ ...itemOf(partition, row), body: bodyOf(partition, row, ranks) }))
}

export function versionAt(partitions: readonly Partition[], cluster: string, object: ObjectRef, at: At): Version | undefined {
	const ranks = ranksOf(partitions, cluster)
	if (isEvent(object)) {
		const event = eventAt(partitions, cluster, object, at, ranks)
		return event && versionOf(event.partition, event.row, ranks)
	}
	const scope = scopeOf(partitions, cluster, at, ranks)
	const found = scope && best(scope, cluster, objectKey(object), ranks)
	if (found) return versionOf(found.partition, found.row, ranks)
	// A deletion before the day's keyframe is in no keyframe: the days before tell.
	const earlier = scope ? partitions.slice(0, partitions.indexOf(scope.base)) : []
	for (const partition of earlier.toReversed()) {
		const limit = scope?.parts[0]?.limit.space === undefined ? {} : scope.parts[0].limit
		const candidate = partition.guard(() => standing(partition, partition.objectsOf(cluster, objectKey(object)), ranks, limit))
		if (candidate) return versionOf(partition, candidate.row, ranks)
	}
	return undefined
}

export function get(partitions: readonly Partition[], cluster: string, id: string): Version | undefined {
	if (!/^[0-9a-f]{32}$/.test(id)) return undefined
	for (const partition of partitions) {
		if (!partition.mayHold(id)) continue
		const row = partition.guard(() => partition.rowById(id))
		if (!row) continue
		const version = versionOf(partition, row, ranksOf(partitions, cluster))
		if (version.cluster === cluster) return version
	}
	return undefined
}

/** How many of the rows before a time are looked at for the newest revision: clocks do not order them. */
const newestOfRows = 128

/** The newest version of the cluster that had occurred, whatever object it is of. */
function revisionAt(partitions: readonly Partition[], scope: Scope, cluster: string, at: At, ranks: Ranks): Revision | null {
	if ('revision' in at) return at.revision
	let newest: Standing | undefined
	const take = (candidate: Standing): void => {
		const byRank = (ranks.get(candidate.space) ?? 0) - (newest ? (ranks.get(newest.space) ?? 0) : -1)
		if (!newest || byRank > 0 || (byRank === 0 && candidate.revision > newest.revision)) newest = candidate
	}
	const { base } = scope
	for (const found of newestRows(base, cluster, scope.parts[0]?.limit.row ?? 0, newestOfRows)) take(found)
	for (const before of partitions.slice(0, partitions.indexOf(base))) {
		for (const span of before.guard(() => before.spans()).values())
			if (span.cluster === cluster && span.kind === 0) take({ space: span.space, revision: span.revMax })
	}
	for (const end of keyframeEnds(base, cluster)) take(end)
	return newest?.revision ?? null
}

const noEvents: ReadonlyMap<string, Found> = new Map()
const eventKinds = new Set(['event', 'events', 'events.events.k8s.io', 'event.events.k8s.io'])

/** Keys of the base's keyframe and of the days read, that the selector's own fields allow, in order; and the events, where they are asked for. */
function keysOf(scope: Scope, cluster: string, selector: StateSelector, events: ReadonlyMap<string, Found>): string[] {
	const wanted = selector.kind?.toLowerCase()
	const keys = new Set<string>()
	const conditions = ['cluster = ?', "resource <> 'events'"]
	const values = [cluster]
	for (const field of ['namespace', 'name'] as const) {
		if (selector[field] === undefined) continue
		conditions.push(`${field} = ?`)
		values.push(selector[field])
	}
	for (const { partition } of scope.parts) {
		for (const object of partition.guard(() => partition.objects.where(conditions.join(' AND '), ...values)))
			if (wanted === undefined || isOfKind(object, wanted)) keys.add(keyOf(object))
	}
	const isWanted = (object: StoredObject): boolean =>
		object.cluster === cluster &&
		(selector.namespace === undefined || object.namespace === selector.namespace) &&
		(selector.name === undefined || object.name === selector.name)
	for (const [key, { partition, row }] of events) if (isWanted(partition.object(row.own ?? 0))) keys.add(key)
	return [...keys].toSorted((a, b) => (a < b ? -1 : 1))
}

export function stateAt(
	partitions: readonly Partition[],
	cluster: string,
	at: At,
	selector: StateSelector,
	page: PageRequest,
): Page<Version> & { readonly revision: Revision | null } {
	const bound = ['state', cluster, at, selector.kind, selector.namespace, selector.name]
	const stand = page.cursor === undefined ? undefined : readCursor<{ k: string; r: string | null }>(page.cursor, bound)
	const ranks = ranksOf(partitions, cluster)
	const scope = scopeOf(partitions, cluster, at, ranks)
	if (!scope) return { items: [], next: null, revision: null }
	const revision = stand
		? stand.r === null
			? null
			: BigInt(stand.r)
		: scope.base.guard(() => revisionAt(partitions, scope, cluster, at, ranks))
	const events =
		selector.kind === undefined || eventKinds.has(selector.kind.toLowerCase()) ? eventsAt(partitions, cluster, at, ranks) : noEvents
	const items: Version[] = []
	let last = ''
	for (const key of keysOf(scope, cluster, selector, events)) {
		if (stand && key <= stand.k) continue
		const found = events.get(key) ?? best(scope, cluster, key, ranks)
		if (!found || isDeleted(found.row)) continue
		const version = versionOf(found.partition, found.row, ranks)
		if (selector.labels && !selector.labels(version.labels ?? {})) continue
		if (selector.fields && !selector.fields(version.body?.object ?? {})) continue
		if (items.length === page.limit) return { items, next: cursorOf({ k: last, r: revision?.toString() ?? null }, bound), revision }
		items.push(version)
		last = key
	}
	return { items, next: null, revision }
}
