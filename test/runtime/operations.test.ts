// The port for operators: what it answers, to whom, and that it says when it cannot listen.
import { get, request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openOperations, type Operations } from '#runtime/operations.ts'

let ok = true
const operations: Operations = {
	metrics: async () => 'kubetape_build_info{version="1"} 1\n',
	health: async () => ({ ok, parts: { collect: { ok, message: ok ? 'recording' : 'paused' } } }),
}
let opened: Awaited<ReturnType<typeof openOperations>>
beforeAll(async () => {
	opened = await openOperations({ host: '127.0.0.1', port: 0 }, operations)
})
afterAll(() => opened[Symbol.asyncDispose]())

describe('the operations port', () => {
	it('is alive, and ready as its parts say', async () => {
		expect((await fetch(`${opened.address}/livez`)).status).toBe(200)
		const ready = await fetch(`${opened.address}/readyz?verbose`)
		expect([ready.status, await ready.json()]).toEqual([200, { ok: true, parts: { collect: { ok: true, message: 'recording' } } }])
		ok = false
		const paused = await fetch(`${opened.address}/readyz`)
		expect([paused.status, ((await paused.json()) as { readonly ok: boolean }).ok]).toEqual([503, false])
		expect((await fetch(`${opened.address}/livez`)).status).toBe(200)
		ok = true
	})

	it('tells the metrics in Prometheus’ format', async () => {
		const response = await fetch(`${opened.address}/metrics`)
		expect([response.headers.get('content-type'), await response.text()]).toEqual([
			'text/plain; version=0.0.4; charset=utf-8',
			'kubetape_build_info{version="1"} 1\n',
		])
	})

	it('has nothing else, and is asked only', async () => {
		expect((await fetch(`${opened.address}/api/v1/timeline`)).status).toBe(404)
		expect((await fetch(`${opened.address}/metrics`, { method: 'POST', body: 'x' })).status).toBe(405)
	})

	it('refuses, on loopback, a page that has rebound its name', async () => {
		const status = await new Promise<number | undefined>((resolve, reject) => {
			get(`${opened.address}/metrics`, { headers: { host: 'evil.example' } }, (response) => {
				response.resume()
				resolve(response.statusCode)
			}).on('error', reject)
		})
		expect(status).toBe(403)
	})

	it('answers 500 where the metrics cannot be told', async () => {
		const failing = await openOperations(
			{ host: '127.0.0.1', port: 0 },
			{ ...operations, metrics: () => Promise.reject(new Error('none')) },
		)
		await using _failing = failing
		const status = await new Promise<number | undefined>((resolve) => {
			request(`${failing.address}/metrics`, (response) => {
				response.resume()
				resolve(response.statusCode)
			}).end()
		})
		expect(status).toBe(500)
	})

	it('says that its port is taken', async () => {
		const port = Number(new URL(opened.address).port)
		await expect(openOperations({ host: '127.0.0.1', port }, operations)).rejects.toMatchObject({ code: 'RUNTIME_PORT_TAKEN' })
	})
})
