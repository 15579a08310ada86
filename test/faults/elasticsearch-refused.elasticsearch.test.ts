// Refusals of a real Elasticsearch: too busy, blocked, full, closed, documents it does not take among those it does. What is acknowledged is there exactly once, and who must act is told.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Body } from '#records/body.ts'
import type { Indexed } from '#records/indexed.ts'
import type { Change, Redacted } from '#records/record.ts'
import { aChange, aLine, noon } from '#test/storage/store/records.ts'
import { ask } from '#test/storage/store/elasticsearch/support.ts'
import { startElasticsearch, type ElasticsearchServer } from '#test/support/elasticsearch.ts'
import { createRandom, seedOf } from '#test/support/random.ts'
import { expectExactlyOnce, open, putUntilAcknowledged } from './elasticsearch-support.ts'
import { batchOf } from './store-batches.ts'

const seed = seedOf('elasticsearch-refused.elasticsearch.test.ts')
const random = createRandom(seed)
const day = '2026.11.23'
let server: ElasticsearchServer
beforeAll(async () => {
	// One write thread and no queue to speak of: several writers are too many. Little memory for requests: large ones are too large.
	server = await startElasticsearch({
		settings: [
			'thread_pool.write.size=1',
			'thread_pool.write.queue_size=1',
			'indexing_pressure.memory.limit=2mb',
			'http.max_content_length=3mb',
		],
	})
})
afterAll(() => server[Symbol.asyncDispose]())

it(`too much for the server, from several writers: refused rows and requests are sent again, smaller (seed ${seed})`, async () => {
	const stores = await Promise.all(['busy', 'busy', 'busy', 'busy', 'busy', 'busy'].map((prefix) => open(server.url, prefix)))
	const acknowledged: Indexed[] = []
	let failed = 0
	let next = 2000
	await Promise.all(
		stores.map(async (store) => {
			for (let put = 0; put < 5; put++) {
				const records = Array.from({ length: 10 }, () => batchOf(next++, random() < 0.1 ? 20_000 : 300)).flat()
				failed += await putUntilAcknowledged(store, records)
				acknowledged.push(...records)
			}
		}),
	)
	const stats = await ask<{
		nodes: Record<
			string,
			{ thread_pool: { write: { rejected: number } }; indexing_pressure: { memory: { total: { coordinating_rejections: number } } } }
		>
	}>(server, 'GET', '/_nodes/stats/thread_pool,indexing_pressure')
	const [node] = Object.values(stats.nodes)
	const rejected = (node?.thread_pool.write.rejected ?? 0) + (node?.indexing_pressure.memory.total.coordinating_rejections ?? 0)
	const [first] = stores
	if (!first) throw new Error('no store was opened')
	await expectExactlyOnce('429 for some rows and whole requests', first, acknowledged, {
		'rejected by the server': rejected,
		'puts made again': failed,
		seed,
	})
	expect(rejected).toBeGreaterThan(0)
	for (const store of stores) await store[Symbol.asyncDispose]()
})

/** `body` as the object's. */
function withBody(revision: number, body: Body): Indexed {
	const made = aChange({ revision })
	return { ...made, record: { ...(made.record as Change), after: body } as Redacted<Change> }
}

it('documents that Elasticsearch does not take among those that it does: kept whole all the same, and found by time and object', async () => {
	await using store = await open(server.url, 'odd', 0)
	const deep = Array.from({ length: 60 }).reduce<object>((inner) => ({ a: inner }), {})
	const odd = [
		withBody(1, Body.ofValue({ spec: 'no object' })),
		withBody(2, Body.ofText('{"spec":{"a":1,"a":2}}')),
		withBody(3, Body.ofValue({ spec: deep })),
		withBody(4, Body.ofValue({ spec: { '': 'empty name', 'x\0y': 'NUL in a name' } })),
		withBody(5, Body.ofValue({ metadata: { annotations: ['no', 'map'] } })),
		withBody(6, Body.ofValue(['no', 'object'])),
		withBody(7, Body.ofText('{\n "spec": {\r\n "n": 12345678901234567890.10 }\n}')),
		{ ...aLine({ at: noon, offset: 1, more: { text: 'x'.repeat(200_000) } }), summary: 'x'.repeat(40_000) },
		aChange({ revision: 9, object: { name: 'n'.repeat(40_000) } }),
		aChange({ revision: 10, more: { labels: { '': 'empty', ['k'.repeat(40_000)]: 'v'.repeat(40_000), 'a..b': 'c' } } }),
	]
	const good = batchOf(3000).map((indexed, index) => ({ ...indexed, summary: `good ${index}` }))
	const all = [...good.slice(0, 20), ...odd, ...good.slice(20)]
	const first = await store.put(all)
	expect((await store.rejects({ limit: 9 })).items).toEqual([])
	expect(first).toEqual({ stored: all.length, duplicates: 0 })
	expect(await store.put(all)).toEqual({ stored: 0, duplicates: all.length })
	await expectExactlyOnce('mapping conflicts among documents that are taken', store, all, { conflicting: odd.length })
	const ids = (await store.timeline({ include: ['change', 'log'] }, { limit: 99 })).items.map(({ id }) => id)
	expect(ids.toSorted()).toEqual(all.map(({ record }) => record.id).toSorted())
	for (const { record } of odd) {
		const expected = record.kind === 'change' ? record.after?.text : JSON.stringify({ text: (record as { text?: string }).text })
		const version = await store.get('blue', record.id)
		expect(JSON.stringify(version?.body?.value), record.id).toBe(JSON.stringify(Body.ofText(expected ?? '').value))
	}
	expect((await store.rejects({ limit: 9 })).items).toEqual([])
	expect(
		(await store.history('blue', { resource: 'pods', group: '', namespace: 'shop', name: 'web-7f9c' }, { limit: 99 })).items.map(
			({ revision }) => revision,
		),
	).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n, 10n])
})

it('a record that fits into no request the server takes is set aside: a reject tells it, without its text', async () => {
	await using store = await open(server.url, 'huge', 0)
	const huge = { ...aLine({ at: noon, offset: 1, more: { text: `secret ${'x'.repeat(1_500_000)}` } }), summary: 'secret' }
	expect(await store.put([huge, ...batchOf(3500)])).toEqual({ stored: batchOf(3500).length, duplicates: 0 })
	const { items } = await store.rejects({ limit: 9 })
	expect(items).toMatchObject([
		{
			step: 'store.put',
			reason: expect.stringMatching(/^es_rejected/) as string,
			where: expect.stringContaining(huge.record.id) as string,
		},
	])
	expect(JSON.stringify(items)).not.toContain('secret')
})

it('an index that takes nothing: the put fails with who must act, goes on when it may, and is there once', async () => {
	await using store = await open(server.url, 'blocked')
	await store.put(batchOf(4000))
	const index = `blocked-changes-${day}`
	const settings = (of: object): Promise<unknown> => ask(server, 'PUT', `/${index}/_settings`, of)
	const blocks: readonly (readonly [string, () => Promise<unknown>, () => Promise<unknown>, string, RegExp])[] = [
		[
			'write block',
			() => settings({ 'index.blocks.write': true }),
			() => settings({ 'index.blocks.write': false }),
			'STORAGE_UNAVAILABLE',
			/write block.*remove it/,
		],
		[
			'flood stage',
			() => settings({ 'index.blocks.read_only_allow_delete': true }),
			() => settings({ 'index.blocks.read_only_allow_delete': null }),
			'STORAGE_DISK_FULL',
			/disks are full/,
		],
		[
			'closed',
			() => ask(server, 'POST', `/${index}/_close`),
			() => ask(server, 'POST', `/${index}/_open`),
			'STORAGE_UNAVAILABLE',
			/open the index again/,
		],
	]
	let batch = 4002
	const acknowledged = [...batchOf(4000)]
	for (const [what, block, lift, code, message] of blocks) {
		const records = batchOf(batch)
		batch += 2
		await block()
		const error = await store.put(records).catch((thrown: unknown) => thrown)
		expect(error, what).toMatchObject({ code, message: expect.stringMatching(message) as string })
		await lift()
		await putUntilAcknowledged(store, records)
		acknowledged.push(...records)
	}
	await expectExactlyOnce('read-only block, flood stage, closed index', store, acknowledged, { blocks: blocks.length })
})

it('a request that is larger than the server takes is sent in parts', async () => {
	await using store = await open(server.url, 'large')
	const records = Array.from({ length: 4 }, (_, n) => batchOf(5000 + n, 40_000)).flat()
	expect(await store.put(records)).toEqual({ stored: records.length, duplicates: 0 })
	await expectExactlyOnce('a request larger than the server takes', store, records, { bytes: 40_000 * records.length })
})
