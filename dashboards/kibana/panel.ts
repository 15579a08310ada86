// What stands on a dashboard, as data: Kibana's own state is made of it, and so are the requests that the tests send.
import type { Query } from './query.ts'

/** Which records a panel looks at: those of one class, or all. */
export const views = ['everything', 'changes', 'events', 'audit', 'logs', 'ledger'] as const
export type View = (typeof views)[number]

export type Bucket =
	| {
			readonly by: 'terms'
			readonly field: string
			readonly label: string
			readonly size: number
			readonly type?: 'number' | 'ip'
			/** What is beyond the size is put together. */
			readonly other?: true
	  }
	/** Intervals of `@timestamp`, as long as Kibana finds right. */
	| { readonly by: 'time' }
	| { readonly by: 'filters'; readonly label: string; readonly filters: readonly { readonly label: string; readonly where: Query }[] }

export type Metric =
	| { readonly of: 'count'; readonly label: string; readonly where?: Query }
	| { readonly of: 'unique'; readonly label: string; readonly field: string; readonly where?: Query }
	/** The latest time. */
	| { readonly of: 'latest'; readonly label: string; readonly where?: Query }

/**
 * Buckets from the outermost in. Of `bars` and `lines` the last is along the axis, one before it gives the colours. Of a `heatmap`: down, then along. A `number` has none.
 * Values are ordered by the first metric.
 */
export interface LensPanel {
	readonly kind: 'lens'
	readonly id: string
	readonly title: string
	readonly description?: string
	readonly view: View
	readonly chart: 'number' | 'bars' | 'lines' | 'table' | 'donut' | 'heatmap'
	readonly where?: Query
	readonly buckets: readonly Bucket[]
	readonly metrics: readonly [Metric, ...Metric[]]
	/** Of a number. */
	readonly color?: string
}

/** A list of records; of its own in Discover, and on dashboards. */
export interface SavedSearch {
	readonly kind: 'search'
	readonly id: string
	readonly title: string
	readonly description: string
	readonly view: View
	readonly where?: Query
	readonly columns: readonly string[]
}

/** A picture drawn with Vega-Lite, of its own in the library. */
export interface VegaPanel {
	readonly kind: 'vega'
	readonly id: string
	readonly title: string
	readonly description: string
	/** The specification for indices of this prefix. */
	readonly specification: (prefix: string) => Readonly<Record<string, unknown>>
}

export type Panel = LensPanel | SavedSearch | VegaPanel

export interface Control {
	readonly id: string
	readonly field: string
	readonly label: string
}

export interface Row {
	/** In rows of the grid, which are 20 pixels high. */
	readonly height: number
	/** With their widths, 48 together. */
	readonly panels: readonly (readonly [width: number, panel: Panel])[]
}

export interface Dashboard {
	readonly id: string
	readonly title: string
	readonly description: string
	readonly controls: readonly Control[]
	readonly rows: readonly Row[]
}

export const gridColumns = 48
