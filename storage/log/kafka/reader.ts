// Reading of one group: a member that is begun anew whenever it ends, and the queue between it and who reads.
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '#runtime/clock.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import { atMost } from '#runtime/lifecycle.ts'
import type { Logger } from '#runtime/log.ts'
import type { Metrics } from '#runtime/metrics.ts'
import { createBackoff } from '#runtime/retry.ts'
import type { Batch, Position } from '#storage/log/port.ts'
import type { KafkaLogConfig } from './config.ts'
import { kafkaError, verdictOf } from './errors.ts'
import { Handed } from './handed.ts'
import { Member, type MemberOptions } from './member.ts'
import type { Offsets } from './offsets.ts'
import { partBytesMax, partRecordsMax, type Loss, type Place } from './place.ts'
import type { Topic } from './topics.ts'

export interface ReaderOptions {
	readonly config: KafkaLogConfig
	readonly groupId: string
	readonly topics: readonly Topic[]
	readonly offsets: Offsets
	readonly clock: Clock
	readonly log: Logger
	readonly metrics: Metrics
	readonly stallMs: number
	readonly onLoss: (loss: Loss) => Promise<void>
}

export interface TopicPosition extends Position {
	readonly topic: string
}

const closeMs = 5000
/** Where little waited, and nothing more, what comes next is fetched so long after it at the earliest: records that come one by one would each cost a fetch, a put and a commit. */
const gatherMs = 200
const littleRecords = 500
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b)
const keyOf = (place: Place): string => `${place.topic}/${place.partition}`

function batchOf(taken: readonly Handed[]): Batch {
	const [first] = taken
	return {
		records: taken.length === 1 && first ? first.records : taken.flatMap(({ records }) => records),
		next: taken.map(({ place: { stream, partition }, next, records }) => ({ stream, partition, offset: next, records: records.length })),
		...(first ? { given: first.given } : {}),
	}
}

/** And nothing more waited. */
const isLittle = (taken: readonly Handed[]): boolean =>
	taken.every(({ isFollowed }) => !isFollowed) && taken.reduce((sum, { records }) => sum + records.length, 0) < littleRecords

export class GroupReader {
	readonly #options: ReaderOptions
	readonly #queue: Handed[] = []
	/** What the reader took last of each partition, and the furthest that it came in it, in whatever generation. */
	readonly #taken = new Map<string, Handed>()
	readonly #furthest = new Map<string, bigint>()
	/** Where reading began in each partition, and how far that which was passed over then goes. */
	readonly #begins = new Map<string, bigint>()
	readonly #holes = new Map<string, bigint>()
	readonly #stop = new AbortController()
	#member: Member | undefined
	#given = 0
	#failure: KubetapeError | undefined
	#wake: () => void = () => undefined

	constructor(options: ReaderOptions) {
		this.#options = options
	}

	/** Batches until the signal aborts; throws what cannot be gone on from. */
	async *batches(signal: AbortSignal): AsyncGenerator<Batch> {
		const stop = (): void => this.#end()
		signal.addEventListener('abort', stop, { once: true })
		if (signal.aborted) this.#end()
		const supervised = this.#supervise()
		try {
			while (!this.#stop.signal.aborted) {
				const taken = this.#take()
				if (taken.length === 0) {
					if (this.#failure) throw this.#failure
					await new Promise<void>((resolve) => (this.#wake = resolve))
					// What was fetched with it is being handed over.
					await setImmediate()
					continue
				}
				const since = performance.now()
				try {
					yield batchOf(taken)
					if (isLittle(taken) && this.#queue.length === 0)
						await this.#options.clock.sleep(Math.max(0, since + gatherMs - performance.now()), this.#stop.signal)
				} finally {
					for (const handed of taken) handed.release()
				}
				// What was fetched with these, behind them, is being handed over.
				await setImmediate()
			}
			if (this.#failure) throw this.#failure
		} finally {
			signal.removeEventListener('abort', stop)
			this.#end()
			await atMost(closeMs, supervised)
		}
	}

	/** From all that waits, as much as is worth a put, and one place of a partition at most. */
	#take(): readonly Handed[] {
		const taken: Handed[] = []
		for (let [records, bytes] = [0, 0]; records < partRecordsMax && bytes < partBytesMax;) {
			const [handed] = this.#queue
			if (!handed || (taken[0] && taken[0].given !== handed.given)) break
			this.#queue.shift()
			handed.take()
			const key = keyOf(handed.place)
			this.#taken.set(key, handed)
			this.#furthest.set(key, max(this.#furthest.get(key) ?? 0n, handed.next))
			taken.push(handed)
			records += handed.records.length
			bytes += handed.bytes
		}
		return taken
	}

	/** Commits in the partitions that it has read: it alone may. Gives the other positions. */
	async commit(positions: readonly TopicPosition[]): Promise<readonly TopicPosition[]> {
		const others: TopicPosition[] = []
		const reached = new Map<Handed, bigint>()
		for (const position of positions) {
			const { topic, partition, offset } = position
			const key = `${topic}/${partition}`
			const handed = this.#taken.get(key)
			const furthest = this.#furthest.get(key) ?? 0n
			if (!handed) others.push(position)
			else if (offset > furthest)
				throw new KubetapeError('LOG_POSITION_UNKNOWN', `${handed.place.name} was read up to ${furthest}, before ${offset}`)
			// What was read beyond it was read before partitions were given out anew: that commit is void, and it is read again.
			else if (offset <= handed.next) reached.set(handed, max(reached.get(handed) ?? 0n, offset))
		}
		await Handed.commit(reached)
		return others
	}

	#end(): void {
		this.#stop.abort()
		this.#member?.close()
		this.#wake()
	}

	#fail(error: KubetapeError): void {
		this.#failure ??= error
		this.#wake()
	}

	async #supervise(): Promise<void> {
		const { clock, log, metrics, groupId } = this.#options
		const backoff = createBackoff({ clock, firstMs: 200, maxMs: 5000 })
		while (!this.#stop.signal.aborted && !this.#failure) {
			const begun = performance.now()
			this.#member = new Member(this.#memberOptions())
			const { reason, error } = await this.#member.run()
			this.#queue.length = 0
			if (this.#stop.signal.aborted || this.#failure) return
			if (error !== undefined && verdictOf(error) === 'fatal') return this.#fail(kafkaError(`group ${groupId}`, error))
			metrics.counter('kubetape_log_rejoins_total', 'Members of the consumer group that were begun anew', ['reason']).inc({ reason })
			log.warn(
				{ group: groupId, reason, error: error === undefined ? undefined : messageOf(error) },
				'reading begins anew at what is committed',
			)
			if (performance.now() - begun > 60_000) backoff.reset()
			await backoff.wait(this.#stop.signal)
		}
	}

	#memberOptions(): MemberOptions {
		const { metrics, onLoss } = this.#options
		return {
			...this.#options,
			hand: (handed) => {
				const key = keyOf(handed.place)
				if (!this.#begins.has(key)) this.#begins.set(key, handed.place.next)
				this.#queue.push(handed)
				this.#wake()
			},
			withdraw: (handed) => {
				const index = this.#queue.indexOf(handed)
				if (index >= 0) this.#queue.splice(index, 1)
			},
			onLoss: async (loss) => {
				metrics
					.counter('kubetape_log_lost_total', 'Places of the record log that could not be read, each told in a gap or a reject', ['kind'])
					.inc({ kind: loss.kind })
				await onLoss(loss)
			},
			onFailure: (error) => this.#fail(error),
			wasTold: (place) => {
				const key = keyOf(place)
				const begin = this.#begins.get(key)
				if (begin !== undefined && begin !== place.next) return false
				// What is damaged right behind it was damaged with it.
				this.#begins.set(key, place.next + 1n)
				return true
			},
			nextGiven: () => ++this.#given,
			isKnownHole: (place) => {
				const key = keyOf(place)
				const isKnown = this.#holes.get(key) === place.next
				this.#holes.set(key, place.next)
				return isKnown
			},
		}
	}
}
