// Checksums of a day's pages, in a file beside it: what SQLite itself does not notice (a flipped byte in an index, in full text, in an unused place) is found by them.
// They are taken from the write-ahead log when it is checkpointed, so that they tell of what was written and never of what was read back.
import { closeSync, fsyncSync, openSync, readFileSync, readSync, renameSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import { soundWalFrames } from '#runtime/sqlite-wal.ts'
import { DamageError } from './errors.ts'
import { storeLimits } from './limits.ts'

const magic = 'KTPAGES1'
const headBytes = 16
/** https://www.sqlite.org/fileformat2.html#the_write_ahead_log */
const walHeaderBytes = 32
const frameHeaderBytes = 24

/** Of a day; of one that is being made, another. */
export const sumsPath = (path: string): string => path.replace(/\.db$/, '') + '.sums'
export const walPath = (path: string): string => `${path}-wal`

/** Makes what was written into a file durable. */
export function sync(path: string): void {
	const file = openSync(path, 'r+')
	try {
		fsyncSync(file)
	} finally {
		closeSync(file)
	}
}

export interface Frames {
	/** Checksum by page, of its last frame. */
	readonly pages: ReadonlyMap<number, number>
	readonly pageBytes: number
	readonly salt: string
}

/** The frames `from` (counted from 0) up to `to` of a write-ahead log. */
export function readFrames(path: string, from: number, to: number): Frames | undefined {
	const file = openSync(path, 'r')
	try {
		const header = Buffer.alloc(walHeaderBytes)
		if (readSync(file, header, 0, walHeaderBytes, 0) < walHeaderBytes) return undefined
		const pageBytes = header.readUInt32BE(8)
		const frameBytes = frameHeaderBytes + pageBytes
		const pages = new Map<number, number>()
		const atOnce = Math.max(1, Math.floor(storeLimits.checkSliceBytes / frameBytes))
		const slice = Buffer.allocUnsafe(atOnce * frameBytes)
		for (let frame = from; frame < to; frame += atOnce) {
			const size = readSync(file, slice, 0, Math.min(atOnce, to - frame) * frameBytes, walHeaderBytes + frame * frameBytes)
			for (let at = 0; at + frameBytes <= size; at += frameBytes)
				pages.set(slice.readUInt32BE(at), crc32(slice.subarray(at + frameHeaderBytes, at + frameBytes)))
		}
		return { pages, pageBytes, salt: header.toString('hex', 16, 24) }
	} finally {
		closeSync(file)
	}
}

/**
 * Commits in the log behind its first `frames` that are lost: SQLite ends at the first frame that fails its checksum, whatever stands behind it. Frames that do verify there
 * are no loss: whoever wrote them was killed before the others were told of the commit, and nothing of it was acknowledged.
 */
export function commitsBehind(path: string, frames: number): number {
	let bytes: Buffer
	try {
		bytes = readFileSync(path)
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
		throw error
	}
	if (bytes.length < walHeaderBytes) return 0
	const frameBytes = frameHeaderBytes + bytes.readUInt32BE(8)
	let commits = 0
	const sound = Math.max(frames, soundWalFrames(path))
	for (let at = walHeaderBytes + sound * frameBytes; at + frameHeaderBytes <= bytes.length; at += frameBytes)
		if (bytes.readUInt32BE(at + 4) !== 0 && bytes.compare(bytes, 16, 24, at + 8, at + 16) === 0) commits += 1
	return commits
}

export class PageSums {
	#sums: Uint32Array
	#count: number
	readonly #pageBytes: number

	private constructor(sums: Uint32Array, count: number, pageBytes: number) {
		this.#sums = sums
		this.#count = count
		this.#pageBytes = pageBytes
	}

	/** Of a whole file that was just made. */
	static of(path: string, pageBytes: number): PageSums {
		const bytes = readFileSync(path)
		const sums = new PageSums(new Uint32Array(64), 0, pageBytes)
		for (let page = 1; page * pageBytes <= bytes.length; page++)
			sums.#set(page, crc32(bytes.subarray((page - 1) * pageBytes, page * pageBytes)))
		return sums
	}

	/** Throws DamageError where there are none, or they are damaged themselves. */
	static load(path: string): PageSums {
		let bytes: Buffer
		try {
			bytes = readFileSync(path)
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === 'ENOENT')
				throw new DamageError('the checksums of its pages are missing', { cause: error })
			throw error
		}
		const end = bytes.length - 4
		const count = bytes.length < headBytes + 4 ? -1 : bytes.readUInt32LE(12)
		if (
			bytes.toString('latin1', 0, 8) !== magic ||
			end !== headBytes + count * 4 ||
			bytes.readUInt32LE(end) !== crc32(bytes.subarray(0, end))
		)
			throw new DamageError('the checksums of its pages are damaged')
		const sums = new Uint32Array(count)
		for (let index = 0; index < count; index++) sums[index] = bytes.readUInt32LE(headBytes + index * 4)
		return new PageSums(sums, count, bytes.readUInt32LE(8))
	}

	#set(page: number, sum: number): void {
		if (page > this.#sums.length) {
			const larger = new Uint32Array(Math.max(page, this.#sums.length * 2))
			larger.set(this.#sums)
			this.#sums = larger
		}
		this.#sums[page - 1] = sum
		this.#count = Math.max(this.#count, page)
	}

	take(frames: Frames): void {
		for (const [page, sum] of frames.pages) this.#set(page, sum)
	}

	/** Whole when it returns, and durable where that is asked for. */
	save(path: string, isDurable: boolean): void {
		const bytes = Buffer.alloc(headBytes + this.#count * 4 + 4)
		bytes.write(magic, 'latin1')
		bytes.writeUInt32LE(this.#pageBytes, 8)
		bytes.writeUInt32LE(this.#count, 12)
		for (let index = 0; index < this.#count; index++) bytes.writeUInt32LE(this.#sums[index] ?? 0, headBytes + index * 4)
		bytes.writeUInt32LE(crc32(bytes.subarray(0, bytes.length - 4)), bytes.length - 4)
		const draft = `${path}.new`
		const file = openSync(draft, 'w', 0o640)
		try {
			writeFileSync(file, bytes)
			if (isDurable) fsyncSync(file)
		} finally {
			closeSync(file)
		}
		renameSync(draft, path)
	}

	/** Whether the first page of the file is as it was written. */
	isFirstPage(path: string): boolean {
		const page = Buffer.alloc(this.#pageBytes)
		const file = openSync(path, 'r')
		try {
			return readSync(file, page, 0, page.length, 0) === page.length && crc32(page) === this.#sums[0]
		} finally {
			closeSync(file)
		}
	}

	/** Pages of the file that are not as they were written; those in `skip` stand in the write-ahead log, which has checksums of its own. `rest`: goes slowly, so that others come to their turn, until it aborts. */
	async damaged(path: string, skip: ReadonlyMap<number, number>, rest?: AbortSignal): Promise<number[]> {
		const found: number[] = []
		const perSlice = Math.max(1, Math.floor(storeLimits.checkSliceBytes / this.#pageBytes))
		const slice = Buffer.allocUnsafe(perSlice * this.#pageBytes)
		await using file = await open(path, 'r')
		const pages = Math.max(this.#count, Math.ceil((await file.stat()).size / this.#pageBytes))
		for (let first = 1; first <= pages; first += perSlice) {
			const { bytesRead } = await file.read(slice, 0, slice.length, (first - 1) * this.#pageBytes)
			for (let page = first; page < Math.min(first + perSlice, pages + 1); page++) {
				if (skip.has(page)) continue
				const at = (page - first) * this.#pageBytes
				const whole = at + this.#pageBytes <= bytesRead && page <= this.#count
				if (!whole || crc32(slice.subarray(at, at + this.#pageBytes)) !== this.#sums[page - 1]) found.push(page)
			}
			if (rest?.aborted) return []
			if (rest) await setTimeout(storeLimits.checkRestMs)
		}
		return found
	}
}
