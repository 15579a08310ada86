// Puts: what is there already in another day is found first, the rest is sent, what Elasticsearch would not take is sent plainly, and what it does not even take so is told as a reject.
// While one is sent the next one is looked up and written as lines; their rows go to each index in the order of the calls.
import { hash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Indexed } from '#records/indexed.ts'
import { statementId } from '#records/id.ts'
import { objectKey } from '#records/object-key.ts'
import type { Redacted, Reject } from '#records/record.ts'
import { dayOf } from '#records/time.ts'
import type { Clock } from '#runtime/clock.ts'
import { KubetapeError } from '#runtime/errors.ts'
import type { Logger } from '#runtime/log.ts'
import type { Amendment, Store } from '#storage/store/port.ts'
import { amendLines } from './amend.ts'
import { bytesOf, type Bulk, type Outcome } from './bulk.ts'
import { errorIn, shownReason } from './classify.ts'
import { Documents, type Line, type Placed, type Prepared } from './document.ts'
import type { Asking } from './filter.ts'
import type { Keyframes } from './keyframes.ts'
import { Lanes } from './lanes.ts'
import { elasticLimits } from './limits.ts'
import { classOf, dayStart, type RecordClass } from './names.ts'
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

/** A put that is under way. */
interface Put {
	/** Where each of its records belongs. */
	readonly indices: ReadonlyMap<string, string>
	/** Whatever becomes of it. */
	readonly ended: Promise<unknown>
}

/** What came before it in the order of the calls. */
interface Turn {
	readonly earlier: readonly Put[]
	/** Resolves when all that was called before has begun to be sent. */
	readonly before: Promise<unknown>
}

type PutResult = Awaited<ReturnType<Store['put']>>

export class Writer {
	readonly #options: WriterOptions
	readonly #documents: Documents
	readonly #registry: RegistryLines
	readonly #lanes: Lanes
	readonly #indices = new Set<string>()
	readonly #underWay = new Set<Put>()
	#before: Promise<unknown> = Promise.resolve()
	#stamp = 0

	constructor(options: WriterOptions) {
		const { searcher } = options.asking
		this.#options = options
		this.#documents = new Documents(searcher.names)
		this.#registry = new RegistryLines(searcher.names)
		this.#lanes = new Lanes({ ...options, searcher })
	}

	async put(records: readonly Indexed[]): Promise<PutResult> {
		const now = this.#options.clock.nowMicros()
		const unique = [...new Map(records.toReversed().map((indexed) => [indexed.record.id, indexed])).values()].toReversed()
		const placed = this.#documents.placesOf(unique, now)
		const { stored, refused } = await this.#inOrder(
			(turn, goOn) => this.#put(placed, now, turn, goOn),
			new Map(placed.map(({ id, index }) => [id, index])),
		)
		return { stored, duplicates: records.length - stored - refused }
	}

	/** Alone: behind all puts that were called before, and before the others. */
	amend(cluster: string, amendments: readonly Amendment[]): Promise<void> {
		return this.#inOrder(async (turn) => {
			await turn.before
			await Promise.all(turn.earlier.map(({ ended }) => ended))
			await this.#amend(cluster, amendments)
		}, new Map())
	}

	/** What others have put, and what was put here: that in turn, as whole puts. */
	async show(): Promise<void> {
		const { searcher } = this.#options.asking
		const own = this.#lanes.unshown()
		await Promise.all([searcher.refreshSound([searcher.names.every(), ...own.map((name) => `-${name}`)].join(',')), this.#lanes.showAll()])
	}

	/** `goOn` lets the next one begin to send; it does when the work is done at the latest. */
	#inOrder<T>(work: (turn: Turn, goOn: () => void) => Promise<T>, indices: Put['indices']): Promise<T> {
		const turn = { before: this.#before, earlier: [...this.#underWay] }
		const begun = Promise.withResolvers<void>()
		this.#before = Promise.all([turn.before, begun.promise])
		const done = work(turn, begun.resolve)
		const ended = done.catch(() => undefined) // who asked is told
		const put: Put = { indices, ended }
		this.#underWay.add(put)
		const end = (): void => {
			begun.resolve()
			this.#underWay.delete(put)
		}
		void ended.then(end)
		return done
	}

	async #put(
		placed: readonly Placed[],
		now: number,
		{ before, earlier }: Turn,
		goOn: () => void,
	): Promise<{ readonly stored: number; readonly refused: number }> {
		this.#stamp = Math.max(this.#stamp + 1, Math.floor(now))
		const stamp = this.#stamp
		// The server looks while the lines are made.
		const looking = this.#thereAlready(placed, earlier)
		looking.catch(() => undefined) // awaited below
		const prepared = await this.#prepare(placed, stamp)
		const there = new Set(await looking)
		// What is being put into another day was not to be found when it was looked for.
		const doubtful = placed.filter(({ id, index }) => earlier.some(({ indices }) => (indices.get(id) ?? index) !== index))
		if (doubtful.length > 0) {
			await Promise.all(earlier.map(({ ended }) => ended))
			for (const id of await this.#thereAlready(doubtful, [])) there.add(id)
		}
		const fresh = prepared.filter(({ id }) => !there.has(id))
		await this.#makeIndices(fresh)
		await before
		await this.#tellRegistry(placed)
		const sending = this.#send(fresh, stamp)
		const late = this.#lateOnes(placed, now)
		if (late.length === 0) goOn()
		const outcomes = await sending
		// Also where all were duplicates: a put that failed behind this point is repeated. Alone, since it shows what is there of all changes.
		if (late.length > 0) {
			await Promise.all(earlier.map(({ ended }) => ended))
			await this.#options.keyframes.carryOn(late)
		}
		const stored = outcomes.filter((outcome) => outcome === 'stored').length
		return { stored, refused: outcomes.filter((outcome) => typeof outcome === 'object').length }
	}

	/** In steps, between which answers to what is sent are heard. */
	async #prepare(placed: readonly Placed[], stamp: number): Promise<readonly Prepared[]> {
		const prepared: Prepared[] = []
		for (let at = 0; at < placed.length; at += elasticLimits.linesAtOnce) {
			await setImmediate()
			prepared.push(...this.#documents.prepare(placed.slice(at, at + elasticLimits.linesAtOnce), stamp, at))
		}
		return prepared
	}

	/** A version can have been put under another time, in another day; of the other kinds, whose ids say their time, only what claims an absurd one. */
	async #thereAlready(placed: readonly Placed[], earlier: readonly Put[]): Promise<ReadonlySet<string>> {
		const found = new Set<string>()
		const busy = new Set(earlier.flatMap(({ indices }) => [...indices.values()]))
		const byClass = [...Map.groupBy(placed, (row) => row.class)]
		const lookUp = async ([of, rows]: readonly [RecordClass, readonly Placed[]]): Promise<void> => {
			const versions = of === 'changes' || of === 'events'
			const doubtful = versions ? rows : rows.filter(({ indexed, place }) => place.at !== Math.floor(indexed.record.occurredAt))
			if (doubtful.length > 0) for (const id of await this.#lookUp(of, doubtful, busy)) found.add(id)
		}
		await Promise.all(byClass.map(lookUp))
		return found
	}

	/** `busy`: indices to which earlier puts are being sent. They are shown in turn, as whole puts. */
	async #lookUp(of: RecordClass, rows: readonly Placed[], busy: ReadonlySet<string>): Promise<readonly string[]> {
		const { searcher } = this.#options.asking
		const targets = new Set(rows.map(({ index }) => index))
		const left: string[] = targets.size === 1 ? [...targets] : []
		const ids = rows.map(({ id }) => id)
		for (;;) {
			const indexWithout = (others: readonly string[]): string =>
				[searcher.names.every([of]), ...others.map((name) => `-${name}`)].join(',')
			const index = indexWithout(left)
			try {
				// What others have put in the last moments is made visible, unless there is nothing, or what is there is out of order. Where every put is seen at once it is already.
				if (this.#options.refreshMs > 0) {
					if (!(await searcher.idsOf(index, ids.slice(0, 1)))) return []
					const ofUs = [...busy].filter((name) => searcher.names.parse(name)?.class === of && !left.includes(name))
					await Promise.all([searcher.refresh(indexWithout([...left, ...ofUs])), ...ofUs.map((name) => this.#lanes.show(name))])
				}
				const found: string[] = []
				for (let at = 0; at < ids.length; at += elasticLimits.idsAtOnce) {
					const some = await searcher.idsOf(index, ids.slice(at, at + elasticLimits.idsAtOnce))
					if (!some) return []
					found.push(...some)
				}
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

	/** Before what makes it known: what is seen of a record is then known of it. */
	async #tellRegistry(placed: readonly Placed[]): Promise<void> {
		const { asking, bulk } = this.#options
		const known = this.#registry.linesOf(placed.map(({ indexed }) => indexed))
		if (known.lines.length === 0) return
		await bulk.send(known.lines)
		await asking.searcher.refresh(asking.searcher.names.registry)
		known.told()
	}

	/** To all indices at the same time. When this was called, everything has its place there. */
	async #send(rows: readonly Prepared[], stamp: number): Promise<readonly Outcome[]> {
		const bytes = bytesOf(rows)
		const parts = [...Map.groupBy(rows, ({ index }) => index)].map(([index, part]) =>
			this.#lanes.send(index, () => this.#sendPart(part, bytes, stamp)),
		)
		const ended = await Promise.allSettled(parts)
		const failed = ended.find((each) => each.status === 'rejected')
		if (failed) {
			// It may be that one of them was deleted meanwhile.
			this.#indices.clear()
			throw failed.reason
		}
		const sent = ended.flatMap((each) => (each.status === 'fulfilled' ? each.value : []))
		await this.#tellRejects(
			sent.flatMap(({ rejects }) => rejects),
			stamp,
		)
		return sent.flatMap(({ outcomes }) => outcomes)
	}

	async #sendPart(
		rows: readonly Prepared[],
		bytesTogether: number,
		stamp: number,
	): Promise<{ readonly outcomes: readonly Outcome[]; readonly rejects: readonly Indexed[] }> {
		const { bulk, log, clock } = this.#options
		const outcomes = await bulk.send(rows, bytesTogether)
		const refused = rows.filter((_, index) => typeof outcomes[index] === 'object')
		if (refused.length === 0) return { outcomes, rejects: [] }
		const again = await bulk.send(refused.map((row) => this.#documents.plain(row, stamp)))
		const rejects: Indexed[] = []
		for (const [index, row] of refused.entries()) {
			const outcome = again[index]
			if (typeof outcome !== 'object') continue
			const reason = shownReason(outcome.refused)
			log?.warn({ id: row.id, reason }, 'Elasticsearch does not take a record: it is set aside')
			this.#options.onRefused?.()
			rejects.push(rejectOf(row, reason, clock.nowMicros()))
		}
		return { outcomes: [...outcomes.filter((outcome) => typeof outcome !== 'object'), ...again], rejects }
	}

	async #tellRejects(rejects: readonly Indexed[], stamp: number): Promise<void> {
		const told = this.#documents.prepare(this.#documents.placesOf(rejects, this.#options.clock.nowMicros()), stamp)
		await this.#makeIndices(told)
		for (const [index, lines] of Map.groupBy(told, (line) => line.index))
			await this.#lanes.send(index, () => this.#options.bulk.send(lines))
	}

	/** Go into the keyframes of later days, which there are none of for what happened today. */
	#lateOnes(placed: readonly Placed[], now: number): Parameters<Keyframes['carryOn']>[0] {
		const today = dayStart(dayOf(now + elasticLimits.clockSkewMs * 1000))
		return placed.flatMap(({ indexed: { record }, place }) =>
			record.kind === 'change' && place.at < today ? [{ cluster: record.cluster, key: objectKey(record.object), at: place.at }] : [],
		)
	}

	async #amend(cluster: string, amendments: readonly Amendment[]): Promise<void> {
		const { asking, bulk } = this.#options
		await this.#lanes.showAll()
		for (let left = amendments, tries = 0; left.length > 0; tries++) {
			const lines = await amendLines(asking.searcher, cluster, left)
			const outcomes = await bulk.send(lines)
			await Promise.all([...new Set(lines.map(({ index }) => index))].map((index) => this.#lanes.show(index)))
			// Another process amended it meanwhile: it is read again.
			const conflicts = new Set(lines.filter((_, index) => outcomes[index] !== 'stored').map(({ id }) => id))
			left = left.filter(({ id }) => conflicts.has(id))
			if (tries === elasticLimits.triesMax)
				throw new KubetapeError('STORAGE_BUSY', 'log lines are amended by another process again and again')
		}
	}

	async close(): Promise<void> {
		await Promise.all([...this.#underWay].map(({ ended }) => ended))
		await this.#lanes.close()
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
