// Bytes to lines: bounded in length, each with the place it begins at.
import { createHash, type Hash } from 'node:crypto'

export interface Line {
	/** Without the line end. Empty where the line was too long. Valid as long as it is held: not reused. */
	readonly bytes: Buffer
	/** Where the line begins in the (unpacked) file, in bytes. */
	readonly offset: number
	/** 1 for the first line. */
	readonly number: number
	/** False for a last line without a line end. */
	readonly ended: boolean
	/** Of a line longer than the limit: what is known of it. */
	readonly tooLong?: { readonly sha256: string; readonly sizeBytes: number }
}

export class LineSplitter {
	readonly #lineBytesMax: number
	#parts: Buffer[] = []
	#partsBytes = 0
	#hash: Hash | undefined
	#offset: number
	#number: number

	/** Begins at a line's begin: `offset` bytes into the file, `number` lines before it. */
	constructor(options: { readonly lineBytesMax: number; readonly offset?: number; readonly number?: number }) {
		this.#lineBytesMax = options.lineBytesMax
		this.#offset = options.offset ?? 0
		this.#number = options.number ?? 0
	}

	/** Where the next line begins; everything before has been given out. */
	get offset(): number {
		return this.#offset
	}

	/** Bytes held of a line that has not ended. */
	get pendingBytes(): number {
		return this.#partsBytes
	}

	/** What is there of a line that has not ended; empty where it is too long already. */
	get pending(): Buffer {
		return Buffer.concat(this.#parts)
	}

	/** `chunk` is kept where the lines point into it. */
	*push(chunk: Buffer): Generator<Line> {
		let from = 0
		for (;;) {
			const end = chunk.indexOf(0x0a, from)
			if (end < 0) break
			this.#keep(chunk.subarray(from, end))
			from = end + 1
			yield this.#take(true)
		}
		if (from < chunk.length) this.#keep(chunk.subarray(from))
	}

	/** The last line, where it has no end. */
	end(): Line | undefined {
		return this.#partsBytes > 0 ? this.#take(false) : undefined
	}

	#keep(part: Buffer): void {
		this.#partsBytes += part.length
		if (this.#partsBytes <= this.#lineBytesMax) {
			this.#parts.push(part)
			return
		}
		if (!this.#hash) {
			this.#hash = createHash('sha256')
			for (const earlier of this.#parts) this.#hash.update(earlier)
			this.#parts = []
		}
		this.#hash.update(part)
	}

	#take(ended: boolean): Line {
		const sizeBytes = this.#partsBytes
		const bytes = this.#hash ? Buffer.alloc(0) : this.#parts.length === 1 && this.#parts[0] ? this.#parts[0] : Buffer.concat(this.#parts)
		this.#number += 1
		const line = { bytes, offset: this.#offset, number: this.#number, ended }
		const tooLong = this.#hash ? { sha256: this.#hash.digest('hex'), sizeBytes } : undefined
		this.#offset += sizeBytes + (ended ? 1 : 0)
		this.#parts = []
		this.#partsBytes = 0
		this.#hash = undefined
		return tooLong ? { ...line, tooLong } : line
	}
}
