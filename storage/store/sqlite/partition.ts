// One day: its file, opened when it is asked something, its prepared statements, and what its rows point to.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { SqliteStoreConfig } from './config.ts'
import { Bodies } from './bodies.ts'
import { isSoundNarrow, rowSum } from './check.ts'
import { configure } from './connection.ts'
import { DamageError, formatError, storageError } from './errors.ts'
import { storeLimits } from './limits.ts'
import { Objects, type ObjectKinds } from './objects.ts'
import { PageSums, readFrames, sumsPath, sync, walPath } from './pages.ts'
import { dayStart } from './place.ts'
import {
	bucketExpression,
	bucketOf,
	bucketsTable,
	pageBytes,
	readColumns,
	schema,
	schemaVersion,
	type Row,
	type StoredObject,
} from './schema.ts'
import { spansOf, type Span, type StoredSpan } from './spans.ts'
import { Texts } from './texts.ts'
import { WalIndexHeads } from './wal-index.ts'

/** What is known of a day without opening it, as long as it has not changed. */
interface Known {
	readonly spans: Map<string, Span>
	/** Number of its last put. */
	lastSeq: number
	kinds: ObjectKinds | undefined
	readonly version: number
	signature: string
}

export type Value = string | number | bigint | Uint8Array | null

export interface PartitionOptions {
	readonly config: SqliteStoreConfig
	readonly readOnly: boolean
	/** Told when it is used, each time after `answered`. */
	readonly onUse?: (partition: Partition) => void
	/** Where a new one is made: it has its tables, and nothing in it is safe until `finish`. */
	readonly making?: string
}

interface Opened {
	readonly db: DatabaseSync
	readonly statements: Map<string, StatementSync>
	readonly texts: Texts
	readonly objects: Objects
	readonly bodies: Bodies
}

export function suffixes(path: string): readonly string[] {
	return [path, walPath(path), `${path}-shm`, sumsPath(path)]
}

/** Of this thread, for as long as it runs. */
const heads = new WalIndexHeads()

export class Partition {
	readonly day: string
	readonly start: number
	readonly path: string
	readonly #options: PartitionOptions
	#opened: Opened | undefined
	#using = false
	#known: Known | undefined
	/** Of the file when it was last used. */
	#signature = ''
	#sums: PageSums | undefined
	/** Frames of the write-ahead log whose checksums were taken: how many, and of which log. */
	#taken = { salt: '', frames: 0 }

	constructor(dir: string, day: string, options: PartitionOptions) {
		this.day = day
		this.start = dayStart(day)
		this.path = options.making ?? join(dir, `${day}.db`)
		this.#options = options
	}

	get isOpen(): boolean {
		return this.#opened !== undefined
	}

	#open(): Opened {
		const { config, readOnly, making } = this.#options
		const db = new DatabaseSync(this.path, { readOnly })
		try {
			if (making === undefined) configure(db, config, readOnly)
			else db.exec(`PRAGMA page_size = ${pageBytes}; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF`)
			const versionNow = (): number => (db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version
			if (making !== undefined && versionNow() === 0) db.exec(`BEGIN; ${schema} COMMIT`)
			const version = versionNow()
			if (version === 0) throw new DamageError('it is empty')
			if (version !== schemaVersion) throw formatError(`${this.day}.db`, version)
			return { db, statements: new Map(), texts: new Texts(db), objects: new Objects(db), bodies: new Bodies(db, readOnly) }
		} catch (error) {
			db.close()
			throw error
		}
	}

	/** Opens it where it is not open. A reader sees one state of it from here until `answered`. */
	#use(): Opened {
		if (this.#using && this.#opened) return this.#opened
		return this.guard(() => {
			this.#opened ??= this.#open()
			// An answer takes more than one statement. The writer answers from between its own puts.
			if (this.#options.readOnly) {
				this.#signature = this.#signatureNow()
				this.#opened.db.exec('BEGIN')
			}
			this.#using = true
			this.#options.onUse?.(this)
			return this.#opened
		})
	}

	/** The question that used it is answered. */
	answered(): void {
		this.#using = false
		if (!this.#options.readOnly || !this.#opened?.db.isTransaction) return
		try {
			this.#opened.db.exec('COMMIT')
		} catch {
			// Of a damaged file even this fails; what it was asked has named it.
			this.abandon()
		}
	}

	get db(): DatabaseSync {
		return this.#use().db
	}

	get bodies(): Bodies {
		return this.#use().bodies
	}

	get objects(): Objects {
		return this.#use().objects
	}

	/** The statement, prepared once. */
	prepare(sql: string): StatementSync {
		const { db, statements } = this.#use()
		let statement = statements.get(sql)
		if (!statement) {
			statement = db.prepare(sql)
			statements.set(sql, statement)
		}
		return statement
	}

	all<T>(sql: string, ...values: readonly Value[]): T[] {
		return this.prepare(sql).all(...values) as T[]
	}

	get<T>(sql: string, ...values: readonly Value[]): T | undefined {
		return this.prepare(sql).get(...values) as T | undefined
	}

	/** Runs `work` with errors named after this day. */
	guard<T>(work: () => T): T {
		try {
			return work()
		} catch (error) {
			throw storageError(error, `${this.day}.db`)
		}
	}

	intern(text: string): number {
		return this.#use().texts.intern(text)
	}

	findText(text: string): number | undefined {
		return this.#use().texts.find(text)
	}

	text(id: number): string {
		return this.#use().texts.text(id)
	}

	json(id: number): unknown {
		return this.#use().texts.json(id)
	}

	object(id: number): StoredObject {
		return this.#use().objects.object(id)
	}

	objectsOf(cluster: string, key: string): readonly StoredObject[] {
		return this.#use().objects.ofKey(cluster, key)
	}

	/** Which state the file is in, without opening it: by its place and size, and the head of the shared index, which counts the puts. */
	#signatureNow(): string {
		const stat = statSync(this.path, { throwIfNoEntry: false })
		return `${stat?.ino}:${stat?.size}:${stat?.mtimeMs}:${heads.of(`${this.path}-shm`)}`
	}

	#isCurrent(known: Known): boolean {
		if (this.#using && this.#opened) return known.version === this.#dataVersion()
		// Only this process writes it, and what it put is in the spans already.
		return !this.#options.readOnly || known.signature === this.#signatureNow()
	}

	#dataVersion(): number {
		return this.get<{ data_version: number }>('PRAGMA data_version')?.data_version ?? 0
	}

	/** What the day holds, per cluster, kind and space. Known without opening it where it has not changed. */
	spans(): Map<string, Span> {
		return this.#current().spans
	}

	#current(): Known {
		const known = this.#known
		if (known && this.#isCurrent(known)) {
			if (this.#using) known.signature = this.#signature
			return known
		}
		const spans = this.guard(() => spansOf(this.all<StoredSpan>('SELECT * FROM span')))
		const lastSeq = this.guard(() => this.get<{ seq: number | null }>('SELECT max(seq) AS seq FROM put')?.seq ?? 0)
		return (this.#known = { spans, lastSeq, kinds: undefined, version: this.#dataVersion(), signature: this.#signature })
	}

	/** Whether the id is within what the day holds. */
	mayHold(id: string): boolean {
		return this.spans()
			.values()
			.some(({ idMin, idMax }) => id >= idMin && id <= idMax)
	}

	/** Number of the last put, 0 where there is none. */
	get lastSeq(): number {
		return this.#current().lastSeq
	}

	/** A put is about to be committed: it may have brought new kinds. */
	set lastSeq(seq: number) {
		const known = this.#current()
		known.lastSeq = seq
		known.kinds = undefined
	}

	/** The kinds of its objects. Known without opening it where it has not changed. */
	kinds(): ObjectKinds {
		const known = this.#current()
		if (this.#using || !known.kinds) known.kinds = this.guard(() => this.objects.kinds())
		return known.kinds
	}

	/** Throws DamageError where the row is not as it was written. */
	row(row: number): Row | undefined {
		const found = this.get<Row>(`SELECT row, ${readColumns} FROM record WHERE row = ?`, row)
		if (found && found.sum !== rowSum(found.row, found)) throw new DamageError(`row ${row} fails its checksum`)
		return found
	}

	/** Numbers of the rows about an object, in order, from `first` to `last`; at most `limit` of them, those that come first by time. */
	rowsOf(obj: number, first: number, last: number, limit = -1): number[] {
		const sql = `${bucketsTable} SELECT r.row AS row FROM bucket CROSS JOIN record r INDEXED BY record_object ON ${bucketExpression.replace('row', 'r.row')} = bucket.n
			WHERE bucket.n BETWEEN ? AND ? AND r.obj = ? AND r.row BETWEEN ? AND ? LIMIT ?`
		return this.all<{ row: number }>(sql, bucketOf(Math.max(0, first)), bucketOf(last), obj, first, last, limit)
			.map(({ row }) => row)
			.toSorted((a, b) => a - b)
	}

	/** Throws DamageError where the index leads to another record. */
	rowById(id: string): Row | undefined {
		const number = this.rowOfId(id)
		const row = number === undefined ? undefined : this.row(number)
		if (row ? Buffer.from(row.id).toString('hex') !== id : number !== undefined)
			throw new DamageError(`the index leads from ${id} to another record`)
		return row
	}

	rowOfId(id: string): number | undefined {
		return this.get<{ row: number }>('SELECT row FROM record WHERE id = ?', Buffer.from(id, 'hex'))?.row
	}

	/** One transaction; what it had added to memory is forgotten where it fails. */
	transact(work: () => void): void {
		const { db } = this.#use()
		this.guard(() => {
			db.exec('BEGIN IMMEDIATE')
			try {
				work()
				db.exec('COMMIT')
			} catch (error) {
				if (db.isTransaction) db.exec('ROLLBACK')
				this.reset()
				throw error
			}
		})
	}

	/** Brings the write-ahead log into the file, as far as no reader needs it as it was; beyond `bytesMin` of it. `empty`: and makes its file empty, where nobody reads. */
	checkpoint(bytesMin: number, empty: boolean): void {
		const { db } = this.#use()
		this.guard(() => {
			const { log } = db.prepare('PRAGMA wal_checkpoint(NOOP)').get() as { log: number }
			const frames = log > 0 ? readFrames(walPath(this.path), 0, 0) : undefined
			if (frames && log * frames.pageBytes > bytesMin) {
				const from = frames.salt === this.#taken.salt ? this.#taken.frames : 0
				if (from < log) {
					const sums = (this.#sums ??= PageSums.load(sumsPath(this.path)))
					const taken = readFrames(walPath(this.path), from, log)
					if (taken) sums.take(taken)
					// Durable before the log can be overwritten: the file's own pages are only trusted by them.
					sums.save(sumsPath(this.path), this.#options.config.synchronous === 'full')
					this.#taken = { salt: frames.salt, frames: log }
				}
				db.exec('PRAGMA wal_checkpoint(PASSIVE)')
			}
			if (!empty) return
			db.exec('PRAGMA busy_timeout = 0')
			// Answers that it is busy where somebody reads: the next time will do.
			db.exec(`PRAGMA wal_checkpoint(TRUNCATE); PRAGMA busy_timeout = ${storeLimits.busyTimeoutMs}`)
		})
	}

	/** Pages that the write-ahead log holds, so that the file need not hold them right; commits that cannot be reached behind its end. */
	logged(): { readonly pages: ReadonlyMap<number, number>; readonly frames: number } {
		return this.guard(() => {
			const { log } = this.#use().db.prepare('PRAGMA wal_checkpoint(NOOP)').get() as { log: number }
			return {
				pages: (log > 0 ? readFrames(walPath(this.path), 0, log)?.pages : undefined) ?? new Map<number, number>(),
				frames: Math.max(0, log),
			}
		})
	}

	/** Forgets what a transaction that was rolled back had added. */
	reset(): void {
		this.#opened?.texts.clear()
		this.#opened?.objects.clear()
		this.#opened?.bodies.forget()
		this.#known = undefined
	}

	/** A new one is whole: closes it, and makes it durable. */
	finish(): void {
		this.guard(() => this.db.exec('PRAGMA journal_mode = WAL'))
		this.abandon()
		const isDurable = this.#options.config.synchronous === 'full'
		PageSums.of(this.path, pageBytes).save(sumsPath(this.path), isDurable)
		if (isDurable) sync(this.path)
	}

	/** Closes it, with what it had in memory, until it is asked again. */
	rest(): void {
		if (!this.#opened) return
		try {
			if (!this.#options.readOnly) this.checkpoint(0, true)
			else this.answered()
		} finally {
			this.abandon()
		}
	}

	/** Closes it as it is. */
	abandon(): void {
		const opened = this.#opened
		this.#opened = undefined
		this.#using = false
		this.#sums = undefined
		if (opened?.db.isOpen) opened.db.close()
	}
}

/** Throws DamageError where what a search reads of a row is not as it was written. */
export function soundCandidate<T extends Parameters<typeof isSoundNarrow>[0]>(candidate: T): T {
	if (!isSoundNarrow(candidate)) throw new DamageError(`row ${candidate.row} fails its checksum`)
	return candidate
}
