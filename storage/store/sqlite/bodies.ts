// Bodies: many compressed together when a put brings many, each against an earlier body of its object when it brings few.
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { DamageError } from './errors.ts'
import { storeLimits } from './limits.ts'

const params = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 }
const dictionaryParams = { ...params, [constants.ZSTD_c_windowLog]: 17, [constants.ZSTD_c_hashLog]: 12 }

export interface PendingBody {
	/** Bodies with the same number resemble each other. */
	readonly like: number
	readonly bytes: Uint8Array
	place: number
}

/** A place is chunk × chunkBodies + index. */
export class Bodies {
	readonly #insert: StatementSync | undefined
	readonly #select: StatementSync
	readonly #bases = new Map<number, { readonly place: number; readonly bytes: Uint8Array }>()
	readonly #cache = new Map<number, readonly Uint8Array[]>()

	constructor(db: DatabaseSync, readOnly: boolean) {
		this.#insert = readOnly ? undefined : db.prepare('INSERT INTO chunk(base, ends, data) VALUES(?, ?, ?)')
		this.#select = db.prepare('SELECT base, ends, data FROM chunk WHERE id = ?')
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
		const row = this.#select.get(id) as { base: number | null; ends: Uint8Array; data: Uint8Array } | undefined
		if (!row) throw new DamageError(`chunk ${id} is missing`)
		const whole = zstdDecompressSync(row.data, row.base === null ? {} : { dictionary: Buffer.from(this.read(row.base)) })
		const ends = Buffer.from(row.ends)
		const bodies: Uint8Array[] = []
		for (let index = 0, from = 0; index < ends.length; index += 4) {
			const end = ends.readUInt32LE(index)
			if (end < from || end > whole.length) throw new DamageError(`chunk ${id} is too short`)
			bodies.push(whole.subarray(from, end))
			from = end
		}
		if (this.#cache.size >= storeLimits.chunksCachedMax) this.#cache.delete(this.#cache.keys().next().value as number)
		this.#cache.set(id, bodies)
		return bodies
	}

	#writeSmall(pending: readonly PendingBody[]): void {
		for (const body of pending) {
			const base = this.#bases.get(body.like)
			const ratio = this.#writeChunk([body], base)
			const poor = base !== undefined && ratio > 0.3
			if ((base && !poor) || body.bytes.length > storeLimits.baseBytesMax) continue
			if (poor) this.#writeChunk([body], undefined)
			if (this.#bases.size >= storeLimits.basesMax) this.#bases.delete(this.#bases.keys().next().value as number)
			this.#bases.delete(body.like)
			this.#bases.set(body.like, { place: body.place, bytes: body.bytes })
		}
	}

	#writeChunk(bodies: readonly PendingBody[], base: { readonly place: number; readonly bytes: Uint8Array } | undefined): number {
		const ends = Buffer.allocUnsafe(bodies.length * 4)
		let size = 0
		for (const [index, body] of bodies.entries()) {
			size += body.bytes.length
			ends.writeUInt32LE(size, index * 4)
		}
		const whole = bodies.length === 1 && bodies[0] ? bodies[0].bytes : Buffer.concat(bodies.map((body) => body.bytes))
		const data = zstdCompressSync(whole, base ? { params: dictionaryParams, dictionary: Buffer.from(base.bytes) } : { params })
		const chunk = Number(this.#insert?.run(base?.place ?? null, ends, data).lastInsertRowid)
		for (const [index, body] of bodies.entries()) body.place = chunk * storeLimits.chunkBodies + index
		return size === 0 ? 0 : data.length / size
	}
}
