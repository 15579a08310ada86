// The API over a small recorded story: every route's answer, every kind of wrong question, and hostile ones.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { WireCoverage, WireDiff, WireError, WireItem, WirePage, WireState, WireVersion } from '#api/wire.ts'
import { wireItem } from '#api/serialize.ts'
import type { Store } from '#storage/store/port.ts'
import { cluster, forget, openApi, story } from './support.ts'

const history = `/api/v1/history/${cluster}/deployments.apps/shop/checkout`
let store: Store
let api: FastifyInstance

beforeAll(async () => {
	store = await story()
	api = await openApi(store)
})
afterAll(async () => {
	await api.close()
	await forget()
})

const get = (url: string, headers: Record<string, string> = {}) => api.inject({ url, headers })
async function json<T>(url: string): Promise<T> {
	const response = await get(url)
	expect([response.statusCode, response.statusCode === 200 ? '' : response.body]).toEqual([200, ''])
	return response.json<T>()
}
async function refused(url: string, status: number, code: string): Promise<string> {
	const response = await get(url)
	expect([response.statusCode, response.json<WireError>().error.code]).toEqual([status, code])
	return response.json<WireError>().error.message
}

describe('records', () => {
	it('lists the timeline newest first, with every field that the item has', async () => {
		const page = await json<WirePage<WireItem>>('/api/v1/timeline')
		expect(page.items.map((item) => `${item.kind} ${item.time.slice(17, 19)}`)).toEqual([
			'change 08',
			'change 07',
			expect.stringContaining(' 05'),
			expect.stringContaining(' 05'),
			expect.stringContaining(' 02'),
			expect.stringContaining(' 02'),
		])
		const expected = (await store.timeline({ include: ['change', 'audit'] }, { limit: 100, order: 'desc' })).items.map(wireItem)
		const known = [
			'auditID',
			'stage',
			'level',
			'verb',
			'user',
			'groups',
			'impersonated',
			'sourceIPs',
			'userAgent',
			'subresource',
			'code',
			'decision',
			'reason',
			'requestURI',
			'requestReceived',
			'dryRun',
			'responseRevision',
			'truncated',
		] as const
		const trimmed = expected.map((item) =>
			item.audit ? { ...item, audit: Object.fromEntries(known.map((field) => [field, item.audit?.[field]])) } : item,
		)
		expect(page).toEqual({ items: JSON.parse(JSON.stringify(trimmed)), next: null })
	})

	it.each([
		['/api/v1/timeline?from=now-520w&', 6],
		['/api/v1/audit?from=now-520w&', 2],
		['/api/v1/objects?at=now&', 1],
		['/api/v1/objects?at=7&', 2],
		[`${history}?from=now-520w&`, 3],
		[`${history}?order=desc&`, 3],
		['/api/v1/rejects?', 1],
	])('pages without repeating or leaving out: %s', async (url, count) => {
		type Entry = { readonly id?: string; readonly item?: WireItem }
		const idOf = (entry: Entry): string => entry.id ?? entry.item?.id ?? ''
		const ids: string[] = []
		let next: string | null = ''
		while (next !== null) {
			const page: WirePage<Entry> = await json(`${url}limit=1${next ? `&cursor=${next}` : ''}`)
			ids.push(...page.items.map(idOf))
			next = page.next
		}
		const all = (await json<WirePage<Entry>>(`${url}limit=100`)).items.map(idOf)
		expect(new Set(all).size).toBe(count)
		expect(ids).toEqual(all)
	})

	it.each([
		['include=changes&kind=Deployment', 3],
		['include=audit&user=bob', 1],
		['include=alerts', 0],
		['severity=warning', 1],
		['from=2026-11-23T10:00:05Z&include=changes', 3],
		['to=2026-11-23T11:00:02%2B01:00&include=changes', 1],
		['to=2026-11-23T11:00:02+01:00&include=changes', 1],
		['from=2026-11-23&to=2026-11-24&include=changes', 4],
		['to=2026-11-23&include=changes', 0],
	])('narrows by %s', async (query, count) => {
		expect((await json<WirePage<WireItem>>(`/api/v1/timeline?${query}`)).items).toHaveLength(count)
	})

	it('counts over time and by value', async () => {
		const histogram = await json<WirePage<{ counts: { change?: number } }>>('/api/v1/timeline/histogram?include=changes&buckets=3')
		expect(histogram.items.map((bucket) => bucket.counts.change ?? 0).reduce((a, b) => a + b)).toBe(4)
		expect(await json('/api/v1/audit/top?by=user')).toEqual({
			items: [
				{ value: 'alice', count: 1 },
				{ value: 'bob', count: 1 },
			],
			next: null,
		})
		expect((await json<WirePage<WireItem>>('/api/v1/audit?verb=patch')).items[0]?.audit).toMatchObject({
			user: 'bob',
			responseRevision: '5',
		})
		expect(await json('/api/v1/logs?pod=x')).toEqual({ items: [], next: null })
	})

	it('shows clusters, coverage, gaps and rejects', async () => {
		expect((await json<WirePage<unknown>>('/api/v1/clusters')).items).toMatchObject([
			{ name: cluster, replay: true, counts: { change: 4 } },
		])
		const coverage = await json<WireCoverage>('/api/v1/coverage')
		expect(coverage).toMatchObject({
			cluster,
			rejects: 1,
			ranges: [{ from: '1', to: '9', versions: 4, chain: 'cd' }],
			gaps: [{ reason: 'compacted', from: '10', to: '12', toTime: null }],
		})
		expect((await json<WirePage<unknown>>('/api/v1/rejects')).items).toMatchObject([
			{ step: 'etcd.decode', where: '/registry/x@3', sizeBytes: 7 },
		])
	})
})

describe('objects', () => {
	it.each(['deployments.apps', 'deployments', 'Deployment', 'deployment'])(
		'finds the history under %s and names who made each version',
		async (resource) => {
			const page = await json<WirePage<WireVersion>>(`/api/v1/history/${cluster}/${resource}/shop/checkout`)
			expect(page.items.map((item) => [item.revision, item.operation, item.actor?.tier, item.actor?.user])).toEqual([
				['2', 'created', 'exact', 'alice'],
				['5', 'updated', 'exact', 'bob'],
				['8', 'deleted', 'unresolved', ''],
			])
		},
	)

	it('takes names with colons and encoded slashes', async () => {
		const state = await json<WireState>(`/api/v1/history/${cluster}/clusterroles.rbac.authorization.k8s.io/-/system:node%2Fodd/state`)
		expect(state.item.object?.key).toBe('clusterroles.rbac.authorization.k8s.io/-/system:node/odd')
	})

	it('says what differs, by default in the latest version', async () => {
		const diff = await json<WireDiff>(`${history}/diff?to=5`)
		expect(diff).toMatchObject({
			from: '2',
			to: '5',
			facets: ['spec'],
			actor: { user: 'bob' },
			changes: [{ path: 'spec.template.spec.containers[web].image', op: 'changed', before: 'web:1', after: 'web:2' }],
		})
		const removed = await json<WireDiff>(`${history}/diff`)
		expect([removed.from, removed.to, removed.summary]).toEqual(['5', '8', 'deleted'])
		expect((await json<WireDiff>(`${history}/diff?to=2026-11-23T10:00:02Z`)).from).toBeNull()
		const same = await json<WireDiff>(`${history}/diff?from=5&to=6`)
		expect([same.from, same.to, same.summary, same.facets, same.changes]).toEqual(['5', '5', 'one and the same version', [], []])
	})

	it('gives an object, and all objects, as they were', async () => {
		expect((await json<WireState>(`${history}/state?at=4`)).body).toMatchObject({
			spec: { template: { spec: { containers: [{ image: 'web:1' }] } } },
		})
		expect(await json<WireState>(`${history}/state`)).toMatchObject({ item: { operation: 'deleted' }, body: null })
		await refused(`${history}/state?at=1`, 404, 'NOT_FOUND')
		const at = async (query: string) =>
			(await json<WirePage<WireState>>(`/api/v1/objects?${query}`)).items.map((state) => state.item.object?.name)
		expect(await at('at=7')).toEqual(['system:node/odd', 'checkout'])
		expect(await at('at=7&labelSelector=app%20in%20(checkout)')).toEqual(['checkout'])
		expect(await at('at=7&fieldSelector=metadata.name!=checkout')).toEqual(['system:node/odd'])
		expect(await at('')).toEqual(['system:node/odd'])
	})

	it('has 404 for what was never seen', async () => {
		expect(await refused(`/api/v1/history/${cluster}/pods/shop/none`, 404, 'NOT_FOUND')).toBe(
			'pods shop/none was never seen in cluster demo',
		)
	})
})

describe('wrong questions', () => {
	it.each([
		['/api/v1/timeline?namespce=a', 'namespce is no parameter: did you mean namespace?'],
		['/api/v1/timeline?limit=1001', 'limit must be <= 1000'],
		['/api/v1/timeline?limit=x', 'limit must be integer'],
		['/api/v1/timeline?order=up', 'order must be one of asc, desc'],
		[
			'/api/v1/timeline?from=yesterday',
			'from: "yesterday" is no time: RFC 3339 (2026-11-23T10:00:00Z), a date (2026-11-23), or date math (now-15m; units s, m, h, d, w)',
		],
		['/api/v1/timeline?limit=0x10', 'limit must be integer'],
		['/api/v1/timeline?limit=1e1', 'limit must be integer'],
		['/api/v1/timeline?limit=%205', 'limit must be integer'],
		['/api/v1/timeline?limit=', 'limit must be integer'],
		['/api/v1/audit?code=0x1', 'code must be integer'],
		['/api/v1/timeline/histogram?buckets=1e1', 'buckets must be integer'],
		[
			'/api/v1/timeline?from=2026-02-30',
			'from: "2026-02-30" is no time: RFC 3339 (2026-11-23T10:00:00Z), a date (2026-11-23), or date math (now-15m; units s, m, h, d, w)',
		],
		['/api/v1/timeline?from=now&to=now-1h', 'from: is later than to'],
		['/api/v1/timeline?include=change', 'include: "change" is unknown: did you mean changes?'],
		['/api/v1/timeline?kind=a&kind=b', 'kind must be string'],
		['/api/v1/objects?labelSelector=a%3D%3D%3Db', 'labelSelector: "=b" is no label value'],
		['/api/v1/audit/top', 'by is needed'],
		[`${history}/state?at=99999999999999999999`, 'at: 99999999999999999999 is no revision'],
	])('%s', async (url, message) => {
		expect(await refused(url, 400, 'QUERY_INVALID')).toBe(message)
	})

	it('refuses strange cursors, methods and hosts', async () => {
		await refused('/api/v1/timeline?cursor=abc', 400, 'CURSOR_INVALID')
		await refused('/nothing', 404, 'NOT_FOUND')
		expect((await api.inject({ method: 'POST', url: '/api/v1/timeline', payload: 'x' })).statusCode).toBe(405)
		expect((await get('/api/v1/clusters', { host: 'evil.example' })).statusCode).toBe(403)
		expect((await get('/api/v1/clusters', { host: '[::1]:8480' })).statusCode).toBe(200)
		expect((await get('/api/v1/clusters', { host: '127.0.0.1.evil.example' })).statusCode).toBe(403)
	})

	it('never answers hostile input with 5xx nor with a stack', async () => {
		const paths = fc.oneof(
			fc.constantFrom(
				'/api/v1/timeline',
				'/api/v1/objects',
				'/api/v1/audit/top',
				'/api/v1/coverage',
				'/api/v1/rejects',
				history,
				`${history}/diff`,
				`${history}/state`,
			),
			fc.webPath(),
		)
		const name = fc.oneof(
			fc.constantFrom(
				'from',
				'to',
				'at',
				'q',
				'limit',
				'cursor',
				'kind',
				'labelSelector',
				'fieldSelector',
				'include',
				'by',
				'space',
				'__proto__',
				'constructor',
			),
			fc.string(),
		)
		const value = fc.oneof(
			fc.string({ unit: 'binary' }),
			fc.constantFrom('now-999999999w', '9999-12-31T23:59:59Z', '0', '-1', '%', '\0', '(((', 'a in (', '"', '9223372036854775807'),
			fc.bigInt().map(String),
		)
		await fc.assert(
			fc.asyncProperty(paths, fc.array(fc.tuple(name, value), { maxLength: 4 }), fc.boolean(), async (path, pairs, encoded) => {
				const well = (text: string): string => encodeURIComponent(text.toWellFormed())
				const query = pairs.map(([key, text]) => `${well(key)}=${encoded ? well(text) : text.replaceAll(/[^!-~]/g, '%ff')}`).join('&')
				const response = await get(`${path}?${query}`)
				expect(response.statusCode, `${path}?${query}: ${response.body}`).toBeLessThan(500)
				expect(response.body).not.toMatch(/\.ts:\d+/)
			}),
			{ numRuns: 300 },
		)
	})

	it('answers a defect without its details', async () => {
		const broken = await openApi(new Proxy(store, { get: () => () => Promise.reject(new Error('secret path /home/x')) }))
		const response = await broken.inject('/api/v1/clusters')
		expect([response.statusCode, response.json<WireError>().error.code]).toEqual([500, 'INTERNAL'])
		expect(response.body).not.toContain('secret path')
		await broken.close()
	})
})

describe('the process', () => {
	it('tells health and metrics', async () => {
		expect(await json('/livez')).toEqual({ ok: true, parts: {} })
		const ready = await get('/readyz')
		expect([ready.statusCode, ready.json()]).toEqual([
			503,
			{ ok: false, parts: { process: { ok: false, message: 'paused: the disk is full' } } },
		])
		expect((await get('/metrics')).body).toBe('kubetape_up 1\n')
	})

	it('describes itself', async () => {
		const document = await json<{
			paths: Record<string, { get: { parameters: { name: string; in: string }[]; responses: Record<string, object> } }>
		}>('/openapi.json')
		const route = document.paths['/api/v1/history/{cluster}/{resource}/{namespace}/{name}/diff']
		expect(route?.get.parameters.map((parameter) => `${parameter.in} ${parameter.name}`)).toEqual([
			'path cluster',
			'path resource',
			'path namespace',
			'path name',
			'query from',
			'query to',
			'query space',
		])
		const docs = await get('/docs')
		expect(Object.keys(document.paths).filter((path) => !docs.body.includes(`GET ${path}<`))).toEqual([])
		expect(docs.headers['content-security-policy']).toMatch(/style-src 'sha256-/)
	})

	it('serves the page, its files and deep links under a strict policy', async () => {
		const webRoot = mkdtempSync(join(tmpdir(), 'kubetape-web-'))
		mkdirSync(join(webRoot, 'assets'))
		writeFileSync(join(webRoot, 'index.html'), '<!doctype html>page')
		writeFileSync(join(webRoot, 'assets', 'a-1.js'), 'a')
		const paged = await openApi(store, { webRoot })
		const html = { accept: 'text/html' }
		for (const url of ['/', '/object/shop/checkout?at=5']) {
			const response = await paged.inject({ url, headers: html })
			expect([response.statusCode, response.body]).toEqual([200, '<!doctype html>page'])
			expect(response.headers['content-security-policy']).toContain("script-src 'self'")
			expect(response.headers['cache-control']).toBe('no-cache')
		}
		expect((await paged.inject('/assets/a-1.js')).headers['cache-control']).toContain('immutable')
		const gone = await Promise.all(
			['/assets/none.js', '/api/v1/none', '/..%2f..%2fetc/passwd', '/%2e%2e/%2e%2e/etc/passwd'].map((url) => paged.inject({ url })),
		)
		expect(gone.map((response) => [response.statusCode, response.json<WireError>().error.code])).toEqual(gone.map(() => [404, 'NOT_FOUND']))
		await paged.close()
		rmSync(webRoot, { recursive: true })
	})
})
