// A lane: what goes to one partition, batch after batch, one outstanding at a time, and the identical batch again until the brokers have it.
import type { Message } from 'kafkajs'
import type { Clock } from '#runtime/clock.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import type { Logger } from '#runtime/log.ts'
import { createBackoff } from '#runtime/retry.ts'
import { kafkaError, verdictOf } from './errors.ts'
import type { Piece } from './messages.ts'
import type { Handle, Producers } from './producers.ts'

interface Waiting {
	readonly piece: Piece
	readonly resolve: () => void
	readonly reject: (error: unknown) => void
}

export interface LaneOptions {
	readonly topic: string
	readonly partition: number
	/** Before compression: pieces that wait are sent together up to here. */
	readonly batchBytesMax: number
	readonly producers: Pick<Producers, 'current' | 'renew'>
	readonly clock: Clock
	readonly log: Logger
	/** Aborts when the log is closed: what waits is rejected then. */
	readonly closed: AbortSignal
	readonly onRetry: (reason: 'again' | 'renew') => void
}

const batchRecordsMax = 10_000

/** The promise, or a rejection as soon as the signal aborts. */
function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
	return new Promise((resolve, reject) => {
		const stop = (): void => reject(new Error('aborted'))
		signal.addEventListener('abort', stop, { once: true })
		void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
	})
}

export class Lane {
	readonly #options: LaneOptions
	#waiting: Waiting[] = []
	#running = false

	constructor(options: LaneOptions) {
		this.#options = options
	}

	/** Resolves when the brokers have the piece, in the order of the calls. Rejects where they will never take it, or the log is closed: then it may be there or not. */
	push(piece: Piece): Promise<void> {
		return new Promise((resolve, reject) => {
			this.#waiting.push({ piece, resolve, reject })
			if (this.#running) return
			this.#running = true
			// Everything that this turn of the event loop appends goes together.
			setImmediate(() => void this.#run())
		})
	}

	async #run(): Promise<void> {
		while (this.#waiting.length > 0) {
			const group = this.#next()
			try {
				await this.#deliver(group.flatMap(({ piece }) => piece.messages))
				for (const { resolve } of group) resolve()
			} catch (error) {
				if (group.length > 1 && (error as KubetapeError).code === 'STORAGE_TOO_LARGE') await this.#oneByOne(group)
				else for (const { reject } of group) reject(error)
			}
		}
		this.#running = false
	}

	#next(): readonly Waiting[] {
		let count = 0
		let bytes = 0
		let records = 0
		for (const { piece } of this.#waiting) {
			if (count > 0 && (bytes + piece.bytes > this.#options.batchBytesMax || records + piece.messages.length > batchRecordsMax)) break
			count += 1
			bytes += piece.bytes
			records += piece.messages.length
		}
		return this.#waiting.splice(0, count)
	}

	/** The brokers refused the batch whole, so nothing of it is there: each part of it stands for itself. */
	async #oneByOne(group: readonly Waiting[]): Promise<void> {
		for (const { piece, resolve, reject } of group) await this.#deliver(piece.messages).then(resolve, reject)
	}

	async #deliver(messages: readonly Message[]): Promise<void> {
		const { topic, partition, producers, clock, log, closed, onRetry } = this.#options
		const backoff = createBackoff({ clock, firstMs: 50, maxMs: 2000 })
		let handle: Handle = await producers.current()
		for (;;) {
			if (closed.aborted) throw new KubetapeError('STORAGE_UNAVAILABLE', 'the record log was closed before the brokers had answered')
			try {
				await unlessAborted(closed, handle.send(topic, partition, messages))
				return
			} catch (error) {
				const verdict = verdictOf(error)
				if (verdict === 'fatal' || verdict === 'refuse') throw kafkaError(`topic ${topic}, partition ${partition}`, error)
				log.debug({ topic, partition, error: messageOf(error), verdict }, 'a batch was not acknowledged; the same one is sent again')
				if (verdict === 'renew') {
					onRetry('renew')
					handle = await producers.renew(handle)
				} else onRetry('again')
				await backoff.wait(closed)
			}
		}
	}
}
