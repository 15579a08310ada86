// The chart of a Lens panel: which column goes where, and how it looks.
import type { LensPanel } from './panel.ts'

type State = Readonly<Record<string, unknown>>

function numberState({ color }: LensPanel, layerId: string, metric: string): State {
	return { layerId, layerType: 'data', metricAccessor: metric, ...(color === undefined ? {} : { color }) }
}

function axesState({ chart }: LensPanel, layerId: string, buckets: readonly string[], metrics: readonly string[]): State {
	const seriesType = chart === 'bars' ? 'bar_stacked' : 'line'
	const [x, split] = buckets.toReversed()
	const each = { x: true, yLeft: true, yRight: true }
	return {
		legend: { isVisible: true, position: 'right', legendSize: 'auto', shouldTruncate: true, maxLines: 1 },
		valueLabels: 'hide',
		fittingFunction: 'None',
		axisTitlesVisibilitySettings: { x: false, yLeft: false, yRight: false },
		tickLabelsVisibilitySettings: each,
		gridlinesVisibilitySettings: { x: false, yLeft: true, yRight: true },
		labelsOrientation: { x: 0, yLeft: 0, yRight: 0 },
		yLeftExtent: { mode: 'full' },
		yRightExtent: { mode: 'full' },
		preferredSeriesType: seriesType,
		layers: [
			{
				layerId,
				layerType: 'data',
				seriesType,
				position: 'top',
				showGridlines: false,
				accessors: metrics,
				xAccessor: x,
				...(split === undefined ? {} : { splitAccessor: split }),
			},
		],
	}
}

function tableState(layerId: string, columns: readonly string[]): State {
	return {
		layerId,
		layerType: 'data',
		columns: columns.map((columnId) => ({ columnId, isTransposed: false })),
		paging: { size: 10, enabled: true },
		rowHeight: 'single',
		rowHeightLines: 1,
		headerRowHeight: 'single',
		headerRowHeightLines: 1,
	}
}

function donutState(layerId: string, buckets: readonly string[], metrics: readonly string[]): State {
	return {
		shape: 'donut',
		layers: [
			{
				layerId,
				layerType: 'data',
				primaryGroups: buckets,
				metrics,
				numberDisplay: 'percent',
				categoryDisplay: 'default',
				legendDisplay: 'default',
				nestedLegend: false,
				emptySizeRatio: 0.54,
			},
		],
	}
}

function heatmapState(layerId: string, [down, along]: readonly string[], metric: string): State {
	return {
		shape: 'heatmap',
		layerId,
		layerType: 'data',
		legend: { type: 'heatmap_legend', isVisible: true, position: 'right' },
		gridConfig: {
			type: 'heatmap_grid',
			isCellLabelVisible: true,
			isYAxisLabelVisible: true,
			isXAxisLabelVisible: true,
			isYAxisTitleVisible: false,
			isXAxisTitleVisible: false,
		},
		valueAccessor: metric,
		yAccessor: down,
		xAccessor: along,
	}
}

export function visualizationOf(panel: LensPanel, layerId: string, buckets: readonly string[], metrics: readonly string[]): State {
	const first = metrics[0] ?? ''
	switch (panel.chart) {
		case 'number':
			return numberState(panel, layerId, first)
		case 'bars':
		case 'lines':
			return axesState(panel, layerId, buckets, metrics)
		case 'table':
			return tableState(layerId, [...buckets, ...metrics])
		case 'donut':
			return donutState(layerId, buckets, metrics)
		default:
			return heatmapState(layerId, buckets, first)
	}
}
