// Lines of a container: CRI (`TIME STREAM TAGS CONTENT`, cri-client pkg/logs/logs.go) and Docker's JSON. Parts of a line are joined, stream by stream, also from one file to the next.
import { readTime } from '#collectors/tail/fast-time.ts'
import { parseTime, type Micros } from '#records/time.ts'
import type { Batch } from './batch.ts'
import type { LogFile, Settled } from './file.ts'
import type { Groups } from './groups.ts'
import { lower, OpenLine, stderr, stdout, type Reader } from './reader.ts'

const newline = 0x0a
const blank = 0x20
/** Longest time that is looked for. */
const timeBytesMax = 40

/** Where the parts of a CRI line are: filled by readHead, so that nothing is made per line. */
const head = { at: 0, marks: 0, isPartial: false, contentFrom: 0 }

/** False where `bytes[from, to)` is no CRI line. Tags after the first are ignored, as the kubelet does. */
function readHead(bytes: Buffer, from: number, to: number): boolean {
	let space = from + 20
	const last = Math.min(to, from + timeBytesMax)
	while (space < last && bytes[space] !== blank) space += 1
	if (bytes[space + 1] !== 0x73 || bytes[space + 2] !== 0x74 || bytes[space + 3] !== 0x64 || bytes[space + 7] !== blank) return false
	if (bytes[space + 4] === 0x6f && bytes[space + 5] === 0x75 && bytes[space + 6] === 0x74) head.marks = stdout
	else if (bytes[space + 4] === 0x65 && bytes[space + 5] === 0x72 && bytes[space + 6] === 0x72) head.marks = stderr
	else return false
	let tagEnd = space + 9
	if (tagEnd > to) return false
	const tag = bytes[space + 8]
	if (tag !== 0x46 && tag !== 0x50) return false
	if (tagEnd < to && bytes[tagEnd] !== blank) {
		if (bytes[tagEnd] !== 0x3a) return false
		while (tagEnd < to && bytes[tagEnd] !== blank) tagEnd += 1
	}
	head.at = readTime(bytes, from, space)
	head.isPartial = tag === 0x50
	head.contentFrom = Math.min(to, tagEnd + 1)
	return head.at === head.at
}

interface DockerLine {
	readonly at: Micros
	readonly marks: number
	readonly isPartial: boolean
	readonly content: Buffer
}

/** Docker's json-file driver: `{"log":"…\n","stream":"stdout","time":"…"}`; a part has no line end in `log`. */
function readDocker(text: string): DockerLine | undefined {
	try {
		const { log, stream, time } = JSON.parse(text) as Record<string, unknown>
		const at = typeof time === 'string' ? parseTime(time) : undefined
		if (typeof log !== 'string' || at === undefined || (stream !== 'stdout' && stream !== 'stderr')) return undefined
		const isPartial = !log.endsWith('\n')
		return { at, marks: stream === 'stdout' ? stdout : stderr, isPartial, content: Buffer.from(isPartial ? log : log.slice(0, -1)) }
	} catch {
		return undefined // the caller sets it aside
	}
}

export class ContainerReader implements Reader {
	readonly #batch: Batch
	readonly #lineBytesMax: number
	readonly #groups: Groups
	readonly #open: [undefined, OpenLine | undefined, OpenLine | undefined] = [undefined, undefined, undefined]

	constructor(batch: Batch, lineBytesMax: number, groups: Groups) {
		this.#batch = batch
		this.#lineBytesMax = lineBytesMax
		this.#groups = groups
	}

	read(file: LogFile, bytes: Buffer, from: number, to: number, base: number): void {
		const batch = this.#batch
		const open = this.#open
		const skipped = Math.max(...file.skip)
		const plain = this.#groups.isOff
		let lastAt = file.lastAt
		for (let at = from; at < to;) {
			let end = bytes.indexOf(newline, at)
			if (end < 0 || end > to) end = to
			const offset = base + at
			if (readHead(bytes, at, end)) {
				const { marks, contentFrom } = head
				lastAt = head.at
				if (offset >= skipped && plain && !head.isPartial && open[marks as 1 | 2] === undefined && end - contentFrom <= this.#lineBytesMax)
					batch.line(file, lastAt, offset, marks, bytes, contentFrom, end)
				else this.#part(file, lastAt, offset, marks, head.isPartial, bytes, contentFrom, end, end - contentFrom)
			} else if (end > at) {
				file.lastAt = lastAt
				this.#other(file, bytes, at, end, offset, end - at)
				lastAt = file.lastAt
			}
			at = end + 1
		}
		file.lastAt = lastAt
	}

	readLong(file: LogFile, bytes: Buffer, offset: number, sizeBytes: number): void {
		if (readHead(bytes, 0, bytes.length)) {
			const { at, marks, isPartial, contentFrom } = head
			file.lastAt = at
			this.#part(file, at, offset, marks, isPartial, bytes, contentFrom, bytes.length, sizeBytes - contentFrom)
		} else this.#other(file, bytes, 0, bytes.length, offset, sizeBytes)
	}

	isWhole(bytes: Buffer, from: number, to: number): boolean {
		return readHead(bytes, from, to) || (bytes[from] === 0x7b && readDocker(bytes.toString('utf8', from, to)) !== undefined)
	}

	get holds(): boolean {
		return this.#open[1] !== undefined || this.#open[2] !== undefined || this.#groups.holds
	}

	held(file: LogFile): Settled {
		const settled: Settled = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
		for (const stream of [1, 2] as const) lower(settled, stream, this.#open[stream], file)
		this.#groups.lower(settled, file)
		return settled
	}

	giveOut(nowMs: number): void {
		this.#groups.giveOut(nowMs)
	}

	/** What is no CRI line: one of Docker's, or set aside. */
	#other(file: LogFile, bytes: Buffer, from: number, to: number, offset: number, sizeBytes: number): void {
		const docker = bytes[from] === 0x7b ? readDocker(bytes.toString('utf8', from, to)) : undefined
		if (docker) {
			file.lastAt = docker.at
			this.#part(file, docker.at, offset, docker.marks, docker.isPartial, docker.content, 0, docker.content.length, docker.content.length)
		} else if (offset >= file.skip[0]) {
			this.#batch.reject(file, offset, bytes.subarray(from, to), sizeBytes, 'not a container log line: no time, stream and tag')
		}
	}

	#part(
		file: LogFile,
		at: Micros,
		offset: number,
		marks: number,
		isPartial: boolean,
		bytes: Buffer,
		from: number,
		to: number,
		sizeBytes: number,
	): void {
		const stream = marks as 1 | 2
		if (offset < file.skip[stream]) return
		let open = this.#open[stream]
		if (!open && !isPartial && sizeBytes <= this.#lineBytesMax) return this.#groups.line(file, at, offset, marks, bytes, from, to)
		open ??= new OpenLine(file, at, offset, marks, this.#lineBytesMax)
		open.add(file, offset, bytes, from, to, sizeBytes)
		this.#open[stream] = isPartial ? open : undefined
		if (isPartial) return
		if (this.#groups.isOff) open.giveOut(this.#batch)
		else this.#groups.whole(open)
	}
}
