// One file of the spool: entries of records that wait for the brokers, each with its length and a checksum. Written to the end only, and removed whole.
import { closeSync, openSync, readSync, rmSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { streams, type Stream } from '#storage/log/port.ts'

/** An entry: u32 length of the data, u32 CRC-32 of the stream's byte and the data, u8 stream, data (little endian). */
const headBytes = 9

export interface SpoolEntry {
	readonly stream: Stream
	/** The frames of records, packed. */
	readonly data: Buffer
}

export interface FoundEntry extends SpoolEntry {
	readonly end: number
}

/** What was found at a place of a file: an entry, a damaged one with the place behind it, or nothing whole up to the end. */
export type Found = FoundEntry | { readonly damagedUntil: number } | undefined

export function entryBytes({ stream, data }: SpoolEntry): Buffer {
	const bytes = Buffer.allocUnsafe(headBytes + data.length)
	bytes.writeUInt32LE(data.length, 0)
	bytes.writeUInt8(streams.indexOf(stream), 8)
	data.copy(bytes, headBytes)
	bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4)
	return bytes
}

export class SpoolFile {
	readonly path: string
	#handle: FileHandle | undefined
	/** Bytes that are whole and on the disk. */
	size: number

	/** `size`: of a file that is there, 0 of one that is to be made. */
	constructor(path: string, size: number) {
		this.path = path
		this.size = size
	}

	/** Resolves when the bytes are on the disk. What a failed write left behind is cut off by the next one. */
	async append(bytes: readonly Buffer[]): Promise<void> {
		if (!this.#handle) {
			this.#handle = await open(this.path, this.size === 0 ? 'w' : 'r+', 0o640)
			// The name of the file too must outlive a power failure.
			if (this.size === 0) await syncFolderOf(this.path)
		}
		const whole = Buffer.concat(bytes)
		// A disk that becomes full takes a part, and says so by its length only.
		for (let at = 0; at < whole.length;) at += (await this.#handle.write(whole, at, whole.length - at, this.size + at)).bytesWritten
		await this.#handle.datasync()
		this.size += whole.length
	}

	/** Reads the entry that begins at `at`. */
	entryAt(at: number): Found {
		if (at + headBytes > this.size) return undefined
		const file = openSync(this.path, 'r')
		try {
			const head = Buffer.allocUnsafe(headBytes)
			if (readSync(file, head, 0, headBytes, at) < headBytes) return undefined
			const length = head.readUInt32LE(0)
			const end = at + headBytes + length
			if (end > this.size) return undefined
			const data = Buffer.allocUnsafe(length)
			readSync(file, data, 0, length, at + headBytes)
			const stream = streams[head.readUInt8(8)]
			const sum = crc32(data, crc32(head.subarray(8, 9)))
			return stream !== undefined && sum === head.readUInt32LE(4) ? { stream, data, end } : { damagedUntil: end }
		} finally {
			closeSync(file)
		}
	}

	/** From now on what is appended goes behind `size`. */
	cut(size: number): void {
		this.size = size
	}

	async close(): Promise<void> {
		await this.#handle?.close()
		this.#handle = undefined
	}

	async remove(): Promise<void> {
		await this.close()
		rmSync(this.path, { force: true })
	}
}

async function syncFolderOf(path: string): Promise<void> {
	const folder = await open(path.slice(0, path.lastIndexOf('/') + 1) || '.', 'r')
	try {
		await folder.sync()
	} finally {
		await folder.close()
	}
}
