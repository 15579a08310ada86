// Lines of a component's file: klog, JSON or plain text. The whole line is kept; only its time is read.
import { originalMarks } from '#records/log-block.ts'
import type { Micros } from '#records/time.ts'
import type { Clock } from '#runtime/clock.ts'
import type { LogFile, Settled } from './file.ts'
import type { Groups } from './groups.ts'
import { noTime, truncated, type Reader } from './reader.ts'
import type { TimeOf } from './time-form.ts'

const newline = 0x0a
const carriageReturn = 0x0d

export class ComponentReader implements Reader {
	readonly #clock: Clock
	readonly #timeOf: TimeOf
	readonly #groups: Groups

	constructor(clock: Clock, timeOf: TimeOf, groups: Groups) {
		this.#clock = clock
		this.#timeOf = timeOf
		this.#groups = groups
	}

	read(file: LogFile, bytes: Buffer, from: number, to: number, base: number): void {
		for (let at = from; at < to;) {
			let end = bytes.indexOf(newline, at)
			if (end < 0 || end > to) end = to
			const textEnd = end > at && bytes[end - 1] === carriageReturn ? end - 1 : end
			const offset = base + at
			if (textEnd > at && offset >= file.skip[0]) {
				const told = this.#told(file, bytes, at, textEnd)
				const time = told ?? this.#untold(file, offset, base + to)
				this.#groups.line(file, time, offset, told === undefined ? noTime : 0, bytes, at, textEnd)
			}
			at = end + 1
		}
	}

	readLong(file: LogFile, bytes: Buffer, offset: number, sizeBytes: number): void {
		if (offset < file.skip[0]) return
		const told = this.#told(file, bytes, 0, bytes.length)
		const at = told ?? this.#untold(file, offset, offset + sizeBytes + 1)
		const marks = (told === undefined ? noTime : 0) | (bytes.length < sizeBytes ? truncated | originalMarks(sizeBytes) : 0)
		this.#groups.line(file, at, offset, marks, bytes, 0, bytes.length)
	}

	isWhole(): boolean {
		return true
	}

	get holds(): boolean {
		return this.#groups.holds
	}

	held(file: LogFile): Settled {
		const settled: Settled = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
		this.#groups.lower(settled, file)
		return settled
	}

	giveOut(nowMs: number): void {
		this.#groups.giveOut(nowMs)
	}

	#told(file: LogFile, bytes: Buffer, from: number, to: number): Micros | undefined {
		const at = this.#timeOf(bytes, from, to, file.lastAt ?? this.#clock.nowMicros())
		if (Number.isNaN(at)) return undefined
		file.lastAt = at
		return at
	}

	/** The time of the line before; where none told any, when it was read. That is kept before the line is handed over: read again, it has the same time, and so the same id. */
	#untold(file: LogFile, offset: number, to: number): Micros {
		if (file.lastAt !== null) return file.lastAt
		const last = file.stamps.at(-1)
		if (last && offset >= last.offset && offset < last.to) return last.at
		const known = file.stamps.find((stamp) => offset >= stamp.offset && offset < stamp.to)
		if (known) return known.at
		const at = this.#clock.nowMicros()
		file.stamps.push({ offset, to, at })
		file.hasNewStamps = true
		return at
	}
}
