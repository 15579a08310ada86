// The request that Kibana sends for a panel, made of the panel's declaration; and the rows of its answer.
import type { Bucket, LensPanel, Metric, SavedSearch } from '#dashboards/kibana/panel.ts'
import { kqlOf, type Query } from '#dashboards/kibana/query.ts'

export type Clause = Readonly<Record<string, unknown>>

export interface Range {
	readonly from: string
	readonly to: string
}

export const kql = (query: Query): Clause => ({ kql: { query: kqlOf(query) } })

/** The same question without KQL: what a panel means, held against what KQL makes of it. */
export function dslOf(query: Query): Clause {
	if ('all' in query) return { bool: { filter: query.all.map(dslOf) } }
	if ('any' in query) return { bool: { should: query.any.map(dslOf), minimum_should_match: 1 } }
	if ('not' in query) return { bool: { must_not: [dslOf(query.not)] } }
	if ('exists' in query) return { exists: { field: query.field } }
	if ('atLeast' in query) return { range: { [query.field]: { gte: query.atLeast } } }
	if ('prefix' in query) return { prefix: { [query.field]: query.prefix } }
	return { terms: { [query.field]: query.values } }
}

const inTime = ({ from, to }: Range): Clause => ({ range: { '@timestamp': { gte: from, lte: to, format: 'strict_date_optional_time' } } })

export function queryOf(where: Query | undefined, range: Range, asClause: (query: Query) => Clause = kql): Clause {
	return { bool: { filter: [inTime(range), ...(where ? [asClause(where)] : [])] } }
}

const metricName = (n: number): string => `metric-${n + 1}`
const bucketName = 'bucket'

function metricAggregation(metric: Metric): Clause | undefined {
	const value =
		metric.of === 'count'
			? undefined
			: metric.of === 'unique'
				? { cardinality: { field: metric.field } }
				: { max: { field: '@timestamp', format: 'strict_date_optional_time' } }
	if (!metric.where) return value
	return { filter: kql(metric.where), ...(value ? { aggs: { value } } : {}) }
}

/** By the first metric, as Lens orders; the documents of a bucket are no aggregation. */
const orderOf = (metric: Metric): Clause => ({ [metric.of === 'count' && !metric.where ? '_count' : metricName(0)]: 'desc' })

function bucketAggregation(bucket: Bucket, first: Metric): Clause {
	if (bucket.by === 'time') return { date_histogram: { field: '@timestamp', fixed_interval: '10s', min_doc_count: 1 } }
	if (bucket.by === 'filters')
		return { filters: { filters: Object.fromEntries(bucket.filters.map(({ label, where }) => [label, kql(where)])) } }
	return { terms: { field: bucket.field, size: bucket.size, order: orderOf(first) } }
}

/** Buckets in each other, from the outermost in; the metrics in every one of them, as the outer ones are ordered by them. */
export function lensRequest(panel: LensPanel, range: Range): Clause {
	const values = Object.fromEntries(
		panel.metrics.flatMap((metric, n) => {
			const aggregation = metricAggregation(metric)
			return aggregation ? [[metricName(n), aggregation]] : []
		}),
	)
	const aggs = panel.buckets.reduceRight<Clause>(
		(inner, bucket) => ({ ...values, [bucketName]: { ...bucketAggregation(bucket, panel.metrics[0]), aggs: inner } }),
		values,
	)
	return { size: 0, track_total_hits: true, query: queryOf(panel.where, range), aggs }
}

export function searchRequest({ where, columns }: SavedSearch, range: Range): Clause {
	return {
		size: 500,
		track_total_hits: true,
		_source: false,
		fields: [...columns, '@timestamp'],
		sort: [{ '@timestamp': { order: 'desc', unmapped_type: 'boolean' } }],
		query: queryOf(where, range),
	}
}

export interface Answered {
	readonly doc_count?: number
	readonly value?: number | { readonly value: number | null } | null
	readonly [bucketName]?: { readonly buckets: readonly Answered[] | Readonly<Record<string, Answered>> }
	readonly key?: string | number
}

export interface Row {
	readonly keys: readonly (string | number)[]
	readonly values: readonly number[]
}

function valueOf(metric: Metric, name: string, answered: Answered, documents: number): number {
	const found = (answered as Readonly<Record<string, Answered | undefined>>)[name]
	if (metric.of === 'count') return metric.where ? (found?.doc_count ?? 0) : documents
	const { value } = found ?? {}
	return (typeof value === 'object' ? value?.value : value) ?? 0
}

/** A row for each innermost bucket that has documents, with its keys and the values of the metrics. */
export function rowsOf(panel: LensPanel, aggregations: Answered | undefined, documents: number): readonly Row[] {
	const rows: Row[] = []
	const walk = (answered: Answered, keys: readonly (string | number)[], count: number): void => {
		if (keys.length === panel.buckets.length) {
			if (count > 0) rows.push({ keys, values: panel.metrics.map((metric, n) => valueOf(metric, metricName(n), answered, count)) })
			return
		}
		const buckets = answered[bucketName]?.buckets ?? []
		for (const [name, bucket] of Object.entries(buckets)) walk(bucket, [...keys, bucket.key ?? name], bucket.doc_count ?? 0)
	}
	walk(aggregations ?? {}, [], documents)
	return rows
}
