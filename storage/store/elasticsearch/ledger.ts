// Statements about the record itself: gaps, coverage, rejects; and which clusters there are.
import type { Coverage, Gap, RecordKind, Reject } from '#records/record.ts'
import { inOrder } from '#storage/store/buckets.ts'
import type { ClusterInfo, Page, Store } from '#storage/store/port.ts'
import { cursorOf, readCursor } from '#storage/store/cursor.ts'
import { item, term, timeRange, worked, type Asking } from './filter.ts'
import { statementOf, type Hit } from './item.ts'
import { byTime } from './timeline.ts'

const source = ['kubetape.at', 'kubetape.statement', 'kubetape.item.id']

async function statements<T>(
	{ searcher }: Asking,
	cluster: string,
	kind: RecordKind,
	{ from, to }: { readonly from?: number; readonly to?: number },
): Promise<readonly T[]> {
	const query = { bool: { filter: [term(item('cluster'), cluster), term(item('kind'), kind), ...timeRange(from, to)] } }
	const found: T[] = []
	for await (const hit of searcher.all(searcher.names.every(['ledger']), { query, sort: byTime('asc'), source }, { from, to }))
		found.push(statementOf<T>(hit._source))
	return found
}

export async function ledger(
	asking: Asking,
	cluster: string,
	range: { readonly from?: number; readonly to?: number },
): Promise<{ readonly gaps: readonly Gap[]; readonly coverage: readonly Coverage[] }> {
	const [gaps, coverage] = await Promise.all([
		statements<Gap>(asking, cluster, 'gap', range),
		statements<Coverage>(asking, cluster, 'coverage', range),
	])
	return { gaps, coverage }
}

export async function rejects({ searcher }: Asking, asked: Parameters<Store['rejects']>[0]): Promise<Page<Reject>> {
	const { cluster, from, to, limit } = asked
	const order = asked.order ?? 'desc'
	// As a timeline's: the same question.
	const range = {
		...(cluster === undefined ? {} : { cluster }),
		...(from === undefined ? {} : { from }),
		...(to === undefined ? {} : { to }),
	}
	const bound = ['timeline', order, { ...range, include: ['reject'], noise: true }]
	const stand = asked.cursor === undefined ? undefined : readCursor<{ t: number; i: string }>(asked.cursor, bound)
	const query = {
		bool: {
			filter: [term(item('kind'), 'reject'), ...(cluster === undefined ? [] : [term(item('cluster'), cluster)]), ...timeRange(from, to)],
		},
	}
	const after = stand && [stand.t, stand.i]
	const body = { query, sort: byTime(order), source, size: limit + 1, ...(after ? { after } : {}) }
	const hits: readonly Hit[] = await searcher.hits(searcher.names.every(['ledger']), body, { from, to })
	const shown = hits.slice(0, limit)
	const last = shown.at(-1)
	const next = hits.length > shown.length && last ? cursorOf({ t: last._source.kubetape.at, i: last._id }, bound) : null
	return { items: shown.map(({ _source }) => statementOf<Reject>(_source)), next }
}

interface Bucket<K> {
	readonly key: K
	readonly doc_count: number
}

interface ClusterBucket extends Bucket<string> {
	readonly first: { readonly value: number }
	readonly last: { readonly value: number }
	readonly kinds: { readonly buckets: readonly Bucket<RecordKind>[] }
	readonly versions: {
		readonly spaces: {
			readonly buckets: readonly (Bucket<string> & {
				readonly first: { readonly value: number }
				readonly last: { readonly value: number }
			})[]
		}
	}
}

const ends = (field: string): object => ({ first: { min: { field } }, last: { max: { field } } })
const many = 10_000

/** Revisions come as floating-point numbers: exact up to 2^53, which a cluster that makes 10,000 writes a second reaches in 28,000 years. */
export async function clusters({ searcher, registry }: Asking): Promise<readonly ClusterInfo[]> {
	const spaces = { terms: { field: item('space'), size: many }, aggs: ends(item('revision')) }
	const aggs = {
		clusters: {
			terms: { field: item('cluster'), size: many, order: { _key: 'asc' } },
			aggs: {
				...ends(item('occurredAt')),
				kinds: { terms: { field: item('kind'), size: many } },
				versions: { filter: { exists: { field: worked('key') } }, aggs: { spaces } },
			},
		},
	}
	const found = await searcher.aggregate<{ clusters: { buckets: readonly ClusterBucket[] } }>(searcher.names.every(), undefined, aggs)
	return Promise.all(
		(found?.clusters.buckets ?? []).map(async ({ key: name, first, last, kinds, versions }) => {
			const ranges = new Map(versions.spaces.buckets.map((bucket) => [bucket.key, bucket]))
			const known = await registry.spaces(name)
			return {
				name,
				firstAt: first.value,
				lastAt: last.value,
				counts: inOrder(Object.fromEntries(kinds.buckets.map(({ key, doc_count: count }) => [key, count]))),
				spaces: known.flatMap((space) => {
					const range = ranges.get(space)
					return range ? [{ space, firstRevision: BigInt(range.first.value), lastRevision: BigInt(range.last.value) }] : []
				}),
			}
		}),
	)
}
