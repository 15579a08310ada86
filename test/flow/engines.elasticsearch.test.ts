// The recorded incident on SQLite and on Elasticsearch: the same answers, route by route of the OpenAPI document, byte by byte; and the same live tail.
import { resolve } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { Value } from 'typebox/value'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createApi } from '#api/app.ts'
import { configSchema, type Config } from '#cli/config.ts'
import { createRoleContext, paths } from '#cli/roles/context.ts'
import { openLog } from '#cli/roles/engines.ts'
import { importPaths } from '#cli/roles/import.ts'
import { createIndexer } from '#processors/index/step.ts'
import { silentLogger } from '#runtime/log.ts'
import { createMetrics } from '#runtime/metrics.ts'
import { streams } from '#storage/log/port.ts'
import type { Filter, Item, Store } from '#storage/store/port.ts'
import { openElasticsearchStore } from '#storage/store/elasticsearch/store.ts'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'
import { startElasticsearch, type ElasticsearchServer } from '#test/support/elasticsearch.ts'
import { eventually, temporaryFolder } from '#test/support/program.ts'
import { answersMs, compareAnswers } from './answers.ts'
import type { Ask } from './engines-questions.ts'

const cluster = 'demo'
const folder = temporaryFolder('engines')
const config = Value.Default(configSchema, { dataDir: folder.path, logLevel: 'silent', clusters: [] }) as Config
const context = createRoleContext('process', config, () => undefined)
const { clock } = context

interface Engine {
	readonly name: string
	readonly store: Store
	readonly api: FastifyInstance
	/** Of the tail from before anything was stored. */
	readonly token: string
}

let server: ElasticsearchServer
let engines: readonly [Engine, Engine]

async function engineOf(name: string, store: Store): Promise<Engine> {
	const api = await createApi({
		store,
		clock: { ...clock, nowMicros: () => begun },
		metrics: { render: () => Promise.resolve('') },
		health: { live: () => ({ ok: true, parts: {} }), ready: () => Promise.resolve({ ok: true, parts: {} }) },
		clusters: [{ name: cluster, replay: true }],
		logger: silentLogger,
		version: '1.2.3',
	})
	return { name, store, api, token: (await store.tail({}, undefined, 1)).token }
}

const begun = clock.nowMicros()

/** Everything that is in the log goes through describe and enrich into the store. */
async function fill({ name, store }: Engine): Promise<void> {
	await using log = await openLog(context, new AbortController().signal)
	const done = new AbortController()
	const running = createIndexer({ store, log, group: name, clock, metrics: createMetrics(), logger: silentLogger }).run(done.signal)
	const lag = async (): Promise<bigint> => (await log.lag(name, streams)).reduce((sum, { records }) => sum + records, 0n)
	await Promise.race([running, eventually(lag, (records) => records === 0n, 240_000)])
	done.abort()
	await running
}

beforeAll(async () => {
	server = await startElasticsearch()
	await importPaths(
		context,
		{ given: [resolve('demo')], cluster, format: 'auto', standardInput: (async function* () {})() },
		new AbortController().signal,
	)
	engines = [
		await engineOf('sqlite', await openSqliteStore({ dir: `${paths.store(config)}-again`, clock })),
		await engineOf('elasticsearch', await openElasticsearchStore({ config: { url: server.url }, clock })),
	]
	for (const engine of engines) await fill(engine)
	const counts = (store: Store) => async (): Promise<string> => JSON.stringify((await store.clusters()).map((each) => each.counts))
	const [sqlite, elasticsearch] = engines
	const expected = await counts(sqlite.store)()
	await eventually(counts(elasticsearch.store), (found) => found === expected)
})
afterAll(async () => {
	for (const { api, store } of engines) {
		await api.close()
		await store[Symbol.asyncDispose]()
	}
	await server[Symbol.asyncDispose]()
	folder.remove()
})

const asking =
	({ api }: Engine): Ask =>
	async (url) => {
		const { statusCode, body } = await api.inject({ url })
		return `${statusCode} ${body}`
	}

it(
	'answers every question of every route alike',
	async () => {
		const [sqlite, elasticsearch] = engines
		const compared = await compareAnswers(asking(sqlite), asking(elasticsearch), { cluster })
		expect(compared).toEqual({ differing: [], silent: ['/api/v1/rejects'] })
	},
	answersMs,
)

/** Several streams of the record log are read together, and a put of a batch goes in several requests: that order is of the run, not of the engine. */
const inTime = (items: readonly Item[]): readonly Item[] => items.toSorted((a, b) => a.occurredAt - b.occurredAt || (a.id < b.id ? -1 : 1))

async function tailed({ store, token }: Engine, filter: Filter): Promise<readonly Item[]> {
	const items: Item[] = []
	for (let after = token; ;) {
		const next = await store.tail(filter, after, 500)
		items.push(...next.items.map((item) => ({ ...item, token: undefined })))
		if (next.token === after) return items
		after = next.token
	}
}

it('tails live the same records, each once', async () => {
	for (const filter of [{}, { include: ['audit'], verb: 'patch' }, { q: 'checkout', noise: true }] satisfies readonly Filter[]) {
		const [sqlite, elasticsearch] = engines
		const expected = await tailed(sqlite, filter)
		const found = await tailed(elasticsearch, filter)
		expect(expected.length).toBeGreaterThan(10)
		expect(found.length).toBe(expected.length)
		expect(inTime(found)).toEqual(inTime(expected))
	}
})
