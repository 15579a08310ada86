// Every query and aggregation of every panel, on a real Elasticsearch over the recorded incident: each gives rows, KQL asks what is meant, and what is counted is what is known of the incident.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { indicesOf } from '#dashboards/kibana/data-views.ts'
import { objectLanes } from '#dashboards/kibana/object-lanes.ts'
import { views, type LensPanel, type View } from '#dashboards/kibana/panel.ts'
import { exists, is, not, startsWith, type Query } from '#dashboards/kibana/query.ts'
import { demoAudit } from '#test/history/demo.ts'
import { ask, openStore } from '#test/storage/store/elasticsearch/support.ts'
import { aGap, aReject, noon } from '#test/storage/store/records.ts'
import { startElasticsearch, type ElasticsearchServer } from '#test/support/elasticsearch.ts'
import { startProgram, temporaryFolder } from '#test/support/program.ts'
import { controls, lensPanels, searches, uses } from './declared.ts'
import { draw, filledIn, lanesIn, marksIn, type Context } from './draw.ts'
import { dslOf, kql, lensRequest, queryOf, rowsOf, searchRequest, type Answered, type Clause, type Range, type Row } from './request.ts'

const prefix = 'kubetape'
const range: Range = { from: '2026-11-23T00:00:00Z', to: '2026-11-23T23:59:59.999Z' }
const folder = temporaryFolder('kibana-panels')
let server: ElasticsearchServer

/** The incident through the whole program; and of what it has none, a gap and a reject. */
beforeAll(async () => {
	server = await startElasticsearch()
	const config = join(folder.path, 'kubetape.yaml')
	writeFileSync(config, `store:\n  elasticsearch:\n    url: ${server.url}\n    refreshMs: 0\n    replicas: '0'\n`)
	const program = startProgram(['import', 'demo', '--cluster', 'demo', '--config', config, '--data-dir', join(folder.path, 'data')])
	if ((await program.exited) !== 0) throw new Error(`the incident was not imported: ${program.output()}`)
	const { store } = await openStore(server, { prefix })
	await store.put([aGap(noon), aReject('blue', noon + 1)])
	await store[Symbol.asyncDispose]()
})
afterAll(async () => {
	await server[Symbol.asyncDispose]()
	folder.remove()
})

interface Answer {
	readonly hits: {
		readonly total: { readonly value: number }
		readonly hits: readonly { readonly fields: Readonly<Record<string, readonly unknown[]>> }[]
	}
	readonly aggregations?: Answered & { readonly suggestions?: { readonly buckets: readonly { readonly key: string }[] } }
	readonly _shards: { readonly failed: number }
}

async function search(view: View, body: Clause): Promise<Answer> {
	const answer = await ask<Answer>(server, 'POST', `/${indicesOf(prefix, view)}/_search?allow_partial_search_results=false`, body)
	expect(answer._shards.failed).toBe(0)
	return answer
}

async function rows(panel: LensPanel): Promise<readonly Row[]> {
	const { aggregations, hits } = await search(panel.view, lensRequest(panel, range))
	return rowsOf(panel, aggregations, hits.total.value)
}

async function count(view: View, query: Clause): Promise<number> {
	return (await search(view, { size: 0, track_total_hits: true, query })).hits.total.value
}

const named = <T extends { readonly id: string }>(things: readonly T[]): [string, T][] => things.map((thing) => [thing.id, thing])
const panel = (id: string): LensPanel => {
	const found = lensPanels.find((each) => each.id === id)
	if (!found) throw new Error(`there is no panel ${id}`)
	return found
}

describe('panels', () => {
	it.each(named(lensPanels))('%s gives rows, and each of its metrics a value', async (_, each) => {
		const found = await rows(each)
		expect(found.length).toBeGreaterThan(each.buckets.some(({ by }) => by === 'time') ? 1 : 0)
		for (const [n, metric] of each.metrics.entries())
			expect([metric.label, found.some(({ values }) => (values[n] ?? 0) > 0)]).toEqual([metric.label, true])
	})

	it.each(named(searches))('%s finds records, and each of its columns has a value', async (_, each) => {
		const { hits } = await search(each.view, searchRequest(each, range))
		expect(hits.total.value).toBeGreaterThan(0)
		const seen = new Set(hits.hits.flatMap(({ fields }) => Object.keys(fields)))
		expect(each.columns.filter((column) => !seen.has(column))).toEqual([])
		const times = hits.hits.map(({ fields }) => String(fields['@timestamp']?.[0]))
		expect(times).toEqual(times.toSorted().toReversed())
	})

	it.each(controls.map((control) => [`${control.dashboard} ${control.id}`, control] as const))(
		'control %s has values',
		async (_, control) => {
			const body = { size: 0, query: queryOf(undefined, range), aggs: { suggestions: { terms: { field: control.field, size: 10 } } } }
			const { aggregations } = await search('everything', body)
			const keys = aggregations?.suggestions?.buckets.map(({ key }) => key)
			expect(keys).toContain(control.id === 'cluster' ? 'demo' : 'shop')
		},
	)
})

/** Every question of the dashboards, also those within metrics and filters. */
const questions: readonly (readonly [name: string, view: View, query: Query])[] = [
	...lensPanels.flatMap(({ id, view, where, buckets, metrics }) => [
		...(where ? [[id, view, where] as const] : []),
		...metrics.flatMap((metric) => (metric.where ? [[`${id}: ${metric.label}`, view, metric.where] as const] : [])),
		...buckets.flatMap((bucket) =>
			bucket.by === 'filters' ? bucket.filters.map((filter) => [`${id}: ${filter.label}`, view, filter.where] as const) : [],
		),
	]),
	...searches.flatMap(({ id, view, where }) => (where ? [[id, view, where] as const] : [])),
]

describe('questions in KQL', () => {
	it.each(questions)('%s', async (_, view, query) => {
		const found = await count(view, queryOf(query, range))
		expect(found).toBe(await count(view, queryOf(query, range, dslOf)))
		expect(found).toBeGreaterThan(0)
		expect(found).toBeLessThan(await count(view, { match_all: {} }))
	})

	it('that are badly said are refused, and an unknown field finds nothing', async () => {
		await expect(search('audit', { query: { kql: { query: 'user.name: (a or' } } })).rejects.toThrow('kql_parsing_exception')
		expect(await count('audit', kql(is('user.nam', 'bob')))).toBe(0)
	})

	it('mean beginnings as they are, and find what has a field', async () => {
		const system = await count('audit', kql(startsWith('user.name', 'system:')))
		const others = await count('audit', kql(not(startsWith('user.name', 'system:'))))
		expect(system + others).toBe(3363)
		expect(others).toBeGreaterThan(100)
		const entries = demoAudit()
		const with_ = (has: (entry: (typeof entries)[number]) => unknown): number => entries.filter(has).length
		expect(await count('audit', kql(exists('user.effective.name')))).toBe(with_((entry) => entry['impersonatedUser']))
		expect(await count('audit', kql(exists('kubetape.item.audit.subresource')))).toBe(
			with_(({ objectRef }) => (objectRef as { readonly subresource?: string } | undefined)?.subresource),
		)
		const logs = await count('logs', { match_all: {} })
		const ofPods = await count('logs', kql(exists('kubernetes.pod.name')))
		const ofComponents = await count('logs', kql(exists('service.name')))
		expect([ofPods > 0, ofComponents > 0, ofPods + ofComponents]).toEqual([true, true, logs])
	})
})

describe('what is counted', () => {
	const value = async (id: string): Promise<number | undefined> => (await rows(panel(id)))[0]?.values[0]

	it('is what is known of the incident', async () => {
		const lasts = demoAudit().filter(({ stage }) => stage === 'ResponseComplete' || stage === 'Panic')
		const codes = lasts.map(({ responseStatus }) => (responseStatus as { readonly code?: number } | undefined)?.code ?? 0)
		const of = (matches: (code: number) => boolean): number => codes.filter(matches).length
		expect(await value('requests')).toBe(lasts.length)
		expect(await value('forbidden')).toBe(of((code) => code === 403))
		expect(await value('conflicts')).toBe(of((code) => code === 409))
		expect(await value('too-many')).toBe(of((code) => code === 429))
		expect(await value('server-errors')).toBe(of((code) => code >= 500))
		expect(await value('failed')).toBe(of((code) => code >= 400))
		expect(await value('impersonated')).toBe(lasts.filter((entry) => 'impersonatedUser' in entry).length)
		expect(await value('users')).toBe(28)
		expect(await value('gaps')).toBe(1)
		expect(await value('rejects')).toBe(1)
		expect(await value('clusters')).toBe(2)
		expect((await count('changes', { match_all: {} })) + (await count('events', { match_all: {} }))).toBe(2817)
	})

	it('shows the story: who was refused and then looked into a Secret', async () => {
		const refused = await rows(panel('refused-users'))
		expect(refused.map(({ keys }) => keys[0])).toContain('bob')
		const sensitive = await rows(panel('sensitive'))
		expect(sensitive.map(({ keys }) => keys.join(' '))).toEqual(expect.arrayContaining(['bob secrets get', 'bob secrets patch']))
		const reasons = await rows(panel('reasons'))
		expect(reasons.map(({ keys }) => keys.join(' '))).toEqual(expect.arrayContaining(['Warning BackOff', 'Warning FailedScheduling']))
	})
})

describe('data views', () => {
	it.each(views)('%s: the server knows every field as it is used, without a conflict', async (view) => {
		const used = uses.filter((use) => use.view === view)
		const wanted = [...new Set(used.map(({ field }) => field))]
		const { fields } = await ask<{
			fields: Readonly<Record<string, Readonly<Record<string, { readonly aggregatable: boolean; readonly searchable: boolean }>>>>
		}>(server, 'GET', `/${indicesOf(prefix, view)}/_field_caps?fields=${['@timestamp', ...wanted].map(encodeURIComponent).join(',')}`)
		for (const name of wanted) expect([name, Object.keys(fields[name] ?? {})]).toEqual([name, [expect.any(String)]])
		for (const { field, as } of used) {
			const [capabilities] = Object.values(fields[field] ?? {})
			expect([field, capabilities?.searchable]).toEqual([field, true])
			if (as === 'counted' || as === 'time') expect([field, capabilities?.aggregatable]).toEqual([field, true])
		}
	})
})

const weights: Readonly<Record<string, number>> = { error: 100, warning: 10, normal: 0.1 }

/** Of the thirty objects with most trouble, counted by hand; of two with as much, the first by its name. */
function recordsOnLanes({ hits }: Answer): number {
	const lanes = new Map<string, { weight: number; records: number }>()
	for (const { fields } of hits.hits) {
		const text = (name: string): string => (fields[name] as readonly string[] | undefined)?.[0] ?? ''
		const namespace = text('orchestrator.namespace')
		const lane = `${text('orchestrator.resource.type')} ${namespace === '' ? '' : `${namespace}/`}${text('orchestrator.resource.name')}`
		const { weight, records } = lanes.get(lane) ?? { weight: 0, records: 0 }
		lanes.set(lane, { weight: weight + (weights[text('kubetape.item.severity')] ?? 0), records: records + 1 })
	}
	const sorted = [...lanes].toSorted(([nameA, a], [nameB, b]) => b.weight - a.weight || (nameA < nameB ? -1 : 1))
	return sorted.slice(0, 30).reduce((sum, [, { records }]) => sum + records, 0)
}

describe('the lane timeline', () => {
	const specification = objectLanes.specification(prefix)
	const { url } = specification['data'] as { readonly url: { readonly index: string; readonly body: Clause } }
	const answer = (context: Partial<Context>): Promise<Answer> => {
		const whole: Context = { must: [], filter: [], mustNot: [], from: range.from, to: range.to, ...context }
		return ask<Answer>(server, 'POST', `/${url.index}/_search`, filledIn(url.body, whole) as object)
	}

	it('draws the incident: thirty lanes, a mark for each record on them, every kind and severity', async () => {
		const found = await answer({})
		const { svg, warnings } = await draw(specification, found)
		expect(warnings).toEqual([])
		const lanes = lanesIn(svg)
		expect(lanes).toHaveLength(30)
		expect(lanes.some((lane) => lane.includes('shop/checkout'))).toBe(true)
		expect(lanes.some((lane) => lane.includes('leases'))).toBe(false)
		const marks = marksIn(svg)
		expect(marks).toHaveLength(recordsOnLanes(found))
		expect(new Set(marks.map(({ fill }) => fill)).size).toBeGreaterThanOrEqual(2)
		for (const kind of ['change', 'event']) expect(marks.some(({ label }) => label.includes(`Record: ${kind}`))).toBe(true)
	})

	it('follows the query bar, the filters and the time of Kibana', async () => {
		const whole = await answer({})
		const must = [kql(is('orchestrator.namespace', 'shop'))]
		const narrowed = await answer({ must, mustNot: [{ terms: { 'kubetape.item.kind': ['event'] } }] })
		expect(narrowed.hits.hits.length).toBeGreaterThan(0)
		expect(narrowed.hits.hits.length).toBeLessThan(whole.hits.hits.length)
		const namespaces = new Set(narrowed.hits.hits.map(({ fields }) => fields['orchestrator.namespace']?.[0]))
		expect([...namespaces]).toEqual(['shop'])
		expect((await answer({ to: '2026-11-23T01:00:00Z' })).hits.hits).toEqual([])
		const { svg } = await draw(specification, narrowed)
		expect(lanesIn(svg).every((lane) => lane.includes('shop'))).toBe(true)
	})
})
