// The lanes: a row per object, a mark per record at its time. Only the rows in sight exist.
import { useEffect, useRef, useState } from 'preact/hooks'
import type { WireItem } from '#api/wire.ts'
import { colours, type ColourName } from './colours.ts'
import { isHuman, type Lane } from './lanes.ts'

const rowHeight = 26
const overscan = 6

interface LaneViewProps {
	readonly lanes: readonly Lane[]
	readonly from: number
	readonly to: number
	readonly chosen: number
	readonly onChoose: (index: number) => void
	readonly onOpen: (item: WireItem) => void
}

export function LaneView({ lanes, from, to, chosen, onChoose, onOpen }: LaneViewProps) {
	const scroller = useRef<HTMLDivElement>(null)
	const [top, setTop] = useState(0)
	const [height, setHeight] = useState(600)
	useEffect(() => {
		const place = scroller.current
		if (!place) return undefined
		const resized = new ResizeObserver(() => setHeight(place.clientHeight))
		resized.observe(place)
		return () => resized.disconnect()
	}, [])
	useEffect(() => {
		const place = scroller.current
		if (!place) return
		const at = chosen * rowHeight
		if (at < place.scrollTop) place.scrollTop = at
		else if (at + rowHeight > place.scrollTop + place.clientHeight) place.scrollTop = at + rowHeight - place.clientHeight
	}, [chosen])
	const first = Math.max(0, Math.floor(top / rowHeight) - overscan)
	const shown = lanes.slice(first, first + Math.ceil(height / rowHeight) + 2 * overscan)
	return (
		<div
			class="lanes"
			ref={scroller}
			onScroll={(event) => setTop(event.currentTarget.scrollTop)}
			role="list"
			aria-label="Objects"
			tabIndex={0}
		>
			<div style={{ height: `${lanes.length * rowHeight}px`, position: 'relative' }}>
				{shown.map((lane, offset) => (
					<div
						key={lane.key}
						class={`lane${first + offset === chosen ? ' chosen' : ''}`}
						style={{ top: `${(first + offset) * rowHeight}px` }}
						role="listitem"
					>
						<button
							type="button"
							class="lane-name"
							onClick={() => (onChoose(first + offset), openLane(lane, onOpen))}
							title={`${lane.kind} ${lane.namespace}/${lane.title}`}
						>
							<span class="kind">{lane.kind}</span>
							<span class={lane.group === '' ? 'name' : 'name owned'}>{lane.title}</span>
							<span class="ns">{lane.namespace}</span>
							{lane.warnings > 0 && (
								<span class="warn" aria-label={`${lane.warnings} warnings`}>
									▲{lane.warnings}
								</span>
							)}
						</button>
						<Marks lane={lane} from={from} to={to} onOpen={onOpen} />
					</div>
				))}
			</div>
		</div>
	)
}

export function openLane(lane: Lane, onOpen: (item: WireItem) => void): void {
	const item = lane.items.find((candidate) => candidate.kind === 'change') ?? lane.items[0]
	if (item) onOpen(item)
}

/** A change is a bar, a cluster event a circle, a request a triangle, a log line a dash: told apart without colour. Warnings are drawn last and larger. */
function Marks({
	lane,
	from,
	to,
	onOpen,
}: {
	readonly lane: Lane
	readonly from: number
	readonly to: number
	readonly onOpen: (item: WireItem) => void
}) {
	const canvas = useRef<HTMLCanvasElement>(null)
	const [tip, setTip] = useState<{ readonly item: WireItem; readonly x: number }>()
	const width = (): number => canvas.current?.clientWidth ?? 0
	const place = (item: WireItem): number => ((Date.parse(item.time) - from) / Math.max(1, to - from)) * width()
	useEffect(() => {
		const target = canvas.current
		const context = target?.getContext('2d')
		if (!target || !context) return
		const scale = devicePixelRatio
		target.width = target.clientWidth * scale
		target.height = rowHeight * scale
		context.scale(scale, scale)
		const palette = colours()
		const order = (item: WireItem): number => (item.severity !== 'normal' ? 2 : isHuman(item) ? 1 : 0)
		for (const item of lane.items.toSorted((a, b) => order(a) - order(b))) drawMark(context, item, place(item), palette)
	})
	const nearest = (x: number): WireItem | undefined => {
		let best: WireItem | undefined
		for (const item of lane.items)
			if (!best || Math.abs(place(item) - x) < Math.abs(place(best) - x) - 0.5 || (Math.abs(place(item) - x) < 3 && isHuman(item)))
				best = item
		return best && Math.abs(place(best) - x) < 12 ? best : undefined
	}
	return (
		<div class="marks">
			<canvas
				ref={canvas}
				aria-hidden="true"
				onMouseMove={(event) => {
					const item = nearest(event.offsetX)
					setTip(item && { item, x: event.offsetX })
				}}
				onMouseLeave={() => setTip(undefined)}
				onClick={(event) => {
					const item = nearest(event.offsetX)
					if (item) onOpen(item)
				}}
			/>
			{tip && (
				<div class="tip" style={tip.x > width() / 2 ? { right: `${width() - tip.x + 10}px` } : { left: `${tip.x + 10}px` }}>
					<b>{tip.item.time.slice(11, 23)}</b> {tip.item.summary}
				</div>
			)}
		</div>
	)
}

function drawMark(context: CanvasRenderingContext2D, item: WireItem, x: number, palette: Readonly<Record<ColourName, string>>): void {
	const y = rowHeight / 2
	const loud = item.severity !== 'normal'
	const human = isHuman(item)
	context.fillStyle =
		item.severity === 'error' ? palette.error : loud ? palette.warning : human ? palette.human : palette[item.kind as ColourName]
	context.beginPath()
	if (item.kind === 'change') {
		const wanted = item.operation !== 'updated' || item.facets?.some((facet) => facet === 'spec' || facet === 'data')
		const half = loud || wanted ? 8 : 4
		context.rect(x - 1.25, y - half, 2.5, half * 2)
	} else if (item.kind === 'event') context.arc(x, y, loud ? 4 : 3, 0, Math.PI * 2)
	else if (item.kind === 'audit') {
		const size = human ? 5.5 : 3
		context.moveTo(x, y - size)
		context.lineTo(x + size, y + size * 0.8)
		context.lineTo(x - size, y + size * 0.8)
	} else context.rect(x - 2, y - 0.75, 4, 1.5)
	context.fill()
}
