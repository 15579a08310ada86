// Keyframes on a real Elasticsearch: a past state is right whatever was put when, before a keyframe was made and behind it, and after the days before it were removed; and a server without the type `flattened`.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Indexed } from '#records/indexed.ts'
import type { Store } from '#storage/store/port.ts'
import { aChange, aPodRef, dayMicros, noon } from '#test/storage/store/records.ts'
import { startElasticsearch, type ElasticsearchServer } from '#test/support/elasticsearch.ts'
import { createRandom, seedOf } from '#test/support/random.ts'
import { ask, deletingByPattern, openStore } from './support.ts'

const seed = seedOf('keyframes.elasticsearch.test.ts')
let server: ElasticsearchServer
beforeAll(async () => {
	server = await startElasticsearch({ settings: [deletingByPattern] })
})
afterAll(() => server[Symbol.asyncDispose]())

interface Written {
	readonly record: Indexed
	readonly name: string
	readonly at: number
	readonly deleted: boolean
}

/** Its first write is of an object that stays: whatever chance deletes, a keyframe has something to hold. */
function history(random: () => number, writes: number): readonly Written[] {
	return Array.from({ length: writes }, (_, n) => {
		const at = noon - 4 * dayMicros + Math.floor((n / writes) * 4 * dayMicros)
		const name = n === 0 ? 'always' : `o-${Math.floor(random() * 6)}`
		const deleted = n > 0 && random() < 0.3
		return { record: aChange({ revision: n + 1, at, object: { name }, operation: deleted ? 'deleted' : 'updated' }), name, at, deleted }
	})
}

function liveAt(writes: readonly Written[], at: number): readonly string[] {
	const live = new Map<string, string>()
	for (const write of writes.filter((each) => each.at <= at)) {
		if (write.deleted) live.delete(write.name)
		else live.set(write.name, write.record.record.id)
	}
	return [...live].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, id]) => id)
}

const stateOf = async (store: Store, at: number): Promise<readonly string[]> =>
	(await store.stateAt('blue', { time: at }, {}, { limit: 100 })).items.map(({ id }) => id)

it(`states equal a naive model, with what came late, and when days are gone (seed ${seed})`, async () => {
	const random = createRandom(seed)
	for (let run = 0; run < 2; run++) {
		const { store, prefix, cleanup } = await openStore(server)
		const writes = history(random, 40)
		const late = writes.filter((_, n) => n > 0 && random() < 0.4)
		await store.put(writes.filter((write) => !late.includes(write)).map(({ record }) => record))
		// Makes the keyframe of today; what follows is put behind it, in any order.
		await store.put([aChange({ revision: 900, at: noon + 1000, object: { name: 'today' } })])
		await store.retain({ ageMs: 0, bytesMax: 0 })
		expect((await ask<{ count: number }>(server, 'GET', `/${prefix}-keyframes-2026.11.23/_count`)).count).toBeGreaterThan(0)
		for (const { record } of late.toSorted(() => random() - 0.5)) await store.put([record])
		const today = aChange({ revision: 900, at: noon + 1000, object: { name: 'today' } }).record.id
		const moments = [noon - 3 * dayMicros, noon - 1.2 * dayMicros, noon - dayMicros / 2 + 5, noon, noon + 900]
		for (const at of moments) expect(await stateOf(store, at), `run ${run} at ${at}`).toEqual(liveAt(writes, at))
		expect(await stateOf(store, noon + 2000)).toEqual([...liveAt(writes, noon), today])
		expect((await store.stateAt('blue', { revision: 25n }, {}, { limit: 100 })).items.map(({ id }) => id)).toEqual(
			liveAt(writes, writes[24]?.at ?? 0),
		)
		const { removedPartitions } = await store.retain({ ageMs: 86_400_000, bytesMax: 0 })
		expect(removedPartitions.length).toBeGreaterThan(1)
		for (const at of [noon - dayMicros / 2 + 5, noon, noon + 900])
			expect(await stateOf(store, at), `run ${run} at ${at}, days removed`).toEqual(liveAt(writes, at))
		await cleanup()
	}
})

it('a server that does not know the type flattened gets templates without it, and answers the same', async () => {
	let refused = 0
	const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
		const chunks: Buffer[] = []
		for await (const chunk of request) chunks.push(chunk as Buffer)
		const body = Buffer.concat(chunks)
		const headers = { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' }
		if (request.url?.startsWith('/_component_template') === true && body.includes('"flattened"')) {
			refused += 1
			const error = { type: 'mapper_parsing_exception', reason: 'No handler for type [flattened] declared on field [labels]' }
			return void response.writeHead(400, headers).end(JSON.stringify({ error, status: 400 }))
		}
		const { accept = '', 'content-type': type } = request.headers
		const sent = { method: request.method ?? 'GET', headers: { accept, ...(type === undefined ? {} : { 'content-type': type }) } }
		const answer = await fetch(server.url + request.url, body.length > 0 ? { ...sent, body } : sent)
		response.writeHead(answer.status, headers).end(request.method === 'HEAD' ? '' : Buffer.from(await answer.arrayBuffer()))
	}
	const proxy = createServer((request, response) => void forward(request, response))
	await once(proxy.listen(0, '127.0.0.1'), 'listening')
	const { store, prefix, cleanup } = await openStore(server, { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` })
	expect(refused).toBeGreaterThan(0)
	await store.put([aChange({ revision: 1, more: { labels: { app: 'web' } } })])
	expect(JSON.stringify(await ask(server, 'GET', `/${prefix}-changes-*/_mapping`))).not.toContain('flattened')
	expect((await store.timeline({ name: 'web-7f9c' }, { limit: 9 })).items).toMatchObject([{ labels: { app: 'web' } }])
	const labelled = { labels: (labels: Readonly<Record<string, string>>) => labels['app'] === 'web' }
	expect((await store.stateAt('blue', { time: noon + 5000 }, labelled, { limit: 9 })).items).toHaveLength(1)
	expect((await store.versionAt('blue', aPodRef(), { revision: 1n }))?.body?.object).toMatchObject({ kind: 'Pod' })
	await cleanup()
	proxy.closeAllConnections()
	await once(proxy.close(), 'close')
})
