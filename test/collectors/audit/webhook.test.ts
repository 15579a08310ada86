// The webhook receiver's answers, over real connections.
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { createAuditWebhook, type AuditWebhookContext } from '#collectors/audit/webhook.ts'
import type { Emit } from '#collectors/port.ts'
import type { KubetapeRecord } from '#records/record.ts'
import { systemClock } from '#runtime/clock.ts'
import { silentLogger } from '#runtime/log.ts'
import { createMetrics } from '#runtime/metrics.ts'
import { auditLine } from '#test/collectors/replay/support.ts'
import { listOf, send, startReceiving } from './receiving.ts'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
	for (const stop of stops.splice(0)) await stop()
})

async function start(emit: Emit, context: Partial<AuditWebhookContext> = {}): Promise<string> {
	const { port, stop } = await startReceiving(emit, {}, context)
	stops.push(stop)
	return `http://127.0.0.1:${port}`
}

const post = (url: string, body: string): Promise<Response> => fetch(url, { method: 'POST', body, headers: { connection: 'close' } })
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

	it('answers 503 at once while nothing can be appended, and 503 in time where it turns out so', async () => {
		let isPaused = true
		let asked = 0
		let goOn = Promise.withResolvers<void>()
		const clock = { nowMicros: systemClock.nowMicros, sleep: () => new Promise<void>((resolve) => setImmediate(resolve)) }
		const address = await start(
			() => {
				asked += 1
				return goOn.promise
			},
			{ isPaused: () => isPaused, clock },
		)
		const batch = listOf([auditLine('a', 1)])
		expect([(await post(`${address}/audit/prod`, batch)).status, asked]).toEqual([503, 0])
		isPaused = false
		expect([(await post(`${address}/audit/prod`, batch)).status, asked]).toEqual([503, 1])
		goOn.resolve()
		goOn = Promise.withResolvers()
		goOn.resolve()
		expect((await post(`${address}/audit/prod`, batch)).status).toBe(200)
	})

	it('refuses bodies that are too long, told or not, and what is packed, and keeps nothing of them', async () => {
		const kept: KubetapeRecord[] = []
		const address = await start(async (records) => void kept.push(...records))
		const port = Number(new URL(address).port)
		const mebibyte = Buffer.alloc(1024 * 1024, ' ')
		expect((await send([], { port, headers: { 'content-length': String(33 * 1024 * 1024) } })).status).toBe(413)
		expect(
			(
				await send(
					Array.from({ length: 33 }, () => mebibyte),
					{ port },
				)
			).status,
		).toBe(413)
		expect((await send([gzipSync(listOf([auditLine('a', 1)]))], { port, headers: { 'content-encoding': 'gzip' } })).status).toBe(415)
		expect(kept).toEqual([])
		const most = Array.from({ length: 31 }, () => mebibyte)
		expect((await send([...most, listOf([auditLine('a', 1)])], { port })).status).toBe(200)
		expect(kept).toMatchObject([{ kind: 'audit', auditID: 'a' }])
	})

	it('takes batches of two senders at once, each kept before its answer', async () => {
		const kept = new Set<string>()
		const address = await start(async (records) => {
			await new Promise((resolve) => setImmediate(resolve))
			for (const record of records) if (record.kind === 'audit') kept.add(record.auditID)
		})
		const sender = async (name: string): Promise<void> => {
			for (let batch = 0; batch < 20; batch += 1) {
				const ids = [`${name}-${batch}-0`, `${name}-${batch}-1`]
				const { status } = await post(`${address}/audit/prod`, listOf(ids.map((id) => auditLine(id, batch))))
				expect(status).toBe(200)
				expect(ids.every((id) => kept.has(id))).toBe(true)
			}
		}
		await Promise.all([sender('a'), sender('b')])
		expect(kept.size).toBe(80)
	})

	it('gives a bad item the same id when its batch is sent again', async () => {
		const ids: string[][] = []
		const address = await start(async (records) => {
			ids.push(records.map((record) => record.id))
			if (ids.length === 1) throw new Error('the disk is full')
		})
		const batch = listOf(['{"no":"entry"}', auditLine('a', 1), '{"no":"entry"}'])
		expect((await post(`${address}/audit/prod`, batch)).status).toBe(503)
		expect((await post(`${address}/audit/prod`, batch)).status).toBe(200)
		expect(ids[1]).toEqual(ids[0])
		expect(new Set(ids[0]).size).toBe(3)
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
