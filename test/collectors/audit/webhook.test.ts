// The webhook receiver's answers, over real connections.
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createAuditWebhook } from '#collectors/audit/webhook.ts'
import type { Emit } from '#collectors/port.ts'
import type { KubetapeRecord } from '#records/record.ts'
import { systemClock } from '#runtime/clock.ts'
import { silentLogger } from '#runtime/log.ts'
import { createMetrics } from '#runtime/metrics.ts'
import { auditLine } from '#test/collectors/replay/support.ts'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
	for (const stop of stops.splice(0)) await stop()
})

async function start(emit: Emit): Promise<string> {
	const stop = new AbortController()
	const listening = Promise.withResolvers<AddressInfo>()
	const webhook = createAuditWebhook(
		{ host: '127.0.0.1', port: 0 },
		{ clock: systemClock, log: silentLogger, metrics: createMetrics(), clusters: ['prod'], onListening: listening.resolve },
	)
	const running = webhook.run(emit, stop.signal)
	stops.push(async () => {
		stop.abort()
		await running
	})
	const { port } = await listening.promise
	return `http://127.0.0.1:${port}`
}

const post = (url: string, body: string): Promise<Response> => fetch(url, { method: 'POST', body, headers: { connection: 'close' } })
const listOf = (items: readonly string[]): string =>
	`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[${items.join(',')}]}`

describe('the audit webhook', () => {
	it('answers 200 once the entries are durable, and not before', async () => {
		const durable = Promise.withResolvers<void>()
		const asked = Promise.withResolvers<readonly KubetapeRecord[]>()
		const address = await start((records) => {
			asked.resolve(records)
			return durable.promise
		})
		let status: number | undefined
		const answer = post(`${address}/audit/prod?timeout=30s`, listOf([auditLine('a', 1), auditLine('b', 2), '{"no":"entry"}'])).then(
			(response) => (status = response.status),
		)
		const records = await asked.promise
		expect(status).toBeUndefined()
		expect(records.map((record) => record.kind)).toEqual(['audit', 'audit', 'reject'])
		expect(records[0]?.kind === 'audit' && records[0].body.text).toBe(auditLine('a', 1))
		durable.resolve()
		expect(await answer).toBe(200)
	})

	it('reads items that do not say their kind again', async () => {
		const kept: KubetapeRecord[] = []
		const address = await start(async (records) => void kept.push(...records))
		const { kind: _, apiVersion: __, ...item } = JSON.parse(auditLine('a', 1)) as Record<string, unknown>
		expect((await post(`${address}/audit/prod`, listOf([JSON.stringify(item)]))).status).toBe(200)
		expect(kept).toMatchObject([{ kind: 'audit', auditID: 'a' }])
	})

	it('answers 503 where the entries could not be kept', async () => {
		const address = await start(() => Promise.reject(new Error('the disk is full')))
		const response = await post(`${address}/audit/prod`, listOf([auditLine('a', 1)]))
		expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
	})

	it('keeps garbage as a reject and answers 400', async () => {
		const kept: KubetapeRecord[] = []
		const address = await start(async (records) => void kept.push(...records))
		for (const body of ['{', '[]', '{"kind":"PodList"}', '{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":3}']) {
			expect((await post(`${address}/audit/prod`, body)).status).toBe(400)
		}
		expect(kept.map((record) => record.kind)).toEqual(['reject', 'reject', 'reject', 'reject'])
	})

	it('answers 404 for clusters it does not know, 405 for other methods', async () => {
		const address = await start(async () => Promise.resolve())
		expect((await post(`${address}/audit/other`, listOf([]))).status).toBe(404)
		expect((await post(`${address}/`, listOf([]))).status).toBe(404)
		expect((await fetch(`${address}/audit/prod`, { headers: { connection: 'close' } })).status).toBe(405)
	})

	it('says at once that it is busy where too many batches are on their way', async () => {
		const durable = Promise.withResolvers<void>()
		let asked = 0
		const full = Promise.withResolvers<void>()
		const address = await start(() => {
			asked += 1
			if (asked === 16) full.resolve()
			return durable.promise
		})
		const waiting = Array.from({ length: 16 }, (_, index) => post(`${address}/audit/prod`, listOf([auditLine(String(index), index)])))
		await full.promise
		expect((await post(`${address}/audit/prod`, listOf([auditLine('late', 1)]))).status).toBe(503)
		durable.resolve()
		expect((await Promise.all(waiting)).map((response) => response.status)).toEqual(Array.from({ length: 16 }, () => 200))
	})

	it('names a port that is taken', async () => {
		const address = await start(async () => Promise.resolve())
		const port = Number(new URL(address).port)
		const second = createAuditWebhook(
			{ host: '127.0.0.1', port },
			{ clock: systemClock, log: silentLogger, metrics: createMetrics(), clusters: [] },
		)
		await expect(second.run(async () => Promise.resolve(), new AbortController().signal)).rejects.toMatchObject({
			code: 'RUNTIME_PORT_TAKEN',
		})
	})
})
