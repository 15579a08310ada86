// Container log lines as the kubelet's runtimes write them: `TIME STREAM TAGS CONTENT` (cri-client pkg/logs/logs.go). Parts of a line are joined.
import { isUtf8 } from 'node:buffer'
import type { LogLine } from '#records/record.ts'
import { parseTime, type Micros } from '#records/time.ts'

export interface CriLine {
	readonly at: Micros
	readonly stream: 'stdout' | 'stderr'
	/** True where the line goes on in the next one of this stream. */
	readonly partial: boolean
	readonly content: Buffer
}

const timeBytesMax = 40

/** Undefined where the line is none. The first tag says whether the line is full; further ones are ignored. */
export function readCriLine(line: Buffer): CriLine | undefined {
	const first = line.indexOf(0x20)
	if (first < 0 || first > timeBytesMax) return undefined
	const second = line.indexOf(0x20, first + 1)
	if (second < 0) return undefined
	const stream = line.toString('latin1', first + 1, second)
	if (stream !== 'stdout' && stream !== 'stderr') return undefined
	const third = line.indexOf(0x20, second + 1)
	const tags = line.toString('latin1', second + 1, third < 0 ? line.length : third)
	const tag = tags.split(':', 1)[0]
	if (tag !== 'P' && tag !== 'F') return undefined
	const at = parseTime(line.toString('latin1', 0, first))
	if (at === undefined) return undefined
	return { at, stream, partial: tag === 'P', content: third < 0 ? Buffer.alloc(0) : line.subarray(third + 1) }
}

export interface JoinedLine {
	readonly at: Micros
	readonly stream: 'stdout' | 'stderr'
	/** Where its first part begins. */
	readonly offset: number
	readonly content: Buffer
	readonly truncated: boolean
}

interface Open {
	readonly at: Micros
	readonly offset: number
	readonly parts: Buffer[]
	bytes: number
	truncated: boolean
}

/** Joins the parts of lines, stream by stream. Content beyond `joinedBytesMax` is cut off, and the line says so. */
export class CriJoiner {
	readonly #joinedBytesMax: number
	readonly #open = new Map<'stdout' | 'stderr', Open>()

	constructor(joinedBytesMax: number) {
		this.#joinedBytesMax = joinedBytesMax
	}

	/** The whole line, once its last part has come. */
	push(line: CriLine, offset: number): JoinedLine | undefined {
		const known = this.#open.get(line.stream)
		if (!known && !line.partial && line.content.length <= this.#joinedBytesMax)
			return { at: line.at, stream: line.stream, offset, content: line.content, truncated: false }
		const open = known ?? { at: line.at, offset, parts: [], bytes: 0, truncated: false }
		const room = this.#joinedBytesMax - open.bytes
		if (line.content.length > room) open.truncated = true
		// Copied, so that a small part does not hold the piece of the file it came in.
		if (room > 0) open.parts.push(Buffer.from(line.content.subarray(0, room)))
		open.bytes += Math.min(room, line.content.length)
		if (line.partial) {
			this.#open.set(line.stream, open)
			return undefined
		}
		this.#open.delete(line.stream)
		return joined(line.stream, open)
	}

	/** Where the first unfinished line begins; undefined where none is open. */
	get openOffset(): number | undefined {
		const offsets = [...this.#open.values()].map((open) => open.offset)
		return offsets.length === 0 ? undefined : Math.min(...offsets)
	}

	/** Lines whose last part never came. */
	*end(): Generator<JoinedLine> {
		for (const [stream, open] of this.#open) yield { ...joined(stream, open), truncated: true }
		this.#open.clear()
	}
}

const joined = (stream: 'stdout' | 'stderr', open: Open): JoinedLine => ({
	at: open.at,
	stream,
	offset: open.offset,
	content: Buffer.concat(open.parts),
	truncated: open.truncated,
})

/** Text of a log line's bytes, and what had to be said about it. */
export function textOf(bytes: Buffer, truncated: boolean): Pick<LogLine, 'text' | 'flags' | 'raw'> {
	const flags: LogLine['flags'][number][] = []
	if (truncated) flags.push('truncated')
	const isText = isUtf8(bytes)
	if (!isText) flags.push('invalid-utf8')
	if (bytes.includes(0)) flags.push('nul')
	return { text: bytes.toString('utf8'), flags, ...(isText ? {} : { raw: bytes.toString('base64') }) }
}
