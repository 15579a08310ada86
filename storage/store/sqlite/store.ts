// The store on SQLite: one file per UTC day. One writer, any number of readers.
import { accessSync, constants, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Value } from 'typebox/value'
import type { Indexed } from '#records/indexed.ts'
import { dayOf } from '#records/time.ts'
import type { Clock } from '#runtime/clock.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import { takeLock } from '#runtime/lock.ts'
import type { Logger } from '#runtime/log.ts'
import type { Metrics } from '#runtime/metrics.ts'
import type { Store, StoreRetention } from '#storage/store/port.ts'
import { sqliteStoreConfig, type SqliteStoreConfig } from './config.ts'
import { storageError } from './errors.ts'
import { auditTop, histogram } from './histogram.ts'
import { get, history, stateAt, versionAt } from './history.ts'
import { carryOn, fillKeyframe } from './keyframe.ts'
import { clusters, ledger, objectKinds, rejects } from './ledger.ts'
import { storeLimits } from './limits.ts'
import { createDay, Partition } from './partition.ts'
import { dayEnd, placeOf } from './place.ts'
import { insertAll } from './put.ts'
import { daysToRemove, removeDay } from './retention.ts'
import { kinds } from './schema.ts'
import { lastSeq, tail } from './tail.ts'
import { timeline } from './timeline.ts'

export interface SqliteStoreOptions {
	readonly dir: string
	/** Any number of stores may read a directory, in any thread or process; one writes it. */
	readonly readOnly?: boolean
	readonly clock: Clock
	readonly metrics?: Metrics
	readonly log?: Logger
	readonly config?: Partial<SqliteStoreConfig>
}

/** Throws RUNTIME_DATA_DIR_LOCKED where another process writes there. A damaged day is told by the reads that need it. */
export function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
	return Promise.try(() => open(options))
}

class Days {
	readonly #dir: string
	readonly #readOnly: boolean
	readonly #config: SqliteStoreConfig
	readonly #open = new Map<string, Partition>()
	/** Days that the question being answered has read from. */
	readonly #reading = new Set<Partition>()

	constructor(dir: string, readOnly: boolean, config: SqliteStoreConfig) {
		this.#dir = dir
		this.#readOnly = readOnly
		this.#config = config
	}

	list(): readonly { readonly day: string; readonly path: string }[] {
		let names: string[]
		try {
			names = readdirSync(this.#dir)
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
			throw error
		}
		const days = names.flatMap((name) => (/^\d{4}-\d{2}-\d{2}\.db$/.test(name) ? name.slice(0, -3) : [])).toSorted()
		for (const [day, partition] of this.#open) {
			if (days.includes(day)) continue
			partition.close()
			this.#open.delete(day)
		}
		return days.map((day) => ({ day, path: join(this.#dir, `${day}.db`) }))
	}

	opened(day: string): Partition | undefined {
		return this.#open.get(day)
	}

	get(day: string): Partition {
		let partition = this.#open.get(day)
		if (!partition) this.#open.set(day, (partition = new Partition(this.#dir, day, this.#config, this.#readOnly)))
		// One snapshot of each day for the whole of an answer, which takes more than one statement; the writer answers from between its own puts.
		if (this.#readOnly && !this.#reading.has(partition)) {
			partition.begin()
			this.#reading.add(partition)
		}
		return partition
	}

	/** The answer is given: the snapshots it came from are let go. */
	answered(): void {
		for (const partition of this.#reading) partition.end()
		this.#reading.clear()
	}

	/** Days within the range, oldest first. Throws STORAGE_CORRUPT where one of them cannot be opened. */
	all(from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY): readonly Partition[] {
		const low = from > 0 ? dayOf(Math.min(from, 8.64e18)) : ''
		const high = to < 8.64e18 ? dayOf(Math.max(0, to)) : '9999'
		return this.list()
			.filter(({ day }) => day >= low && day <= high)
			.map(({ day }) => this.get(day))
	}

	/** Those that can be opened: for what must go on beside a damaged one. */
	sound(log: Logger | undefined): readonly Partition[] {
		return this.list().flatMap(({ day }) => {
			try {
				return [this.get(day)]
			} catch (error) {
				log?.warn({ day, err: messageOf(error) }, 'a day of the store is damaged')
				return []
			}
		})
	}

	forget(day: string): void {
		this.#open.delete(day)
	}

	close(): void {
		for (const partition of this.#open.values()) partition.close()
		this.#open.clear()
	}
}

class Writer {
	readonly #options: SqliteStoreOptions
	readonly #config: SqliteStoreConfig
	readonly #days: Days
	#seq: number

	constructor(options: SqliteStoreOptions, config: SqliteStoreConfig, days: Days) {
		this.#options = options
		this.#config = config
		this.#days = days
		this.#seq = lastSeq(days.sound(options.log))
	}

	put(records: readonly Indexed[]): { stored: number; duplicates: number } {
		const now = this.#options.clock.nowMicros()
		const limit = now + storeLimits.futureMaxMs * 1000
		const sound = this.#days.sound(this.#options.log)
		const byDay = new Map<string, Indexed[]>()
		const seen = new Set<string>()
		let duplicates = 0
		for (const indexed of records) {
			const { record } = indexed
			if (seen.has(record.id) || this.#isKnown(sound, indexed)) {
				duplicates += 1
				continue
			}
			seen.add(record.id)
			const day = placeOf(record.occurredAt, record.observedAt, limit, now)
			const list = byDay.get(day)
			if (list) list.push(indexed)
			else byDay.set(day, [indexed])
		}
		let stored = 0
		for (const [day, list] of [...byDay].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
			this.#putDay(day, list)
			stored += list.length
		}
		this.#options.metrics?.counter('kubetape_store_records_total', 'Records stored.').inc(stored)
		return { stored, duplicates }
	}

	/** Looks only into days whose ids of that cluster, kind and space reach around the id. */
	#isKnown(partitions: readonly Partition[], { record }: Indexed): boolean {
		const key = [record.cluster, kinds.indexOf(record.kind), record.kind === 'change' || record.kind === 'event' ? record.space : ''].join(
			'\0',
		)
		return partitions.some((partition) => {
			const span = partition.guard(() => partition.spans()).get(key)
			return (
				span !== undefined &&
				record.id >= span.idMin &&
				record.id <= span.idMax &&
				partition.guard(() => partition.rowOfId(record.id)) !== undefined
			)
		})
	}

	#putDay(day: string, list: readonly Indexed[]): void {
		const all = this.#days.sound(this.#options.log)
		if (!this.#days.list().some((known) => known.day === day)) {
			createDay(this.#options.dir, day, this.#config, (target) => {
				const previous = all.findLast((partition) => partition.day < day)
				if (previous) fillKeyframe(target, previous, all)
			})
		}
		const partition = this.#days.get(day)
		partition.guard(() => {
			partition.db.exec('BEGIN IMMEDIATE')
			try {
				const keys = insertAll(partition, list, this.#seq + 1)
				partition.prepare('DELETE FROM put WHERE seq <= ?').run(this.#seq + 1 - storeLimits.tailPutsMax)
				const later = all.filter((other) => other.day > day)
				if (later.length > 0 && keys.size > 0) carryOn(partition, later, keys, [...all.filter((other) => other !== partition), partition])
				partition.db.exec('COMMIT')
				this.#seq += 1
			} catch (error) {
				if (partition.db.isTransaction) partition.db.exec('ROLLBACK')
				partition.reset()
				throw error
			}
		})
	}
}

function open(options: SqliteStoreOptions): Store {
	const { dir, clock } = options
	const readOnly = options.readOnly === true
	const config = Value.Default(sqliteStoreConfig, { ...options.config }) as SqliteStoreConfig
	using stack = new DisposableStack()
	if (!readOnly) {
		stack.use(takeLock(dir, 'store'))
		try {
			mkdirSync(dir, { recursive: true, mode: 0o750 })
			accessSync(dir, constants.W_OK)
		} catch (error) {
			throw new KubetapeError('RUNTIME_NO_PERMISSION', `${dir}: ${messageOf(error)}`, { cause: error })
		}
	}
	const days = new Days(dir, readOnly, config)
	stack.defer(() => days.close())
	const writer = readOnly ? undefined : new Writer(options, config, days)
	const held = stack.move()
	const ask = <T>(work: () => T): Promise<T> =>
		Promise.try(() => {
			try {
				return work()
			} catch (error) {
				throw storageError(error, dir)
			} finally {
				days.answered()
			}
		})
	/** Where the owned are asked for, the owner may stand in another day. */
	const between = (range: { readonly from?: number; readonly to?: number }): readonly Partition[] => days.all(range.from, range.to)
	const upTo = (at: { readonly revision: bigint } | { readonly time: number }): readonly Partition[] =>
		'time' in at ? days.all(undefined, at.time) : days.all()
	return {
		put: (records) =>
			ask(() => {
				if (!writer) throw new KubetapeError('INTERNAL', 'a store that was opened for reading cannot be written')
				return records.length === 0 ? { stored: 0, duplicates: 0 } : writer.put(records)
			}),
		timeline: (filter, page) => ask(() => timeline(between(filter), filter, page)),
		histogram: (filter, buckets) => ask(() => histogram(between(filter), filter, buckets)),
		tail: (filter, after, limit) => ask(() => tail(days.sound(options.log), filter, after, limit)),
		auditTop: (filter, by, limit) => ask(() => auditTop(between(filter), filter, by, limit)),
		history: (cluster, object, page) => ask(() => history(between(page), cluster, object, page)),
		versionAt: (cluster, object, at) => ask(() => versionAt(upTo(at), cluster, object, at)),
		get: (cluster, id) => ask(() => get(days.sound(options.log), cluster, id)),
		stateAt: (cluster, at, selector, page) => ask(() => stateAt(stateDays(days, at), cluster, at, selector, page)),
		ledger: (cluster, range) => ask(() => ledger(between(range), cluster, range)),
		rejects: (page) => ask(() => rejects(days.sound(options.log), page)),
		clusters: () => ask(() => clusters(days.sound(options.log))),
		kinds: () => ask(() => objectKinds(days.sound(options.log))),
		retain: (policy: StoreRetention) =>
			ask(() => {
				const now = clock.nowMicros()
				const removed = daysToRemove(days.list(), policy, now, dayOf(now))
				for (const day of removed) {
					removeDay(day, days.opened(day.day))
					days.forget(day.day)
				}
				return { removedPartitions: removed.map(({ day }) => day) }
			}),
		async [Symbol.asyncDispose]() {
			await ask(() => held.dispose())
		},
	}
}

/** The days a past state needs: ranks of spaces come from those before, where they can be read. */
function stateDays(days: Days, at: { readonly revision: bigint } | { readonly time: number }): readonly Partition[] {
	if (!('time' in at)) return days.all()
	const last = days.list().findLast(({ day }) => day <= dayOf(Math.max(0, at.time)))
	if (!last) return []
	days.get(last.day)
	return days.sound(undefined).filter((partition) => partition.start <= dayEnd(last.day))
}
