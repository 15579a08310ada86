// A reader of a store in a thread of its own, as another process would read it: answers what it is asked, or reads on and on and reports what cannot be.
import { setImmediate } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import type { Store } from '#storage/store/port.ts'
import type { StorePlace } from './store-engine.ts'

export type Asked =
	| { readonly id: number; readonly ask: 'timeline' | 'tail'; readonly args: readonly unknown[] }
	| { readonly id: number; readonly ask: 'watch'; readonly batchRecords: number }
	| { readonly id: number; readonly ask: 'stop' }

export interface Watched {
	readonly reads: number
	/** How many different numbers of records it saw. */
	readonly totals: number
	/** Reads that showed a part of a put, and records that are not as they were put. */
	readonly wrong: readonly string[]
}

const { module, where } = workerData as StorePlace
const { openReader } = (await import(module)) as { openReader: (where: string) => Promise<Store> }
const store = await openReader(where)
const stop = new AbortController()
const port = parentPort
if (!port) throw new Error('this file runs as a worker thread only')
const say = (message: object): void => port.postMessage(message)

/** Records of one put carry its number as a label, and say their own revision in three places. */
async function look(batchRecords: number, wrong: string[]): Promise<number> {
	const { items } = await store.timeline({}, { limit: 1_000_000, order: 'asc' })
	const counts = new Map<string, number>()
	for (const item of items) {
		const batch = item.labels?.['batch'] ?? '?'
		counts.set(batch, (counts.get(batch) ?? 0) + 1)
		const number = item.revision?.toString() ?? '?'
		if (item.summary !== `change ${number}` || item.object?.name !== `o-${number}` || item.paths?.[0] !== `spec.n${number}`)
			wrong.push(`record ${item.id} is torn: ${item.summary}, ${item.object?.name}, ${item.paths?.[0]}`)
	}
	for (const [batch, count] of counts)
		if (count !== batchRecords) wrong.push(`put ${batch} was seen with ${count} of ${batchRecords} records`)
	const buckets = await store.histogram({}, 7)
	const counted = buckets.flatMap((bucket) => Object.values(bucket.counts)).reduce((sum, count) => sum + count, 0)
	if (counted % batchRecords !== 0) wrong.push(`a histogram counted ${counted} records`)
	const last = items.at(-1)
	if (last) {
		const version = await store.get('blue', last.id)
		const metadata = version?.body?.object['metadata'] as { name?: string } | undefined
		if (metadata?.name !== last.object?.name) wrong.push(`record ${last.id} has the body of ${metadata?.name}`)
	}
	return items.length
}

async function watch(batchRecords: number): Promise<void> {
	const wrong: string[] = []
	const totals = new Set<number>()
	for (let reads = 1; !stop.signal.aborted; reads++) {
		try {
			totals.add(await look(batchRecords, wrong))
		} catch (error) {
			wrong.push(String(error))
		}
		say({ watched: { reads, totals: totals.size, wrong: wrong.slice(0, 5) } satisfies Watched })
		await setImmediate()
	}
}

port.on('message', (asked: Asked) => {
	const answer = async (): Promise<unknown> => {
		if (asked.ask === 'timeline') return store.timeline(...(asked.args as Parameters<Store['timeline']>))
		if (asked.ask === 'tail') return store.tail(...(asked.args as Parameters<Store['tail']>))
		if (asked.ask === 'watch') return watch(asked.batchRecords)
		stop.abort()
		await setImmediate()
		await store[Symbol.asyncDispose]()
		return undefined
	}
	answer().then(
		(value) => {
			say({ id: asked.id, value })
			if (asked.ask === 'stop') port.close()
		},
		(error: unknown) => say({ id: asked.id, error: String(error) }),
	)
})
say({ id: 0, value: undefined })
