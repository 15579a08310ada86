// Names in questions: every way to say a kind, clusters that are there, and what is told of names that name nothing.
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { WireError, WireItem, WirePage, WireReject, WireState } from '#api/wire.ts'
import { statementId } from '#records/id.ts'
import type { ObjectRef } from '#records/object-key.ts'
import type { Redacted, StoredRecord } from '#records/record.ts'
import { parseTime } from '#records/time.ts'
import type { Store } from '#storage/store/port.ts'
import { audit, change, cluster, forget, indexed, openApi, story } from './support.ts'

const backend: ObjectRef = { resource: 'backends', group: 'shop.example.com', namespace: 'shop', name: 'pay' }
const review: ObjectRef = { resource: 'widgetreviews', group: 'shop.example.com', namespace: '', name: '' }
let store: Store
let api: FastifyInstance

beforeAll(async () => {
	store = await story()
	const made = change(backend, 9n, 'created', 'none')
	await store.put([
		{ ...made, record: { ...made.record, objectKind: 'Backend' } as Redacted<StoredRecord> },
		audit(review, 10n, 'create', 'carol'),
	])
	for (const [name, at] of [
		['demo', '2026-11-23T10:00:30Z'],
		['other', '2026-11-23T10:01:00Z'],
	] as const) {
		const occurredAt = parseTime(at) ?? 0
		const times = { occurredAt, occurredBound: 0, observedAt: occurredAt }
		const bad = { step: 'audit.parse', reason: 'no JSON', where: 'audit.log:1', sha256: 'bb', sizeBytes: 1 }
		await store.put([
			indexed({ kind: 'reject', id: statementId('reject', name, occurredAt), cluster: name, source: 'audit', ...times, ...bad }),
		])
	}
	api = await openApi(store)
})
afterAll(async () => {
	await api.close()
	await forget()
})

async function count(url: string): Promise<number> {
	const response = await api.inject(url)
	expect([response.statusCode, url], response.body).toEqual([200, url])
	return response.json<WirePage<WireItem | WireState>>().items.length
}
async function refused(url: string): Promise<string> {
	const response = await api.inject(url)
	expect([response.statusCode, response.json<WireError>().error.code], url).toEqual([404, 'NOT_FOUND'])
	return response.json<WireError>().error.message
}

describe('a kind', () => {
	it.each(['Deployment', 'deployments', 'deployments.apps', 'Deployment.apps', 'deploy', 'DEPLOY', 'deploy.apps', 'deployments.v1.apps'])(
		'is known as %s everywhere',
		async (word) => {
			expect(await count(`/api/v1/timeline?include=changes&kind=${word}`)).toBe(3)
			expect(await count(`/api/v1/timeline?include=audit&kind=${word}`)).toBe(2)
			expect(await count(`/api/v1/audit?resource=${word}`)).toBe(2)
			expect(await count(`/api/v1/objects?cluster=demo&at=7&kind=${word}`)).toBe(1)
			expect(await count(`/api/v1/objects?cluster=demo&at=7&resource=${word}`)).toBe(1)
			expect(await count(`/api/v1/history/${cluster}/${word}/shop/checkout`)).toBe(3)
			expect((await api.inject(`/api/v1/audit/top?by=user&resource=${word}`)).json<WirePage<unknown>>().items).toHaveLength(2)
		},
	)

	it.each(['Backend', 'backends', 'Backend.shop.example.com', 'backends.shop.example.com'])(
		'of a definition is known as %s from its records alone',
		async (word) => {
			expect(await count(`/api/v1/timeline?kind=${word}`)).toBe(1)
			expect(await count(`/api/v1/objects?cluster=demo&at=9&kind=${word}`)).toBe(1)
			expect(await count(`/api/v1/history/${cluster}/${word}/shop/pay`)).toBe(1)
		},
	)

	it('means itself by its full name, and Kubernetes’ own where others have the same', async () => {
		const lease: ObjectRef = { resource: 'masterleases', group: '', namespace: '', name: '10.0.0.1' }
		const made = change(lease, 20n, 'created', 'none')
		const endpoints = change({ ...lease, resource: 'endpoints', namespace: 'default', name: 'kubernetes' }, 21n, 'created', 'none')
		await store.put(
			[made, endpoints].map((put) => ({
				...put,
				record: { ...put.record, objectKind: 'Endpoints' } as Redacted<StoredRecord>,
			})),
		)
		for (const word of ['endpoints', 'Endpoints', 'ep'])
			expect(await count(`/api/v1/history/${cluster}/${word}/default/kubernetes`), word).toBe(1)
		expect(await count(`/api/v1/history/${cluster}/masterleases/-/10.0.0.1`)).toBe(1)
	})

	it('that was only asked for is known too, and one that nothing is recorded of is empty', async () => {
		expect(await count('/api/v1/audit?resource=widgetreviews')).toBe(1)
		expect(await count('/api/v1/timeline?kind=svc')).toBe(0)
		expect(await count('/api/v1/audit?resource=tokenreviews')).toBe(0)
	})

	it('that is none is told, with what was probably meant', async () => {
		expect(await refused('/api/v1/timeline?kind=Deploymnet')).toBe('kind: no kind "Deploymnet" is known: did you mean Deployment?')
		expect(await refused('/api/v1/timeline/histogram?kind=bakends')).toBe('kind: no kind "bakends" is known: did you mean backends?')
		expect(await refused('/api/v1/objects?resource=Zzzzzzzz')).toBe('resource: no kind "Zzzzzzzz" is known')
		expect(await refused('/api/v1/stream?kind=Deploymnet')).toContain('did you mean Deployment?')
		expect(await refused(`/api/v1/history/${cluster}/deploys/shop/checkout`)).toContain('did you mean deploy?')
	})
})

describe('a cluster', () => {
	it.each([
		'/api/v1/timeline?cluster=nope',
		'/api/v1/timeline/histogram?cluster=nope',
		'/api/v1/stream?cluster=nope',
		'/api/v1/audit?cluster=nope',
		'/api/v1/audit/top?by=user&cluster=nope',
		'/api/v1/logs?cluster=nope',
		'/api/v1/objects?cluster=nope',
		'/api/v1/coverage?cluster=nope',
		'/api/v1/rejects?cluster=nope',
		'/api/v1/history/nope/pods/shop/x',
		'/api/v1/history/nope/pods/shop/x/state',
		'/api/v1/history/nope/pods/shop/x/diff',
	])('that nobody knows is told: %s', async (url) => {
		expect(await refused(url)).toBe('no cluster "nope": there are demo, other')
	})

	it('that is configured and has no records yet is empty', async () => {
		const configured = await openApi(store, { clusters: [{ name: 'new', replay: false }] })
		expect((await configured.inject('/api/v1/timeline?cluster=new')).json()).toEqual({ items: [], next: null })
		expect((await configured.inject('/api/v1/coverage?cluster=new')).json()).toMatchObject({ ranges: [], gaps: [], rejects: 0 })
		await configured.close()
	})
})

it('rejects narrow by cluster and time', async () => {
	const where = async (query: string) =>
		(await api.inject(`/api/v1/rejects?${query}`))
			.json<WirePage<WireReject>>()
			.items.map((item) => `${item.cluster} ${item.time.slice(14, 19)}`)
	expect(await where('')).toEqual(['other 01:00', 'demo 00:30', 'demo 00:00'])
	expect(await where('cluster=demo')).toEqual(['demo 00:30', 'demo 00:00'])
	expect(await where('from=2026-11-23T10:00:30Z')).toEqual(['other 01:00', 'demo 00:30'])
	expect(await where('to=2026-11-23T10:00:30Z&cluster=demo&order=asc')).toEqual(['demo 00:00', 'demo 00:30'])
	const first = (await api.inject('/api/v1/rejects?cluster=demo&limit=1')).json<WirePage<WireReject>>()
	expect(await where(`cluster=demo&limit=1&cursor=${first.next}`)).toEqual(['demo 00:00'])
})
