// How many records when: bars over time. Drag to zoom; double click or Escape goes back.
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { WireBucket } from '#api/wire.ts'
import { colours } from './colours.ts'

const height = 110
const kinds = ['change', 'event', 'audit', 'log'] as const
const seconds = (time: string): number => Date.parse(time) / 1000

/** Time of day in UTC; the date too where the range is longer than a day. */
function label(stamp: number, buckets: readonly WireBucket[]): string {
	const text = new Date(stamp * 1000).toISOString()
	const span = seconds(buckets.at(-1)?.to ?? '') - seconds(buckets[0]?.from ?? '')
	return span > 86_400 ? `${text.slice(5, 10)} ${text.slice(11, 16)}` : span > 3600 ? text.slice(11, 16) : text.slice(11, 19)
}

interface DensityProps {
	readonly buckets: readonly WireBucket[]
	readonly onZoom: (from: string, to: string) => void
	readonly onBack: () => void
}

/** Stacked: each kind stands on the ones before it, so the outline is the whole. Warnings are a line of their own. */
function stacked(buckets: readonly WireBucket[]): uPlot.AlignedData {
	const sums = buckets.map(() => 0)
	const layers = kinds.map((kind) => buckets.map((bucket, index) => (sums[index] = (sums[index] ?? 0) + (bucket.counts[kind] ?? 0))))
	return [
		buckets.map((bucket) => seconds(bucket.from)),
		...layers.toReversed(),
		buckets.map((bucket) => bucket.warnings),
	] as uPlot.AlignedData
}

export function Density({ buckets, onZoom, onBack }: DensityProps) {
	const holder = useRef<HTMLDivElement>(null)
	useEffect(() => {
		const place = holder.current
		if (!place || buckets.length === 0) return undefined
		const palette = colours()
		const bars = uPlot.paths.bars?.({ size: [0.9, 40], align: 1 })
		const axis = {
			stroke: palette.muted,
			grid: { stroke: palette.line, width: 1 },
			ticks: { stroke: palette.line, width: 1 },
			font: '11px system-ui, sans-serif',
		}
		const plot = new uPlot(
			{
				width: place.clientWidth,
				height,
				legend: { show: false },
				cursor: { drag: { x: true, y: false, setScale: false }, points: { show: false } },
				tzDate: (stamp) => uPlot.tzDate(new Date(stamp * 1000), 'Etc/UTC'),
				axes: [
					{ ...axis, values: (_plot: uPlot, splits: number[]) => splits.map((stamp) => label(stamp, buckets)) },
					{ ...axis, size: 44, space: 30 },
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
					{ label: 'warnings', stroke: palette.warning, width: 2, points: { show: false } },
				],
				hooks: {
					setSelect: [
						(self) => {
							const { left, width } = self.select
							if (width < 4) return
							const at = (x: number): string => new Date(self.posToVal(x, 'x') * 1000).toISOString()
							onZoom(at(left), at(left + width))
						},
					],
				},
			},
			stacked(buckets),
			place,
		)
		const resized = new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height }))
		resized.observe(place)
		return () => {
			resized.disconnect()
			plot.destroy()
		}
	}, [buckets, onZoom])
	const total = buckets.reduce((sum, bucket) => sum + Object.values(bucket.counts).reduce((a, b) => a + b, 0), 0)
	return (
		<section class="density" aria-label="Density over time" onDblClick={onBack}>
			<div
				ref={holder}
				style={{ height: `${height}px` }}
				role="img"
				aria-label={`${total} records in ${buckets.length} intervals; drag to zoom, double click to go back`}
			/>
		</section>
	)
}
