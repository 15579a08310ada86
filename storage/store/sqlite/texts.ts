// Texts that many rows of a day share, by number.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { Cache } from './cache.ts'
import { textSum } from './check.ts'
import { DamageError } from './errors.ts'
import { storeLimits } from './limits.ts'

/** About what V8 takes for a short text in two maps. */
const overheadBytes = 150

export class Texts {
	readonly #find: StatementSync
	readonly #read: StatementSync
	readonly #db: DatabaseSync
	#insert: StatementSync | undefined
	#last: number | undefined
	readonly #byId = new Cache<number, string>(storeLimits.textsBytesMax)
	readonly #ids = new Cache<string, number>(storeLimits.textsBytesMax)
	readonly #parsed = new Cache<number, unknown>(storeLimits.parsedBytesMax)

	constructor(db: DatabaseSync) {
		this.#db = db
		this.#find = db.prepare('SELECT id, sum FROM text WHERE text = ?')
		this.#read = db.prepare('SELECT text, sum FROM text WHERE id = ?')
	}

	/** Lone surrogates become U+FFFD, as in any UTF-8. */
	intern(raw: string): number {
		const text = raw.isWellFormed() ? raw : raw.toWellFormed()
		const known = this.find(text)
		if (known !== undefined) return known
		this.#insert ??= this.#db.prepare('INSERT INTO text(id, text, sum) VALUES(?, ?, ?)')
		this.#last ??= (this.#db.prepare('SELECT max(id) AS id FROM text').get() as { id: number | null }).id ?? 0
		const id = ++this.#last
		this.#insert.run(id, text, textSum(id, text))
		this.#keepId(text, id)
		return id
	}

	find(raw: string): number | undefined {
		const known = this.#ids.use(raw, raw.length + overheadBytes)
		if (known !== undefined) return known
		const text = raw.isWellFormed() ? raw : raw.toWellFormed()
		const row = this.#find.get(text) as { id: number; sum: number } | undefined
		if (!row) return undefined
		if (row.sum !== textSum(row.id, text)) throw new DamageError(`text ${row.id} fails its checksum`)
		this.#keepId(raw, row.id)
		return row.id
	}

	/** Throws DamageError where it is not there as it was written. */
	text(id: number): string {
		const cached = this.#byId.get(id)
		if (cached !== undefined) return cached
		const row = this.#read.get(id) as { text: string; sum: number } | undefined
		if (!row) throw new DamageError(`text ${id} is missing`)
		if (row.sum !== textSum(id, row.text)) throw new DamageError(`text ${id} fails its checksum`)
		this.#byId.set(id, row.text, row.text.length * 2 + overheadBytes)
		return row.text
	}

	/** A text that is JSON, parsed once. */
	json(id: number): unknown {
		const cached = this.#parsed.get(id)
		if (cached !== undefined) return cached
		const text = this.text(id)
		const value: unknown = JSON.parse(text)
		this.#parsed.set(id, value, text.length * 4 + overheadBytes)
		return value
	}

	#keepId(text: string, id: number): void {
		this.#ids.set(text, id, text.length + overheadBytes)
	}

	/** Forgets what a transaction that was rolled back had added. */
	clear(): void {
		for (const cache of [this.#byId, this.#ids, this.#parsed]) cache.clear()
		this.#last = undefined
	}
}
