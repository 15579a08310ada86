// A question that meets an index whose shards are being started is asked again until they are; one that meets lost shards is answered after one more try, and writes are never repeated.
import { expect, it } from 'vitest'
import type { Answer, Asked } from '#storage/store/elasticsearch/client.ts'
import { withPatience } from '#storage/store/elasticsearch/starting.ts'

const missing: Answer = {
	status: 503,
	text: '{"error":{"reason":"Search rejected due to missing shards [[kubetape-audit-2026.11.23][0]]."},"status":503}',
}
const search: Asked = { method: 'POST', path: '/kubetape-audit-*/_search', body: {} }

const started = [
	{ prirep: 'p', state: 'STARTED' },
	{ prirep: 'r', state: 'UNASSIGNED', 'unassigned.reason': 'INDEX_CREATED' },
	{ prirep: 'p', state: 'UNASSIGNED', 'unassigned.reason': 'NODE_LEFT' },
]

/** Shards that are being started answer after so many questions; `shards` are those that the server tells of beside a started one. */
function world(after: number, starting: boolean, shards: readonly object[] = [{ prirep: 'p', state: 'INITIALIZING' }]) {
	const asked: string[] = []
	let sleeps = 0
	const connection = withPatience(
		{
			ask: async ({ method, path }) => {
				asked.push(`${method} ${path}`)
				if (path === '/_cat/shards') return { status: 200, text: JSON.stringify(starting ? [...started, ...shards] : started) }
				return asked.filter((line) => !line.includes('_cat')).length > after ? { status: 200, text: '{}' } : missing
			},
			close: async () => {},
		},
		{ nowMicros: () => 0, sleep: async () => void (sleeps += 1) },
	)
	return { connection, asked, slept: () => sleeps }
}

it('waits while shards are being started', async () => {
	const { connection, slept } = world(3, true)
	expect((await connection.ask(search)).status).toBe(200)
	expect(slept()).toBe(3)
})

it('waits for an index whose turn to be started has not come', async () => {
	const { connection, slept } = world(3, true, [{ prirep: 'p', state: 'UNASSIGNED', 'unassigned.reason': 'INDEX_CREATED' }])
	expect((await connection.ask(search)).status).toBe(200)
	expect(slept()).toBe(3)
})

it('does not wait for ever', async () => {
	const { connection, slept } = world(Number.POSITIVE_INFINITY, true)
	expect(await connection.ask(search)).toBe(missing)
	expect(slept()).toBe(40)
})

it('asks once more where none is being started: it may have been, in between', async () => {
	const { connection, asked, slept } = world(Number.POSITIVE_INFINITY, false)
	expect(await connection.ask(search)).toBe(missing)
	expect([asked.filter((line) => line.startsWith('POST')).length, slept()]).toEqual([2, 0])
})

it('repeats no write, and nothing that was answered', async () => {
	const writing = world(1, true)
	expect(await writing.connection.ask({ method: 'POST', path: '/_bulk', body: new Uint8Array() })).toBe(missing)
	expect(writing.asked).toEqual(['POST /_bulk'])
	const answered = world(0, true)
	await answered.connection.ask({ method: 'POST', path: '/a/_pit' })
	expect(answered.asked).toEqual(['POST /a/_pit'])
})
