// The SQLite record log: one row per appended batch, zstd, group commit. Promises: storage/log/port.ts.
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { decodeRecords } from '#records/codec.ts'
import type { Redacted } from '#records/record.ts'
import type { Clock } from '#runtime/clock.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import type { Logger } from '#runtime/log.ts'
import type { Metrics } from '#runtime/metrics.ts'
import {
	streams,
	type Batch,
	type Lag,
	type LogRetention,
	type Position,
	type Reached,
	type RecordLog,
	type Stream,
} from '#storage/log/port.ts'
import { openLog, type Damage } from './repair.ts'
import { forgetChecked, noteChecked } from './checked.ts'
import { decompress } from '#runtime/zstd-frame.ts'
import { isSoundRow, logFile, positionCrc, rowCrc, storageError } from './schema.ts'
import { rowsOf, type Row } from './rows.ts'
import { prepare } from './statements.ts'
import { WalSync, type Force } from './wal-sync.ts'
import { Wakers } from './wakers.ts'

export interface SqliteLogOptions {
	readonly dir: string
	readonly partitions?: number
	readonly clock: Clock
	readonly metrics?: Metrics
	readonly log?: Logger
	/** A damaged file was found on opening: what could be read was kept. */
	readonly onDamage?: (damage: Damage) => void
	/** How a file is forced to the disk, where it is not as the system does it. */
	readonly force?: Force
}

interface Waiting {
	readonly rows: readonly Row[]
	readonly resolve: () => void
	readonly reject: (error: Error) => void
}

/** It is of one partition only. */
interface PartitionBatch extends Batch {
	readonly next: readonly [Reached]
}

/** What one row gives to a reader. */
interface ReadRow {
	readonly records: Redacted[]
	readonly next: bigint
	/** Before compression. */
	readonly bytes: number
}

interface Place {
	readonly stream: Stream
	readonly partition: number
	next: bigint
}

/** Another process may have appended. */
const pollMs = 15
/** Rows that are there already are read together up to here. */
const readRecordsMin = 2000
const readBytesMin = 6 * 1024 * 1024

export async function openSqliteLog(options: SqliteLogOptions): Promise<RecordLog> {
	const path = join(options.dir, logFile)
	const { db, damage } = openLog(options.dir, String(options.clock.nowMicros()))
	if (damage) {
		options.log?.error(
			{ ...damage, lostRecords: damage.lostRecords.toString() },
			'the record log was damaged: it was set aside, and what could be read was kept',
		)
		options.onDamage?.(damage)
	}
	try {
		return new SqliteLog(path, db, options)
	} catch (error) {
		db.close()
		throw storageError(path, error)
	}
}

class SqliteLog implements RecordLog {
	readonly #path: string
	readonly #db: DatabaseSync
	readonly #partitions: number
	readonly #clock: Clock
	readonly #statements: ReturnType<typeof prepare>
	readonly #wakers: Wakers
	readonly #wal: WalSync
	readonly #inode: number
	#waiting: Waiting[] = []
	#flushing = false
	#closed = false
	#damaged = false

	constructor(path: string, db: DatabaseSync, options: SqliteLogOptions) {
		this.#path = path
		this.#db = db
		this.#partitions = options.partitions ?? 1
		this.#clock = options.clock
		this.#statements = prepare(db)
		this.#inode = statSync(path).ino
		this.#wakers = new Wakers(path)
		this.#wal = new WalSync(path, () => this.#checkpoint(), options.force)
		// Appends force the write-ahead log to the disk themselves. A position need not be there: what a loss of power takes is read again.
		db.exec('PRAGMA synchronous=NORMAL')
	}

	/** Another role may have found damage and set the file aside: what goes on in this handle would be lost without a word. */
	#checkInPlace(): void {
		if (statSync(this.#path, { throwIfNoEntry: false })?.ino === this.#inode) return
		throw new KubetapeError('STORAGE_CORRUPT', `${this.#path} was replaced while it was open: start this role again`)
	}

	append(stream: Stream, records: readonly Redacted[]): Promise<void> {
		if (records.length === 0) return Promise.resolve()
		return new Promise((resolve, reject) => {
			try {
				this.#waiting.push({ rows: rowsOf(stream, records, this.#partitions), resolve, reject })
			} catch (error) {
				return reject(
					error instanceof RangeError ? new KubetapeError('STORAGE_TOO_LARGE', messageOf(error), { cause: error }) : (error as Error),
				)
			}
			if (this.#flushing) return
			this.#flushing = true
			// All appends of this turn of the event loop share one commit.
			setImmediate(() => this.#flush())
		})
	}

	#flush(): void {
		const waiting = this.#waiting
		this.#waiting = []
		this.#flushing = false
		if (waiting.length === 0) return // the log was closed, and flushed, before its turn came
		const { head, putHead, putBatch } = this.#statements
		try {
			this.#db.exec('BEGIN IMMEDIATE')
			const at = Math.floor(this.#clock.nowMicros() / 1000)
			for (const row of waiting.flatMap(({ rows }) => rows)) {
				const known = head.get(row.stream, row.part)
				const first = (known?.['next'] ?? 0n) as bigint
				putBatch.run(row.stream, row.part, first, row.count, rowCrc(row.dataCrc, { ...row, first }), at, row.data)
				putHead.run(row.stream, row.part, (known?.['first'] ?? 0n) as bigint, first + BigInt(row.count))
			}
			this.#db.exec('COMMIT')
			this.#checkInPlace()
		} catch (error) {
			if (this.#db.isOpen && this.#db.isTransaction) this.#db.exec('ROLLBACK')
			const known = storageError(this.#path, error)
			for (const { reject } of waiting) reject(known)
			return
		}
		this.#wakers.wake()
		void this.#settle(waiting)
	}

	/** All of the write-ahead log goes into the file. Throws while a reader of another process is in the way: the next append tries again. */
	#checkpoint(): void {
		const busy = this.#db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy']
		if (busy !== 0n && busy !== 0)
			throw new KubetapeError('STORAGE_BUSY', `${this.#path}: a reader is in the way of moving the write-ahead log into it`)
	}

	/** Readers see what was committed already: a loss of power takes it from the file, with every position behind it, and it is appended again. */
	async #settle(committed: readonly Waiting[]): Promise<void> {
		try {
			await this.#wal.sync()
			for (const { resolve } of committed) resolve()
		} catch (error) {
			const known = storageError(this.#path, error)
			for (const { reject } of committed) reject(known)
		}
	}

	async *read(group: string, wanted: readonly Stream[], signal: AbortSignal): AsyncIterable<Batch> {
		let places: readonly Place[] = this.#places(group, wanted, [])
		while (!signal.aborted && !this.#closed) {
			let found = false
			for (const place of places) {
				if (signal.aborted || this.#closed) return
				const batch = this.#batchAt(place.stream, place.partition, place.next)
				if (!batch) continue
				found = true
				place.next = batch.next[0].offset
				yield batch
			}
			if (found) continue
			await this.#wakers.wait(pollMs, signal)
			if (this.#closed) return
			this.#checkInPlace()
			places = this.#places(group, wanted, places)
		}
	}

	/** Known places go on where they stand; partitions that have come since begin where the group stands. */
	#places(group: string, wanted: readonly Stream[], known: readonly Place[]): readonly Place[] {
		try {
			return wanted.flatMap((stream) => {
				const before = known.filter((place) => place.stream === stream)
				const more = Math.max(0, this.#partitionsOnDisk(stream) - before.length)
				return [...before, ...Array.from({ length: more }, (_, index) => this.#placeOf(group, stream, before.length + index))]
			})
		} catch (error) {
			throw storageError(this.#path, error)
		}
	}

	#placeOf(group: string, stream: Stream, partition: number): Place {
		return { stream, partition, next: this.#position(group, stream, partition) }
	}

	/** Partitions may have been made by a process with another setting: all of them are read. */
	#partitionsOnDisk(stream: Stream): number {
		const max = this.#statements.maxPart.get(streams.indexOf(stream))?.['part'] as bigint | null | undefined
		return Math.max(this.#partitions, Number(max ?? 0n) + 1)
	}

	/** Where the group goes on: what it committed, or the oldest there is. */
	#position(group: string, stream: Stream, partition: number): bigint {
		const index = streams.indexOf(stream)
		const row = this.#statements.position.get(group, index, partition)
		const next = row?.['next'] as bigint | undefined
		// A damaged position counts as none: records are read again rather than passed over.
		const committed = next !== undefined && Number(row?.['crc']) === positionCrc(group, index, partition, next) ? next : undefined
		const first = (this.#statements.head.get(index, partition)?.['first'] as bigint | undefined) ?? 0n
		return committed !== undefined && committed > first ? committed : first
	}

	/** The row at `offset` and those behind it, as many as make a batch that is worth a put: a live source appends a few records at a time. */
	#batchAt(stream: Stream, partition: number, offset: bigint): PartitionBatch | undefined {
		const first = this.#rowAt(stream, partition, offset)
		if (!first) return undefined
		const parts = [first.records]
		let { next, bytes } = first
		let count = first.records.length
		while (count < readRecordsMin && bytes < readBytesMin) {
			let more: ReadRow | undefined
			try {
				more = this.#rowAt(stream, partition, next)
			} catch {
				break // told when it is asked for: what precedes it is delivered first
			}
			if (!more) break
			parts.push(more.records)
			next = more.next
			bytes += more.bytes
			count += more.records.length
		}
		return { records: parts.length === 1 ? first.records : parts.flat(), next: [{ stream, partition, offset: next, records: count }] }
	}

	#rowAt(stream: Stream, partition: number, offset: bigint): ReadRow | undefined {
		const index = streams.indexOf(stream)
		const name = `${this.#path}: stream ${stream}, partition ${partition}`
		let row: Record<string, unknown> | undefined
		try {
			const head = this.#statements.head.get(index, partition)
			if (!head || (head['next'] as bigint) <= offset) return undefined
			if ((head['first'] as bigint) > offset)
				throw new KubetapeError(
					'LOG_POSITION_UNKNOWN',
					`${name}: records from offset ${offset} to ${(head['first'] as bigint) - 1n} were removed by retention before they were read`,
				)
			row = this.#statements.batchAt.get(index, partition, offset)
		} catch (error) {
			throw storageError(name, error)
		}
		if (!row || (row['first'] as bigint) + (row['count'] as bigint) <= offset)
			throw this.#corrupt(`${name}: records from offset ${offset} are missing`)
		const first = row['first'] as bigint
		const count = Number(row['count'])
		const end = first + BigInt(count)
		if (!isSoundRow(row)) throw this.#corrupt(`${name}: the batch at offset ${first} is damaged`)
		const { records, bytes } = this.#decoded(row['data'] as Uint8Array, `${name}: the batch at offset ${first}`)
		if (records.length !== count)
			throw this.#corrupt(`${name}: the batch at offset ${first} has ${records.length} records instead of ${count}`)
		return { records: offset > first ? records.slice(Number(offset - first)) : records, next: end, bytes }
	}

	#decoded(data: Uint8Array, name: string): { readonly records: Redacted[]; readonly bytes: number } {
		try {
			const bytes = decompress(data)
			return { records: decodeRecords(bytes), bytes: bytes.length }
		} catch (error) {
			throw this.#corrupt(`${name} cannot be read: ${messageOf(error)}`, error)
		}
	}

	/** Whoever opens the file next must look at all of it. */
	#corrupt(message: string, cause?: unknown): KubetapeError {
		this.#damaged = true
		forgetChecked(this.#path)
		return new KubetapeError('STORAGE_CORRUPT', message, { cause })
	}

	async commit(group: string, positions: readonly Position[]): Promise<void> {
		try {
			this.#db.exec('BEGIN IMMEDIATE')
			for (const { stream, partition, offset } of positions) {
				const next = (this.#statements.head.get(streams.indexOf(stream), partition)?.['next'] as bigint | undefined) ?? 0n
				if (offset > next)
					throw new KubetapeError(
						'LOG_POSITION_UNKNOWN',
						`${this.#path}: stream ${stream}, partition ${partition} ends at ${next}, before ${offset}`,
					)
				this.#statements.putPosition.run(
					group,
					streams.indexOf(stream),
					partition,
					offset,
					positionCrc(group, streams.indexOf(stream), partition, offset),
				)
			}
			this.#db.exec('COMMIT')
		} catch (error) {
			if (this.#db.isOpen && this.#db.isTransaction) this.#db.exec('ROLLBACK')
			throw storageError(this.#path, error)
		}
	}

	async lag(group: string, wanted: readonly Stream[]): Promise<Lag[]> {
		return this.#places(group, wanted, []).map(({ stream, partition, next }) => {
			const end = (this.#statements.head.get(streams.indexOf(stream), partition)?.['next'] as bigint | undefined) ?? 0n
			return { stream, partition, records: end - next, next }
		})
	}

	async retain(policy: LogRetention): Promise<{ readonly removedRecords: bigint }> {
		let removed = 0n
		const oldest = Math.floor(this.#clock.nowMicros() / 1000) - policy.ageMs
		try {
			this.#db.exec('BEGIN IMMEDIATE')
			for (const row of this.#statements.partitions.all()) {
				const [stream, part] = [row['stream'] as bigint, row['part'] as bigint]
				// Age never takes what a group has not read; size does, oldest first, so that the disk is never filled.
				const read = (this.#statements.slowest.get(stream, part)?.['next'] as bigint | null | undefined) ?? (row['first'] as bigint)
				const kept = this.#statements.firstKept.get(stream, part, policy.ageMs === 0 ? 0n : oldest, read)?.['first'] as
					| bigint
					| null
					| undefined
				removed += this.#removeBefore(stream, part, kept ?? (row['next'] as bigint))
			}
			while (policy.bytesMax > 0 && this.#bytes() > policy.bytesMax) {
				const row = this.#statements.oldest.get()
				if (!row) break
				removed += this.#removeBefore(row['stream'] as bigint, row['part'] as bigint, (row['first'] as bigint) + (row['count'] as bigint))
			}
			this.#db.exec('COMMIT')
		} catch (error) {
			if (this.#db.isOpen && this.#db.isTransaction) this.#db.exec('ROLLBACK')
			throw storageError(this.#path, error)
		}
		return { removedRecords: removed }
	}

	#bytes(): number {
		return Number(this.#statements.bytes.get()?.['bytes'] ?? 0n)
	}

	#removeBefore(stream: bigint, part: bigint, end: bigint): bigint {
		const first = (this.#statements.head.get(stream, part)?.['first'] as bigint | undefined) ?? 0n
		if (end <= first) return 0n
		this.#statements.remove.run(stream, part, end)
		this.#statements.moveFirst.run(end, stream, part)
		return end - first
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#closed) return
		this.#closed = true
		if (this.#flushing) this.#flush()
		this.#wakers.close()
		await this.#wal.close()
		this.#db.close()
		// The last one to close it has moved the write-ahead log, which was verified, into the file.
		if (!this.#damaged && !existsSync(`${this.#path}-wal`)) noteChecked(this.#path)
	}
}
