// Puts, one behind the other: what is there already in another day is found first, the rest is sent, what Elasticsearch would not take is sent plainly, and what it does not even take so is told as a reject.
import { hash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Indexed } from '#records/indexed.ts'
import { statementId } from '#records/id.ts'
import { objectKey } from '#records/object-key.ts'
import type { Redacted, Reject } from '#records/record.ts'
import { dayOf } from '#records/time.ts'
import type { Clock } from '#runtime/clock.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import type { Logger } from '#runtime/log.ts'
import type { Amendment } from '#storage/store/port.ts'
import { amendLines } from './amend.ts'
import type { Bulk, Outcome } from './bulk.ts'
import { errorIn, shownReason } from './classify.ts'
import { Documents, type Line, type Placed, type Prepared } from './document.ts'
import type { Asking } from './filter.ts'
import type { Keyframes } from './keyframes.ts'
import { elasticLimits } from './limits.ts'
import { classOf, type RecordClass } from './names.ts'
import { Refresher } from './refresh.ts'
import { RegistryLines } from './registry.ts'

export interface WriterOptions {
	readonly asking: Asking
	readonly bulk: Bulk
	readonly keyframes: Keyframes
	readonly clock: Clock
	readonly log?: Logger | undefined
	readonly refreshMs: number
	readonly onRefused?: () => void
}

export class Writer {
	readonly #options: WriterOptions
	readonly #documents: Documents
	readonly #registry: RegistryLines
	readonly #refresher: Refresher
	readonly #indices = new Set<string>()
	readonly #stop = new AbortController()
	#stamp = 0
	#turn: Promise<unknown> = Promise.resolve()
	#refreshing: Promise<void> | undefined
	/** A refresh that was begun: the next put is prepared meanwhile, and sent behind it. */
	#showing: Promise<void> = Promise.resolve()

	constructor(options: WriterOptions) {
		const { searcher } = options.asking
		this.#options = options
		this.#documents = new Documents(searcher.names)
		this.#registry = new RegistryLines(searcher.names)
		this.#refresher = new Refresher(searcher, options.clock, options.refreshMs)
	}

	put(records: readonly Indexed[]): Promise<{ readonly stored: number; readonly duplicates: number }> {
		return this.#inTurn(() => this.#put(records))
	}

	amend(cluster: string, amendments: readonly Amendment[]): Promise<void> {
		return this.#inTurn(() => this.#amend(cluster, amendments))
	}

	/** One at a time: a refresh between two puts shows whole ones. */
	#inTurn<T>(work: () => Promise<T>): Promise<T> {
		const turn = this.#turn.then(work)
		this.#turn = turn.catch(() => undefined) // who asked is told
		return turn
	}

	async #put(records: readonly Indexed[]): Promise<{ readonly stored: number; readonly duplicates: number }> {
		const now = this.#options.clock.nowMicros()
		this.#stamp = Math.max(this.#stamp + 1, Math.floor(now))
		const unique = [...new Map(records.toReversed().map((indexed) => [indexed.record.id, indexed])).values()].toReversed()
		const placed = this.#documents.placesOf(unique, now)
		// The server looks while the lines are made.
		const looking = this.#thereAlready(placed)
		looking.catch(() => undefined) // awaited below
		await setImmediate()
		const prepared = this.#documents.prepare(placed, this.#stamp)
		const there = await looking
		await this.#showing
		const fresh = prepared.filter(({ id }) => !there.has(id))
		await this.#makeIndices(fresh)
		const outcomes = await this.#send(fresh, unique)
		let stored = 0
		let refused = 0
		for (const outcome of outcomes) {
			if (outcome === 'stored') stored += 1
			else if (outcome !== 'duplicate') refused += 1
		}
		// Also where all were duplicates: a put that failed behind this point is repeated.
		await this.#carryOn(prepared, now)
		await this.#seen()
		return { stored, duplicates: records.length - stored - refused }
	}

	/** A version can have been put under another time, in another day; of the other kinds, whose ids say their time, only what claims an absurd one. */
	async #thereAlready(placed: readonly Placed[]): Promise<ReadonlySet<string>> {
		const found = new Set<string>()
		const byClass = [...Map.groupBy(placed, (row) => row.class)]
		const lookUp = async ([of, rows]: readonly [RecordClass, readonly Placed[]]): Promise<void> => {
			const versions = of === 'changes' || of === 'events'
			const doubtful = versions ? rows : rows.filter(({ indexed, place }) => place.at !== Math.floor(indexed.record.occurredAt))
			if (doubtful.length > 0) for (const id of await this.#lookUp(of, doubtful)) found.add(id)
		}
		await Promise.all(byClass.map(lookUp))
		return found
	}

	async #lookUp(of: RecordClass, rows: readonly Placed[]): Promise<readonly string[]> {
		const { searcher } = this.#options.asking
		const targets = new Set(rows.map(({ index }) => index))
		const left: string[] = targets.size === 1 ? [...targets] : []
		for (;;) {
			const index = [searcher.names.every([of]), ...left.map((name) => `-${name}`)].join(',')
			try {
				const ids = rows.map(({ id }) => id)
				const first = await searcher.idsOf(index, ids.slice(0, elasticLimits.idsAtOnce))
				if (!first) return []
				// What others have put in the last moments is made visible. Where every put is seen at once it is already.
				if (this.#options.refreshMs > 0) await searcher.refresh(index)
				const found: string[] = this.#options.refreshMs > 0 ? [] : [...first]
				for (let at = this.#options.refreshMs > 0 ? 0 : elasticLimits.idsAtOnce; at < ids.length; at += elasticLimits.idsAtOnce)
					found.push(...((await searcher.idsOf(index, ids.slice(at, at + elasticLimits.idsAtOnce))) ?? []))
				return found
			} catch (error) {
				// What a damaged day holds cannot be known: recording goes on.
				const damaged = error instanceof KubetapeError && error.code === 'STORAGE_CORRUPT' ? error.details['partition'] : undefined
				if (typeof damaged !== 'string' || left.includes(damaged)) throw error
				left.push(damaged)
			}
		}
	}

	async #makeIndices(lines: readonly Line[]): Promise<void> {
		const { connection } = this.#options.asking.searcher
		for (const index of new Set(lines.map((line) => line.index))) {
			if (this.#indices.has(index)) continue
			const answer = await connection.ask({ method: 'PUT', path: `/${index}` })
			const error = answer.status < 300 ? undefined : (errorIn(answer.text) ?? { type: `HTTP ${answer.status}`, reason: '' })
			if (error && error.type !== 'resource_already_exists_exception')
				throw new KubetapeError('STORAGE_UNAVAILABLE', `the index ${index} cannot be made: ${shownReason(error)}`)
			this.#indices.add(index)
		}
	}

	async #send(rows: readonly Prepared[], records: readonly Indexed[]): Promise<readonly Outcome[]> {
		const { bulk } = this.#options
		const known = this.#registry.linesOf(records)
		try {
			const sent = await bulk.send([...known.lines, ...rows])
			known.told()
			for (const { index } of [...known.lines, ...rows]) this.#refresher.touched(index)
			const outcomes = sent.slice(known.lines.length)
			return outcomes.some((outcome) => typeof outcome === 'object') ? await this.#sendPlainly(rows, outcomes) : outcomes
		} catch (error) {
			// It may be that one of them was deleted meanwhile.
			this.#indices.clear()
			throw error
		}
	}

	async #sendPlainly(rows: readonly Prepared[], outcomes: readonly Outcome[]): Promise<readonly Outcome[]> {
		const { bulk, log, clock } = this.#options
		const refused = rows.filter((_, index) => typeof outcomes[index] === 'object')
		const again = await bulk.send(refused.map((row) => this.#documents.plain(row, this.#stamp)))
		const byId = new Map(refused.map(({ id }, index) => [id, again[index]]))
		const rejects: Indexed[] = []
		for (const row of refused) {
			const outcome = byId.get(row.id)
			if (typeof outcome !== 'object') continue
			const reason = shownReason(outcome.refused)
			log?.warn({ id: row.id, reason }, 'Elasticsearch does not take a record: it is set aside')
			this.#options.onRefused?.()
			rejects.push(rejectOf(row, reason, clock.nowMicros()))
		}
		const told = this.#documents.prepare(this.#documents.placesOf(rejects, clock.nowMicros()), this.#stamp)
		await this.#makeIndices(told)
		await bulk.send(told)
		for (const { index } of told) this.#refresher.touched(index)
		return rows.map((row, index) => byId.get(row.id) ?? outcomes[index] ?? 'stored')
	}

	/** Into the keyframes of later days, which there are none of for what happened today. */
	async #carryOn(prepared: readonly Prepared[], now: number): Promise<void> {
		const today = dayOf(now + elasticLimits.clockSkewMs * 1000)
		const late = prepared.flatMap(({ indexed: { record }, place }) =>
			record.kind === 'change' && dayOf(Math.max(0, place.at)) < today
				? [{ cluster: record.cluster, key: objectKey(record.object), at: place.at }]
				: [],
		)
		if (late.length > 0) await this.#options.keyframes.carryOn(late)
	}

	async #amend(cluster: string, amendments: readonly Amendment[]): Promise<void> {
		const { asking, bulk } = this.#options
		await this.#showing
		if (!this.#refresher.isClean) await this.#refresher.now()
		for (let left = amendments, tries = 0; left.length > 0; tries++) {
			const lines = await amendLines(asking.searcher, cluster, left)
			const outcomes = await bulk.send(lines)
			for (const { index } of lines) this.#refresher.touched(index)
			if (lines.length > 0) await this.#refresher.now()
			// Another process amended it meanwhile: it is read again.
			const conflicts = new Set(lines.filter((_, index) => outcomes[index] !== 'stored').map(({ id }) => id))
			left = left.filter(({ id }) => conflicts.has(id))
			if (tries === elasticLimits.triesMax)
				throw new KubetapeError('STORAGE_BUSY', 'log lines are amended by another process again and again')
		}
	}

	/** At once, or within the time. */
	async #seen(): Promise<void> {
		if (this.#refresher.isClean) return
		if (this.#options.refreshMs === 0) return this.#refresher.now()
		if (this.#refresher.dueMs === 0) {
			this.#show()
			return
		}
		this.#refreshing ??= this.#refreshLater().finally(() => (this.#refreshing = undefined))
	}

	async #refreshLater(): Promise<void> {
		const { clock } = this.#options
		await clock.sleep(this.#refresher.dueMs, this.#stop.signal)
		await this.#inTurn(() => {
			this.#show()
			return this.#showing
		})
	}

	/** A failure keeps what there is to refresh: the next put, or the server itself, does it. */
	#show(): void {
		const failed = (error: unknown): void => this.#options.log?.warn({ error: messageOf(error) }, 'what was put is seen later')
		this.#showing = this.#showing.then(() => this.#refresher.now()).catch(failed)
	}

	async close(): Promise<void> {
		this.#stop.abort()
		await this.#refreshing
		await this.#turn
		await this.#showing
	}
}

function rejectOf({ indexed: { record }, bytes }: Prepared, reason: string, now: number): Indexed {
	const reject: Reject = {
		kind: 'reject',
		id: statementId('reject', record.cluster, record.observedAt, 'store.put', record.id),
		cluster: record.cluster,
		source: record.source,
		occurredAt: record.occurredAt,
		occurredBound: record.occurredBound,
		observedAt: now,
		step: 'store.put',
		reason,
		where: `${record.kind} ${record.id} (${classOf(record.kind)})`,
		sha256: hash('sha256', bytes, 'hex'),
		sizeBytes: bytes.byteLength,
	}
	const none = { facets: [], paths: [], labels: {}, owners: [], images: [], text: '' }
	// Made of what was redacted: a reason without values, and an id.
	return { record: reject as Redacted<Reject>, summary: reason, severity: 'warning', ...none }
}
