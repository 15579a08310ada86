// Promises 3 and 4 of every store, and that a put is seen at once: what readers in other threads see while one writes.
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { expect } from 'vitest'
import type { Indexed } from '#records/indexed.ts'
import type { Store } from '#storage/store/port.ts'
import { aChange, noon } from '#test/storage/store/records.ts'
import type { Promised, StorePlace } from './store-engine.ts'
import type { Asked, Watched } from './store-reader-thread.ts'

const batchRecords = 30
const batchesMax = 600

class ReaderThread implements AsyncDisposable {
	readonly #worker: Worker
	readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
	#asked = 0
	#stopped = false
	watched: Watched = { reads: 0, totals: 0, wrong: [] }

	constructor(place: StorePlace) {
		this.#worker = new Worker(new URL('./store-reader-thread.ts', import.meta.url), { workerData: place })
		this.#worker.on('message', (message: { id?: number; value?: unknown; error?: string; watched?: Watched }) => {
			if (message.watched) this.watched = message.watched
			const waiting = message.id === undefined ? undefined : this.#waiting.get(message.id)
			if (message.error === undefined) waiting?.resolve(message.value)
			else waiting?.reject(new Error(message.error))
		})
		this.#worker.on('error', (error) => {
			for (const { reject } of this.#waiting.values()) reject(error as Error)
		})
	}

	/** Resolves when the reader has opened the store. */
	static async open(place: StorePlace): Promise<ReaderThread> {
		const reader = new ReaderThread(place)
		await reader.#answer(0)
		return reader
	}

	#answer(id: number): Promise<unknown> {
		return new Promise((resolve, reject) => {
			this.#waiting.set(id, { resolve, reject })
		})
	}

	#send(
		question: { ask: 'timeline' | 'tail'; args: readonly unknown[] } | { ask: 'watch'; batchRecords: number } | { ask: 'stop' },
	): Promise<unknown> {
		const id = ++this.#asked
		const answer = this.#answer(id)
		const message: Asked = { ...question, id }
		const worker = this.#worker
		worker.postMessage(message, [])
		return answer
	}

	timeline(...args: Parameters<Store['timeline']>): ReturnType<Store['timeline']> {
		return this.#send({ ask: 'timeline', args }) as ReturnType<Store['timeline']>
	}

	tail(...args: Parameters<Store['tail']>): ReturnType<Store['tail']> {
		return this.#send({ ask: 'tail', args }) as ReturnType<Store['tail']>
	}

	/** Reads on and on; `watched` tells what it saw so far. */
	watch(): Promise<unknown> {
		return this.#send({ ask: 'watch', batchRecords })
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#stopped) return
		this.#stopped = true
		const ended = once(this.#worker, 'exit')
		await this.#send({ ask: 'stop' })
		await ended
	}
}

/** One put; its records lie all over one day, so that a reader that is half through the day would see half of them. */
function batchOf(batch: number): Indexed[] {
	return Array.from({ length: batchRecords }, (_, index) => {
		const revision = batch * batchRecords + index + 1
		return aChange({
			revision,
			at: noon - 10 * 3_600_000_000 + index * 2_000_000_000 + batch,
			object: { name: `o-${revision}` },
			more: { summary: `change ${revision}`, labels: { batch: String(batch) }, paths: [`spec.n${revision}`] },
		})
	})
}

/** Puts, two under way together, until each reader has seen the store grow some times; gives how many puts it took. */
async function putWhileWatched(store: Store, readers: readonly ReaderThread[], totals: number): Promise<number> {
	const whole = { stored: batchRecords, duplicates: 0 }
	for (let batch = 0; batch < batchesMax; batch += 2) {
		if (readers.every(({ watched }) => watched.totals >= totals)) return batch
		expect(await Promise.all([store.put(batchOf(batch)), store.put(batchOf(batch + 1))])).toEqual([whole, whole])
		await setImmediate()
	}
	return batchesMax
}

export function readerPromises(promise: Promised): void {
	promise('3 atomicity: a put is seen whole or not at all by each read of one partition', async ({ store, place }) => {
		await using reader = await ReaderThread.open(place)
		// More than a reader takes in one step.
		for (let batch = batchesMax; batch < batchesMax + 20; batch++) await store.put(batchOf(batch))
		const watching = reader.watch()
		await putWhileWatched(store, [reader], 12)
		expect(reader.watched.wrong).toEqual([])
		expect(reader.watched.totals).toBeGreaterThanOrEqual(12)
		await reader[Symbol.asyncDispose]()
		await watching
	})

	promise('4 readers never block the writer nor see a torn record', async ({ store, place }) => {
		const readers = await Promise.all([1, 2, 3].map(() => ReaderThread.open(place)))
		for (let batch = batchesMax; batch < batchesMax + 5; batch++) await store.put(batchOf(batch))
		const watching = readers.map((reader) => reader.watch())
		await putWhileWatched(store, readers, 6)
		expect(readers.flatMap(({ watched }) => watched.wrong)).toEqual([])
		expect(readers.every(({ watched }) => watched.totals >= 6)).toBe(true)
		await Promise.all(readers.map((reader) => reader[Symbol.asyncDispose]()))
		await Promise.all(watching)
	})

	promise('a put is seen by other threads as soon as it resolves, in the timeline and in the tail', async ({ store, place }) => {
		await using reader = await ReaderThread.open(place)
		let { token } = await reader.tail({}, undefined, 10)
		for (let batch = 0; batch < 10; batch++) {
			const put = batchOf(batch)
			await store.put(put)
			const tail = await reader.tail({}, token, 1000)
			expect(tail.items.map(({ id }) => id)).toEqual(put.map(({ record }) => record.id))
			token = tail.token
			expect((await reader.timeline({ name: `o-${(batch + 1) * batchRecords}` }, { limit: 2 })).items).toHaveLength(1)
		}
	})
}
