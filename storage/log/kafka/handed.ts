// What waits in one partition, in the reader's hands: heartbeats go on beside it; when its partition is taken away the reader has a moment to finish and commit it.
import type { EachBatchPayload, OffsetsByTopicPartition } from 'kafkajs'
import type { Clock } from '#runtime/clock.ts'
import { messageOf } from '#runtime/errors.ts'
import { createBackoff } from '#runtime/retry.ts'
import type { Redacted } from '#records/record.ts'
import { kafkaError, verdictOf } from './errors.ts'
import type { Place } from './place.ts'

export interface HandedOptions {
	readonly place: Place
	readonly records: readonly Redacted[]
	/** Of their messages. */
	readonly bytes: number
	/** The offset behind them. */
	readonly next: bigint
	/** More waited behind them at the broker when they were fetched. */
	readonly isFollowed: boolean
	/** See Batch.given. */
	readonly given: number
	readonly payload: Pick<EachBatchPayload, 'heartbeat' | 'commitOffsetsIfNecessary'>
	readonly clock: Clock
	/** False once the partition may be another's. */
	readonly isCurrent: () => boolean
	/** Takes it out of the queue where the reader has not taken it yet. */
	readonly withdraw: (handed: Handed) => void
}

/** After a rebalance has begun; the group waits for twice as long. */
const drainMs = 5000
const heartbeatMs = 500
const commitMs = 10_000

export class Handed {
	readonly place: Place
	readonly records: readonly Redacted[]
	readonly bytes: number
	readonly next: bigint
	readonly isFollowed: boolean
	readonly given: number
	readonly #options: HandedOptions
	readonly #released = Promise.withResolvers<void>()
	readonly #revoked = Promise.withResolvers<void>()
	#takenAt: number | undefined

	constructor(options: HandedOptions) {
		this.#options = options
		this.place = options.place
		this.records = options.records
		this.bytes = options.bytes
		this.next = options.next
		this.isFollowed = options.isFollowed
		this.given = options.given
	}

	/** performance.now() of when the reader began to work on it. */
	get takenAt(): number | undefined {
		return this.#takenAt
	}

	/** The reader works on it. */
	take(): void {
		this.#takenAt = performance.now()
	}

	/** The reader is done with it, committed or not. */
	release(): void {
		this.#released.resolve()
	}

	/** The member has ended: nothing can be committed through it any more. */
	revoke(): void {
		this.#revoked.resolve()
	}

	/** Resolves when the reader is done with it, or its member has ended. Throws the rebalance that takes it away, at once where the reader has not begun with it. */
	async settled(): Promise<void> {
		const { payload } = this.#options
		const lost = Promise.withResolvers<unknown>()
		const beat = setInterval(() => {
			payload.heartbeat().catch((error: unknown) => {
				// Another failure of one heartbeat means nothing: the next one may succeed, or tells that we are out.
				if (verdictOf(error) === 'rejoin') lost.resolve(error)
			})
		}, heartbeatMs)
		const done = Promise.race([this.#released.promise, this.#revoked.promise]).then(() => undefined)
		try {
			const error = await Promise.race([done, lost.promise])
			if (error === undefined) return
			if (this.#takenAt !== undefined) await Promise.race([done, this.#options.clock.sleep(drainMs)])
			throw error
		} finally {
			clearInterval(beat)
			if (this.#takenAt === undefined) this.#options.withdraw(this)
		}
	}

	/**
	 * Commits up to these offsets, in one request. Void where a partition is another's by now: its records are read again there. Where the brokers do not take it in
	 * time, a later commit does it, or the member is begun anew (member.ts). Rejects only where an operator must change something.
	 */
	static async commit(reached: ReadonlyMap<Handed, bigint>): Promise<void> {
		const [anyone] = reached.keys()
		if (!anyone) return
		const { clock } = anyone.#options
		const backoff = createBackoff({ clock, firstMs: 50, maxMs: 1000 })
		const end = performance.now() + commitMs
		while (performance.now() < end) {
			const left = [...reached].filter(([handed, offset]) => handed.#options.isCurrent() && offset > handed.place.committed)
			const [one] = left
			if (!one) return
			try {
				// Any of them speaks for its member.
				await one[0].#options.payload.commitOffsetsIfNecessary({ topics: topicsOf(left) })
				for (const [{ place }, offset] of left) {
					place.committed = offset
					place.isUncommitted = false
				}
				return
			} catch (error) {
				const verdict = verdictOf(error)
				if (verdict === 'fatal') {
					const names = left.map(([handed, offset]) => `${handed.place.name}: offset ${offset}`).join('; ')
					throw kafkaError(`commit of ${names}: ${messageOf(error)}`, error)
				}
				if (verdict === 'rejoin') return
				await backoff.wait(AbortSignal.timeout(commitMs))
			}
		}
		for (const [{ place }, offset] of reached) place.isUncommitted ||= offset > place.committed
	}
}

function topicsOf(reached: readonly (readonly [Handed, bigint])[]): OffsetsByTopicPartition['topics'] {
	return [...Map.groupBy(reached, ([handed]) => handed.place.topic)].map(([topic, of]) => ({
		topic,
		partitions: of.map(([handed, offset]) => ({ partition: handed.place.partition, offset: String(offset) })),
	}))
}
