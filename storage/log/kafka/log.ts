// The Kafka record log. Promises: storage/log/port.ts; how they are kept here: README.md and docs/decisions/021.
import { join } from 'node:path'
import type { Redacted } from '#records/record.ts'
import type { Clock } from '#runtime/clock.ts'
import { isRetryable, KubetapeError, messageOf } from '#runtime/errors.ts'
import { unlessAborted } from '#runtime/lifecycle.ts'
import { silentLogger, type Logger } from '#runtime/log.ts'
import { createMetrics, type Metrics } from '#runtime/metrics.ts'
import { streams, type Batch, type Lag, type LogRetention, type Position, type RecordLog, type Stream } from '#storage/log/port.ts'
import type { KafkaLogConfig } from './config.ts'
import { knownTopics, rememberTopics } from './known-topics.ts'
import { Member } from './member.ts'
import { Offsets } from './offsets.ts'
import { beginOf, type Loss } from './place.ts'
import { GroupReader, type ReaderOptions, type TopicPosition } from './reader.ts'
import { Spool } from './spool.ts'
import { ensureTopics, type Topic, type Topics } from './topics.ts'
import { Writer } from './writer.ts'

export type { Loss }

export interface KafkaLogOptions {
	readonly config: KafkaLogConfig
	/** The spool is in it: one folder for each process. */
	readonly dir: string
	readonly clock: Clock
	readonly metrics?: Metrics
	readonly log?: Logger
	/** Records that no reader will get: told before reading goes on behind them. */
	readonly onLoss?: (loss: Loss, log: RecordLog) => Promise<void> | void
	/** A partition with records to read and none read for so long is stuck; default: what docs/decisions/021 says. */
	readonly stallMs?: number
	/** When it aborts, questions and commits that were not answered reject with its reason. */
	readonly until?: AbortSignal
}

const startTries = 4
const backPollMs = 5000
const stallMsMin = 30_000

/**
 * Connects, makes or checks the topics. Throws KAFKA_AUTH, KAFKA_TLS, KAFKA_TOPIC, CONFIG_UNREADABLE, or STORAGE_UNAVAILABLE after some tries: unless the topics are
 * known from before, and what is appended can wait on this disk; then they are checked when the brokers are back.
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<RecordLog> {
	const log = options.log ?? silentLogger
	const offsets = new Offsets(options.config, log, options.clock, options.until)
	try {
		return new KafkaLog(options, offsets, await start(options, offsets))
	} catch (error) {
		const known = isRetryable(error) && options.config.spool.bytesMax > 0 ? knownTopics(options.dir, options.config) : undefined
		if (known) {
			log.warn({ error: messageOf(error) }, 'the brokers do not answer: records wait on this disk, for the topics as they were')
			const opened = new KafkaLog(options, offsets, known)
			opened.checkWhenBack()
			return opened
		}
		await offsets.close()
		throw error
	}
}

async function start(options: KafkaLogOptions, offsets: Offsets): Promise<Topics> {
	for (let tries = 1; ; tries++) {
		try {
			return await checkTopics(options, offsets)
		} catch (error) {
			if (tries === startTries || !isRetryable(error)) throw error
			await options.clock.sleep(500 * tries)
		}
	}
}

async function checkTopics({ config, clock, dir }: KafkaLogOptions, offsets: Offsets): Promise<Topics> {
	const topics = await offsets.ask(`the brokers ${config.brokers.join(', ')}`, (admin) => ensureTopics(admin, config, clock))
	rememberTopics(dir, config, topics)
	return topics
}

class KafkaLog implements RecordLog {
	readonly #options: KafkaLogOptions
	readonly #offsets: Offsets
	readonly #topics: Topics
	readonly #writer: Writer
	readonly #log: Logger
	readonly #metrics: Metrics
	readonly #readers = new Map<string, Set<GroupReader>>()
	readonly #closed = new AbortController()

	constructor(options: KafkaLogOptions, offsets: Offsets, topics: Topics) {
		this.#options = options
		this.#offsets = offsets
		this.#topics = topics
		this.#log = options.log ?? silentLogger
		this.#metrics = options.metrics ?? createMetrics()
		const { config, clock } = options
		const dir = join(options.dir, 'spool')
		const spool = new Spool({
			dir,
			bytesMax: config.spool.bytesMax,
			onLoss: ({ path, bytes, reason }) => {
				this.#log.error({ path, bytes, reason }, 'an entry of the spool is damaged: it is passed over')
				const loss: Loss = {
					kind: 'spool',
					where: path,
					stream: null,
					fromOffset: null,
					toOffset: null,
					reason: `${bytes} bytes: ${reason}`,
				}
				void this.#lost(loss).catch((error: unknown) => this.#log.error({ error: messageOf(error) }, 'a loss could not be told'))
			},
		})
		this.#writer = new Writer({ config, topics, spool, clock, metrics: this.#metrics, log: this.#log })
	}

	/** Until the brokers answer; what is wrong with the topics then ends appending. */
	checkWhenBack(): void {
		const check = async (): Promise<void> => {
			while (!this.#closed.signal.aborted) {
				try {
					await checkTopics(this.#options, this.#offsets)
					return
				} catch (error) {
					if (!isRetryable(error)) return this.#writer.fail(error)
					await this.#options.clock.sleep(backPollMs, this.#closed.signal)
				}
			}
		}
		void check()
	}

	async #lost(loss: Loss): Promise<void> {
		await this.#options.onLoss?.(loss, this)
	}

	#topic(stream: Stream): Topic {
		const topic = this.#topics.get(stream)
		if (!topic) throw new KubetapeError('INTERNAL', `stream ${stream} has no topic`)
		return topic
	}

	#groupId(group: string): string {
		return `${this.#options.config.topicPrefix}.${group}`
	}

	append(stream: Stream, records: readonly Redacted[]): Promise<void> {
		return this.#writer.append(stream, records)
	}

	async *read(group: string, wanted: readonly Stream[], signal: AbortSignal): AsyncIterable<Batch> {
		const both = AbortSignal.any([signal, this.#closed.signal])
		if (both.aborted) return
		const reader = new GroupReader(this.#readerOptions(group, wanted))
		const readers = this.#readers.get(group) ?? new Set()
		this.#readers.set(group, readers.add(reader))
		try {
			yield* reader.batches(both)
		} finally {
			readers.delete(reader)
		}
	}

	#readerOptions(group: string, wanted: readonly Stream[]): ReaderOptions {
		const { config, clock } = this.#options
		return {
			config,
			groupId: this.#groupId(group),
			topics: wanted.map((stream) => this.#topic(stream)),
			offsets: this.#offsets,
			clock,
			log: this.#log,
			metrics: this.#metrics,
			stallMs: this.#options.stallMs ?? Math.max(2 * config.sessionTimeoutMs, stallMsMin),
			onLoss: (loss) => this.#lost(loss),
		}
	}

	commit(group: string, positions: readonly Position[]): Promise<void> {
		return unlessAborted(this.#commit(group, positions), this.#options.until)
	}

	async #commit(group: string, positions: readonly Position[]): Promise<void> {
		let left: readonly TopicPosition[] = positions.map((position) => ({ ...position, topic: this.#topic(position.stream).name }))
		for (const reader of this.#readers.get(group) ?? []) left = await reader.commit(left)
		if (left.length > 0) await this.#commitAlone(group, left)
	}

	/** Where nobody reads: as a member that joins for it. What others have committed meanwhile is never taken back. */
	async #commitAlone(group: string, positions: readonly Position[]): Promise<void> {
		const groupId = this.#groupId(group)
		const wanted = [...new Set(positions.map(({ stream }) => stream))]
		const topics = wanted.map((stream) => this.#topic(stream))
		const committed = await this.#offsets.committed(
			groupId,
			topics.map(({ name }) => name),
		)
		const forward: { topic: string; partition: number; offset: string }[] = []
		for (const { stream, partition, offset } of positions) {
			const { name } = this.#topic(stream)
			const high = (await this.#offsets.bounds(name)).get(partition)?.high ?? 0n
			if (offset > high)
				throw new KubetapeError('LOG_POSITION_UNKNOWN', `topic ${name}, partition ${partition} ends at ${high}, before ${offset}`)
			if (offset > (committed.get(`${name}/${partition}`) ?? -1n)) forward.push({ topic: name, partition, offset: String(offset) })
		}
		if (forward.length === 0) return
		const nothing = async (): Promise<void> => undefined
		const never = (): boolean => false
		const options = {
			...this.#readerOptions(group, wanted),
			hand: nothing,
			withdraw: nothing,
			onFailure: nothing,
			wasTold: never,
			isKnownHole: never,
			nextGiven: () => 0,
		}
		await Member.commitAlone(options, forward)
	}

	async lag(group: string, wanted: readonly Stream[]): Promise<Lag[]> {
		const topics = wanted.map((stream) => this.#topic(stream))
		const committed = await this.#offsets.committed(
			this.#groupId(group),
			topics.map(({ name }) => name),
		)
		const found: Lag[] = []
		for (const { stream, name } of topics) {
			for (const [partition, bounds] of await this.#offsets.bounds(name)) {
				const { next } = beginOf(committed.get(`${name}/${partition}`), bounds)
				found.push({ stream, partition, records: bounds.high - next, next })
			}
		}
		return found.toSorted((a, b) => wanted.indexOf(a.stream) - wanted.indexOf(b.stream) || a.partition - b.partition)
	}

	/** By age only, up to the first record that is young enough. The brokers do the same by themselves; their limit of bytes is the topics' own. */
	async retain(policy: LogRetention): Promise<{ readonly removedRecords: bigint }> {
		let removed = 0n
		if (policy.ageMs === 0) return { removedRecords: removed }
		const oldest = Math.floor(this.#options.clock.nowMicros() / 1000) - policy.ageMs
		for (const stream of streams) {
			const { name } = this.#topic(stream)
			const bounds = await this.#offsets.bounds(name)
			removed += await this.#offsets.ask(`retention of topic ${name}`, async (admin) => {
				const kept = await admin.fetchTopicOffsetsByTimestamp(name, oldest)
				const old = kept.filter(({ partition, offset }) => BigInt(offset) > (bounds.get(partition)?.low ?? 0n))
				if (old.length > 0)
					await admin.deleteTopicRecords({ topic: name, partitions: old.map(({ partition, offset }) => ({ partition, offset })) })
				return old.reduce((sum, { partition, offset }) => sum + BigInt(offset) - (bounds.get(partition)?.low ?? 0n), 0n)
			})
		}
		return { removedRecords: removed }
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#closed.signal.aborted) return
		this.#closed.abort()
		await this.#writer.close()
		await this.#offsets.close()
	}
}
