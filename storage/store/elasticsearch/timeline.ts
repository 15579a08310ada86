// Records of a filter in the order of time, page by page, each page bound to the filter it belongs to.
import { cursorOf, readCursor } from '#storage/store/cursor.ts'
import type { Filter, Item, Order, Page, PageRequest } from '#storage/store/port.ts'
import { askedBy, item, worked, type Asked, type Asking } from './filter.ts'
import { itemOf, itemsOnly, type Hit } from './item.ts'
import { elasticLimits } from './limits.ts'
import type { Sort } from './search.ts'

/** Time of its place, and id, of the last item given. */
interface Stand {
	readonly t: number
	readonly i: string
}

export const byTime = (order: Order): Sort => [{ [worked('at')]: order }, { [item('id')]: order }]

/** Up to `limit` hits behind `after`, in one request where one is enough. */
export async function hitsOf(
	{ searcher }: Asking,
	{ index, query, between }: Asked,
	sort: Sort,
	limit: number,
	after?: readonly (number | string)[],
): Promise<readonly Hit[]> {
	const body = { query, sort, ...itemsOnly, ...(after ? { after } : {}) }
	if (limit <= elasticLimits.pageDocuments) return searcher.hits(index, { ...body, size: limit }, between)
	return Array.fromAsync(searcher.all(index, body, between, limit))
}

export async function timeline(asking: Asking, filter: Filter, page: PageRequest): Promise<Page<Item>> {
	const order = page.order ?? 'desc'
	const bound = ['timeline', order, filter]
	const stand = page.cursor === undefined ? undefined : readCursor<Stand>(page.cursor, bound)
	const asked = await askedBy(asking, filter)
	if (!asked) return { items: [], next: null }
	const hits = await hitsOf(asking, asked, byTime(order), page.limit + 1, stand && [stand.t, stand.i])
	const shown = hits.slice(0, page.limit)
	const last = shown.at(-1)
	const more = hits.length > shown.length && last
	return {
		items: shown.map(({ _source }) => itemOf(_source)),
		next: more ? cursorOf({ t: last._source.kubetape.at, i: last._id }, bound) : null,
	}
}
