// Log lines over the API: narrowed, whole, and with their neighbours; the stages of requests as one entry.
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { WireItem, WireLine, WirePage } from '#api/wire.ts'
import { auditId, logId } from '#records/id.ts'
import type { Indexed } from '#records/indexed.ts'
import type { AuditEntry, LogLine, Redacted } from '#records/record.ts'
import type { Store } from '#storage/store/port.ts'
import { audit, begin, change, checkout, cluster, forget, indexed, openApi, story } from '#test/api/support.ts'

let store: Store
let api: FastifyInstance
const long = `${'x'.repeat(2000)} end`

function line(n: number, more: Partial<LogLine> = {}): Indexed {
	const at = begin + n * 1000
	const record: LogLine = {
		kind: 'log',
		id: logId(cluster, 'f', n, at),
		cluster,
		source: 'logs',
		occurredAt: at,
		occurredBound: 0,
		observedAt: at,
		file: 'f',
		offset: n * 10,
		stream: 'stdout',
		namespace: 'shop',
		pod: 'checkout-1',
		podUid: 'pod-1',
		container: 'web',
		restart: 0,
		component: '',
		node: 'node-a',
		level: 'info',
		text: `line ${n}`,
		flags: [],
		...more,
	}
	return indexed(record, { summary: record.text.slice(0, 1000) })
}

function stage(name: AuditEntry['stage'], second: number, code: number, auditID = 'watch-1'): Indexed {
	const at = begin + second * 1e6
	const entry = audit(checkout, 2n, 'watch', 'carol')
	const id = auditId(cluster, auditID, name, String(at), at)
	return { ...entry, record: { ...(entry.record as AuditEntry), id, auditID, stage: name, code, occurredAt: at } as Redacted<AuditEntry> }
}

const lines = [
	line(0, { level: 'error', stream: 'stderr' }),
	line(1, { text: long, restart: 1, flags: ['truncated'], originalBytes: 5_000_000 }),
	line(2, { text: 'a\ufffd', raw: 'Yf8=', flags: ['invalid-utf8'] }),
	line(3, { pod: 'other-1', podUid: 'pod-9', container: 'proxy', node: 'node-b', file: 'g' }),
]

beforeAll(async () => {
	store = await story()
	const pod = { resource: 'pods', group: '', namespace: 'shop', name: 'checkout-1' }
	const owners = [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'checkout', uid: 'uid-checkout' }]
	const owned = change(pod, 3n, 'created', 'web:1', { owners })
	await store.put([{ ...owned, record: { ...owned.record, uid: 'pod-1', objectKind: 'Pod' } as typeof owned.record }, ...lines])
	await store.put([stage('RequestReceived', 60, 0), stage('ResponseStarted', 61, 200), stage('ResponseComplete', 70, 200)])
	await store.put([stage('ResponseStarted', 65, 200, 'watch-2')])
	api = await openApi(store)
})
afterAll(async () => {
	await api.close()
	await forget()
})

async function json<T>(url: string): Promise<T> {
	const response = await api.inject(url)
	expect([response.statusCode, response.statusCode === 200 ? '' : response.body]).toEqual([200, ''])
	return response.json<T>()
}

describe('log lines', () => {
	it.each([
		['', '3 2 1 0'],
		['order=asc&limit=2', '0 1'],
		['pod=checkout-1&order=asc', '0 1 2'],
		['container=proxy', '3'],
		['node=node-b&namespace=shop', '3'],
		['level=error', '0'],
		['stream=stderr', '0'],
		['restart=1', '1'],
		['q=line', '3 0'],
		['kind=Deployment&name=checkout&namespace=shop&owner=true', '2 1 0'],
		['kind=deploy&name=checkout&owner=true&level=info', '2 1'],
		['uid=pod-9', '3'],
		['from=2026-11-23T10:00:00.002Z', '3 2'],
	])('narrowed by %s', async (query, expected) => {
		const { items } = await json<WirePage<WireItem>>(`/api/v1/logs?${query}`)
		const numbers = items.map(({ id }) => lines.findIndex(({ record }) => record.id === id))
		expect(numbers.join(' ')).toBe(expected)
	})

	it('tell what is not in the list, and give it', async () => {
		const { items } = await json<WirePage<WireItem>>('/api/v1/logs?order=asc&limit=3')
		expect(items.map(({ log }) => [log?.textChars, log?.raw, log?.originalBytes])).toEqual([
			[undefined, undefined, undefined],
			[long.length, undefined, 5_000_000],
			[undefined, 'Yf8=', undefined],
		])
		const whole = await Promise.all(items.map(({ id }) => json<WireLine>(`/api/v1/logs/${cluster}/${id}`)))
		expect(whole.map(({ text, raw }) => [text, raw])).toEqual([
			['line 0', null],
			[long, null],
			['a\ufffd', 'Yf8='],
		])
		expect(whole.map(({ item }) => item)).toEqual(items)
	})

	it('come with their neighbours', async () => {
		const near = async (n: number, query: string): Promise<readonly string[]> =>
			(await json<WirePage<WireItem>>(`/api/v1/logs/${cluster}/${lines[n]?.record.id}/context?${query}`)).items.map(({ id }) => id)
		expect(await near(1, 'before=1&after=0')).toEqual(lines.slice(0, 2).map(({ record }) => record.id))
		expect(await near(2, '')).toEqual(lines.slice(0, 3).map(({ record }) => record.id))
	})

	it.each([
		[`/api/v1/logs/${cluster}/${'0'.repeat(32)}`, 404, 'NOT_FOUND'],
		[`/api/v1/logs/${cluster}/${'0'.repeat(32)}/context`, 404, 'NOT_FOUND'],
		[`/api/v1/logs/nope/${'0'.repeat(32)}`, 404, 'NOT_FOUND'],
		[`/api/v1/logs/${cluster}/short`, 400, 'QUERY_INVALID'],
		['/api/v1/logs?level=loud', 400, 'QUERY_INVALID'],
		['/api/v1/logs?restart=-1', 400, 'QUERY_INVALID'],
		['/api/v1/logs?kind=Nonsense', 404, 'NOT_FOUND'],
	])('%s is refused', async (url, status, code) => {
		const response = await api.inject(url)
		expect([response.statusCode, response.json<{ error: { code: string } }>().error.code]).toEqual([status, code])
		const other = (await store.timeline({ include: ['change'] }, { limit: 1 })).items[0]
		expect((await api.inject(`/api/v1/logs/${cluster}/${other?.id}`)).statusCode).toBe(404)
	})
})

describe('requests', () => {
	const stages = (items: readonly WireItem[]): readonly string[] =>
		items.map(
			(item) =>
				`${item.audit?.auditID} ${item.audit?.stage}: ${(item.stages ?? []).map((each) => `${each.stage} ${each.code}`).join(', ')}`,
		)

	it('are one entry each where that is asked for, with every stage', async () => {
		const each = await json<WirePage<WireItem>>('/api/v1/audit?user=carol')
		expect(each.items).toHaveLength(4)
		expect(each.items.some((item) => 'stages' in item)).toBe(false)
		const { items } = await json<WirePage<WireItem>>('/api/v1/audit?user=carol&collapse=true')
		expect(stages(items)).toEqual([
			'watch-1 ResponseComplete: RequestReceived 0, ResponseStarted 200, ResponseComplete 200',
			'watch-2 ResponseStarted: ResponseStarted 200',
		])
		expect(items[0]?.stages?.map(({ id }) => id).toSorted()).toEqual(
			each.items
				.filter(({ audit: entry }) => entry?.auditID === 'watch-1')
				.map(({ id }) => id)
				.toSorted(),
		)
	})

	it('are found by whichever stage the filter means', async () => {
		expect(stages((await json<WirePage<WireItem>>('/api/v1/audit?user=carol&code=0&collapse=true')).items)).toEqual([
			'watch-1 RequestReceived: RequestReceived 0, ResponseStarted 200, ResponseComplete 200',
		])
		expect(stages((await json<WirePage<WireItem>>('/api/v1/audit?user=carol&to=2026-11-23T10:01:02Z&collapse=true')).items)).toEqual([
			'watch-1 ResponseStarted: RequestReceived 0, ResponseStarted 200, ResponseComplete 200',
		])
	})

	it('are told apart where a client sends one Audit-ID again', async () => {
		const sent = (second: number): Indexed => {
			const entry = stage('ResponseComplete', second, 200, 'chosen')
			const record = { ...(entry.record as Redacted<AuditEntry>), cluster: 'chosen', requestReceivedAt: begin + second * 1e6 }
			return { ...entry, record: { ...record, id: auditId('chosen', 'chosen', 'ResponseComplete', String(second), record.occurredAt) } }
		}
		await store.put([sent(900), sent(901)])
		const { items } = await json<WirePage<WireItem>>('/api/v1/audit?cluster=chosen&collapse=true')
		expect(items.map(({ stages: all }) => all?.length)).toEqual([1, 1])
	})

	it('say what was cut off, and what their source does not have', async () => {
		const entry = stage('ResponseComplete', 80, 200, 'lossy-1')
		const at = begin + 600 * 1e6
		const lossy = { cluster: 'lossy', id: auditId('lossy', 'lossy-1', 'x', 'x', at), occurredAt: at, truncated: true }
		const record = { ...(entry.record as Redacted<AuditEntry>), ...lossy, missing: ['stage', 'user.groups'] }
		await store.put([{ ...entry, record }])
		const { items } = await json<WirePage<WireItem>>('/api/v1/audit?cluster=lossy')
		expect(items.map(({ audit: found }) => [found?.truncated, found?.missing])).toEqual([[true, ['stage', 'user.groups']]])
		expect(
			(await json<WirePage<WireItem>>('/api/v1/audit?user=carol&cluster=demo')).items.every((item) => item.audit?.missing === undefined),
		).toBe(true)
	})

	it('fill their pages, and no request is on two of them', async () => {
		for (const order of ['asc', 'desc']) {
			const ids: string[] = []
			let next: string | null = ''
			while (next !== null) {
				const page: WirePage<WireItem> = await json(
					`/api/v1/audit?cluster=${cluster}&collapse=true&from=now-520w&order=${order}&limit=1${next === '' ? '' : `&cursor=${next}`}`,
				)
				ids.push(...page.items.map((item) => item.audit?.auditID ?? ''))
				next = page.next
			}
			expect(ids.toSorted()).toEqual(['audit-2', 'audit-5', 'watch-1', 'watch-2'])
		}
	})
})
