// One member of a consumer group: one kafkajs consumer from its first join to its end. It hands over what it is given, watches that it goes on, and ends when it does not.
import type { Consumer, EachBatchPayload, KafkaMessage } from 'kafkajs'
import type { Clock } from '#runtime/clock.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import { atMost } from '#runtime/lifecycle.ts'
import type { Logger } from '#runtime/log.ts'
import { togetherAssigner } from './assigner.ts'
import { clientRetries, createClient } from './client.ts'
import type { KafkaLogConfig } from './config.ts'
import { kafkaError, verdictOf } from './errors.ts'
import { Handed } from './handed.ts'
import type { Offsets } from './offsets.ts'
import { beginOf, Place, type Loss } from './place.ts'
import type { Topic } from './topics.ts'
import { Watchdog } from './watchdog.ts'

export type EndReason = 'closed' | 'crash' | 'stall' | 'missing'

export interface MemberOptions {
	readonly config: KafkaLogConfig
	readonly groupId: string
	readonly topics: readonly Topic[]
	readonly offsets: Offsets
	readonly clock: Clock
	readonly log: Logger
	/** A partition with records to read, and none read for so long through no fault of the reader's, is stuck. */
	readonly stallMs: number
	/** Resolves when the reader is done with it. */
	readonly hand: (handed: Handed) => void
	readonly withdraw: (handed: Handed) => void
	/** Resolves when it is told where people look for it. */
	readonly onLoss: (loss: Loss) => Promise<void>
	/** The reader ends with it. */
	readonly onFailure: (error: KubetapeError) => void
	/** True where reading began at this damaged record, so that it was told before. */
	readonly wasTold: (place: Place) => boolean
	/** Another number each time that partitions are given out. */
	readonly nextGiven: () => number
	/** A hole at this place was met before by another member: it is real. */
	readonly isKnownHole: (place: Place) => boolean
}

const closeMs = 3000
const fetchWaitMs = 200
const partitionBytesMax = 512 * 1024
const fetchBytesMax = 4 * 1024 * 1024
const rebalanceTimeoutMs = 10_000
const positionTries = 5
const minWatchMs = 250

export class Member {
	readonly #options: MemberOptions
	readonly #consumer: Consumer
	readonly #ended = Promise.withResolvers<{ readonly reason: EndReason; readonly error?: unknown }>()
	#places: Promise<ReadonlyMap<string, Place>> = Promise.resolve(new Map())
	readonly #handedNow = new Set<Handed>()
	readonly #watchdog: Watchdog
	#generation = 0
	#given = 0
	#isEnded = false

	constructor(options: MemberOptions) {
		this.#options = options
		const { config } = options
		this.#watchdog = new Watchdog(options.stallMs, performance.now())
		this.#consumer = createClient(config, options.log, clientRetries).consumer({
			groupId: options.groupId,
			sessionTimeout: config.sessionTimeoutMs,
			heartbeatInterval: Math.floor(config.sessionTimeoutMs / 10),
			rebalanceTimeout: rebalanceTimeoutMs,
			partitionAssigners: [togetherAssigner],
			maxWaitTimeInMs: fetchWaitMs,
			maxBytesPerPartition: partitionBytesMax,
			maxBytes: fetchBytesMax,
			allowAutoTopicCreation: false,
			// A consumer that failed is not begun anew behind our back: the reader makes another one.
			retry: { retries: clientRetries, restartOnFailure: async () => false },
		})
		this.#consumer.on(this.#consumer.events.GROUP_JOIN, ({ payload }) => this.#assigned(payload.memberAssignment))
		this.#consumer.on(this.#consumer.events.FETCH, () => this.#watchdog.fetched(performance.now()))
		this.#consumer.on(this.#consumer.events.CRASH, ({ payload }) => this.#end('crash', payload.error))
	}

	/** Runs until it is closed, or cannot go on: then the reader begins another one. */
	async run(): Promise<{ readonly reason: EndReason; readonly error?: unknown }> {
		const { topics, stallMs } = this.#options
		const watchMs = Math.max(minWatchMs, stallMs / 4)
		const watch = setInterval(() => void this.#watch(watchMs), watchMs)
		try {
			await this.#consumer.connect()
			await this.#consumer.subscribe({ topics: topics.map(({ name }) => name), fromBeginning: true })
			if (!this.#isEnded)
				await this.#consumer.run({
					autoCommit: false,
					eachBatchAutoResolve: false,
					partitionsConsumedConcurrently: topics.reduce((sum, { partitions }) => sum + partitions, 0),
					eachBatch: (payload) => this.#batch(payload),
				})
			return await this.#ended.promise
		} catch (error) {
			return { reason: 'crash', error }
		} finally {
			clearInterval(watch)
			this.#end('closed')
			for (const handed of this.#handedNow) handed.revoke()
			// It may be within a long call: what still reaches it is turned away by #isEnded.
			await atMost(
				closeMs,
				this.#consumer.disconnect().catch(() => undefined),
			)
		}
	}

	close(): void {
		this.#end('closed')
	}

	/** The member may commit what it was given in the generation that it is in, and nothing else. */
	isCurrent(generation: number): boolean {
		return !this.#isEnded && generation === this.#generation
	}

	#end(reason: EndReason, error?: unknown): void {
		this.#isEnded = true
		this.#ended.resolve({ reason, error })
		for (const handed of this.#handedNow) handed.revoke()
	}

	#assigned(assignment: Readonly<Record<string, readonly number[]>>): void {
		if (this.#isEnded) return
		this.#generation += 1
		this.#given = this.#options.nextGiven()
		const places = this.#placesOf(assignment)
		places.catch(() => undefined) // told to whoever waits for it
		this.#places = places
	}

	/** Where the group stands in what was assigned; what was removed meanwhile is told. */
	async #placesOf(assignment: Readonly<Record<string, readonly number[]>>): Promise<ReadonlyMap<string, Place>> {
		const { topics, offsets, groupId, clock, onLoss } = this.#options
		for (let tries = 1; ; tries++) {
			try {
				const committed = await offsets.committed(groupId, Object.keys(assignment))
				const places = new Map<string, Place>()
				for (const { name, stream } of topics) {
					const partitions = assignment[name] ?? []
					if (partitions.length === 0) continue
					const bounds = await offsets.bounds(name)
					for (const partition of partitions) {
						const key = `${name}/${partition}`
						const known = committed.get(key)
						const { next, removed } = beginOf(known, bounds.get(partition) ?? { low: 0n, high: 0n })
						const place = new Place(name, stream, partition, next, performance.now())
						if (removed > 0n) await onLoss(place.loss('removed', known ?? 0n, next - 1n, 'removed by retention before they were read'))
						places.set(key, place)
					}
				}
				return places
			} catch (error) {
				if (tries === positionTries || this.#isEnded || verdictOf(error) === 'fatal') throw error
				await clock.sleep(200 * tries)
			}
		}
	}

	async #batch(payload: EachBatchPayload): Promise<void> {
		const { topic, partition, messages, highWatermark } = payload.batch
		const generation = this.#generation
		const place = (await this.#places).get(`${topic}/${partition}`)
		// A partition that is no longer ours, or a consumer that was left behind.
		if (!place) return
		// The topic was cut off, or made anew, below what was read: what is there now is read, and ids tell what is a repeat.
		if (BigInt(highWatermark) < place.next) place.next = BigInt(messages[0]?.offset ?? 0)
		let at = 0
		while (at < messages.length && this.isCurrent(generation) && payload.isRunning() && !payload.isStale()) {
			const offset = BigInt(messages[at]?.offset ?? 0)
			if (offset < place.next) at += 1
			else if (offset > place.next) {
				if (!(await this.#hole(place, offset))) return
			} else at = await this.#part(payload, place, messages, at, generation)
		}
	}

	/** False where the place is read again. */
	async #hole(place: Place, offset: bigint): Promise<boolean> {
		const { offsets, onLoss, isKnownHole, log } = this.#options
		const { low } = (await offsets.bounds(place.topic)).get(place.partition) ?? { low: 0n }
		if (low > place.next) {
			await onLoss(place.loss('removed', place.next, low - 1n, 'removed by retention before they were read'))
			place.next = low
			return offset === low || this.#hole(place, offset)
		}
		if (isKnownHole(place)) {
			await onLoss(place.loss('missing', place.next, offset - 1n, 'the brokers have nothing at these offsets'))
			place.next = offset
			return true
		}
		log.warn(
			{ place: place.name, next: String(place.next), offset: String(offset) },
			'records are missing in what was fetched; reading begins anew at the commit',
		)
		this.#end('missing')
		return false
	}

	/** Hands over what can be read from `at` on, and gives the index behind it. */
	async #part(payload: EachBatchPayload, place: Place, messages: readonly KafkaMessage[], at: number, generation: number): Promise<number> {
		const { onLoss, onFailure, wasTold } = this.#options
		const part = place.part(messages, at)
		// Before the batch that may be committed beyond them.
		for (const loss of part.losses) await onLoss(loss)
		if (part.records.length > 0) {
			const next = place.next + BigInt(part.end - at)
			const handed = new Handed({
				place,
				records: part.records,
				bytes: part.bytes,
				next,
				isFollowed: BigInt(payload.batch.highWatermark) > next,
				given: this.#given,
				payload,
				clock: this.#options.clock,
				isCurrent: () => this.isCurrent(generation),
				withdraw: this.#options.withdraw,
			})
			this.#handedNow.add(handed)
			try {
				this.#options.hand(handed)
				await handed.settled()
			} finally {
				this.#handedNow.delete(handed)
				this.#watchdog.released(performance.now())
			}
			if (!this.isCurrent(generation)) return messages.length
		}
		place.next += BigInt(part.end - at)
		if (part.end > at) this.#resolved(payload, place)
		if (part.damaged === undefined) {
			await payload.heartbeat()
			return part.end
		}
		const what = `${place.name}: the record at offset ${place.next} is damaged (${part.damaged})`
		if (!wasTold(place)) {
			onFailure(new KubetapeError('STORAGE_CORRUPT', what))
			this.#end('closed')
			return messages.length
		}
		await onLoss(place.loss('damaged', place.next, place.next, part.damaged))
		place.next += 1n
		this.#resolved(payload, place)
		return part.end + 1
	}

	#resolved(payload: EachBatchPayload, place: Place): void {
		place.progressAt = performance.now()
		place.waiting = undefined
		payload.resolveOffset(String(place.next - 1n))
	}

	/** Heartbeats go on in the background: nobody but this evicts a member that is stuck. */
	async #watch(quietMs: number): Promise<void> {
		const { offsets, log, stallMs } = this.#options
		if (this.#isEnded) return
		try {
			const now = performance.now()
			const places = [...(await this.#places).values()]
			const inHand = new Set([...this.#handedNow].map(({ place }) => place))
			const long = [...this.#handedNow].filter(({ takenAt }) => takenAt !== undefined && now - takenAt >= stallMs)
			if (long.length > 0)
				log.warn({ places: long.map(({ place }) => `${place.name} at ${place.next}`) }, 'a batch has been worked on for very long')
			const quiet = places.filter((place) => !inHand.has(place) && now - place.progressAt >= quietMs)
			for (const [topic, quietHere] of Map.groupBy(quiet, (place) => place.topic)) {
				const bounds = await offsets.bounds(topic)
				for (const place of quietHere) {
					if ((bounds.get(place.partition)?.high ?? 0n) <= place.next) place.waiting = undefined
					else place.waiting ??= this.#watchdog.waiting(now)
				}
			}
			for (const place of quiet) {
				if (place.isUncommitted) return this.#end('stall', new Error(`${place.name}: a commit was not taken, and no other followed`))
				const isStuck = place.waiting && this.#watchdog.isStuck(place.waiting, { now, partitions: places.length, inHand: inHand.size > 0 })
				if (isStuck) return this.#end('stall', new Error(`${place.name} has records at ${place.next} and does not go on`))
			}
		} catch (error) {
			log.debug({ error: messageOf(error) }, 'progress could not be told; it is looked at again')
		}
	}

	/** For commits of positions that no batch stands for. Rejects with an error of the registry. */
	static async commitAlone(
		options: MemberOptions,
		positions: readonly { readonly topic: string; readonly partition: number; readonly offset: string }[],
	): Promise<void> {
		const member = new Member(options)
		try {
			await member.#consumer.connect()
			await member.#consumer.subscribe({ topics: options.topics.map(({ name }) => name), fromBeginning: true })
			// It is given partitions and must not read them: its batches are turned away.
			member.#isEnded = true
			await member.#consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: async () => undefined })
			await member.#consumer.commitOffsets([...positions])
		} catch (error) {
			throw kafkaError(`commit of group ${options.groupId}`, error)
		} finally {
			await atMost(
				closeMs,
				member.#consumer.disconnect().catch(() => undefined),
			)
		}
	}
}
