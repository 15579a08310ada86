// Blocks of log lines: consecutive lines of one file as one record on the record log, so that the cost of a record is paid per block. They become lines again at `index`.
import { isUtf8 } from 'node:buffer'
import { logId } from './id.ts'
import { readLogText } from './log-text.ts'
import type { LogBlock, LogLine } from './record.ts'
import type { Micros } from './time.ts'

/** Of one line in `table`, little endian: time in µs (f64), offset in the file (f64), length in `text` (u32), marks (u32). */
const entryBytes = 24
/** A block ends with the line that reaches this. */
const blockBytesMax = 256 * 1024
const linesMax = 8192
/** A text so large goes with its buffer, and is not copied out of it. */
const givenBytesMin = 64 * 1024
/** Larger ones, of giant lines, are not kept. */
const givenBytesMax = 1024 * 1024
/** Buffers that came back and are kept. */
const spareMax = 8

const streams: readonly LogLine['stream'][] = ['', 'stdout', 'stderr']
const flagNames = ['truncated', 'invalid-utf8', 'nul', 'no-time'] as const
const flagShift = 2
const flagBits = (1 << flagNames.length) - 1
const originalShift = flagShift + flagNames.length
const originalBytesMax = 2 ** (32 - originalShift) - 1

const invalidMark = 1 << (flagNames.indexOf('invalid-utf8') + flagShift)

export type LineFlag = (typeof flagNames)[number]
export type LogSource = Omit<LogBlock, 'kind' | 'id' | 'occurredAt' | 'occurredBound' | 'observedAt' | 'lines' | 'table' | 'text'>

/** `stream` and `flags` as the marks of a line. `invalid-utf8` and `nul` are found when the lines are read, and need not be told. */
export function marksOf(stream: LogLine['stream'], flags: readonly LineFlag[]): number {
	return flags.reduce((marks, flag) => marks | (1 << (flagNames.indexOf(flag) + flagShift)), Math.max(0, streams.indexOf(stream)))
}

/** To be added (|) to the marks of a line that was cut off: how long it was. */
export function originalMarks(bytes: number): number {
	return Math.min(Math.max(0, Math.floor(bytes)), originalBytesMax) << originalShift
}

/** Collects lines of one file, in their order. */
export class LineWriter {
	#source: LogSource
	#table: Buffer = Buffer.allocUnsafe(64 * entryBytes)
	#text: Buffer = Buffer.allocUnsafe(16 * 1024)
	readonly #spare: Buffer[] = []
	#lines = 0
	#bytes = 0

	constructor(source: LogSource) {
		this.#source = source
	}

	/** Whose lines are added next. The writer must be empty. */
	begin(source: LogSource): void {
		this.#source = source
	}

	get isFull(): boolean {
		return this.#bytes >= blockBytesMax || this.#lines >= linesMax
	}

	get lines(): number {
		return this.#lines
	}

	/** Copies `content[from, to)`. `offset`: where the line begins in the file. */
	add(at: Micros, offset: number, marks: number, content: Uint8Array, from = 0, to = content.length): void {
		const length = to - from
		if ((this.#lines + 1) * entryBytes > this.#table.length) this.#table = grown(this.#table, this.#table.length * 2)
		if (this.#bytes + length > this.#text.length) this.#text = grown(this.#text, Math.max(this.#text.length * 2, this.#bytes + length))
		const entry = this.#lines * entryBytes
		this.#table.writeDoubleLE(at, entry)
		this.#table.writeDoubleLE(offset, entry + 8)
		this.#table.writeUInt32LE(length, entry + 16)
		this.#table.writeUInt32LE(marks >>> 0, entry + 20)
		if (Buffer.isBuffer(content)) content.copy(this.#text, this.#bytes, from, to)
		else this.#text.set(content.subarray(from, to), this.#bytes)
		this.#lines += 1
		this.#bytes += length
	}

	/** The block of what was added; undefined where nothing was. The writer is empty then. */
	take(observedAt: Micros): LogBlock | undefined {
		if (this.#lines === 0) return undefined
		const table = Buffer.from(this.#table.subarray(0, this.#lines * entryBytes))
		const isGiven = this.#bytes >= givenBytesMin
		const text = isGiven ? this.#text.subarray(0, this.#bytes) : Buffer.from(this.#text.subarray(0, this.#bytes))
		const block = blockOf(this.#source, observedAt, table, text)
		if (isGiven) this.#text = this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#text.length)
		this.#lines = 0
		this.#bytes = 0
		return block
	}

	/** Nobody reads the block any more: its buffer is written to again. What is made anew for every block is garbage by the gigabyte, and all memory is looked at for it. */
	giveBack({ text }: LogBlock): void {
		if (text.byteLength < givenBytesMin || text.byteOffset !== 0 || text.buffer.byteLength > givenBytesMax) return
		if (this.#spare.length < spareMax) this.#spare.push(Buffer.from(text.buffer))
	}
}

function grown(buffer: Buffer, size: number): Buffer {
	const larger = Buffer.allocUnsafe(size)
	buffer.copy(larger)
	return larger
}

function blockOf(source: LogSource, observedAt: Micros, table: Buffer, text: Buffer): LogBlock {
	const at = table.readDoubleLE(0)
	const offset = table.readDoubleLE(8)
	return {
		...source,
		kind: 'block',
		id: logId(source.cluster, source.file, offset, at),
		occurredAt: at,
		occurredBound: 0,
		observedAt,
		lines: table.length / entryBytes,
		table,
		text,
	}
}

/** The lines of a block, each as if it had come alone. Throws RangeError where table and text do not fit together. */
export function* linesOf(block: LogBlock): Generator<LogLine> {
	const { kind: _kind, id: _id, lines: _lines, table: entries, text: content, ...place } = block
	const table = Buffer.from(entries.buffer, entries.byteOffset, entries.byteLength)
	const texts = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
	const isClean = isUtf8(texts) && !texts.includes(0)
	let from = 0
	for (let entry = 0; entry + entryBytes <= table.length; entry += entryBytes) {
		const at = table.readDoubleLE(entry)
		const offset = table.readDoubleLE(entry + 8)
		const to = from + table.readUInt32LE(entry + 16)
		const marks = table.readUInt32LE(entry + 20)
		if (to > texts.length) throw new RangeError(`the text of the block ends at ${texts.length}, a line of it at ${to}`)
		const bytes = texts.subarray(from, to)
		// A character that two lines share is whole in the block, and broken in both of them.
		const isWhole = isClean && !isContinuation(texts[from]) && !isContinuation(texts[to])
		from = to
		const text = bytes.toString('utf8')
		const read = readLogText(text, at)
		const flags = flagsOf(marks, isWhole ? undefined : bytes)
		const originalBytes = marks >>> originalShift
		yield {
			...place,
			kind: 'log',
			id: logId(place.cluster, place.file, offset, at),
			occurredAt: at,
			offset,
			stream: streams[marks & 3] ?? '',
			level: read.level === '' && place.journal ? levelOf(place.journal.priority) : read.level,
			// What a container prints is kept as it is; of a component's line the time and level are told already.
			text: place.container === '' ? read.text : text,
			flags,
			...(flags.includes('invalid-utf8') && !isUtf8(bytes) ? { raw: bytes.toString('base64') } : {}),
			...(originalBytes > 0 ? { originalBytes } : {}),
		}
	}
}

/** Of syslog's priorities (RFC 5424, section 6.2.1). */
const priorityLevels: readonly LogLine['level'][] = ['fatal', 'fatal', 'fatal', 'error', 'warning', 'info', 'info', 'debug']
const levelOf = (priority: number | null): LogLine['level'] => (priority === null ? '' : (priorityLevels[priority] ?? ''))

/** A byte of UTF-8 that begins no character (RFC 3629). */
const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80

function flagsOf(marks: number, suspect: Buffer | undefined): LogLine['flags'] {
	if (((marks >>> flagShift) & flagBits) === 0 && !suspect) return []
	const flags: LineFlag[] = flagNames.filter((_, index) => (marks >>> (index + flagShift)) & 1)
	if (suspect && !flags.includes('invalid-utf8') && !isUtf8(suspect)) flags.push('invalid-utf8')
	if (suspect && !flags.includes('nul') && suspect.includes(0)) flags.push('nul')
	return flags
}

/** The block with each line's text put through `change`; the same block where nothing changed. Lines of which `mayChange(from, to)` says no, told by their place in the block's text, are not looked at. */
export function mapTexts(
	block: LogBlock,
	change: (text: string) => string,
	mayChange: (from: number, to: number) => boolean = () => true,
): LogBlock {
	const table = Buffer.from(block.table)
	const text = Buffer.from(block.text.buffer, block.text.byteOffset, block.text.byteLength)
	const parts: Buffer[] = []
	let changed = false
	let from = 0
	for (let entry = 0; entry + entryBytes <= table.length; entry += entryBytes) {
		const to = from + table.readUInt32LE(entry + 16)
		const bytes = text.subarray(from, to)
		const isLookedAt = mayChange(from, to)
		from = to
		if (!isLookedAt) {
			parts.push(bytes)
			continue
		}
		const before = bytes.toString('utf8')
		const after = change(before)
		const kept = after === before ? bytes : Buffer.from(after, 'utf8')
		if (kept !== bytes) {
			changed = true
			table.writeUInt32LE(kept.length, entry + 16)
			// Its bytes are gone now, and what they were is still told.
			if (!isUtf8(bytes)) table.writeUInt32LE((table.readUInt32LE(entry + 20) | invalidMark) >>> 0, entry + 20)
		}
		parts.push(kept)
	}
	return changed ? { ...block, table, text: Buffer.concat(parts) } : block
}
