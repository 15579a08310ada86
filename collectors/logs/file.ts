// One log file, whatever it is called now: who it is, how far it was read, and how far its lines are settled.
import { hash } from 'node:crypto'
import { closeSync, constants as files, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs'
import { constants, gunzipSync } from 'node:zlib'
import { headBytesMax, headHash } from '#collectors/tail/identity.ts'
import type { LogSource } from '#records/log-block.ts'
import type { Micros } from '#records/time.ts'
import type { Place } from './sources.ts'

/** So many bytes before the place that was reached must be what they were. */
export const tailBytesMax = 64
const packedHeadBytes = 16 * 1024
const headBuffer = Buffer.allocUnsafeSlow(headBytesMax)

/** Of each stream (the two low bits of a line's marks: none, stdout, stderr) the first byte that is not settled. */
export type Settled = [number, number, number]

/** What is kept of a file. Written after its lines are durable. */
export interface FileRow {
	readonly name: string
	/** The path that the file has, or had, while it is written. */
	readonly family: string
	readonly device: number
	readonly inode: number
	readonly head: string
	readonly headBytes: number
	readonly settled: Settled
	/** SHA-256 of the last bytes before the smallest of `settled`. */
	readonly tail: string
	readonly tailBytes: number
	/** Largest size that was seen, in bytes (unpacked). */
	readonly size: number
	readonly lastAt: Micros | null
	/** It is not written any more, and was read to its end. */
	readonly finished: boolean
	/** The file in which the log was written before; absent where it is not known. */
	readonly follows?: string
}

/** When lines were read that tell no time: kept before they are handed over, so that they have the same time when they are read again. */
export interface Stamp {
	readonly offset: number
	readonly to: number
	readonly at: Micros
}

export interface Entry {
	readonly path: string
	readonly device: number
	readonly inode: number
	readonly size: number
	/** It has the name under which it is written. */
	readonly isCurrent: boolean
}

/** A line that is longer than what is read at once. */
export interface LongLine {
	readonly offset: number
	readonly parts: Buffer[]
	/** Of the parts. */
	kept: number
	/** Of the line. */
	bytes: number
}

/** A file that was cut off: `from` on, something may be missing; it goes on in `copy`, where there is one. */
export interface CutFile {
	readonly file: LogFile
	readonly from: number
	readonly copy: LogFile | undefined
}

export class LogFile {
	readonly name: string
	readonly family: string
	source: LogSource
	path: string
	device: number
	inode: number
	head: string
	headBytes: number
	size: number
	lastAt: Micros | null
	/** Where the next line begins that was not read. */
	position: number
	/** Lines of a stream before it were settled in an earlier life of this process. */
	skip: Settled
	fd = -1
	isPacked = false
	finished: boolean
	/** The file system has it under no name any more. */
	isGone = false
	/** Kept on disk that there is such a file. */
	isAnnounced: boolean
	long: LongLine | undefined
	/** Of a line that has no end yet: how long, and since when (ms, monotonic) it has not grown. */
	pendingBytes = 0
	pendingSince = 0
	/** The line before was given out without its end: the end may come. */
	endsLate = false
	stamps: Stamp[] = []
	hasNewStamps = false
	/** The last bytes before `position`. */
	readonly tail = Buffer.alloc(tailBytesMax)
	tailBytes = 0
	/** To be compared when the file is opened, where it was read in an earlier life. */
	expectedTail: { readonly at: number; readonly bytes: number; readonly hash: string } | undefined
	/** Unpacked pieces that are read. */
	pieces: AsyncGenerator<Buffer> | undefined
	/** So many bytes were unpacked, and of those the last that make no line yet. */
	unpacked = 0
	rest: Buffer = Buffer.alloc(0)
	/** When (ms, monotonic) another file took its place: then it is read to its end, and later closed. */
	replacedAt = 0
	/** When something was read of it, and when it was looked at (ms, monotonic). */
	readAt = 0
	lookedAt = 0
	/** When (ms, monotonic) it was last seen that it was as it had been read. */
	sizedAt = 0
	/** It was cut off, and goes on in a copy: so long was it, or was it seen to be. */
	cutSize: { readonly bytes: number; readonly isExact: boolean } | undefined
	/** Of the file that was cut off before this one was begun in its place; until what it begins with has told how long that was. */
	cutFrom: CutFile | undefined
	/** Nothing but NUL bytes was found in it yet. */
	inHole: boolean
	closedAt = 0

	constructor(row: FileRow, place: Place, isAnnounced: boolean) {
		this.name = row.name
		this.family = row.family
		this.source = { ...place, file: row.name, ...(row.follows === undefined ? {} : { follows: row.follows }) }
		this.path = row.family
		this.device = row.device
		this.inode = row.inode
		this.head = row.head
		this.headBytes = row.headBytes
		this.size = row.size
		this.lastAt = row.lastAt
		this.skip = [...row.settled]
		this.position = Math.min(...row.settled)
		this.finished = row.finished
		this.isAnnounced = isAnnounced
		this.inHole = this.position === 0 || (row.tailBytes > 0 && row.tail === tailHash(Buffer.alloc(row.tailBytes)))
		if (row.tailBytes > 0) this.expectedTail = { at: this.position, bytes: row.tailBytes, hash: row.tail }
	}

	/** The log was written in `file` before. Told before anything of this one is read. */
	goesOnFrom(file: LogFile): void {
		this.source = { ...this.source, follows: file.name }
	}

	get isOpen(): boolean {
		return this.fd >= 0
	}

	/** Everything before it was looked at. */
	get seenTo(): number {
		return this.long ? this.position : this.position + this.pendingBytes
	}

	/** Throws the system's error; ENOENT too where its path leads to another file by now. */
	open(): void {
		this.fd = openAs(this.path, this)
	}

	close(): void {
		if (this.fd >= 0) closeSync(this.fd)
		this.fd = -1
	}

	/** Size of the open file. */
	sizeNow(): number {
		return fstatSync(this.fd).size
	}

	/** The fingerprint of the open file grows with it until it is complete. */
	knowHead(): void {
		if (this.headBytes >= headBytesMax) return
		const bytes = readSync(this.fd, headBuffer, 0, headBytesMax, 0)
		if (bytes <= this.headBytes || (this.headBytes > 0 && headHash(headBuffer.subarray(0, this.headBytes)) !== this.head)) return
		this.head = headHash(headBuffer.subarray(0, bytes))
		this.headBytes = bytes
	}

	/** Notes the end of what was read: `bytes[0, to)`, of which the last byte is at `position - 1`. */
	keepTail(bytes: Buffer, to: number): void {
		const size = Math.min(tailBytesMax, to)
		bytes.copy(this.tail, 0, to - size, to)
		this.tailBytes = size
	}

	/** `open`: of each stream the first byte of a line that is being joined, or Infinity. */
	row(open: Settled): FileRow {
		const reached = this.long ? this.long.offset : this.position
		const settled: Settled = [0, 1, 2].map((stream) =>
			Math.max(this.skip[stream as 0 | 1 | 2], Math.min(reached, open[stream as 0 | 1 | 2])),
		) as Settled
		const isWhole = Math.min(...settled) === this.position
		return {
			name: this.name,
			family: this.family,
			device: this.device,
			inode: this.inode,
			head: this.head,
			headBytes: this.headBytes,
			settled,
			tail: isWhole ? tailHash(this.tail.subarray(0, this.tailBytes)) : '',
			tailBytes: isWhole ? this.tailBytes : 0,
			size: this.size,
			lastAt: this.lastAt,
			finished: this.finished && isWhole,
			...(this.source.follows === undefined ? {} : { follows: this.source.follows }),
		}
	}
}

export const tailHash = (tail: Uint8Array): string => hash('sha256', tail, 'hex').slice(0, 16)

/** Undefined where it is garbled: the file is then read from its beginning, and repeats are harmless. */
export function readRow(value: Uint8Array): FileRow | undefined {
	try {
		const row = JSON.parse(Buffer.from(value).toString('utf8')) as FileRow
		const numbers = [row.device, row.inode, row.headBytes, row.size, row.tailBytes, ...row.settled]
		return row.settled.length === 3 && numbers.every(Number.isSafeInteger) && typeof row.name === 'string' ? row : undefined
	} catch {
		return undefined
	}
}

/**
 * A file that is met for the first time. Its name is its place and what it is: device, inode and first line. Where that is not enough (nothing was written yet,
 * the inode was given out again, it was cut off) the time makes it another one. The name is kept on disk before it is used.
 */
export function newRow(
	family: string,
	entry: Pick<Entry, 'device' | 'inode'>,
	head: Buffer,
	isTaken: (name: string) => boolean,
	now: Micros,
): FileRow {
	const newline = head.indexOf(0x0a)
	const nameOf = (more: string): string => {
		const identity = `${entry.device}:${entry.inode}:${more}:${head.subarray(0, Math.max(0, newline)).toString('latin1')}`
		return `${family}@${hash('sha256', identity, 'hex').slice(0, 12)}`
	}
	const name = nameOf('')
	return {
		name: newline < 0 || isTaken(name) ? nameOf(String(now)) : name,
		family,
		device: entry.device,
		inode: entry.inode,
		head: headHash(head),
		headBytes: head.length,
		settled: [0, 0, 0],
		tail: '',
		tailBytes: 0,
		size: 0,
		lastAt: null,
		finished: false,
	}
}

/** Undefined where it is not there, or cannot be looked at: links in a circle, a folder that may not be entered. */
export function statOf(path: string): Stats | undefined {
	try {
		return statSync(path, { throwIfNoEntry: false })
	} catch {
		return undefined // as if it were not there: others are not held up by it
	}
}

/** Names change at any time: what is opened may be another file than the one that was listed. Throws ENOENT then. */
export function openAs(path: string, { device, inode }: Pick<Entry, 'device' | 'inode'>): number {
	// A pipe that has taken its place would wait for a writer.
	const fd = openSync(path, files.O_RDONLY | files.O_NONBLOCK)
	const { dev, ino } = fstatSync(fd)
	if (dev === device && ino === inode) return fd
	closeSync(fd)
	throw Object.assign(new Error(`${path} is another file now`), { code: 'ENOENT' })
}

/** The first bytes of a file, unpacked where it is gzip; fewer where it is shorter or damaged. Throws as openAs. */
export function headOf(entry: Pick<Entry, 'path' | 'device' | 'inode'>): { readonly head: Buffer; readonly isPacked: boolean } {
	const fd = openAs(entry.path, entry)
	try {
		const bytes = Buffer.alloc(packedHeadBytes)
		const read = bytes.subarray(0, readSync(fd, bytes, 0, packedHeadBytes, 0))
		if (read.length < 2 || read[0] !== 0x1f || read[1] !== 0x8b) return { head: read.subarray(0, headBytesMax), isPacked: false }
		try {
			return { head: gunzipSync(read, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, headBytesMax), isPacked: true }
		} catch {
			return { head: Buffer.alloc(0), isPacked: true } // damaged: it is told when it is read
		}
	} finally {
		closeSync(fd)
	}
}
