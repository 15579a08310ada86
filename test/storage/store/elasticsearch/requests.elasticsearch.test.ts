// The exact requests that every question and every write sends to Elasticsearch, with a real server behind them: a change of one is seen, and meant.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startElasticsearch, type ElasticsearchServer } from '#test/support/elasticsearch.ts'
import { aChange, aLine, anAudit, anEvent, aPodRef, noon } from '#test/storage/store/records.ts'
import { deletingByPattern, openStore } from './support.ts'

let server: ElasticsearchServer
beforeAll(async () => {
	server = await startElasticsearch({ settings: [deletingByPattern] })
})
afterAll(() => server[Symbol.asyncDispose]())

/** Forwards to the server and keeps what was asked. */
async function recording(target: string): Promise<{ readonly url: string; readonly asked: string[]; close(): Promise<void> }> {
	const asked: string[] = []
	const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
		const chunks: Buffer[] = []
		for await (const chunk of request) chunks.push(chunk as Buffer)
		const body = Buffer.concat(chunks)
		asked.push(`${request.method} ${decodeURIComponent(request.url ?? '')}\n${body.toString()}`.trimEnd())
		const { accept = '', 'content-type': type } = request.headers
		const answer = await fetch(target + request.url, {
			method: request.method ?? 'GET',
			headers: { accept, ...(type === undefined ? {} : { 'content-type': type }) },
			...(body.length > 0 ? { body } : {}),
		})
		response.writeHead(answer.status, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' })
		response.end(request.method === 'HEAD' ? '' : Buffer.from(await answer.arrayBuffer()))
	}
	const proxy = createServer((request, response) => void forward(request, response))
	await once(proxy.listen(0, '127.0.0.1'), 'listening')
	return {
		url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
		asked,
		close: async () => {
			proxy.closeAllConnections()
			await once(proxy.close(), 'close')
		},
	}
}

it('are these', async () => {
	const proxy = await recording(server.url)
	const { store, cleanup } = await openStore(server, { url: proxy.url, prefix: 'snap' })
	const parts: string[] = []
	const asked = async (what: string, work: () => Promise<unknown>): Promise<void> => {
		proxy.asked.length = 0
		await work()
		// Requests that go out together come in any order; the id of a point in time is the server's own.
		const requests = proxy.asked
			.toSorted((a, b) => (a < b ? -1 : 1))
			.map((text) => text.replaceAll(/"id":"[A-Za-z0-9_=+/-]{60,}"/g, '"id":"(point in time)"'))
		parts.push(`## ${what}\n\n${requests.join('\n\n')}\n`)
	}
	const { token } = await store.tail({}, undefined, 1)
	const line = aLine({ at: noon })
	await asked('put', () =>
		store.put([aChange({ revision: 1, more: { labels: { app: 'web' } } }), anEvent({ revision: 2 }), anAudit({ n: 3, code: 403 }), line]),
	)
	await asked('amend', () =>
		store.amend('blue', [{ id: line.record.id, labels: { app: 'web' }, owners: [], images: ['web:1'], node: 'node-a' }]),
	)
	await asked('timeline', () =>
		store.timeline({ namespace: 'shop', kind: 'Pod', q: 'back-off "failed container"', from: noon }, { limit: 10 }),
	)
	await asked('timeline of what is owned', () => store.timeline({ uid: 'uid-web-7f9c', owner: true }, { limit: 10, order: 'asc' }))
	await asked('histogram', () => store.histogram({ from: noon, to: noon + 9999, include: ['audit'] }, 2))
	await asked('auditTop', () => store.auditTop({ verb: 'patch' }, 'user', 5))
	await asked('history', () => store.history('blue', aPodRef(), { limit: 10 }))
	await asked('versionAt', () => store.versionAt('blue', aPodRef(), { revision: 1n }))
	await asked('stateAt', () => store.stateAt('blue', { time: noon + 9999 }, { kind: 'Pod', namespace: 'shop' }, { limit: 10 }))
	await asked('around', () => store.around('blue', line.record.id, 1, 1))
	await asked('stages', () => store.stages('blue', ['a-3']))
	await asked('ledger', () => store.ledger('blue', {}))
	await asked('clusters', () => store.clusters())
	await asked('tail', () => store.tail({ include: ['change'] }, token, 10))
	await asked('retain', () => store.retain({ ageMs: 86_400_000, bytesMax: 0 }))
	await cleanup()
	await proxy.close()
	await expect(parts.join('\n')).toMatchFileSnapshot('./requests.txt')
})
