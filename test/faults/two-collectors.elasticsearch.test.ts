// Two collectors of one cluster at the same time, over Kafka and Elasticsearch, both killed again and again: each record is in the store once, whoever brought it.
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { joinCoverage } from '#history/coverage.ts'
import { createReplayCollector } from '#collectors/replay/collector.ts'
import { linesOf } from '#records/log-block.ts'
import { systemClock } from '#runtime/clock.ts'
import { openKafkaLog } from '#storage/log/kafka/log.ts'
import { streams, type RecordLog } from '#storage/log/port.ts'
import { openElasticsearchStore } from '#storage/store/elasticsearch/store.ts'
import type { Item, Store } from '#storage/store/port.ts'
import { podFolder } from '#test/collectors/logs/support.ts'
import { contextIn } from '#test/collectors/replay/support.ts'
import { findDoubles, readAll } from '#test/flow/compare.ts'
import { ask } from '#test/storage/store/elasticsearch/support.ts'
import { startElasticsearch, type ElasticsearchServer } from '#test/support/elasticsearch.ts'
import { startEtcd, type EtcdServer } from '#test/support/etcd.ts'
import { tellFault } from '#test/support/fault-line.ts'
import { startKafka, type KafkaServer } from '#test/support/kafka.ts'
import { kafkaConfig } from '#test/support/kafka-log.ts'
import { eventually, startProgram, temporaryFolder, type Program } from '#test/support/program.ts'
import { createRandom, seedOf } from '#test/support/random.ts'
import { NumberedWriter } from './logs-support.ts'

const seed = seedOf('two-collectors.elasticsearch.test.ts')
const random = createRandom(seed)
const settings = { partitions: 4, sessionTimeoutMs: 4000 }
const settledMs = 180_000
const stack = new AsyncDisposableStack()
const folder = temporaryFolder('two-collectors')
const [audit, pods, key] = ['audit.log', 'pods', 'key'].map((name) => join(folder.path, name)) as [string, string, string]
const running = new Map<string, Program>()
/** Processes that ended by themselves, and what they said. */
const failures: string[] = []
let [kafka, elasticsearch, etcd]: [KafkaServer?, ElasticsearchServer?, EtcdServer?] = []
let [log, store]: [RecordLog?, Store?] = []

function start(name: string, role: 'collect' | 'process'): void {
	const dir = join(folder.path, name)
	mkdirSync(dir, { recursive: true })
	const file = join(dir, 'kubetape.yaml')
	const played = { name: 'played', replay: { path: resolve('demo') } }
	const live = { name: 'live', etcd: { endpoints: [etcd?.endpoint] }, audit: { path: audit }, logs: { pods: { root: pods } } }
	// YAML takes JSON.
	writeFileSync(
		file,
		JSON.stringify({
			dataDir: join(dir, 'data'),
			logLevel: 'warn',
			clusters: role === 'collect' ? [played, live] : [],
			redaction: { keyFile: key },
			operations: { port: 0 },
			log: { kafka: kafkaConfig(kafka?.brokers ?? [], settings) },
			store: { elasticsearch: { url: elasticsearch?.url, refreshMs: 200, replicas: '0' } },
		}),
	)
	const program = startProgram([role, '--config', file])
	running.set(name, program)
	void program.exited.then((code) => {
		if (code !== null) failures.push(`${name} ended with ${code}: ${program.output().slice(-1000)}`)
	})
}

async function kill(name: string): Promise<void> {
	const program = running.get(name)
	program?.process.kill('SIGKILL')
	await program?.exited
}

beforeAll(async () => {
	stack.defer(() => folder.remove())
	// Values that are redacted are told apart by hashes, which are those of the key: collectors of one cluster have the same.
	writeFileSync(key, '0'.repeat(64))
	;[kafka, elasticsearch, etcd] = await Promise.all([startKafka(), startElasticsearch(), startEtcd()])
	for (const server of [kafka, elasticsearch, etcd]) stack.use(server)
	log = stack.use(
		await openKafkaLog({ config: kafkaConfig(kafka.brokers, settings), dir: join(folder.path, 'looking'), clock: systemClock }),
	)
	store = stack.use(await openElasticsearchStore({ config: { url: elasticsearch.url, refreshMs: 200, replicas: '0' }, clock: systemClock }))
	stack.defer(async () => {
		await Promise.all([...running.keys()].map(kill))
	})
})
afterAll(() => stack.disposeAsync())

function there<T>(value: T | undefined): T {
	if (value === undefined) throw new Error('not started')
	return value
}

async function readStore(cluster: string): Promise<readonly Item[]> {
	await ask(there(elasticsearch), 'POST', '/kubetape-*/_refresh')
	return readAll(there(store), cluster)
}

let audits = 0
function writeAudit(count: number): void {
	for (const end = audits + count; audits < end; audits++) {
		const at = new Date(Date.UTC(2026, 10, 24, 10) + audits).toISOString().replace('Z', '000Z')
		const entry = {
			kind: 'Event',
			apiVersion: 'audit.k8s.io/v1',
			level: 'Metadata',
			auditID: `audit-${audits}`,
			stage: 'ResponseComplete',
			requestURI: `/api/v1/namespaces/shop/pods/web-${audits % 40}`,
			verb: 'get',
			user: { username: 'alice', groups: [] },
			sourceIPs: ['10.0.0.1'],
			objectRef: { resource: 'pods', namespace: 'shop', name: `web-${audits % 40}`, apiVersion: 'v1' },
			responseStatus: { metadata: {}, code: 200 },
			requestReceivedTimestamp: at,
			stageTimestamp: at,
		}
		appendFileSync(audit, `${JSON.stringify(entry)}\n`)
	}
}

const isRecord = ({ kind }: Item): boolean => kind !== 'gap' && kind !== 'coverage' && kind !== 'reject'

const revisions: bigint[] = []
async function writeVersions(count: number): Promise<void> {
	for (let version = 0; version < count; version++) {
		const name = `settings-${Math.floor(random() * 20)}`
		const body = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name, namespace: 'shop' }, data: { n: String(revisions.length) } }
		revisions.push(await there(etcd).put(`/registry/configmaps/shop/${name}`, JSON.stringify(body)))
	}
}

/** Ids of everything in the recording, as one collector gives them. */
async function idsOfRecording(): Promise<ReadonlySet<string>> {
	const ids = new Set<string>()
	const collector = createReplayCollector(
		{ path: resolve('demo'), speed: 'max' },
		{ ...contextIn(join(folder.path, 'alone')), cluster: 'played' },
	)
	await collector.run(async (records) => {
		for (const record of records) {
			if (record.kind === 'block') for (const { id } of linesOf(record)) ids.add(id)
			else if (['change', 'event', 'audit', 'log'].includes(record.kind)) ids.add(record.id)
		}
	}, new AbortController().signal)
	return ids
}

it('each record is there once', { timeout: 600_000 }, async () => {
	const writer = new NumberedWriter(join(podFolder(pods), '0.log'))
	stack.defer(() => writer.close())
	writer.write(100)
	writeAudit(100)
	for (const name of ['process-1', 'process-2']) start(name, 'process')
	for (const name of ['collect-1', 'collect-2']) start(name, 'collect')
	const counted = async (cluster: string): Promise<Item[]> => (await readStore(cluster)).filter(isRecord)
	// From here on every version is watched by at least one of them: before, only the last one of each object can be known.
	await writeVersions(1)
	await eventually(
		() => counted('live'),
		(items) => items.some(({ kind }) => kind === 'change'),
		settledMs,
	)
	let kills = 0
	for (let turn = 0; turn < 60; turn++) {
		writer.write(50)
		writeAudit(20)
		await writeVersions(10)
		await systemClock.sleep(200)
		if (turn % 12 !== 8) continue
		const name = random() < 0.5 ? 'collect-1' : 'collect-2'
		await kill(name)
		start(name, 'collect')
		kills += 1
	}
	const recorded = await idsOfRecording()
	const wanted = recorded.size + writer.count + audits + revisions.length
	const isThere = async (): Promise<number> => {
		const counts = (await there(store).clusters()).map((cluster) => cluster.counts)
		return counts.reduce((sum, of) => sum + (of.change ?? 0) + (of.event ?? 0) + (of.audit ?? 0) + (of.log ?? 0), 0)
	}
	const lag = async (): Promise<bigint> => (await there(log).lag('store', streams)).reduce((sum, each) => sum + each.records, 0n)
	await eventually(isThere, (count) => count >= wanted, settledMs)
	// The first one was there before anybody looked: it is in a snapshot, and what was before that nobody can say.
	const unspoken = async (): Promise<readonly string[]> => {
		const whole = joinCoverage((await there(store).ledger('live', {})).coverage)
		return revisions
			.slice(1)
			.flatMap((revision) => (whole.some(({ from, to }) => from <= revision && revision <= to) ? [] : [String(revision)]))
	}
	await eventually(unspoken, (left) => left.length === 0, settledMs)
	// A watch goes on telling that it sees all: what is compared below would grow meanwhile.
	await Promise.all(['collect-1', 'collect-2'].map(kill))
	await eventually(lag, (records) => records === 0n, settledMs)
	const given = (await there(log).lag('nobody', streams)).reduce((sum, each) => sum + each.records, 0n)
	const [played, live] = [await readStore('played'), await readStore('live')]
	const doubles = [...(await findDoubles(there(store), 'played', played)), ...(await findDoubles(there(store), 'live', live))]
	const playedIds = new Set(played.filter(isRecord).map(({ id }) => id))
	const lines = Map.groupBy(
		live.filter(({ kind }) => kind === 'log'),
		({ summary }) => Number(/"n":(\d+)/.exec(summary)?.[1]),
	)
	const entries = Map.groupBy(
		live.filter(({ kind }) => kind === 'audit'),
		(item) => item.audit?.auditID,
	)
	const versions = Map.groupBy(
		live.filter(({ kind }) => kind === 'change'),
		({ revision }) => revision,
	)
	const lost = [
		...[...recorded].filter((id) => !playedIds.has(id)),
		...Array.from({ length: writer.count }, (_, number) => number).filter((number) => !lines.has(number)),
		...Array.from({ length: audits }, (_, number) => `audit-${number}`).filter((id) => !entries.has(id)),
		...revisions.filter((revision) => !versions.has(revision)),
	]
	const twice = [...doubles, ...[...lines, ...entries, ...versions].filter(([, items]) => items.length > 1).map(([name]) => name)]
	const statements = [...played, ...live].filter((item) => !isRecord(item))
	tellFault(
		'two collectors of one cluster, SIGKILL',
		{
			acknowledged: wanted,
			lost: lost.length,
			duplicated: twice.length,
			gaps: statements.filter(({ kind }) => kind === 'gap').length,
			rejects: statements.filter(({ kind }) => kind === 'reject').length,
		},
		{ kills, 'messages in Kafka': given, seed },
	)
	expect(failures).toEqual([])
	expect(lost).toEqual([])
	expect(twice).toEqual([])
	expect(
		[...playedIds].filter((id) => !recorded.has(id)),
		'never in the recording',
	).toEqual([])
	expect(statements.filter(({ cluster, kind }) => cluster === 'live' && kind !== 'coverage')).toEqual([])
})
