// Drawing the records of one lane. A change is a bar, a cluster event a circle, a request a triangle, a log line a dash: told apart without colour.
import type { Palette } from './colours.ts'
import { isWanted } from './items.ts'
import type { Mark } from './lanes.ts'

export interface Scale {
	/** Milliseconds at the left and right edge. */
	readonly from: number
	readonly to: number
	readonly width: number
}

export function xOf(at: number, { from, to, width }: Scale): number {
	return ((at - from) / Math.max(1, to - from)) * width
}

/** What is drawn later lies above: controllers' records, then people's, then warnings. */
function rank(mark: Mark): number {
	return mark.item.severity === 'error' ? 3 : mark.loud ? 2 : mark.human ? 1 : 0
}

export function drawLane(canvas: HTMLCanvasElement, marks: readonly Mark[], scale: Scale, palette: Palette): void {
	const context = canvas.getContext('2d')
	if (!context) return
	const height = canvas.clientHeight
	canvas.width = scale.width * devicePixelRatio
	canvas.height = height * devicePixelRatio
	context.scale(devicePixelRatio, devicePixelRatio)
	// Of those that would lie exactly upon each other one is drawn.
	const drawn = new Set<string>()
	for (const wanted of [0, 1, 2, 3]) {
		for (const mark of marks) {
			if (rank(mark) !== wanted) continue
			const x = Math.round(xOf(mark.at, scale) * 2) / 2
			const tall = isWanted(mark.item)
			const same = `${x} ${mark.item.kind} ${wanted} ${tall}`
			if (x < -8 || x > scale.width + 8 || drawn.has(same)) continue
			drawn.add(same)
			drawMark(context, mark, { x, y: height / 2, tall }, palette)
		}
	}
}

function drawMark(
	context: CanvasRenderingContext2D,
	{ item, human, loud }: Mark,
	{ x, y, tall }: { readonly x: number; readonly y: number; readonly tall: boolean },
	palette: Palette,
): void {
	const own =
		item.kind === 'change' || item.kind === 'event' || item.kind === 'audit' || item.kind === 'log' ? palette[item.kind] : palette.muted
	context.fillStyle = item.severity === 'error' ? palette.error : loud ? palette.warning : human ? palette.human : own
	context.beginPath()
	if (item.kind === 'change') {
		const half = loud || tall ? 8 : 4
		context.rect(x - 1.25, y - half, 2.5, half * 2)
	} else if (item.kind === 'event') context.arc(x, y, loud ? 4 : 3, 0, Math.PI * 2)
	else if (item.kind === 'audit') {
		const size = human || loud ? 5.5 : 2.5
		context.moveTo(x, y - size)
		context.lineTo(x + size, y + size * 0.8)
		context.lineTo(x - size, y + size * 0.8)
	} else context.rect(x - 2, y - 0.75, 4, 1.5)
	context.fill()
}

/** The record at `x`, within reach: of those close together what people did or what went wrong. */
export function markAt(marks: readonly Mark[], x: number, scale: Scale): Mark | undefined {
	let best: Mark | undefined
	let bestCost = 12
	for (const mark of marks) {
		const cost = Math.abs(xOf(mark.at, scale) - x) - rank(mark) * 3
		if (cost < bestCost && Math.abs(xOf(mark.at, scale) - x) < 12) {
			best = mark
			bestCost = cost
		}
	}
	return best
}
