// What the brokers say about offsets: where partitions begin and end, what groups have committed. One connection, made anew after a failure.
import type { Admin } from 'kafkajs'
import type { Clock } from '#runtime/clock.ts'
import { atMost, unlessAborted } from '#runtime/lifecycle.ts'
import type { Logger } from '#runtime/log.ts'
import { createClient } from './client.ts'
import type { KafkaLogConfig } from './config.ts'
import { kafkaError } from './errors.ts'

export interface Bounds {
	/** The oldest offset that is there. */
	readonly low: bigint
	/** The offset that the next record will have. */
	readonly high: bigint
}

const retries = 3
const closeMs = 2000
/** For what the brokers say while a leader or a coordinator is being found: a moment later they know it. */
const tries = 8
const pauseMs = 150

/** The brokers answered, and what they answered passes. That a group has no coordinator yet (its topic is being made) kafkajs says in its own words, once it has asked each broker. */
function isPassing(error: unknown): boolean {
	const { retriable, type, name } = error as { readonly retriable?: unknown; readonly type?: unknown; readonly name?: unknown }
	return (retriable === true && typeof type === 'string') || name === 'KafkaJSGroupCoordinatorNotFound'
}

export class Offsets {
	readonly #config: KafkaLogConfig
	readonly #log: Logger
	readonly #clock: Clock
	readonly #until: AbortSignal | undefined
	#admin: Promise<Admin> | undefined

	/** `until`: what is asked is not waited for any longer. */
	constructor(config: KafkaLogConfig, log: Logger, clock: Clock, until?: AbortSignal) {
		this.#until = until
		this.#clock = clock
		this.#config = config
		this.#log = log
	}

	/** Rejects with an error of the registry; STORAGE_UNAVAILABLE where the brokers do not answer. */
	async ask<T>(what: string, question: (admin: Admin) => Promise<T>): Promise<T> {
		for (let asked = 1; ; asked++) {
			const admin = (this.#admin ??= this.#connect())
			try {
				return await unlessAborted(
					admin.then((known) => question(known)),
					this.#until,
				)
			} catch (error) {
				if (this.#admin === admin) this.#admin = undefined
				void admin.then((known) => known.disconnect()).catch(() => undefined) // it is not used again
				if (asked === tries || !isPassing(error)) throw kafkaError(what, error)
				await this.#clock.sleep(pauseMs * asked)
			}
		}
	}

	async #connect(): Promise<Admin> {
		const admin = createClient(this.#config, this.#log, retries).admin()
		await admin.connect()
		return admin
	}

	/** By partition. */
	bounds(topic: string): Promise<ReadonlyMap<number, Bounds>> {
		return this.ask(`offsets of topic ${topic}`, async (admin) => {
			const found = await admin.fetchTopicOffsets(topic)
			return new Map(found.map(({ partition, low, high }) => [partition, { low: BigInt(low), high: BigInt(high) }]))
		})
	}

	/** By topic and partition (`topic/partition`); what was never committed is not in it. */
	committed(groupId: string, topics: readonly string[]): Promise<ReadonlyMap<string, bigint>> {
		return this.ask(`positions of group ${groupId}`, async (admin) => {
			const found = await admin.fetchOffsets({ groupId, topics: [...topics] })
			return new Map(
				found.flatMap(({ topic, partitions }) =>
					partitions
						.map(({ partition, offset }) => [`${topic}/${partition}`, BigInt(offset)] as const)
						.filter(([, offset]) => offset >= 0n),
				),
			)
		})
	}

	async close(): Promise<void> {
		const admin = this.#admin
		this.#admin = undefined
		await atMost(closeMs, admin?.then((known) => known.disconnect()).catch(() => undefined) ?? Promise.resolve())
	}
}
