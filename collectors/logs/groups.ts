// Lines that belong together: a stack trace, or a value over several lines, becomes one line. What belongs to the line before is told by its first bytes alone.
import type { Micros } from '#records/time.ts'
import type { Multiline } from './config.ts'
import type { Batch } from './batch.ts'
import type { LogFile, Settled } from './file.ts'
import { lower, OpenLine } from './reader.ts'

/** A line is held so long for what may belong to it. */
const heldMs = 500
const lineEnd = Buffer.from('\n')

type Stream = 0 | 1 | 2
/** `inside`: the line before belonged to a trace already. */
type Belongs = (bytes: Uint8Array, from: number, to: number, inside: boolean) => boolean

const startsWith = (bytes: Uint8Array, from: number, to: number, text: string): boolean => {
	if (to - from < text.length) return false
	for (let index = 0; index < text.length; index += 1) if (bytes[from + index] !== text.charCodeAt(index)) return false
	return true
}

const isBlank = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x09
/** Java's causes, Python's chained tracebacks, Go's frames and what stands between them, and the end of klog's multi-line value. */
const openings = [
	'Caused by: ',
	'Suppressed: ',
	'Traceback (most recent call last)',
	'goroutine ',
	'created by ',
	'During handling of the above',
	'The above exception was',
	'... ',
]
/** What Go's runtime says before the first frame; an empty line may come between. */
const beginnings = ['panic: ', 'fatal error: ']
const goFrame = /^[\w./*()\-·[\]{}]{1,300}\(.{0,1000}\)$/
/** By the name that they mostly have, or with their module before it. */
const pythonError =
	/^(?:[A-Za-z_][\w.]{0,200}(?:Error|Exception|Warning|Exit|Interrupt|Iteration)|(?:[a-z_]\w{0,60}\.){1,9}[A-Z]\w{0,100})(?::|$)/

function isOfStack(bytes: Uint8Array, from: number, to: number, inside: boolean): boolean {
	if (isBlank(bytes[from])) return true
	if (openings.some((opening) => startsWith(bytes, from, to, opening))) return true
	if (!inside) return false
	// Between frames: an empty line, a Go function, its signal, the error that a Python trace ends with.
	if (from === to || startsWith(bytes, from, to, '[signal ')) return true
	if (to - from > 1400) return false
	const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1')
	return goFrame.test(text) || pythonError.test(text)
}

const rules: Readonly<Record<string, Belongs>> = {
	stack: isOfStack,
	indent: (bytes, from) => isBlank(bytes[from]),
}

export class Groups {
	readonly #batch: Batch
	readonly #lineBytesMax: number
	readonly #belongs: Belongs | undefined
	readonly #begins: boolean
	readonly #held: [OpenLine | undefined, OpenLine | undefined, OpenLine | undefined] = [undefined, undefined, undefined]
	readonly #inside: [boolean, boolean, boolean] = [false, false, false]
	readonly #nowMs: () => number

	/** `nowMs`: monotonic. */
	constructor(batch: Batch, rule: Multiline, lineBytesMax: number, nowMs: () => number) {
		this.#batch = batch
		this.#belongs = rules[rule]
		this.#begins = rule === 'stack'
		this.#lineBytesMax = lineBytesMax
		this.#nowMs = nowMs
	}

	get isOff(): boolean {
		return this.#belongs === undefined
	}

	get holds(): boolean {
		return this.#held.some((open) => open !== undefined)
	}

	/** A whole line of one file. */
	line(file: LogFile, at: Micros, offset: number, marks: number, bytes: Uint8Array, from: number, to: number): void {
		const belongs = this.#belongs
		if (!belongs) return this.#batch.line(file, at, offset, marks, bytes, from, to)
		const stream = (marks & 3) as Stream
		const held = this.#held[stream]
		const inside = this.#inside[stream]
		if (held && belongs(bytes, from, to, inside)) {
			held.add(file, offset, lineEnd, 0, 1)
			held.add(file, offset, bytes, from, to)
			held.grewAt = this.#nowMs()
			this.#inside[stream] = true
			return
		}
		this.#give(stream)
		const next = new OpenLine(file, at, offset, marks, this.#lineBytesMax)
		next.add(file, offset, bytes, from, to)
		next.grewAt = this.#nowMs()
		this.#held[stream] = next
		// A trace may have no line before it.
		this.#inside[stream] = belongs(bytes, from, to, false) || (this.#begins && beginnings.some((text) => startsWith(bytes, from, to, text)))
	}

	/** A line that was joined of parts: too long to be one of a trace. */
	whole(line: OpenLine): void {
		this.#give((line.marks & 3) as Stream)
		line.giveOut(this.#batch)
	}

	lower(settled: Settled, file: LogFile): void {
		for (const stream of [0, 1, 2] as const) lower(settled, stream, this.#held[stream], file)
	}

	giveOut(nowMs: number): void {
		for (const stream of [0, 1, 2] as const) {
			const held = this.#held[stream]
			if (held && nowMs - held.grewAt >= heldMs) this.#give(stream)
		}
	}

	#give(stream: Stream): void {
		this.#held[stream]?.giveOut(this.#batch)
		this.#held[stream] = undefined
		this.#inside[stream] = false
	}
}
