// Versions of objects: the history of one, the one that stood, one record by its id; and the bodies of folded Leases, made from the version before.
import type { Body } from '#records/body.ts'
import { unfoldLease } from '#records/lease.ts'
import { objectKey, type ObjectRef } from '#records/object-key.ts'
import type { Revision } from '#records/revision.ts'
import { cursorOf, readCursor } from '#storage/store/cursor.ts'
import type { At, Item, Order, Page, PageRequest, Version } from '#storage/store/port.ts'
import { item, term, timeRange, worked, type Asking } from './filter.ts'
import { bodyOf, itemOf, itemSource, versionOf, type Hit, type Source } from './item.ts'
import { recordClasses } from './names.ts'
import type { Query } from './search.ts'

/** Revisions as numbers of a query: JSON has them exactly, JavaScript's numbers not all of them. */
export const revisionRange = (range: Readonly<Partial<Record<'lt' | 'lte' | 'gt' | 'gte', Revision>>>): Query => ({
	range: { [item('revision')]: Object.fromEntries(Object.entries(range).map(([name, revision]) => [name, revision.toString()])) },
})

const byRevision = (order: Order): readonly Readonly<Record<string, Order>>[] => [{ [item('revision')]: order }, { [item('id')]: order }]

const ofObject = (cluster: string, object: ObjectRef): readonly Query[] => [
	term(item('cluster'), cluster),
	term(worked('key'), objectKey(object)),
]

/** Of changes and cluster events, also those that only a keyframe still has. */
const versionIndex = ({ searcher }: Asking): string => searcher.names.every(['changes', 'events', 'keyframes'])

export async function history(
	asking: Asking,
	cluster: string,
	object: ObjectRef,
	page: PageRequest & { readonly from?: number; readonly to?: number },
): Promise<Page<Item>> {
	const order = page.order ?? 'asc'
	const bound = ['history', cluster, object, order, page.from, page.to]
	const stand = page.cursor === undefined ? undefined : readCursor<{ n: number; r: string }>(page.cursor, bound)
	const spaces = await asking.registry.spaces(cluster)
	const ranks = order === 'asc' ? [...spaces.keys()] : [...spaces.keys()].toReversed()
	const found: { readonly hit: Hit; readonly rank: number }[] = []
	for (const rank of ranks) {
		if (stand && (order === 'asc' ? rank < stand.n : rank > stand.n)) continue
		const behind = stand?.n === rank ? [revisionRange({ [order === 'asc' ? 'gt' : 'lt']: BigInt(stand.r) })] : []
		const query = {
			bool: { filter: [...ofObject(cluster, object), term(item('space'), spaces[rank]), ...timeRange(page.from, page.to), ...behind] },
		}
		const index = asking.searcher.names.every(['changes', 'events'])
		const left = page.limit + 1 - found.length
		// Exact: a revision is what the next page begins behind.
		for await (const hit of asking.searcher.all(index, { query, sort: byRevision(order), source: itemSource }, page, left))
			found.push({ hit, rank })
		if (found.length > page.limit) break
	}
	const shown = found.slice(0, page.limit)
	const last = shown.at(-1)
	const revision = last && itemOf(last.hit._source).revision?.toString()
	return {
		items: shown.map(({ hit }) => itemOf(hit._source)),
		next: last && found.length > shown.length ? cursorOf({ n: last.rank, r: revision ?? '0' }, bound) : null,
	}
}

/** What stands at a place in the cluster's order of versions, the newest first: the query, by space. */
export async function standingAt(asking: Asking, cluster: string, at: At): Promise<readonly (readonly Query[])[]> {
	const spaces = (await asking.registry.spaces(cluster)).toReversed()
	if ('time' in at) return spaces.map((space) => [term(item('space'), space), ...timeRange(undefined, at.time)])
	const space = at.space ?? spaces[0]
	return space === undefined ? [] : [[term(item('space'), space), revisionRange({ lte: at.revision })]]
}

export async function versionAt(asking: Asking, cluster: string, object: ObjectRef, at: At): Promise<Version | undefined> {
	for (const standing of await standingAt(asking, cluster, at)) {
		const query = { bool: { filter: [...ofObject(cluster, object), ...standing] } }
		const [hit] = await asking.searcher.hits(
			versionIndex(asking),
			{ query, sort: byRevision('desc'), size: 1 },
			'time' in at ? { to: at.time } : {},
		)
		if (hit) return whole(asking, hit._source)
	}
	return undefined
}

export async function get(asking: Asking, cluster: string, id: string): Promise<Version | undefined> {
	if (!/^[0-9a-f]{32}$/.test(id)) return undefined
	const query = { bool: { filter: [{ ids: { values: [id] } }, term(item('cluster'), cluster)] } }
	const [hit] = await asking.searcher.hits(asking.searcher.names.every(recordClasses), { query, size: 1 })
	return hit && whole(asking, hit._source)
}

/** With the body of a folded Lease. */
export async function whole(asking: Asking, source: Source): Promise<Version> {
	const version = versionOf(source)
	const { folded, revision, space, object, cluster } = version
	if (version.body || !folded || revision === undefined || !object) return version
	const query = {
		bool: {
			filter: [
				...ofObject(cluster, object),
				term(item('space'), space ?? ''),
				term(worked('bodied'), true),
				revisionRange({ lte: revision }),
			],
		},
	}
	const [base] = await asking.searcher.hits(versionIndex(asking), { query, sort: byRevision('desc'), size: 1 })
	const body: Body | null = base ? bodyOf(base._source) : null
	return { ...version, body: body && unfoldLease(body, folded, revision.toString()) }
}
