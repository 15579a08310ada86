// How many records when: bars over time on the same axis as the lanes, warnings on a scale of their own below. Drag to zoom; double click or Escape goes back.
import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { WireBucket } from '#api/wire.ts'
import type { Palette } from './colours.ts'
import type { Hole } from './lane-view.tsx'
import { totalOf } from './load.ts'
import { clock, count, plural } from './time.ts'

export const densityHeight = 112
const warningsHeight = 14
const kinds = ['change', 'event', 'audit', 'log'] as const
const seconds = (time: string): number => Date.parse(time) / 1000

interface DensityProps {
	readonly buckets: readonly WireBucket[]
	readonly holes: readonly Hole[]
	readonly palette: Palette
	/** Pixels left of the time axis: as wide as the names of the lanes. */
	readonly gutter: number
	/** Of what is in sight: the axis has the time of day alone where it is one. */
	readonly days: string
	readonly onZoom: (from: string, to: string) => void
	readonly onReset: () => void
}

/** Stacked: each kind stands on the ones before it, so the outline is the whole. By the root, so that the few are seen beside the many. */
function stacked(buckets: readonly WireBucket[]): uPlot.AlignedData {
	const sums = buckets.map(() => 0)
	const layers = kinds.map((kind) => buckets.map((bucket, index) => (sums[index] = (sums[index] ?? 0) + (bucket.counts[kind] ?? 0))))
	return [buckets.map((bucket) => seconds(bucket.from)), ...layers.toReversed().map((layer) => layer.map(Math.sqrt))] as uPlot.AlignedData
}

/** A row below the bars: the more warnings, the higher and stronger. */
function drawWarnings(plot: uPlot, buckets: readonly WireBucket[], palette: Palette): void {
	const most = Math.max(1, ...buckets.map(({ warnings }) => warnings))
	const ratio = devicePixelRatio
	const floor = plot.bbox.top + plot.bbox.height + warningsHeight * ratio
	plot.ctx.save()
	plot.ctx.fillStyle = palette.warning
	for (const { from, to, warnings } of buckets) {
		if (warnings === 0) continue
		const left = plot.valToPos(seconds(from), 'x', true)
		const width = Math.max(2 * ratio, plot.valToPos(seconds(to), 'x', true) - left - ratio)
		const height = (4 + (warningsHeight - 5) * Math.sqrt(warnings / most)) * ratio
		plot.ctx.fillRect(left, floor - height, width, height)
	}
	plot.ctx.restore()
}

function drawHoles(plot: uPlot, holes: readonly Hole[], palette: Palette): void {
	plot.ctx.save()
	plot.ctx.fillStyle = palette.hole
	for (const hole of holes) {
		if (hole.kind !== 'gap') continue
		const left = Math.max(plot.bbox.left, plot.valToPos(hole.from / 1000, 'x', true))
		const right = Math.min(plot.bbox.left + plot.bbox.width, plot.valToPos(hole.to / 1000, 'x', true))
		if (right >= left) plot.ctx.fillRect(left, plot.bbox.top, Math.max(3 * devicePixelRatio, right - left), plot.bbox.height)
	}
	plot.ctx.restore()
}

function optionsOf(props: DensityProps, width: number): uPlot.Options {
	const { buckets, holes, palette, gutter, onZoom } = props
	const bars = uPlot.paths.bars?.({ size: [0.92, 40], align: 1 })
	const begin = seconds(buckets[0]?.from ?? '')
	const end = seconds(buckets.at(-1)?.to ?? '')
	const axis = {
		stroke: palette.muted,
		grid: { stroke: palette.line, width: 1 },
		ticks: { show: false },
		space: 76,
		font: '11px system-ui, sans-serif',
	}
	const label = (stamp: number): string => {
		const text = clock(new Date(stamp * 1000).toISOString(), (end - begin) * 1000)
		return end - begin > 3600 ? text.slice(0, -3) : text
	}
	return {
		width,
		height: densityHeight,
		padding: [6, 0, 0, 0],
		legend: { show: false },
		cursor: { drag: { x: true, y: false, setScale: false }, points: { show: false }, y: false },
		tzDate: (stamp) => uPlot.tzDate(new Date(stamp * 1000), 'Etc/UTC'),
		scales: { x: { range: [begin, end] }, y: { range: (_plot, _min, max) => [0, Math.max(1, max)] } },
		axes: [
			{
				...axis,
				size: 24 + warningsHeight,
				gap: 4 + warningsHeight,
				values: (plot, splits) => splits.map((stamp) => (plot.valToPos(stamp, 'x') > plot.over.clientWidth - 24 ? '' : label(stamp))),
			},
			{
				...axis,
				size: gutter,
				splits: (_plot, _axis, _min, max) => (max < 2 ? [0, max] : [0, max / 2, max]),
				values: (_plot, splits) => splits.map((root) => count(Math.round(root * root))),
			},
		],
		series: [
			{},
			...kinds.toReversed().map((kind) => ({
				label: kind,
				fill: palette[kind],
				stroke: palette[kind],
				width: 0,
				...(bars ? { paths: bars } : {}),
				points: { show: false },
			})),
		],
		hooks: {
			drawAxes: [(plot) => drawHoles(plot, holes, palette)],
			draw: [(plot) => drawWarnings(plot, buckets, palette)],
			setSelect: [
				(plot) => {
					const { left, width: chosen } = plot.select
					if (chosen < 4) return
					const at = (x: number): string => new Date(Math.round(plot.posToVal(x, 'x') * 1000)).toISOString()
					onZoom(at(left), at(left + chosen))
				},
			],
		},
	}
}

export function Density(props: DensityProps) {
	const { buckets, palette, gutter, days, onZoom, onReset } = props
	const holder = useRef<HTMLDivElement>(null)
	const [dragging, setDragging] = useState(false)
	// What comes while a stretch is being chosen is drawn behind it: the choice would be lost, and the axis another one.
	const drawn = useRef(props)
	if (!dragging) drawn.current = props
	const gaps = drawn.current.holes.filter(({ kind }) => kind === 'gap')
	useEffect(() => {
		const place = holder.current
		if (!place || drawn.current.buckets.length === 0) return undefined
		const plot = new uPlot(optionsOf(drawn.current, place.clientWidth), stacked(drawn.current.buckets), place)
		const resized = new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: densityHeight }))
		resized.observe(place)
		const begin = (): void => setDragging(true)
		const end = (): void => setDragging(false)
		plot.over.addEventListener('mousedown', begin)
		addEventListener('mouseup', end)
		return () => {
			removeEventListener('mouseup', end)
			resized.disconnect()
			plot.destroy()
		}
	}, [drawn.current.buckets, JSON.stringify(gaps), palette, gutter, onZoom])
	const warnings = buckets.reduce((sum, bucket) => sum + bucket.warnings, 0)
	return (
		<section class="density" aria-label="Density over time" onDblClick={onReset}>
			<div
				ref={holder}
				class="density-plot"
				role="img"
				aria-label={`${plural(totalOf(buckets), 'record')} in ${plural(buckets.length, 'interval')}, ${plural(warnings, 'warning')}; drag to zoom, double click for the whole range`}
			/>
			<span class="density-days">{days}</span>
			<span class="density-note" aria-hidden="true">
				▲ warnings
			</span>
		</section>
	)
}
