// Live streams over a listening server: what is stored arrives, filters hold, a break is resumed, closing ends them.
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { FastifyInstance } from 'fastify'
import type { WireItem } from '#api/wire.ts'
import type { Store } from '#storage/store/port.ts'
import { audit, change, checkout, forget, openApi, role, story } from '#test/api/support.ts'

let store: Store
let api: FastifyInstance
let address: string

beforeEach(async () => {
	store = await story()
	api = await openApi(store)
	address = await api.listen({ host: '127.0.0.1', port: 0 })
})
afterEach(async () => {
	await api.close()
	await forget()
})

interface Message {
	readonly id: string
	readonly item: WireItem | undefined
}

async function* messages(response: Response): AsyncGenerator<Message> {
	const decoder = new TextDecoder()
	let rest = ''
	for await (const chunk of response.body ?? []) {
		rest += decoder.decode(chunk, { stream: true })
		const blocks = rest.split('\n\n')
		rest = blocks.pop() ?? ''
		for (const block of blocks) {
			const id = /^id: (.*)$/m.exec(block)?.[1]
			const data = /^data: (.*)$/m.exec(block)?.[1]
			if (id !== undefined) yield { id, item: data === undefined ? undefined : (JSON.parse(data) as WireItem) }
		}
	}
}

async function nextItem(stream: AsyncGenerator<Message>): Promise<Message & { readonly item: WireItem }> {
	for (;;) {
		const { value, done } = await stream.next()
		if (done) throw new Error('the stream ended')
		if (value.item) return { id: value.id, item: value.item }
	}
}

it('sends what is stored from now on, filtered, and resumes behind the last message', async () => {
	const response = await fetch(`${address}/api/v1/stream?include=changes`)
	expect([response.status, response.headers.get('content-type'), response.headers.get('x-content-type-options')]).toEqual([
		200,
		'text/event-stream; charset=utf-8',
		'nosniff',
	])
	const stream = messages(response)
	await stream.next()
	await store.put([audit(checkout, 20n, 'patch', 'eve'), change(checkout, 20n, 'created', 'web:3')])
	const first = await nextItem(stream)
	expect([first.item.kind, first.item.revision]).toEqual(['change', '20'])
	await stream.return(undefined)

	await store.put([change(role, 21n, 'updated', 'a'), change(checkout, 22n, 'updated', 'web:4')])
	const again = messages(await fetch(`${address}/api/v1/stream?include=changes`, { headers: { 'last-event-id': first.id } }))
	const revisions = [(await nextItem(again)).item.revision, (await nextItem(again)).item.revision]
	expect(revisions).toEqual(['21', '22'])
	await again.return(undefined)
})

it('refuses a token it never gave, and unknown parameters', async () => {
	const strange = await fetch(`${address}/api/v1/stream`, { headers: { 'last-event-id': 'what' } })
	expect([strange.status, await strange.json()]).toMatchObject([400, { error: { code: 'CURSOR_INVALID' } }])
	expect((await fetch(`${address}/api/v1/stream?limit=3`)).status).toBe(400)
})

it('ends when the server closes', async () => {
	const stream = messages(await fetch(`${address}/api/v1/stream`))
	await stream.next()
	const rest = (async () => {
		let count = 0
		for await (const _ of stream) count++
		return count
	})()
	await api.close()
	expect(await rest.catch(() => 0)).toBe(0)
})

it('has room for so many and no more, and frees it', async () => {
	const controllers = Array.from({ length: 65 }, () => new AbortController())
	const statuses: number[] = []
	for (const { signal } of controllers) statuses.push((await fetch(`${address}/api/v1/stream`, { signal })).status)
	expect(statuses.filter((status) => status === 200)).toHaveLength(64)
	expect(statuses.at(-1)).toBe(503)
	for (const controller of controllers) controller.abort()
	await expect.poll(async () => (await fetch(`${address}/api/v1/stream`)).status).toBe(200)
})
