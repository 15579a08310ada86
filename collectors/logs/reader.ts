// What reads the lines of one container or component, whatever file they are in: the door of the readers, and the lines that are not whole yet.
import { marksOf, originalMarks } from '#records/log-block.ts'
import type { Micros } from '#records/time.ts'
import type { Batch } from './batch.ts'
import type { LogFile, Settled } from './file.ts'

export interface Reader {
	/** Whole lines: `bytes[from, to)` ends with a line end, or is a last line without one. `bytes[0]` is at `base` in the file. */
	read(file: LogFile, bytes: Buffer, from: number, to: number, base: number): void
	/** One line without its end, of which `bytes` are the first of `sizeBytes`. */
	readLong(file: LogFile, bytes: Buffer, offset: number, sizeBytes: number): void
	/** A last line without an end counts as a line. */
	isWhole(bytes: Buffer, from: number, to: number): boolean
	/** Something is held that waits for what comes. */
	readonly holds: boolean
	/** Of each stream, where in `file` the first byte stands that is held; Infinity where none is. */
	held(file: LogFile): Settled
	/** Gives out what was held for longer than `pauseMs` and needs no more. `nowMs`: monotonic. */
	giveOut(nowMs: number): void
}

export const stdout = marksOf('stdout', [])
export const stderr = marksOf('stderr', [])
export const truncated = marksOf('', ['truncated'])
export const noTime = marksOf('', ['no-time'])

/** Parts of one line, perhaps of several files; bounded. */
export class OpenLine {
	readonly file: LogFile
	readonly at: Micros
	readonly offset: number
	readonly #parts: Buffer[] = []
	readonly #bytesMax: number
	#kept = 0
	#bytes = 0
	readonly marks: number
	/** Where it begins in each file that it has parts in. */
	readonly spans = new Map<LogFile, number>()
	/** When the last part came (ms, monotonic). */
	grewAt = 0

	constructor(file: LogFile, at: Micros, offset: number, marks: number, bytesMax: number) {
		this.file = file
		this.at = at
		this.offset = offset
		this.marks = marks
		this.#bytesMax = bytesMax
	}

	/** Copied, so that the buffer it came in is free. `sizeBytes`: what the part was before it was cut off. */
	add(file: LogFile, offset: number, bytes: Uint8Array, from: number, to: number, sizeBytes = to - from): void {
		const room = Math.min(to - from, this.#bytesMax - this.#kept)
		if (room > 0) this.#parts.push(Buffer.from(bytes.subarray(from, from + room)))
		this.#kept += Math.max(0, room)
		this.#bytes += sizeBytes
		if (!this.spans.has(file)) this.spans.set(file, offset)
	}

	giveOut(batch: Batch): void {
		const marks = this.#bytes > this.#kept ? this.marks | truncated | originalMarks(this.#bytes) : this.marks
		const content = this.#parts.length === 1 && this.#parts[0] ? this.#parts[0] : Buffer.concat(this.#parts)
		batch.line(this.file, this.at, this.offset, marks, content, 0, content.length)
		for (const file of this.spans.keys()) batch.touched.add(file)
	}
}

/** Lowers `settled` to where the open line begins in the file. */
export function lower(settled: Settled, stream: 0 | 1 | 2, open: OpenLine | undefined, file: LogFile): void {
	const at = open?.spans.get(file)
	if (at !== undefined && at < settled[stream]) settled[stream] = at
}
