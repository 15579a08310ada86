// The lanes: a row per object, a mark per record at its time.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { WireItem } from '#api/wire.ts'
import type { Palette } from './colours.ts'
import { telling, type Lane, type Mark } from './lanes.ts'
import { drawLane, markAt, xOf, type Scale } from './marks.ts'
import { Rows } from './rows.tsx'
import { bound, clock, plural } from './time.ts'

const rowHeight = 26

/** A stretch of time that is marked over all lanes. */
export interface Hole {
	readonly from: number
	readonly to: number
	readonly text: string
	readonly kind: 'gap' | 'unloaded'
}

interface LaneViewProps {
	readonly lanes: readonly Lane[]
	readonly from: number
	readonly to: number
	readonly holes: readonly Hole[]
	readonly palette: Palette
	readonly chosen: number
	readonly moved: number
	readonly onChoose: (index: number) => void
	/** The query; the list of another begins at its top. */
	readonly shown: string | undefined
	readonly onOpen: (item: WireItem) => void
}

export function LaneView({ lanes, from, to, holes, palette, chosen, moved, shown, onChoose, onOpen }: LaneViewProps) {
	const holder = useRef<HTMLDivElement>(null)
	const [width, setWidth] = useState(0)
	useLayoutEffect(() => {
		const place = holder.current
		if (!place) return undefined
		const measure = (): void => setWidth(place.clientWidth)
		const resized = new ResizeObserver(measure)
		resized.observe(place)
		measure()
		return () => resized.disconnect()
	}, [])
	const scale = { from, to, width }
	const overlay = (
		<div class="holes" ref={holder}>
			{width > 0 && holes.map((hole) => <HoleBand key={`${hole.kind}${hole.from}`} hole={hole} scale={scale} />)}
		</div>
	)
	return (
		<Rows
			count={lanes.length}
			height={rowHeight}
			chosen={chosen}
			keyOf={(index) => lanes[index]?.key}
			moved={moved}
			of={shown}
			class="lanes"
			label="Objects"
			overlay={overlay}
			row={(index) => {
				const lane = lanes[index]
				return (
					lane && (
						<LaneRow
							key={lane.key}
							lane={lane}
							scale={scale}
							palette={palette}
							focusable={index === Math.max(0, chosen)}
							onChoose={() => onChoose(index)}
							onOpen={onOpen}
						/>
					)
				)
			}}
		/>
	)
}

function HoleBand({ hole, scale }: { readonly hole: Hole; readonly scale: Scale }) {
	const left = Math.max(0, xOf(hole.from, scale))
	const right = Math.min(scale.width, xOf(hole.to, scale))
	if (right < 0 || left > scale.width) return null
	return <div class={`hole ${hole.kind}`} style={{ left: `${left}px`, width: `${Math.max(3, right - left)}px` }} title={hole.text} />
}

/** Long kinds by the names that kubectl has for them. */
const shortKinds: Readonly<Record<string, string>> = {
	HorizontalPodAutoscaler: 'HPA',
	PodDisruptionBudget: 'PDB',
	PersistentVolumeClaim: 'PVC',
	PersistentVolume: 'PV',
	CustomResourceDefinition: 'CRD',
	ClusterRoleBinding: 'ClusterRoleBdg',
	ReplicationController: 'RC',
}

/** The end of a name tells Pods of one owner apart: it stays when the name is cut. */
function Name({ text }: { readonly text: string }) {
	const tail = text.length > 12 ? /-[a-z0-9]{1,6}$/.exec(text)?.[0] : undefined
	return (
		<span class="name">
			<span class="name-head">{tail ? text.slice(0, -tail.length) : text}</span>
			{tail && <span>{tail}</span>}
		</span>
	)
}

interface LaneRowProps {
	readonly lane: Lane
	readonly scale: Scale
	readonly palette: Palette
	readonly focusable: boolean
	readonly onChoose: () => void
	readonly onOpen: (item: WireItem) => void
}

function LaneRow({ lane, scale, palette, focusable, onChoose, onOpen }: LaneRowProps) {
	const open = (): void => {
		const item = telling(lane)
		onChoose()
		if (item) onOpen(item)
	}
	return (
		<div class={`lane${lane.head ? ' head' : ''}`}>
			<button
				type="button"
				class="lane-name"
				data-focus
				tabIndex={focusable ? 0 : -1}
				onClick={open}
				title={`${lane.kind} ${lane.namespace === '' ? '' : `${lane.namespace}/`}${lane.title}`}
			>
				<span class="kind">{shortKinds[lane.kind] ?? lane.kind}</span>
				<Name text={lane.title} />
				{lane.head && <span class="ns">{lane.namespace}</span>}
				{lane.warnings > 0 && (
					<span class={`warn${lane.errors > 0 ? ' error' : ''}`}>
						▲{lane.warnings} <span class="hidden">{lane.warnings === 1 ? 'warning' : 'warnings'}</span>
					</span>
				)}
				<span class="hidden"> of {plural(lane.marks.length, 'record')}</span>
			</button>
			<Marks marks={lane.marks} scale={scale} palette={palette} onOpen={onOpen} />
		</div>
	)
}

interface MarksProps {
	readonly marks: readonly Mark[]
	readonly scale: Scale
	readonly palette: Palette
	readonly onOpen: (item: WireItem) => void
}

function Marks({ marks, scale, palette, onOpen }: MarksProps) {
	const canvas = useRef<HTMLCanvasElement>(null)
	const [tip, setTip] = useState<Mark>()
	const { from, to, width } = scale
	useEffect(() => {
		if (canvas.current && width > 0) drawLane(canvas.current, marks, { from, to, width }, palette)
	}, [marks, from, to, width, palette])
	const x = tip ? xOf(tip.at, scale) : 0
	return (
		<div class="marks">
			<canvas
				ref={canvas}
				aria-hidden="true"
				onMouseMove={(event) => setTip(markAt(marks, event.offsetX, scale))}
				onMouseLeave={() => setTip(undefined)}
				onClick={(event) => {
					const mark = markAt(marks, event.offsetX, scale)
					if (mark) onOpen(mark.item)
				}}
			/>
			{tip && (
				<div class="tip" style={x > width / 2 ? { right: `${width - x + 10}px` } : { left: `${x + 10}px` }}>
					<b>{clock(tip.item.time, to - from, 3)}</b> <i>{bound(tip.item.timeBoundSeconds)}</i> {tip.item.summary}
				</div>
			)}
		</div>
	)
}
