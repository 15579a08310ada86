// Records per bucket of time, and the values of an audit field that occur most: counted by Elasticsearch, exactly.
import type { RecordKind } from '#records/record.ts'
import { inOrder, makeBuckets } from '#storage/store/buckets.ts'
import type { AuditField, Bucket, Filter } from '#storage/store/port.ts'
import { dayOf } from '#records/time.ts'
import { askedBy, item, worked, type Asking, term } from './filter.ts'
import { dayEnd, dayStart } from './names.ts'
import type { Query } from './search.ts'

interface Ends {
	readonly first: { readonly value: number | null }
	readonly last: { readonly value: number | null }
}

interface Ranges {
	readonly at: {
		readonly buckets: readonly {
			readonly kinds: { readonly buckets: readonly { readonly key: RecordKind; readonly doc_count: number }[] }
			readonly warnings: { readonly doc_count: number }
		}[]
	}
}

const at = { field: worked('at') }

type Aggregate = <A>(query: Query | undefined, aggs: Readonly<Record<string, unknown>>) => Promise<A | undefined>

/** First and last time of any record of the cluster in the days that the filter's times touch, where it leaves one of them open. */
async function endsOf(aggregate: Aggregate, { from, to, cluster }: Filter): Promise<readonly [number, number] | undefined> {
	const days = {
		...(from === undefined ? {} : { gte: dayStart(dayOf(Math.max(0, from))) }),
		...(to === undefined ? {} : { lte: dayEnd(dayOf(Math.max(0, to))) }),
	}
	const filter = [{ range: { [worked('at')]: days } }, ...(cluster === undefined ? [] : [term(item('cluster'), cluster)])]
	const found = await aggregate<Ends>({ bool: { filter } }, { first: { min: at }, last: { max: at } })
	const first = from ?? found?.first.value ?? null
	const last = to ?? found?.last.value ?? null
	return first === null || last === null ? undefined : [first, last]
}

async function counted(
	asking: Asking,
	filter: Filter,
	[from, to]: readonly [number, number],
	buckets: number,
	aggregate: Aggregate | undefined,
): Promise<readonly Bucket[]> {
	if (from > to) return []
	const made = makeBuckets(from, to, buckets)
	const asked = await askedBy(asking, { ...filter, from, to })
	if (!asked) return made
	const kinds = { terms: { field: item('kind'), size: 20 } }
	const warnings = { filter: { terms: { [item('severity')]: ['warning', 'error'] } } }
	const aggs = {
		at: { range: { ...at, ranges: made.map((bucket) => ({ from: bucket.from, to: bucket.to + 1 })) }, aggs: { kinds, warnings } },
	}
	const ranges = aggregate
		? await aggregate<Ranges>(asked.query, aggs)
		: await asking.searcher.aggregate<Ranges>(asked.index, asked.query, aggs, asked.between)
	for (const [index, bucket] of made.entries()) {
		const one = ranges?.at.buckets[index]
		if (!one) continue
		for (const { key, doc_count: count } of one.kinds.buckets) bucket.counts[key] = count
		bucket.warnings = one.warnings.doc_count
	}
	return made.map((bucket) => ({ ...bucket, counts: inOrder(bucket.counts) }))
}

export async function histogram(asking: Asking, filter: Filter, buckets: number): Promise<readonly Bucket[]> {
	const { from, to } = filter
	if (from !== undefined && to !== undefined) return counted(asking, filter, [from, to], buckets, undefined)
	// The ends and the counts are of the same moment, or a record that came between would be outside of all buckets.
	return asking.searcher.pinned(asking.searcher.names.every(), { from, to }, async (aggregate) => {
		const ends = await endsOf(aggregate, filter)
		return ends ? counted(asking, filter, ends, buckets, aggregate) : []
	})
}

const fields: Readonly<Record<AuditField, string>> = {
	user: item('audit.user'),
	verb: item('audit.verb'),
	code: item('audit.code'),
	userAgent: item('audit.userAgent'),
	sourceIP: item('audit.sourceIPs'),
	resource: worked('resource'),
	namespace: worked('namespace'),
}

export async function auditTop(
	asking: Asking,
	filter: Filter,
	by: AuditField,
	limit: number,
): Promise<readonly { readonly value: string; readonly count: number }[]> {
	const asked = await askedBy(asking, { ...filter, include: ['audit'] })
	if (!asked) return []
	const counts: { value: string; count: number }[] = []
	const sources = [{ value: { terms: { field: fields[by] } } }]
	const buckets = asking.searcher.buckets<{ key: { value: string | number }; doc_count: number }>(asked.index, asked.query, sources, {
		between: asked.between,
	})
	for await (const { key, doc_count: count } of buckets) counts.push({ value: String(key.value), count })
	return counts.toSorted((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1)).slice(0, limit)
}
