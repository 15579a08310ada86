// Appending: straight to the lanes while the brokers answer; through the spool, in the same order, when they do not, until they have all of it.
import type { Redacted } from '#records/record.ts'
import { decodeRecords } from '#records/codec.ts'
import type { Clock } from '#runtime/clock.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import { atMost } from '#runtime/lifecycle.ts'
import type { Logger } from '#runtime/log.ts'
import type { Metrics } from '#runtime/metrics.ts'
import { createBackoff } from '#runtime/retry.ts'
import { compress, decompress } from '#runtime/zstd-frame.ts'
import type { Stream } from '#storage/log/port.ts'
import { Lane } from './lane.ts'
import { pack, type Packed } from './messages.ts'
import { Producers } from './producers.ts'
import type { Spool, Spooled } from './spool.ts'
import type { KafkaLogConfig } from './config.ts'
import type { Topic, Topics } from './topics.ts'

export interface WriterOptions {
	readonly config: KafkaLogConfig
	readonly topics: Topics
	readonly spool: Spool
	readonly clock: Clock
	readonly metrics: Metrics
	readonly log: Logger
}

/** An append that the brokers have not acknowledged. */
interface Pending {
	readonly stream: Stream
	readonly frames: Buffer
	readonly urgent: boolean
	readonly since: number
	readonly acknowledged: Promise<void>
	/** It is durable here: whoever waits for it may go on. */
	readonly durable: () => void
}

const flushMs = 5000
const pieceShare = 768 * 1024
/** What the spool hands to the lanes at once, packed. */
const drainBytesMax = 1024 * 1024

export class Writer {
	readonly #options: WriterOptions
	readonly #producers: Producers
	readonly #lanes = new Map<string, Lane>()
	readonly #closed = new AbortController()
	readonly #pending = new Set<Pending>()
	/** What is in the spool and on its way in a lane already: not to be sent twice. */
	readonly #underway = new Map<number, Pending>()
	readonly #watch: NodeJS.Timeout
	#spooling = false
	#closing = false
	#draining: Promise<void> = Promise.resolve()
	#failure: unknown

	constructor(options: WriterOptions) {
		this.#options = options
		this.#producers = new Producers(options.config, options.log, options.clock)
		this.#watch = setInterval(() => void this.#spoolLate(), Math.min(500, options.config.spool.afterMs / 2))
		this.#watch.unref()
		if (!options.spool.isEmpty) this.#startDraining()
	}

	/** Resolves when the records are durable: at the brokers, or in the spool. Rejects with STORAGE_TOO_LARGE before anything is sent. */
	async append(stream: Stream, records: readonly Redacted[]): Promise<void> {
		if (records.length === 0) return
		if (this.#failure !== undefined) throw this.#failure
		if (this.#closing) throw new KubetapeError('STORAGE_UNAVAILABLE', 'the record log is closed')
		const packed = this.#pack(stream, records)
		const urgent = records.some(({ kind }) => kind === 'audit')
		if (this.#spooling) {
			await this.#options.spool.add(stream, compress(packed.frames), urgent)
			this.#showSpool()
			return
		}
		await this.#send(stream, packed, urgent)
	}

	/** From now on nothing is appended: an operator must change something. What is in the spool stays there. */
	fail(error: unknown): void {
		this.#failure ??= error
		this.#options.log.error({ error: messageOf(error) }, 'nothing can be appended')
	}

	#topic(stream: Stream): Topic {
		const topic = this.#options.topics.get(stream)
		if (!topic) throw new KubetapeError('INTERNAL', `stream ${stream} has no topic`)
		return topic
	}

	#pack(stream: Stream, records: readonly Redacted[]): Packed {
		const { clock, metrics, log } = this.#options
		const topic = this.#topic(stream)
		const packed = pack(records, { ...topic, atMs: Math.floor(clock.nowMicros() / 1000) })
		if (packed.cut > 0) {
			metrics
				.counter('kubetape_log_oversize_total', 'Records appended without their bodies, as the brokers take no message that large')
				.inc(packed.cut)
			log.warn(
				{ records: packed.cut, topic: topic.name, batchBytesMax: topic.batchBytesMax },
				'records too large for the topic were stored without their bodies',
			)
		}
		return packed
	}

	#push(stream: Stream, packed: Packed): Promise<void> {
		const { name, batchBytesMax } = this.#topic(stream)
		const { clock, log, metrics } = this.#options
		const pushed = packed.pieces.map((piece) => {
			const place = `${name}/${piece.partition}`
			let lane = this.#lanes.get(place)
			if (!lane) {
				lane = new Lane({
					topic: name,
					partition: piece.partition,
					batchBytesMax: Math.min(pieceShare, batchBytesMax),
					producers: this.#producers,
					clock,
					log,
					closed: this.#closed.signal,
					onRetry: (reason) =>
						metrics
							.counter('kubetape_log_batches_again_total', 'Batches that the brokers did not acknowledge, sent again', ['reason'])
							.inc({ reason }),
				})
				this.#lanes.set(place, lane)
			}
			return lane.push(piece)
		})
		return pushed.length === 1 ? (pushed[0] ?? Promise.resolve()) : Promise.all(pushed).then(() => undefined)
	}

	#send(stream: Stream, packed: Packed, urgent: boolean): Promise<void> {
		return new Promise((resolve, reject) => {
			const acknowledged = this.#push(stream, packed)
			const pending: Pending = { stream, frames: packed.frames, urgent, since: performance.now(), acknowledged, durable: resolve }
			this.#pending.add(pending)
			acknowledged.then(resolve, reject).finally(() => this.#pending.delete(pending))
		})
	}

	/** What waits for the brokers too long is made durable here, and everything after it goes the same way, so that the order stays. */
	async #spoolLate(): Promise<void> {
		const { config, spool, log } = this.#options
		if (this.#spooling || this.#closed.signal.aborted || config.spool.bytesMax === 0) return
		const [oldest] = this.#pending
		if (!oldest || performance.now() - oldest.since < config.spool.afterMs) return
		this.#spooling = true
		log.warn({ waiting: this.#pending.size }, 'the brokers do not answer: records wait on this disk')
		await Promise.all(
			[...this.#pending].map(async (pending) => {
				try {
					const number = await spool.add(pending.stream, compress(pending.frames), pending.urgent)
					this.#underway.set(number, pending)
					pending.durable()
				} catch (error) {
					// It stays where it is, in its lane and in memory: whoever appended it waits for the brokers.
					log.warn({ error: messageOf(error) }, 'what waits for the brokers could not be written to the spool')
				}
			}),
		)
		this.#startDraining()
	}

	#startDraining(): void {
		this.#spooling = true
		this.#showSpool()
		this.#draining = this.#drain().catch((error: unknown) => {
			if (this.#closed.signal.aborted) return // what is in the spool stays there for the next start
			this.fail(error)
		})
	}

	/** Hands the spool to the lanes, in order, until nothing is left in it; only then do appends go straight to the lanes again. */
	async #drain(): Promise<void> {
		const { spool, clock, log } = this.#options
		const running = new Set<Promise<void>>()
		const failures: unknown[] = []
		let bytes = 0
		const backoff = createBackoff({ clock, firstMs: 20, maxMs: 200 })
		while (!this.#closed.signal.aborted && failures.length === 0 && !(this.#closing && running.size === 0)) {
			const entry = bytes < drainBytesMax && !this.#closing ? await spool.next() : undefined
			if (entry) {
				backoff.reset()
				bytes += entry.bytes
				const one: Promise<void> = this.#resend(entry)
					.catch((error: unknown) => void failures.push(error))
					.finally(() => {
						bytes -= entry.bytes
						running.delete(one)
					})
				running.add(one)
			} else if (running.size > 0) await Promise.race([...running, backoff.wait(this.#closed.signal)])
			else if (spool.isEmpty) {
				this.#spooling = false
				this.#showSpool()
				log.info('the brokers have everything that waited')
				return
			} else await backoff.wait(this.#closed.signal)
		}
		if (failures.length > 0) throw failures[0]
	}

	async #resend(entry: Spooled): Promise<void> {
		const underway = this.#underway.get(entry.number)
		this.#underway.delete(entry.number)
		if (underway) await underway.acknowledged
		else await this.#push(entry.stream, this.#pack(entry.stream, decodeRecords(decompress(entry.data))))
		await this.#options.spool.done(entry)
		this.#showSpool()
	}

	#showSpool(): void {
		this.#options.metrics.gauge('kubetape_log_spool_bytes', 'Bytes that wait on this disk for the brokers').set(this.#options.spool.bytes)
	}

	/** Gives the brokers a moment to take what is on its way; what they have not taken then is rejected, or stays in the spool. */
	async close(): Promise<void> {
		clearInterval(this.#watch)
		this.#closing = true
		await atMost(flushMs, Promise.allSettled([this.#draining, ...[...this.#pending].map(({ acknowledged }) => acknowledged)]))
		this.#closed.abort()
		await this.#draining
		await this.#producers.close()
		await this.#options.spool.close()
	}
}
