// The state of a whole cluster at a time or revision: the newest version of each object, from a keyframe and what followed it.
import type { Revision } from '#records/revision.ts'
import { dayOf } from '#records/time.ts'
import { cursorOf, readCursor } from '#storage/store/cursor.ts'
import type { At, Page, PageRequest, StateSelector, Version } from '#storage/store/port.ts'
import { anyOf, item, term, timeRange, worked, type Asking } from './filter.ts'
import { itemOf, type Hit } from './item.ts'
import { completeKeyframes } from './keyframes.ts'
import { elasticLimits } from './limits.ts'
import { dayStart } from './names.ts'
import type { Query } from './search.ts'
import { standingAt, whole } from './versions.ts'

const dayMicros = 86_400_000_000
const eventKinds = new Set(['event', 'events', 'events.events.k8s.io', 'event.events.k8s.io'])

interface Base {
	/** Its keyframe is read; undefined where there is none. */
	readonly day: string | undefined
	/** Changes before it need not be read. */
	readonly reaches: boolean
}

/** The last keyframe that was made of nothing later than the place: what it lacks was deleted or unknown by then. Where none is, the first one, for what retention removed, and all changes. */
async function baseOf({ searcher }: Asking, cluster: string, at: At, standing: readonly Query[]): Promise<Base> {
	const days = await completeKeyframes(searcher)
	if ('time' in at) {
		const day = days.findLast((each) => dayStart(each) <= at.time)
		return { day, reaches: day !== undefined }
	}
	const ofCluster = term(item('cluster'), cluster)
	for (const day of days.toReversed()) {
		const later = { bool: { filter: [ofCluster, ...timeRange(undefined, dayStart(day) - 1)], must_not: [{ bool: { filter: standing } }] } }
		const kept = { bool: { filter: [ofCluster], must_not: [{ bool: { filter: standing } }] } }
		const [changes, keyframe] = await Promise.all([
			searcher.hits(searcher.names.every(['changes']), { query: later, size: 1, source: false }, { to: dayStart(day) - 1 }),
			searcher.hits(searcher.names.of('keyframes', day), { query: kept, size: 1, source: false }),
		])
		if (changes.length === 0 && keyframe.length === 0) return { day, reaches: true }
	}
	return { day: days[0], reaches: false }
}

const own = ({ namespace, name }: StateSelector): readonly Query[] => [
	...(namespace === undefined ? [] : [term(worked('ownNamespace'), namespace)]),
	...(name === undefined ? [] : [term(worked('ownName'), name)]),
]

function ofKind({ kind }: StateSelector): readonly Query[] {
	const wanted = kind?.toLowerCase()
	if (wanted === undefined) return []
	return [anyOf([term(worked('kind'), wanted), term(worked('resourceOnly'), wanted), term(worked('resource'), wanted)])]
}

/** Where the versions are, and which of them. Cluster events live for an hour or so: they are in no keyframe, their day and the one before tell. */
function scopeOf(
	{ searcher }: Asking,
	at: At,
	selector: StateSelector,
	{ day, reaches }: Base,
): { readonly index: string; readonly clause: Query } {
	const { names } = searcher
	const keyframe = day === undefined ? [] : [names.of('keyframes', day)]
	const since =
		day !== undefined && reaches ? [anyOf([...timeRange(dayStart(day), undefined), term('_index', names.of('keyframes', day))])] : []
	const changes = { bool: { filter: [term(item('kind'), 'change'), ...ofKind(selector), ...own(selector), ...since] } }
	if (selector.kind !== undefined && !eventKinds.has(selector.kind.toLowerCase()))
		return { index: [names.every(['changes']), ...keyframe].join(','), clause: changes }
	const lately = 'time' in at ? timeRange(dayStart(dayOf(Math.max(0, at.time))) - dayMicros, undefined) : []
	const events = { bool: { filter: [term(item('kind'), 'event'), ...own(selector), ...lately] } }
	return { index: [names.every(['changes', 'events']), ...keyframe].join(','), clause: anyOf([changes, events]) }
}

/** The highest revision that any object had, in the newest space that had any. */
async function revisionAt(
	{ searcher }: Asking,
	cluster: string,
	at: At,
	standing: readonly (readonly Query[])[],
): Promise<Revision | null> {
	if ('revision' in at) return at.revision
	const index = searcher.names.every(['changes', 'keyframes'])
	for (const place of standing) {
		const query = { bool: { filter: [term(item('cluster'), cluster), term(item('kind'), 'change'), ...place] } }
		const [hit] = await searcher.hits(
			index,
			{ query, size: 1, sort: [{ [item('revision')]: 'desc' }], source: ['kubetape.item', 'kubetape.plain.item'] },
			{ to: at.time },
		)
		if (hit) return itemOf(hit._source).revision ?? null
	}
	return null
}

interface Newest {
	readonly newest: { readonly hits: { readonly hits: readonly Hit[] } }
}

interface KeyBucket extends Readonly<Record<`in${number}`, Newest>> {
	readonly key: { readonly key: string }
}

export async function stateAt(
	asking: Asking,
	cluster: string,
	at: At,
	selector: StateSelector,
	page: PageRequest,
): Promise<Page<Version> & { readonly revision: Revision | null }> {
	const bound = ['state', cluster, at, selector.kind, selector.namespace, selector.name]
	const stand = page.cursor === undefined ? undefined : readCursor<{ k: string; r: string | null }>(page.cursor, bound)
	const standing = await standingAt(asking, cluster, at)
	if (standing.length === 0) return { items: [], next: null, revision: null }
	const revision = stand ? (stand.r === null ? null : BigInt(stand.r)) : await revisionAt(asking, cluster, at, standing)
	const base = await baseOf(asking, cluster, at, standing[0] ?? [])
	const { index, clause } = scopeOf(asking, at, selector, base)
	const query = { bool: { filter: [term(item('cluster'), cluster), anyOf(standing.map((filter) => ({ bool: { filter } }))), clause] } }
	const newest = { top_hits: { size: 1, sort: [{ [item('revision')]: 'desc' }] } }
	const aggs = Object.fromEntries(standing.map((filter, rank) => [`in${rank}`, { filter: { bool: { filter } }, aggs: { newest } }]))
	const between = 'time' in at ? { to: at.time } : {}
	const items: Version[] = []
	let last = ''
	const size = Math.min(elasticLimits.stateObjects, page.limit + 1)
	const buckets = asking.searcher.buckets<KeyBucket>(index, query, [{ key: { terms: { field: worked('key') } } }], {
		aggs,
		between,
		size,
		...(stand ? { after: { key: stand.k } } : {}),
	})
	for await (const bucket of buckets) {
		const hit = standing.map((_, rank) => bucket[`in${rank}`]?.newest.hits.hits[0]).find((found) => found !== undefined)
		if (!hit) continue
		const version = await whole(asking, hit._source)
		if (version.operation === 'deleted') continue
		if (selector.labels && !selector.labels(version.labels ?? {})) continue
		if (selector.fields && !selector.fields(version.body?.object ?? {})) continue
		if (items.length === page.limit) return { items, next: cursorOf({ k: last, r: revision?.toString() ?? null }, bound), revision }
		items.push(version)
		last = bucket.key.key
	}
	return { items, next: null, revision }
}
