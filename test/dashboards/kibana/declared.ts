// Every use of a field on the dashboards, as they are declared: for tests that look the fields up.
import { field } from '#dashboards/kibana/parts.ts'
import type { Bucket, LensPanel, Panel, SavedSearch, View } from '#dashboards/kibana/panel.ts'
import { fieldsOf, type Query } from '#dashboards/kibana/query.ts'
import { dashboards } from '#dashboards/kibana/saved-objects.ts'

export const panels: readonly Panel[] = dashboards.flatMap(({ rows }) => rows.flatMap((row) => row.panels.map(([, panel]) => panel)))
export const lensPanels = panels.filter((panel): panel is LensPanel => panel.kind === 'lens')
export const searches = panels.filter((panel): panel is SavedSearch => panel.kind === 'search')
export const controls = dashboards.flatMap((dashboard) => dashboard.controls.map((control) => ({ ...control, dashboard: dashboard.id })))

export interface Use {
	readonly where: string
	readonly view: View
	readonly field: string
	/** `counted` by values, `shown` as a column, `asked` for by a value or by whether it is there, `ordered` by more and less, `time`. */
	readonly as: 'counted' | 'shown' | 'asked' | 'ordered' | 'time'
	/** What Lens is told. */
	readonly lensType?: 'string' | 'number' | 'ip'
	readonly values?: readonly (string | number | boolean)[]
}

function valuesIn(query: Query, of: string): readonly (string | number | boolean)[] {
	if ('all' in query) return query.all.flatMap((each) => valuesIn(each, of))
	if ('any' in query) return query.any.flatMap((each) => valuesIn(each, of))
	if ('not' in query) return valuesIn(query.not, of)
	return 'values' in query && query.field === of ? query.values : []
}

const asked = (where: string, view: View, query: Query | undefined): readonly Use[] =>
	fieldsOf(query).map((each) => ({
		where,
		view,
		field: each.field,
		as: each.ordered ? 'ordered' : 'asked',
		values: query ? valuesIn(query, each.field) : [],
	}))

function ofBucket(where: string, view: View, bucket: Bucket): readonly Use[] {
	if (bucket.by === 'time') return [{ where, view, field: '@timestamp', as: 'time' }]
	if (bucket.by === 'filters') return bucket.filters.flatMap((filter) => asked(`${where} ${filter.label}`, view, filter.where))
	return [{ where, view, field: bucket.field, as: 'counted', lensType: bucket.type ?? 'string' }]
}

function ofLens({ id, view, where, buckets, metrics }: LensPanel): readonly Use[] {
	return [
		...asked(id, view, where),
		...buckets.flatMap((bucket) => ofBucket(id, view, bucket)),
		...metrics.flatMap((metric): readonly Use[] => [
			...asked(`${id} ${metric.label}`, view, metric.where),
			...(metric.of === 'unique' ? [{ where: id, view, field: metric.field, as: 'counted' } as const] : []),
			...(metric.of === 'latest' ? [{ where: id, view, field: '@timestamp', as: 'time' } as const] : []),
		]),
	]
}

/** The lanes name their fields in the request and in expressions. */
const laneFields = [field.kind, field.severity, field.namespace, field.resource, field.name, field.message, field.action, field.user]

export const uses: readonly Use[] = [
	...lensPanels.flatMap(ofLens),
	...searches.flatMap(({ id, view, where, columns }) => [
		...asked(id, view, where),
		...columns.map((column): Use => ({ where: id, view, field: column, as: 'shown' })),
		{ where: id, view, field: '@timestamp', as: 'time' } as const,
	]),
	...controls.map(({ dashboard, field: of }): Use => ({
		where: `${dashboard} control`,
		view: 'everything',
		field: of,
		as: 'counted',
		lensType: 'string',
	})),
	...laneFields.map((of): Use => ({ where: 'object-lanes', view: 'everything', field: of, as: 'shown' })),
	{ where: 'object-lanes', view: 'everything', field: field.noise, as: 'asked', values: [false] },
	{ where: 'object-lanes', view: 'everything', field: field.outcome, as: 'asked', values: ['failure'] },
]
