// One turn of reading one file: what is there, up to a buffer full, is given to the reader of its lines.
import { readSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { openChunks } from '#collectors/tail/chunks.ts'
import { messageOf } from '#runtime/errors.ts'
import type { Batch } from './batch.ts'
import { tailBytesMax, type LogFile } from './file.ts'
import type { Reader } from './reader.ts'

const newline = 0x0a
/** So much is read at once: the turn of one file. */
export const turnBytes = 256 * 1024
/** A line that is longer, and has no end yet, is put together of what is read in several turns. */
const pendingBytesMax = 16 * 1024

/** `read`: there was something, and there may be more. `end`: all was read. `cut`: it is not the file that was read before. */
export type Turn = 'read' | 'end' | 'cut'

export interface TurnOptions {
	readonly lineBytesMax: number
	readonly lastLineMs: number
	/** Monotonic. */
	readonly nowMs: () => number
}

export class Turns {
	readonly #batch: Batch
	readonly #options: TurnOptions
	/** All files are read into it, one after the other. */
	readonly #buffer = Buffer.allocUnsafeSlow(tailBytesMax + turnBytes)

	constructor(batch: Batch, options: TurnOptions) {
		this.#batch = batch
		this.#options = options
	}

	/** The file is open. `isOver`: nothing will be written to it any more. Throws the system's error. */
	read(file: LogFile, reader: Reader, isOver: boolean): Turn {
		const buffer = this.#buffer
		const before = file.tailBytes
		const base = file.position - before
		// Before the bytes are compared: if they are what they were, so was the file when it was so long.
		const size = file.sizeNow()
		const bytes = readSync(file.fd, buffer, 0, buffer.length, base)
		if (bytes < before || (before > 0 && buffer.compare(file.tail, 0, before, 0, before) !== 0)) return 'cut'
		if (bytes === 0 && size < file.position) return 'cut'
		file.size = Math.max(file.size, size, bytes + base)
		file.sizedAt = this.#options.nowMs()
		if (bytes > before) file.knowHead()
		const from = file.inHole ? this.#passHole(file, bytes, before, base) : before
		const turn = this.consume(file, reader, buffer, from, bytes, base)
		if (turn === 'read' || from > before) return 'read'
		if (bytes === before) return turn
		return this.#endOf(file, reader, bytes, base, isOver)
	}

	/** How long the file is, where it is what it was: it is not read now. */
	measure(file: LogFile): void {
		const size = file.sizeNow()
		const before = file.tailBytes
		const bytes = readSync(file.fd, this.#buffer, 0, before, file.position - before)
		if (size < file.position || bytes < before || this.#buffer.compare(file.tail, 0, before, 0, before) !== 0) return
		file.size = Math.max(file.size, size)
		file.sizedAt = this.#options.nowMs()
	}

	/** A writer that does not append goes on where it was when its file is cut off under it: a hole is left, as long as the file was. Gives where the bytes of a line begin. */
	#passHole(file: LogFile, bytes: number, from: number, base: number): number {
		let at = from
		while (at < bytes && this.#buffer[at] === 0) at += 1
		if (at > from) this.#moved(file, this.#buffer, at, base)
		if (at === bytes) return at
		file.inHole = false
		const cut = file.cutFrom
		file.cutFrom = undefined
		const hole = base + at
		if (hole === 0) return at
		const why = 'the file was cut off; it begins with as many NUL bytes as it was long'
		if (!cut) this.#batch.gap(file, { reason: 'truncated', from: 0, to: hole, why: `${why}, and what of it had not been read is missing` })
		else if (cut.copy && !cut.copy.finished) cut.copy.cutSize = { bytes: hole, isExact: true }
		else {
			const reached = Math.max(cut.from, cut.copy?.position ?? 0)
			if (hole > reached) this.#batch.gap(cut.file, { reason: 'truncated', from: reached, to: hole, why })
			cut.file.finished = true
			this.#batch.touched.add(cut.file)
		}
		return at
	}

	/** Leaves out what is there but for the last `bytesKept` bytes, and says so. */
	leave(file: LogFile, bytesKept: number): void {
		const size = file.sizeNow()
		const wanted = size - bytesKept
		if (file.long || wanted <= file.position) return
		const bytes = readSync(file.fd, this.#buffer, 0, this.#buffer.length, wanted - 1)
		const end = this.#buffer.subarray(0, bytes).indexOf(newline)
		if (end < 0) return
		file.size = Math.max(file.size, size)
		const next = wanted + end
		this.#batch.gap(file, {
			reason: 'lost',
			from: file.position,
			to: next,
			why: 'more was written than is recorded of one log in a second',
		})
		file.pendingBytes = 0
		this.#moved(file, this.#buffer, end + 1, wanted - 1)
	}

	/** Gives whole lines of `bytes[from, to)` to the reader. */
	consume(file: LogFile, reader: Reader, bytes: Buffer, from: number, to: number, base: number): Turn {
		let at = from
		if (file.endsLate && at < to) {
			file.endsLate = false
			if (bytes[at] === newline) at += 1
		}
		if (file.long && at < to) {
			const end = bytes.subarray(0, to).indexOf(newline, at)
			this.#lengthen(file.long, bytes, at, end < 0 ? to : end)
			at = end < 0 ? to : end + 1
			if (end >= 0) this.#endLong(file, reader)
		}
		const last = at < to ? bytes.lastIndexOf(newline, to - 1) : -1
		if (last >= at) {
			reader.read(file, bytes, at, last + 1, base)
			at = last + 1
		}
		if (!file.long && to - at > pendingBytesMax) {
			file.long = { offset: base + at, parts: [], kept: 0, bytes: 0 }
			this.#lengthen(file.long, bytes, at, to)
			at = to
		}
		if (at > from) this.#moved(file, bytes, at, base)
		const pending = to - at + (file.long ? file.long.bytes : 0)
		if (pending !== file.pendingBytes) {
			file.pendingBytes = pending
			file.pendingSince = this.#options.nowMs()
		}
		return at > from ? 'read' : 'end'
	}

	/** It was read to its end. Where it was cut off: was its copy all of it? */
	finish(file: LogFile): void {
		const { cutSize, position } = file
		file.finished = true
		file.cutSize = undefined
		this.#batch.touched.add(file)
		if (!cutSize || cutSize.bytes <= position) return
		const why = 'the file was copied, written to, and cut off'
		this.#batch.gap(file, {
			reason: 'truncated',
			from: position,
			why,
			...(cutSize.isExact ? { to: cutSize.bytes } : { atLeast: cutSize.bytes }),
		})
	}

	/** One piece of a packed file; gives `end` when it was the last one. Throws ENOENT where it is not there any more. */
	async readPacked(file: LogFile, reader: Reader): Promise<Turn> {
		try {
			file.pieces ??= await openPacked(file)
			const next = await file.pieces.next()
			if (next.done !== true) {
				this.#consumePiece(file, reader, next.value)
				return 'read'
			}
			if (file.pendingBytes > 0 && !file.long) reader.read(file, file.rest, 0, file.rest.length, file.position)
			if (file.long) this.#endLong(file, reader)
			file.position = Math.max(file.position, file.unpacked)
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw error
			this.#batch.reject(file, file.position, Buffer.alloc(0), 0, `the file cannot be read on: ${messageOf(error)}`)
			this.#batch.gap(file, { reason: 'corrupt', from: file.position, why: 'the packed file is damaged' })
		}
		this.finish(file)
		await file.pieces?.return(undefined)
		file.pieces = undefined
		file.rest = Buffer.alloc(0)
		file.unpacked = 0
		return 'end'
	}

	#consumePiece(file: LogFile, reader: Reader, piece: Buffer): void {
		const begin = file.unpacked
		file.unpacked += piece.length
		file.size = Math.max(file.size, file.unpacked)
		if (file.unpacked <= file.position) return
		const fresh = piece.subarray(Math.max(0, file.position + file.rest.length - begin))
		const bytes = file.rest.length === 0 ? fresh : Buffer.concat([file.rest, fresh])
		const base = file.position
		this.consume(file, reader, bytes, 0, bytes.length, base)
		file.rest = Buffer.from(bytes.subarray(file.position - base))
	}

	/** All is read: is what stands there without a line end a line? */
	#endOf(file: LogFile, reader: Reader, bytes: number, base: number, isOver: boolean): Turn {
		if (file.pendingBytes === 0) return 'end'
		if (!isOver && this.#options.nowMs() - file.pendingSince < this.#options.lastLineMs) return 'end'
		if (file.long) {
			this.#endLong(file, reader)
		} else {
			const from = bytes - file.pendingBytes
			if (!isOver && !reader.isWhole(this.#buffer, from, bytes)) return 'end'
			reader.read(file, this.#buffer, from, bytes, base)
			this.#moved(file, this.#buffer, bytes, base)
		}
		file.pendingBytes = 0
		file.endsLate = true
		return 'read'
	}

	/** `bytes[0, to)` was read: the last byte of it is at `base + to - 1`. */
	#moved(file: LogFile, bytes: Buffer, to: number, base: number): void {
		file.position = base + to
		file.keepTail(bytes, to)
		this.#batch.touched.add(file)
	}

	#lengthen(long: NonNullable<LogFile['long']>, bytes: Buffer, from: number, to: number): void {
		// What stands before the content of a line, its time and stream, counts too: there is room for it.
		const room = Math.min(to - from, this.#options.lineBytesMax + 64 - long.kept)
		if (room > 0) long.parts.push(Buffer.from(bytes.subarray(from, from + room)))
		long.kept += Math.max(0, room)
		long.bytes += to - from
	}

	#endLong(file: LogFile, reader: Reader): void {
		const { long } = file
		if (!long) return
		file.long = undefined
		reader.readLong(file, Buffer.concat(long.parts), long.offset, long.bytes)
		this.#batch.touched.add(file)
	}
}

/** Throws ENOENT where its path leads to another file by now. */
async function openPacked(file: LogFile): Promise<AsyncGenerator<Buffer>> {
	const { chunks } = await openChunks(file.path, 0)
	const { dev, ino } = await stat(file.path)
	if (dev === file.device && ino === file.inode) return chunks
	await chunks.return(undefined)
	throw Object.assign(new Error(`${file.path} is another file now`), { code: 'ENOENT' })
}
