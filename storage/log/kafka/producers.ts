// The producer that all lanes share, and its successor where the brokers no longer take what it sends.
import kafkajs, { type Message, type Producer } from 'kafkajs'
import type { Clock } from '#runtime/clock.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import { atMost } from '#runtime/lifecycle.ts'
import type { Logger } from '#runtime/log.ts'
import { createBackoff } from '#runtime/retry.ts'
import { createClient, clientRetries } from './client.ts'
import type { KafkaLogConfig } from './config.ts'
import { kafkaError, verdictOf } from './errors.ts'

const closeMs = 3000
/** kafkajs wraps the sequence of a partition wrongly at 2^31: a producer ends long before. */
const messagesMax = 2 ** 30

export interface Handle {
	/** Resolves when the brokers have the batch, of one partition, durably. The same batch may be sent again on the same handle. */
	send(topic: string, partition: number, messages: readonly Message[]): Promise<void>
}

class ConnectedProducer implements Handle {
	readonly producer: Producer
	sent = 0

	constructor(producer: Producer) {
		this.producer = producer
	}

	async send(topic: string, partition: number, messages: readonly Message[]): Promise<void> {
		const answers = await this.producer.send({
			topic,
			acks: -1,
			compression: kafkajs.CompressionTypes.ZSTD,
			messages: messages as Message[],
		})
		// kafkajs answers with what the brokers said; where its own bookkeeping lost a broker it answers with nothing, and nothing was sent.
		if (!answers.some((answer) => answer.partition === partition && answer.errorCode === 0))
			throw new Error(`the brokers said nothing about partition ${partition}`)
		this.sent += messages.length
	}
}

export class Producers {
	readonly #config: KafkaLogConfig
	readonly #log: Logger
	readonly #clock: Clock
	readonly #closed = new AbortController()
	#current: Promise<ConnectedProducer> | undefined
	readonly #old: ConnectedProducer[] = []

	constructor(config: KafkaLogConfig, log: Logger, clock: Clock) {
		this.#config = config
		this.#log = log
		this.#clock = clock
	}

	/** The producer of new batches; connected when it is first asked for. Rejects where an operator must change something, or it is closed. */
	async current(): Promise<Handle> {
		const known = await (this.#current ??= this.#connect())
		return known.sent < messagesMax ? known : this.renew(known)
	}

	/** The successor of `handle`: one for all who ask. */
	async renew(handle: Handle): Promise<Handle> {
		const known = await this.#current
		if (known === handle) {
			this.#old.push(known)
			this.#current = this.#connect()
		}
		return this.current()
	}

	async #connect(): Promise<ConnectedProducer> {
		const backoff = createBackoff({ clock: this.#clock, firstMs: 100, maxMs: 5000 })
		for (;;) {
			if (this.#closed.signal.aborted) throw new KubetapeError('STORAGE_UNAVAILABLE', 'the record log is closed')
			const client = createClient(this.#config, this.#log, clientRetries)
			const producer = client.producer({
				idempotent: true,
				allowAutoTopicCreation: false,
				createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
			})
			try {
				await producer.connect()
				return new ConnectedProducer(producer)
			} catch (error) {
				void producer.disconnect().catch(() => undefined) // it was never connected
				if (verdictOf(error) === 'fatal') {
					this.#current = undefined // whoever asks again tries again: a password may have been put right
					throw kafkaError('the producer cannot connect', error)
				}
				this.#log.warn({ error: messageOf(error) }, 'the producer cannot connect; it is tried again')
				await backoff.wait(this.#closed.signal)
			}
		}
	}

	/** Batches that are still on their way may or may not be there. */
	async close(): Promise<void> {
		this.#closed.abort()
		const last = await atMost(
			closeMs,
			(this.#current ?? Promise.resolve(undefined)).catch(() => undefined),
		)
		const all = [...this.#old, ...(last ? [last] : [])]
		await atMost(closeMs, Promise.allSettled(all.map(({ producer }) => producer.disconnect())))
	}
}
