// The store on SQLite: one file per UTC day. One writer, any number of readers.
import { accessSync, constants, mkdirSync } from 'node:fs'
import { Value } from 'typebox/value'
import { dayOf } from '#records/time.ts'
import type { Clock } from '#runtime/clock.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import { takeLock } from '#runtime/lock.ts'
import type { Logger } from '#runtime/log.ts'
import type { Metrics } from '#runtime/metrics.ts'
import type { Store, StoreRetention } from '#storage/store/port.ts'
import { sqliteStoreConfig, type SqliteStoreConfig } from './config.ts'
import { Days } from './days.ts'
import { storageError } from './errors.ts'
import { auditTop, histogram } from './histogram.ts'
import { get, history, stateAt, versionAt } from './history.ts'
import { around, stages } from './neighbours.ts'
import { clusters, ledger, objectKinds, rejects } from './ledger.ts'
import type { Partition } from './partition.ts'
import { dayEnd } from './place.ts'
import type { StoreDamage } from './repair.ts'
import { daysToRemove } from './retention.ts'
import { tail } from './tail.ts'
import { timeline } from './timeline.ts'
import { Writer } from './writer.ts'

export interface SqliteStoreOptions {
	readonly dir: string
	/** Any number of stores may read a directory, in any thread or process; one writes it. */
	readonly readOnly?: boolean
	readonly clock: Clock
	readonly metrics?: Metrics
	readonly log?: Logger
	readonly config?: Partial<SqliteStoreConfig>
	/** Told of each day that was found damaged, when what can be read of it was carried over. */
	readonly onDamage?: (damage: StoreDamage) => void
}

export interface SqliteStore extends Store {
	/** Resolves when every day that was there was checked, and repaired where it was damaged; of a store that was opened for reading at once. */
	readonly checked: Promise<void>
}

/** Throws RUNTIME_DATA_DIR_LOCKED where another process writes there, STORAGE_FORMAT where a day has another format. A damaged day is told by the reads that need it, until the writer has repaired it. */
export function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
	return Promise.try(() => open(options))
}

/** Takes the directory for writing. */
function takeDir(dir: string): Disposable {
	const lock = takeLock(dir, 'store')
	try {
		mkdirSync(dir, { recursive: true, mode: 0o750 })
		accessSync(dir, constants.W_OK)
		return lock
	} catch (error) {
		lock[Symbol.dispose]()
		throw new KubetapeError('RUNTIME_NO_PERMISSION', `${dir}: ${messageOf(error)}`, { cause: error })
	}
}

function open(options: SqliteStoreOptions): SqliteStore {
	const { dir, clock, metrics, log } = options
	const readOnly = options.readOnly === true
	const config = Value.Default(sqliteStoreConfig, { ...options.config }) as SqliteStoreConfig
	using stack = new DisposableStack()
	if (!readOnly) stack.use(takeDir(dir))
	const days = new Days({ dir, readOnly, config, log })
	stack.defer(() => days.close())
	const writer = readOnly ? undefined : new Writer({ days, clock, metrics, log, onDamage: options.onDamage })
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
	const checked = writer ? writer.checkAll() : Promise.resolve()
	checked.catch((error: unknown) => log?.error({ err: messageOf(error) }, 'the check of the stored days ended'))
	return {
		checked,
		async put(records) {
			if (!writer) throw new KubetapeError('INTERNAL', 'a store that was opened for reading cannot be written')
			if (records.length === 0) return { stored: 0, duplicates: 0 }
			try {
				return await writer.put(records)
			} catch (error) {
				throw storageError(error, dir)
			}
		},
		async amend(cluster, amendments) {
			if (!writer) throw new KubetapeError('INTERNAL', 'a store that was opened for reading cannot be written')
			try {
				await writer.amend(cluster, amendments)
			} catch (error) {
				throw storageError(error, dir)
			}
		},
		show: () => Promise.resolve(), // whatever was put is seen already
		timeline: (filter, page) => ask(() => timeline(between(filter), filter, page)),
		histogram: (filter, buckets) => ask(() => histogram(between(filter), filter, buckets)),
		tail: (filter, after, limit) => ask(() => tail(days.sound(), filter, after, limit)),
		auditTop: (filter, by, limit) => ask(() => auditTop(between(filter), filter, by, limit)),
		history: (cluster, object, page) => ask(() => history(between(page), cluster, object, page)),
		versionAt: (cluster, object, at) => ask(() => versionAt(upTo(at), cluster, object, at)),
		get: (cluster, id) => ask(() => get(days.sound(), cluster, id)),
		around: (cluster, id, before, after) => ask(() => around(days.sound(), cluster, id, before, after)),
		stages: (cluster, auditIDs) => ask(() => stages(days.sound(), cluster, auditIDs)),
		stateAt: (cluster, at, selector, page) => ask(() => stateAt(stateDays(days, at), cluster, at, selector, page)),
		ledger: (cluster, range) => ask(() => ledger(between(range), cluster, range)),
		rejects: (page) => ask(() => rejects(days.sound(), page)),
		clusters: () => ask(() => clusters(days.sound())),
		kinds: () => ask(() => objectKinds(days.sound())),
		retain: (policy: StoreRetention) =>
			ask(() => {
				const now = clock.nowMicros()
				const removed = daysToRemove(days.list(), policy, now, dayOf(now))
				for (const { day } of removed) days.remove(day)
				return { removedPartitions: removed.map(({ day }) => day) }
			}),
		async [Symbol.asyncDispose]() {
			await writer?.close()
			await ask(() => held.dispose())
		},
	}
}

/** The days a past state needs: ranks of spaces come from those before, where they can be read. */
function stateDays(days: Days, at: { readonly revision: bigint } | { readonly time: number }): readonly Partition[] {
	if (!('time' in at)) return days.all()
	const last = days.list().findLast(({ day }) => day <= dayOf(Math.max(0, at.time)))
	if (!last) return []
	last.spans()
	return days.sound().filter((partition) => partition.start <= dayEnd(last.day))
}
