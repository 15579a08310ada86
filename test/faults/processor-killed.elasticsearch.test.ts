// A processor over Kafka and Elasticsearch, killed at every step of its cycle: what was committed is in the store, and everything that was acknowledged is seen by a reader once.
import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { WirePage } from '#api/wire.ts'
import { systemClock } from '#runtime/clock.ts'
import { openKafkaLog } from '#storage/log/kafka/log.ts'
import { streams, type RecordLog } from '#storage/log/port.ts'
import { openElasticsearchStore } from '#storage/store/elasticsearch/store.ts'
import type { Store } from '#storage/store/port.ts'
import { findDoubles, readAll } from '#test/flow/compare.ts'
import { ask } from '#test/storage/store/elasticsearch/support.ts'
import { startElasticsearch, type ElasticsearchServer } from '#test/support/elasticsearch.ts'
import { tellFault } from '#test/support/fault-line.ts'
import { startKafka, type KafkaServer } from '#test/support/kafka.ts'
import { kafkaConfig } from '#test/support/kafka-log.ts'
import { startKafkaProxy, type KafkaProxy } from '#test/support/kafka-proxy.ts'
import { eventually, getJson, startProgram, temporaryFolder, type Program } from '#test/support/program.ts'
import { startProxy, type Proxy } from '#test/support/proxy.ts'
import { createRandom, seedOf } from '#test/support/random.ts'
import { appendAll, cluster, Records } from './processor-records.ts'
import { steps, type Step } from './processor-steps.ts'

const seed = seedOf('processor-killed.elasticsearch.test.ts')
const random = createRandom(seed)
const settings = { partitions: 4, sessionTimeoutMs: 4000 }
/** Of the places that are met again and again, one of the first. */
const strikesMax = 3
const groupPauseMs = 200
const groupsMax = 300
/** A request of the processor that is held is made again after that. */
const answerMs = 10_000
const settledMs = 90_000
const folder = temporaryFolder('processor-killed')
const stack = new AsyncDisposableStack()
const records = new Records(Math.floor(systemClock.nowMicros() / 1e6) * 1e6, random)
const acknowledged = new Set<string>()
const running = new Set<Program>()
let [kafka, elasticsearch]: [KafkaServer?, ElasticsearchServer?] = []
let [kafkaProxy, storeProxy]: [KafkaProxy?, Proxy?] = []
let [log, store]: [RecordLog?, Store?] = []
let made = 0

function start(role: 'process' | 'serve'): Program {
	const dir = join(folder.path, `${role}-${++made}`)
	mkdirSync(dir)
	const logConfig = kafkaConfig([`127.0.0.1:${kafkaProxy?.port}`], settings)
	const storeConfig = { elasticsearch: { url: storeProxy?.url, refreshMs: 200, replicas: '0', timeoutMs: answerMs } }
	const file = join(dir, 'kubetape.yaml')
	// YAML takes JSON.
	writeFileSync(
		file,
		JSON.stringify({
			dataDir: join(dir, 'data'),
			clusters: [],
			logLevel: 'warn',
			server: { port: 0 },
			operations: { port: 0 },
			log: { kafka: logConfig },
			store: storeConfig,
		}),
	)
	const program = startProgram([role, '--config', file])
	running.add(program)
	void program.exited.then(() => running.delete(program))
	return program
}

beforeAll(async () => {
	stack.defer(() => folder.remove())
	kafkaProxy = stack.use(await startKafkaProxy())
	;[kafka, elasticsearch] = await Promise.all([startKafka({ advertised: [kafkaProxy.port] }), startElasticsearch()])
	stack.use(kafka)
	stack.use(elasticsearch)
	kafkaProxy.forwardTo(kafka.brokers[0] ?? '')
	storeProxy = stack.use(await startProxy(elasticsearch.url))
	const config = kafkaConfig([`127.0.0.1:${kafkaProxy.port}`], settings)
	log = stack.use(await openKafkaLog({ config, dir: join(folder.path, 'appending'), clock: systemClock }))
	stack.defer(async () => {
		const all = [...running]
		for (const { process } of all) process.kill('SIGKILL')
		await Promise.all(all.map(({ exited }) => exited))
	})
})
afterAll(() => stack.disposeAsync())

function there<T>(value: T | undefined): T {
	if (value === undefined) throw new Error('not started')
	return value
}

async function append(what: ReturnType<Records['group']>): Promise<void> {
	await appendAll(there(log), what)
	for (const { id } of what) acknowledged.add(id)
}

/** Until a processor has committed everything. */
async function caughtUp(processor: Program): Promise<void> {
	// Of a group that nobody was in yet the brokers know nothing for a moment.
	const lags = (): ReturnType<RecordLog['lag']> => there(log).lag('store', streams)
	const lag = async (): Promise<bigint> => (await lags().catch(() => [{ records: -1n }])).reduce((sum, each) => sum + each.records, 0n)
	await eventually(lag, (behind) => behind === 0n, settledMs).catch((error: unknown) => {
		throw new Error(`${String(error)}; ${processor.output().slice(-3000)}`)
	})
}

/** As any reader would, of all that was put so far. */
async function readStore(): ReturnType<typeof readAll> {
	await ask(there(elasticsearch), 'POST', '/kubetape-*/_refresh')
	store ??= stack.use(
		await openElasticsearchStore({ config: { url: there(elasticsearch).url, replicas: '0' }, readOnly: true, clock: systemClock }),
	)
	return readAll(store, cluster)
}

/** Ids of the records before the group's positions, by a group that has read nothing. */
async function committedIds(): Promise<readonly string[]> {
	const positions = new Map((await there(log).lag('store', streams)).map(({ stream, partition, next }) => [`${stream}/${partition}`, next]))
	const group = `witness-${randomUUID()}`
	let left = (await there(log).lag(group, streams)).reduce((sum, each) => sum + each.records, 0n)
	const ids: string[] = []
	for await (const batch of there(log).read(group, streams, AbortSignal.timeout(settledMs))) {
		let from = 0
		for (const { stream, partition, offset, records: count } of batch.next) {
			const first = offset - BigInt(count)
			const committed = positions.get(`${stream}/${partition}`) ?? 0n
			const behind = committed > first ? Math.min(count, Number(committed - first)) : 0
			ids.push(...batch.records.slice(from, from + behind).map(({ id }) => id))
			from += count
		}
		left -= BigInt(batch.records.length)
		if (left <= 0n) return ids
	}
	throw new Error(`${left} records were not read`)
}

/** Appends until it is killed, at the n-th time that it comes to the place. */
async function killAt({ arm, joins, once }: Step, processor: Program): Promise<{ readonly at: number; readonly other?: Program }> {
	const at = joins || once ? 1 : 1 + Math.floor(random() * strikesMax)
	const [proxy, door] = [there(kafkaProxy), there(storeProxy)]
	let passed = 0
	const killed = new AbortController()
	const strike = (): boolean => {
		if (!killed.signal.aborted && ++passed < at) return false
		killed.abort()
		processor.process.kill('SIGKILL')
		return true
	}
	arm({ kafka: proxy, store: door, strike, olderConnections: joins ? proxy.connections : Number.POSITIVE_INFINITY })
	try {
		const other = joins ? start('process') : undefined
		for (let group = 0; !killed.signal.aborted && group < groupsMax; group++) {
			await append(records.group())
			await systemClock.sleep(groupPauseMs)
		}
		expect(killed.signal.aborted, `it came to the place ${passed} times; ${processor.output().slice(-2000)}`).toBe(true)
		expect(await processor.exited).toBeNull()
		return { at, ...(other ? { other } : {}) }
	} finally {
		proxy.onRequest = proxy.onAnswer = () => 'pass'
		door.onRequest = door.onAnswer = () => 'pass'
		door.onKept = () => undefined
	}
}

let processor: Program | undefined

it.each(steps)('killed: $name', async (step) => {
	processor ??= start('process')
	await caughtUp(processor)
	const before = acknowledged.size
	const { at, other } = await killAt(step, processor)
	// In this order: another processor may go on meanwhile.
	const committed = await committedIds()
	const stored = new Set((await readStore()).map(({ id }) => id))
	expect(
		committed.filter((id) => !stored.has(id)),
		'committed, and not in the store',
	).toEqual([])
	const waiting = acknowledged.size - committed.length
	processor = other ?? start('process')
	await append(records.last())
	await caughtUp(processor)
	await there(storeProxy).deliver()
	const items = await readStore()
	const found = Map.groupBy(items, ({ id }) => id)
	const lost = [...acknowledged].filter((id) => !found.has(id))
	const doubles = await findDoubles(there(store), cluster, items)
	const kinds = Map.groupBy(items, ({ kind }) => kind)
	tellFault(
		`processor SIGKILL: ${step.name}`,
		{
			acknowledged: acknowledged.size - before,
			lost: lost.length,
			duplicated: doubles.length,
			gaps: (kinds.get('gap')?.length ?? 0) - [...acknowledged].filter((id) => found.get(id)?.[0]?.kind === 'gap').length,
			rejects: (kinds.get('reject')?.length ?? 0) - [...acknowledged].filter((id) => found.get(id)?.[0]?.kind === 'reject').length,
		},
		{ 'time at the place': at, 'not committed then': waiting, seed },
	)
	expect(lost).toEqual([])
	expect(doubles).toEqual([])
	expect(
		items.map(({ id }) => id).filter((id) => !acknowledged.has(id)),
		'never appended',
	).toEqual([])
	expect(
		(kinds.get('log') ?? []).filter(({ labels, log: line }) => labels?.['app'] !== `app-of-${line?.pod}`),
		'lines without what was known of their Pod',
	).toEqual([])
})

it('the API gives each of them once', async () => {
	const address = await start('serve').address
	const seen: string[] = []
	for (let cursor: string | null = ''; cursor !== null;) {
		const more = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
		const page: WirePage<{ readonly id: string }> = await getJson(
			address,
			`/api/v1/timeline?cluster=${cluster}&noise=true&include=changes,events,audit,logs&limit=1000${more}`,
		)
		seen.push(...page.items.map(({ id }) => id))
		cursor = page.next ?? null
	}
	const statements = new Set((await readStore()).filter(({ kind }) => kind === 'gap' || kind === 'reject').map(({ id }) => id))
	expect(seen.toSorted()).toEqual([...acknowledged].filter((id) => !statements.has(id)).toSorted())
})
