// A panel as Lens keeps it: columns of its one layer, and the chart over them.
import { kqlOf, type Query } from './query.ts'
import type { Bucket, LensPanel, Metric } from './panel.ts'
import { visualizationOf } from './lens-charts.ts'
import { dataViewId, reference, type Reference } from './saved-object.ts'

type Column = Readonly<Record<string, unknown>>

export const layerId = 'layer'
const metricId = (n: number): string => `metric-${n + 1}`
const bucketId = (n: number): string => `bucket-${n + 1}`

const kuery = (query: Query | undefined): Column => ({ query: kqlOf(query), language: 'kuery' })
const labelled = (label: string): Column => ({ label, customLabel: true })

/** Of documents as such. */
const recordsField = '___records___'

function metricColumn(metric: Metric): Column {
	const common = { ...labelled(metric.label), isBucketed: false, scale: 'ratio', ...(metric.where ? { filter: kuery(metric.where) } : {}) }
	switch (metric.of) {
		case 'count':
			return { ...common, operationType: 'count', dataType: 'number', sourceField: recordsField, params: { emptyAsNull: false } }
		case 'unique':
			return { ...common, operationType: 'unique_count', dataType: 'number', sourceField: metric.field, params: { emptyAsNull: false } }
		default:
			return { ...common, operationType: 'max', dataType: 'date', sourceField: '@timestamp', params: {} }
	}
}

function bucketColumn(bucket: Bucket): Column {
	switch (bucket.by) {
		case 'time':
			return {
				label: '@timestamp',
				operationType: 'date_histogram',
				dataType: 'date',
				isBucketed: true,
				scale: 'interval',
				sourceField: '@timestamp',
				params: { interval: 'auto', includeEmptyRows: true, dropPartials: false },
			}
		case 'filters':
			return {
				...labelled(bucket.label),
				operationType: 'filters',
				dataType: 'string',
				isBucketed: true,
				scale: 'ordinal',
				params: { filters: bucket.filters.map(({ label, where }) => ({ label, input: kuery(where) })) },
			}
		default:
			return {
				...labelled(bucket.label),
				operationType: 'terms',
				dataType: bucket.type ?? 'string',
				isBucketed: true,
				scale: 'ordinal',
				sourceField: bucket.field,
				params: {
					size: bucket.size,
					orderBy: { type: 'column', columnId: metricId(0) },
					orderDirection: 'desc',
					otherBucket: bucket.other ?? false,
					missingBucket: false,
					parentFormat: { id: 'terms' },
					include: [],
					exclude: [],
					includeIsRegex: false,
					excludeIsRegex: false,
				},
			}
	}
}

const types = { number: 'lnsMetric', bars: 'lnsXY', lines: 'lnsXY', table: 'lnsDatatable', donut: 'lnsPie', heatmap: 'lnsHeatmap' } as const

/** The attributes of a Lens visualization, with the references that they need. */
export function lensAttributes(panel: LensPanel, prefix: string): Column & { readonly references: readonly Reference[] } {
	const buckets = panel.buckets.map((_, n) => bucketId(n))
	const metrics = panel.metrics.map((_, n) => metricId(n))
	const columns = Object.fromEntries([
		...panel.buckets.map((bucket, n) => [bucketId(n), bucketColumn(bucket)] as const),
		...panel.metrics.map((metric, n) => [metricId(n), metricColumn(metric)] as const),
	])
	const layer = { columnOrder: [...buckets, ...metrics], columns, incompleteColumns: {}, ignoreGlobalFilters: false, sampling: 1 }
	return {
		title: panel.title,
		description: panel.description ?? '',
		visualizationType: types[panel.chart],
		type: 'lens',
		references: [reference(`indexpattern-datasource-layer-${layerId}`, 'index-pattern', dataViewId(prefix, panel.view))],
		state: {
			visualization: visualizationOf(panel, layerId, buckets, metrics),
			query: kuery(panel.where),
			filters: [],
			datasourceStates: { formBased: { layers: { [layerId]: layer } } },
			internalReferences: [],
			adHocDataViews: {},
		},
	}
}
