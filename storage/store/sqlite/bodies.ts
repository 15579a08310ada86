// Bodies: many compressed together when a put brings many, each against an earlier body of its object when it brings few.
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { Cache } from './cache.ts'
import { chunkSum } from './check.ts'
import { DamageError } from './errors.ts'
import { storeLimits } from './limits.ts'

const params = { [constants.ZSTD_c_compressionLevel]: 1 }
const dictionaryParams = { ...params, [constants.ZSTD_c_windowLog]: 17, [constants.ZSTD_c_hashLog]: 12 }

export interface PendingBody {
	/** Bodies with the same number resemble each other. */
	readonly like: number
	readonly bytes: Uint8Array
	place: number
}

interface Base {
	readonly place: number
	readonly bytes: Buffer
}

/** A place is chunk × chunkBodies + index. */
export class Bodies {
	readonly #db: DatabaseSync
	readonly #insert: StatementSync | undefined
	readonly #select: StatementSync
	readonly #bases = new Cache<number, Base>(storeLimits.basesBytesMax)
	readonly #cache = new Cache<number, readonly Uint8Array[]>(storeLimits.chunksBytesMax)
	#last: number | undefined
	/** Bodies of a chunk in a row, before they are compressed. */
	readonly #scratch: Buffer

	constructor(db: DatabaseSync, readOnly: boolean) {
		this.#db = db
		this.#scratch = Buffer.allocUnsafeSlow(readOnly ? 0 : storeLimits.chunkBytesMax)
		this.#insert = readOnly ? undefined : db.prepare('INSERT INTO chunk(id, base, ends, data, sum) VALUES(?, ?, ?, ?, ?)')
		this.#select = db.prepare('SELECT base, ends, data, sum FROM chunk WHERE id = ?')
	}

	/** Stores all and sets their places. */
	write(pending: readonly PendingBody[]): void {
		if (pending.length < storeLimits.smallPutBodies) return this.#writeSmall(pending)
		const sorted = pending.toSorted((a, b) => a.like - b.like)
		let from = 0
		let bytes = 0
		for (const [index, body] of sorted.entries()) {
			if (index > from && (index - from === storeLimits.chunkBodies || bytes + body.bytes.length > storeLimits.chunkBytesMax)) {
				this.#writeChunk(sorted.slice(from, index), undefined)
				from = index
				bytes = 0
			}
			bytes += body.bytes.length
		}
		if (from < sorted.length) this.#writeChunk(sorted.slice(from), undefined)
	}

	/** What a put that failed remembered must not be used. */
	forget(): void {
		this.#bases.clear()
		this.#cache.clear()
		this.#last = undefined
	}

	read(place: number): Uint8Array {
		const chunk = Math.floor(place / storeLimits.chunkBodies)
		const body = this.#chunk(chunk)[place % storeLimits.chunkBodies]
		if (!body) throw new DamageError(`chunk ${chunk} lacks a body`)
		return body
	}

	#chunk(id: number): readonly Uint8Array[] {
		const cached = this.#cache.get(id)
		if (cached) return cached
		const row = this.#select.get(id) as { base: number | null; ends: Uint8Array; data: Uint8Array; sum: number } | undefined
		if (!row) throw new DamageError(`chunk ${id} is missing`)
		if (!isSoundChunk(id, row)) throw new DamageError(`chunk ${id} fails its checksum`)
		const ends = Buffer.from(row.ends)
		const size = ends.length < 4 ? 0 : ends.readUInt32LE(ends.length - 4)
		// One byte more than is needed: a buffer that is filled to its end makes zlib ask for another one.
		const options = { chunkSize: Math.max(64, size + 1) }
		const whole = zstdDecompressSync(row.data, row.base === null ? options : { ...options, dictionary: Buffer.from(this.read(row.base)) })
		const bodies: Uint8Array[] = []
		for (let index = 0, from = 0; index < ends.length; index += 4) {
			const end = ends.readUInt32LE(index)
			if (end < from || end > whole.length) throw new DamageError(`chunk ${id} is too short`)
			bodies.push(whole.subarray(from, end))
			from = end
		}
		this.#cache.set(id, bodies, whole.length)
		return bodies
	}

	#writeSmall(pending: readonly PendingBody[]): void {
		for (const body of pending) {
			const base = this.#bases.use(body.like, body.bytes.length)
			const ratio = this.#writeChunk([body], base)
			const poor = base !== undefined && ratio > 0.3
			if ((base && !poor) || body.bytes.length > storeLimits.baseBytesMax) continue
			if (poor) this.#writeChunk([body], undefined)
			// A copy: the bytes are a part of the batch that they came with, which must not stay in memory for them.
			this.#bases.set(body.like, { place: body.place, bytes: Buffer.from(body.bytes) }, body.bytes.length)
		}
	}

	#writeChunk(bodies: readonly PendingBody[], base: Base | undefined): number {
		const ends = Buffer.allocUnsafe(bodies.length * 4)
		const single = bodies.length === 1 ? bodies[0] : undefined
		let size = 0
		for (const [index, body] of bodies.entries()) {
			if (!single) this.#scratch.set(body.bytes, size)
			size += body.bytes.length
			ends.writeUInt32LE(size, index * 4)
		}
		const whole = single ? single.bytes : this.#scratch.subarray(0, size)
		const data = zstdCompressSync(whole, base ? { params: dictionaryParams, dictionary: base.bytes } : { params })
		this.#last ??= (this.#db.prepare('SELECT max(id) AS id FROM chunk').get() as { id: number | null }).id ?? 0
		const chunk = ++this.#last
		this.#insert?.run(chunk, base?.place ?? null, ends, data, chunkSum(chunk, base?.place ?? null, ends, data))
		for (const [index, body] of bodies.entries()) body.place = chunk * storeLimits.chunkBodies + index
		return size === 0 ? 0 : data.length / size
	}
}

/** Whether a row of `chunk` is as it was written. */
export function isSoundChunk(
	id: number,
	row: { readonly base: unknown; readonly ends: unknown; readonly data: unknown; readonly sum: unknown },
): boolean {
	return row.ends instanceof Uint8Array && row.data instanceof Uint8Array && row.sum === chunkSum(id, row.base, row.ends, row.data)
}
