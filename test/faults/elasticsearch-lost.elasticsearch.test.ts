// Answers that are lost after the write, and Elasticsearch killed and started again in the middle of puts: everything acknowledged is there exactly once.
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Indexed } from '#records/indexed.ts'
import { createMetrics } from '#runtime/metrics.ts'
import { startElasticsearch, type ElasticsearchServer } from '#test/support/elasticsearch.ts'
import { startProxy } from '#test/support/proxy.ts'
import { createRandom, seedOf } from '#test/support/random.ts'
import { expectExactlyOnce, open, putUntilAcknowledged } from './elasticsearch-support.ts'
import { batchOf } from './store-batches.ts'

const seed = seedOf('elasticsearch-lost.elasticsearch.test.ts')
const random = createRandom(seed)
let server: ElasticsearchServer
beforeAll(async () => {
	server = await startElasticsearch()
})
afterAll(() => server[Symbol.asyncDispose]())

it(`an answer that is lost after the write: what is sent again is there once (seed ${seed})`, async () => {
	await using proxy = await startProxy(server.url)
	await using store = await open(proxy.url, 'lost')
	const acknowledged: Indexed[] = []
	let batches = 0
	while (proxy.swallowed < 12) {
		if (random() < 0.5) proxy.swallow(1 + Math.floor(random() * 3), 'POST /_bulk')
		const records = batchOf(batches++)
		await putUntilAcknowledged(store, records)
		acknowledged.push(...records)
	}
	// Put again as a whole, as after a crash before the commit: nothing is stored twice.
	expect(await store.put(batchOf(0))).toEqual({ stored: 0, duplicates: batchOf(0).length })
	await expectExactlyOnce('answers lost after the write', store, acknowledged, { swallowed: proxy.swallowed, puts: batches, seed })
})

it(`Elasticsearch is killed and started again in the middle of puts (seed ${seed})`, async () => {
	const metrics = createMetrics()
	await using store = await open(server.url, 'killed', 200, metrics)
	const acknowledged: Indexed[] = []
	const kills = 3
	let batch = 1000
	let failed = 0
	for (let kill = 0; kill < kills; kill++) {
		const restarted = new AbortController()
		const killing = new Promise((resolve) => setTimeout(resolve, 200 + random() * 1500)).then(async () => {
			await server.kill()
			await server.restart()
			restarted.abort()
		})
		while (!restarted.signal.aborted) {
			// Two under way together, as the indexer has them.
			const both = [0, 1].map(() => [...batchOf(batch++), ...batchOf(batch++), ...batchOf(batch++)])
			for (const times of await Promise.all(both.map((records) => putUntilAcknowledged(store, records)))) failed += times
			acknowledged.push(...both.flat())
		}
		await killing
	}
	// A put makes up for some of them by itself.
	const requests = await metrics.registry.getSingleMetric('kubetape_store_bulk_requests_total')?.get()
	const unanswered = requests?.values.find(({ labels }) => labels['result'] === 'unanswered')?.value ?? 0
	expect(failed + unanswered).toBeGreaterThan(0)
	await expectExactlyOnce('Elasticsearch killed and started again', store, acknowledged, {
		kills,
		'puts made again': failed,
		'requests without an answer': unanswered,
		seed,
	})
})
