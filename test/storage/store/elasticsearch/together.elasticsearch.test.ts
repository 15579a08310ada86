// Puts that are under way together on a real Elasticsearch: seen whole though others are being sent, exactly once though one fails between them.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '#runtime/clock.ts'
import { aChange, aLine, anAudit, dayMicros, noon } from '#test/storage/store/records.ts'
import { startElasticsearch, type ElasticsearchServer } from '#test/support/elasticsearch.ts'
import { ask, deletingByPattern, openStore } from './support.ts'

let server: ElasticsearchServer
beforeAll(async () => {
	server = await startElasticsearch({ settings: [deletingByPattern] })
})
afterAll(() => server[Symbol.asyncDispose]())

const batchRecords = 400

it('each index shows whole puts while the next ones are being sent to it', async () => {
	const { store, prefix, cleanup } = await openStore(server, { refreshMs: 20 }, systemClock)
	await store.put([aChange({ revision: 1_000_000 })])
	const done = new AbortController()
	const seen = new Set<number>()
	const watching = (async () => {
		while (!done.signal.aborted) {
			const { count } = await ask<{ count: number }>(server, 'GET', `/${prefix}-changes-*/_count?q=kubetape.item.kind:change`)
			seen.add(count - 1)
		}
	})()
	let next = 0
	const lane = async (): Promise<void> => {
		while (next < 120 && seen.size < 12) {
			const batch = next++
			const records = Array.from({ length: batchRecords }, (_, index) => {
				const n = batch * batchRecords + index
				return index % 4 === 3 ? anAudit({ n }) : aChange({ revision: n + 1, object: { name: `o-${n}` } })
			})
			await store.put(records)
		}
	}
	await Promise.all([lane(), lane(), lane()])
	done.abort()
	await watching
	const changes = (batchRecords * 3) / 4
	expect([...seen].filter((count) => count > 0 && count % changes !== 0)).toEqual([])
	expect(seen.size).toBeGreaterThan(5)
	await cleanup()
})

it('a put that fails stops none behind it, and is there once when it is put again', async () => {
	const { store, prefix, cleanup } = await openStore(server, { refreshMs: 200 }, systemClock)
	const yesterday = noon - dayMicros
	await store.put([aChange({ revision: 1, at: yesterday })])
	const block = (on: boolean): Promise<unknown> =>
		ask(server, 'PUT', `/${prefix}-changes-2026.11.22/_settings`, { index: { 'blocks.write': on } })
	await block(true)
	const first = [aChange({ revision: 2, at: yesterday }), aChange({ revision: 3, at: yesterday }), aLine({ at: noon })]
	const results = await Promise.allSettled([
		store.put(first),
		// The same version under another day: whether it is there already is known only when the first has ended.
		store.put([aChange({ revision: 2 }), aChange({ revision: 4 }), anAudit({ n: 5 })]),
	])
	expect(results).toMatchObject([
		{ status: 'rejected', reason: { code: 'STORAGE_UNAVAILABLE', retryable: true } },
		{ status: 'fulfilled', value: { stored: 3, duplicates: 0 } },
	])
	await block(false)
	expect(await store.put(first)).toEqual({ stored: 1, duplicates: 2 })
	await store[Symbol.asyncDispose]()
	const { store: reading } = await openStore(server, { prefix, refreshMs: 0 }, systemClock)
	const { items } = await reading.timeline({}, { limit: 20, order: 'asc' })
	expect(items.map(({ kind, revision, occurredAt }) => [kind, revision, occurredAt >= noon])).toEqual([
		['change', 1n, false],
		['change', 3n, false],
		['log', undefined, true],
		['change', 2n, true],
		['change', 4n, true],
		['audit', undefined, true],
	])
	await cleanup()
	await reading[Symbol.asyncDispose]()
})

it('what is shown late is shown all the same, without another put', async () => {
	const { store, cleanup } = await openStore(server, { refreshMs: 300 }, systemClock)
	await Promise.all([1, 2, 3].map((revision) => store.put([aChange({ revision, object: { name: `o-${revision}` } })])))
	await expect
		.poll(async () => (await store.timeline({}, { limit: 10 })).items.map(({ revision }) => revision), { timeout: 10_000 })
		.toEqual([3n, 2n, 1n])
	await cleanup()
})

it('show: what any process has put is seen, though it would be shown much later', async () => {
	const { store, prefix, cleanup } = await openStore(server, { refreshMs: 60_000 }, systemClock)
	const { store: other } = await openStore(server, { prefix, refreshMs: 60_000 }, systemClock)
	const seen = async (): Promise<readonly (bigint | undefined)[]> =>
		(await other.timeline({ include: ['change'] }, { limit: 10, order: 'asc' })).items.map(({ revision }) => revision)
	// What comes first is shown at once.
	for (const each of [store, other]) await each.put([aChange({ revision: 1 })])
	await expect.poll(seen, { timeout: 60_000 }).toEqual([1n])
	// Behind what each of them is still showing.
	for (const each of [store, other]) await each.show()
	await store.put([aChange({ revision: 2, object: { name: 'of-another' } })])
	await other.put([aChange({ revision: 3, object: { name: 'own' } })])
	expect(await seen()).toEqual([1n])
	await other.show()
	expect(await seen()).toEqual([1n, 2n, 3n])
	await other[Symbol.asyncDispose]()
	await cleanup()
})
