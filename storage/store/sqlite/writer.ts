// The one writer of a store: puts, day by day; each day is checked before it is written into.
import { setTimeout as after } from 'node:timers'
import type { Indexed } from '#records/indexed.ts'
import type { RecordKind } from '#records/record.ts'
import type { Clock } from '#runtime/clock.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import type { Logger } from '#runtime/log.ts'
import type { Metrics } from '#runtime/metrics.ts'
import type { Amendment } from '#storage/store/port.ts'
import { amendDay, heldIn } from './amend.ts'
import { checkDay, checkFormat, type Found } from './check-day.ts'
import type { Days } from './days.ts'
import { carryOn, fillKeyframe } from './keyframe.ts'
import { storeLimits } from './limits.ts'
import type { Partition } from './partition.ts'
import { placeOf } from './place.ts'
import { insertAll, spanKey } from './put.ts'
import { repairDay, type StoreDamage } from './repair.ts'
import { lastSeq } from './tail.ts'

export interface WriterOptions {
	readonly days: Days
	readonly clock: Clock
	readonly metrics: Metrics | undefined
	readonly log: Logger | undefined
	readonly onDamage: ((damage: StoreDamage) => void) | undefined
}

export class Writer {
	readonly #options: WriterOptions
	readonly #days: Days
	#seq: number
	/** Days that were found as they were written, or made, by this process. */
	readonly #checked = new Set<string>()
	#turn: Promise<unknown> = Promise.resolve()
	#idle: NodeJS.Timeout | undefined
	readonly #closing = new AbortController()

	constructor(options: WriterOptions) {
		this.#options = options
		this.#days = options.days
		for (const partition of this.#days.list()) checkFormat(partition)
		this.#seq = lastSeq(options.days.sound())
		this.#days.answered()
	}

	/** One at a time, in the order of calls. */
	put(records: readonly Indexed[]): Promise<{ stored: number; duplicates: number }> {
		return this.#inTurn(() => this.#put(records))
	}

	/** As `put`. */
	amend(cluster: string, amendments: readonly Amendment[]): Promise<void> {
		return this.#inTurn(async () => {
			for (const { day } of this.#days.sound()) {
				if (heldIn(this.#days.get(day), amendments).length === 0) continue
				await this.#check(day)
				await this.#overDamage(() => amendDay(this.#days.get(day), cluster, amendments))
				this.#checkpoint(this.#days.get(day), storeLimits.walBytesMax, false)
			}
			this.#days.answered()
			this.#tidyLater()
		})
	}

	#inTurn<T>(work: () => Promise<T>): Promise<T> {
		const turn = this.#turn.then(work)
		this.#turn = turn.catch(() => undefined) // told to whoever asked for it
		return turn
	}

	/** Checks every day, the newest first, and repairs those that are damaged. Slowly, and beside the puts: a day that one of them goes into is checked by it. */
	async checkAll(): Promise<void> {
		const { signal } = this.#closing
		for (const { day } of this.#days.list().toReversed()) {
			if (signal.aborted) return
			if (this.#checked.has(day) || !this.#days.has(day)) continue
			const found = await checkDay(this.#days.get(day), signal)
			await this.#inTurn(() => Promise.resolve(signal.aborted ? undefined : this.#found(day, found)))
		}
	}

	/** What a check found is true as long as nobody has put into the day since it began: whoever does has checked it. */
	#found(day: string, found: Found | undefined): void {
		if (this.#checked.has(day) || !this.#days.has(day)) return
		if (found) this.#repair(day, found)
		this.#checked.add(day)
		this.#days.answered()
	}

	async #put(records: readonly Indexed[]): Promise<{ stored: number; duplicates: number }> {
		const { fresh, duplicates } = this.#divide(records)
		let stored = 0
		for (const [day, list] of [...fresh].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
			await this.#putDay(day, list)
			stored += list.length
		}
		this.#days.answered()
		this.#options.metrics?.counter('kubetape_store_records_total', 'Records stored.').inc(stored)
		this.#tidyLater()
		return { stored, duplicates }
	}

	/** Records that the store has not, by day. */
	#divide(records: readonly Indexed[]): { fresh: Map<string, Indexed[]>; duplicates: number } {
		const now = this.#options.clock.nowMicros()
		const limit = now + storeLimits.futureMaxMs * 1000
		const sound = this.#days.sound()
		const fresh = new Map<string, Indexed[]>()
		const seen = new Set<string>()
		const isKnown = knownIn(sound)
		let duplicates = 0
		for (const indexed of records) {
			const { record } = indexed
			const before = seen.size
			// Twice in the put, or in the store.
			if (seen.add(record.id).size === before || isKnown(indexed)) {
				duplicates += 1
				continue
			}
			const day = placeOf(record.occurredAt, record.observedAt, limit, now)
			const list = fresh.get(day)
			if (list) list.push(indexed)
			else fresh.set(day, [indexed])
		}
		return { fresh, duplicates }
	}

	async #putDay(day: string, list: readonly Indexed[]): Promise<void> {
		if (!this.#days.has(day)) {
			await this.#overDamage(() => {
				const all = this.#days.sound()
				this.#days.create(day, (target) => {
					const previous = all.findLast((partition) => partition.day < day)
					if (previous) fillKeyframe(target, previous, all)
				})
			})
			this.#checked.add(day)
		}
		for (const { day: later } of this.#days.list()) if (later >= day) await this.#check(later)
		await this.#overDamage(() => {
			const all = this.#days.sound()
			const partition = this.#days.get(day)
			partition.transact(() => {
				const changed = insertAll(partition, list, this.#seq + 1)
				partition.prepare('DELETE FROM put WHERE seq <= ?').run(this.#seq + 1 - storeLimits.tailPutsMax)
				const later = all.filter((other) => other.day > day)
				if (later.length > 0 && changed.size > 0) carryOn(partition, later, changed, all)
			})
			this.#seq += 1
			this.#checkpoint(partition, storeLimits.walBytesMax, false)
		})
	}

	/** Work that meets damage is done again, once, when the day that it named is repaired. */
	async #overDamage(work: () => void): Promise<void> {
		try {
			work()
		} catch (error) {
			if (!(error instanceof KubetapeError) || error.code !== 'STORAGE_CORRUPT') throw error
			const day = String(error.details['partition']).slice(0, 10)
			if (!this.#days.has(day)) throw error
			const found = await checkDay(this.#days.get(day)).catch(() => undefined) // what it met is reason enough
			this.#repair(day, { ...found, reason: messageOf(error) })
			work()
		}
	}

	async #check(day: string): Promise<void> {
		if (!this.#checked.has(day)) this.#found(day, await checkDay(this.#days.get(day)))
	}

	#repair(day: string, found: Found): void {
		const { damage, seq } = repairDay(this.#days, day, found, { seq: this.#seq, now: this.#options.clock.nowMicros() })
		this.#seq = seq
		this.#options.metrics?.counter('kubetape_store_damages_total', 'Days that were found damaged.').inc()
		this.#options.log?.error({ ...damage }, 'a day of the store was damaged: what can be read of it was carried over')
		this.#options.onDamage?.(damage)
	}

	#checkpoint(partition: Partition, bytesMin: number, empty: boolean): void {
		try {
			partition.checkpoint(bytesMin, empty)
		} catch (error) {
			// The put is durable in the write-ahead log; the next one tries again.
			this.#options.log?.warn({ day: partition.day, err: messageOf(error) }, 'a checkpoint of the store failed')
		}
	}

	#tidyLater(): void {
		if (this.#idle) this.#idle.refresh()
		else this.#idle = after(() => this.#tidy(), storeLimits.idleMs).unref()
	}

	/** Nothing was put for a while: the write-ahead logs are emptied. */
	#tidy(): void {
		void this.#inTurn(() => {
			if (!this.#closing.signal.aborted) for (const partition of this.#days.opened()) this.#checkpoint(partition, 0, true)
			return Promise.resolve()
		})
	}

	async close(): Promise<void> {
		this.#closing.abort()
		clearTimeout(this.#idle)
		await this.#turn
	}
}

/** Whether one of the days has the record. Only those are asked whose ids of its cluster, kind and space reach around its id: live records come in order, so that mostly none is. */
function knownIn(partitions: readonly Partition[]): (indexed: Indexed) => boolean {
	const all = partitions.map((partition) => ({ partition, spans: partition.spans() }))
	type Reach = {
		readonly cluster: string
		readonly space: string
		readonly spans: readonly { readonly partition: Partition; readonly idMin: string; readonly idMax: string }[]
	}
	const last = new Map<RecordKind, Reach>()
	return (indexed) => {
		const { record } = indexed
		const space = record.kind === 'change' || record.kind === 'event' ? record.space : ''
		let reach = last.get(record.kind)
		if (reach?.cluster !== record.cluster || reach.space !== space) {
			const key = spanKey(record)
			const spans = all.flatMap(({ partition, spans: known }) => {
				const span = known.get(key)
				return span ? [{ partition, idMin: span.idMin, idMax: span.idMax }] : []
			})
			reach = { cluster: record.cluster, space, spans }
			last.set(record.kind, reach)
		}
		const { id } = record
		for (const { partition, idMin, idMax } of reach.spans)
			if (id >= idMin && id <= idMax && partition.guard(() => partition.rowOfId(id)) !== undefined) return true
		return false
	}
}
