// Records that belong together otherwise than by time or object: the lines of one log in its own order, from one file to the next, and the stages of one request.
import type { Item, Order } from '#storage/store/port.ts'
import { item, term, terms, type Asking } from './filter.ts'
import { itemOf, itemsOnly } from './item.ts'
import { elasticLimits } from './limits.ts'
import type { Query } from './search.ts'
import { byTime } from './timeline.ts'

type Line = Item & { readonly log: NonNullable<Item['log']> }

const isLine = (found: Item): found is Line => found.log !== undefined

interface File {
	/** Lines on one side of a place in it, the nearest first; from its beginning or its end where there is no place. */
	beside(order: Order, count: number, offset?: number): Promise<readonly Line[]>
	/** The file in which the log goes on. */
	next(): Promise<string | undefined>
}

function fileOf({ searcher }: Asking, cluster: string, name: string): File {
	const index = searcher.names.every(['logs'])
	const lines = async (filter: readonly Query[], order: Order, size: number): Promise<readonly Line[]> => {
		const query = { bool: { filter: [term(item('cluster'), cluster), ...filter] } }
		const sort = [{ [item('log.offset')]: order }, { [item('id')]: order }]
		const found: Line[] = []
		for await (const hit of searcher.all(index, { query, sort, ...itemsOnly }, {}, size)) {
			const line = itemOf(hit._source)
			if (isLine(line)) found.push(line)
		}
		return found
	}
	return {
		beside: (order, count, offset) =>
			count <= 0
				? Promise.resolve([])
				: lines(
						[
							term(item('log.file'), name),
							...(offset === undefined ? [] : [{ range: { [item('log.offset')]: { [order === 'asc' ? 'gt' : 'lt']: offset } } }]),
						],
						order,
						count,
					),
		next: async () => (await lines([term(item('log.follows'), name)], 'asc', 1))[0]?.log.file,
	}
}

export async function around(
	asking: Asking,
	cluster: string,
	id: string,
	before: number,
	after: number,
): Promise<readonly Item[] | undefined> {
	const { searcher } = asking
	const query = { bool: { filter: [term(item('cluster'), cluster), { ids: { values: [id] } }] } }
	const [hit] = await searcher.hits(searcher.names.every(['logs']), { query, size: 1, ...itemsOnly })
	const line = hit && itemOf(hit._source)
	if (!line || !isLine(line)) return undefined
	const { file, offset } = line.log
	const own = fileOf(asking, cluster, file)
	const [back, on] = await Promise.all([own.beside('desc', before, offset), own.beside('asc', after, offset)])
	const items: Line[] = [...back.toReversed(), line, ...on]
	const seen = new Set([file])
	const isNew = (name: string | undefined): name is string => name !== undefined && !seen.has(name) && seen.add(name).size > 0
	for (let missing = before - back.length; missing > 0;) {
		const name = items[0]?.log.follows
		if (!isNew(name)) break
		const lines = await fileOf(asking, cluster, name).beside('desc', missing)
		items.unshift(...lines.toReversed())
		missing -= lines.length
	}
	for (let missing = after - on.length; missing > 0;) {
		const name = await fileOf(asking, cluster, items.at(-1)?.log.file ?? '').next()
		if (!isNew(name)) break
		const lines = await fileOf(asking, cluster, name).beside('asc', missing)
		items.push(...lines)
		missing -= lines.length
	}
	return items
}

export async function stages({ searcher }: Asking, cluster: string, auditIDs: readonly string[]): Promise<readonly Item[]> {
	if (auditIDs.length === 0) return []
	const query = { bool: { filter: [term(item('cluster'), cluster), terms(item('audit.auditID'), [...new Set(auditIDs)])] } }
	const found: Item[] = []
	for await (const hit of searcher.all(
		searcher.names.every(['audit']),
		{ query, sort: byTime('asc'), ...itemsOnly },
		{},
		elasticLimits.pageDocuments * 10,
	))
		found.push(itemOf(hit._source))
	return found
}
