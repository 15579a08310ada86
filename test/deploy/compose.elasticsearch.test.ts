// The services of docker-compose.yml that are ours, as processes against a real Kafka, Elasticsearch and etcd: their commands and their configuration as they are there, with the names of its network on loopback.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { WireCluster, WirePage, WireVersion } from '#api/wire.ts'
import { compose, mountedAt, roleServices, withDefaults } from '#test/support/compose.ts'
import { startElasticsearch, type ElasticsearchServer } from '#test/support/elasticsearch.ts'
import { etcdClient, startEtcd, type EtcdServer } from '#test/support/etcd.ts'
import { startKafka, type KafkaServer } from '#test/support/kafka.ts'
import { eventually, getJson, startProgram, temporaryFolder, type Program } from '#test/support/program.ts'

const folder = temporaryFolder('compose')
let [kafka, elasticsearch, etcd]: [KafkaServer?, ElasticsearchServer?, EtcdServer?] = []
const running = new Map<string, Program>()
const answersMs = 240_000

/** Names of the compose network, where the images have things, and ports: as they are on this machine. */
function onThisMachine(text: string, dataDir: string): string {
	const places: Readonly<Record<string, string>> = {
		'kafka:9092': kafka?.brokers[0] ?? '',
		'http://elasticsearch:9200': elasticsearch?.url ?? '',
		'http://etcd:2379': etcd?.endpoint ?? '',
		'/kubetape/demo': resolve('demo'),
		'dataDir: /data': `dataDir: ${dataDir}\nserver: { port: 0 }`,
		'port: 8482': 'port: 0',
	}
	return Object.entries(places).reduce((found, [there, here]) => {
		expect(found).toContain(there)
		return found.replaceAll(there, here)
	}, text)
}

function start(service: string, replica = 1): Program {
	const found = compose.services[service]
	if (!found) throw new Error(`${service} is no service`)
	const inside = '/etc/kubetape/kubetape.yaml'
	const dir = join(folder.path, `${service}-${replica}`)
	mkdirSync(dir, { recursive: true })
	const file = join(dir, 'kubetape.yaml')
	writeFileSync(file, onThisMachine(readFileSync(mountedAt(found, inside), 'utf8'), join(dir, 'data')))
	const environment = Object.fromEntries(
		Object.entries(found.environment ?? {}).map(([name, value]) => [name, withDefaults(String(value))]),
	)
	const program = startProgram(found.command?.map((word) => (word === inside ? file : word)) ?? [], environment)
	running.set(`${service}-${replica}`, program)
	return program
}

async function end(name: string): Promise<number | null> {
	const program = running.get(name)
	running.delete(name)
	program?.process.kill('SIGTERM')
	return (await program?.exited) ?? null
}

async function operationsOf(name: string): Promise<string> {
	const said = await eventually(
		async () => running.get(name)?.output() ?? '',
		(text) => text.includes('answers for itself'),
	)
	return (/"address":"(http:[^"]+)"/.exec(said)?.[1] ?? '').replace('0.0.0.0', '127.0.0.1')
}

/** What the health check of the service asks. */
async function untilHealthy(name: string, healthy = true): Promise<string> {
	const address = await operationsOf(name)
	const ask = async (): Promise<readonly [boolean, string]> => {
		const answer = await fetch(`${address}/readyz`)
		return [answer.ok, await answer.text()]
	}
	return (await eventually(ask, ([ok]) => ok === healthy, answersMs))[1]
}

const serving = (): Promise<string> => running.get('serve-1')?.address ?? Promise.reject(new Error('serve does not run'))
const clusterOf = async (name: string): Promise<WireCluster | undefined> =>
	(await getJson<WirePage<WireCluster>>(await serving(), '/api/v1/clusters')).items.find((cluster) => cluster.name === name)
const versions = (cluster: WireCluster | undefined): number => (cluster?.counts.change ?? 0) + (cluster?.counts.event ?? 0)

beforeAll(async () => {
	;[kafka, elasticsearch, etcd] = await Promise.all([startKafka(), startElasticsearch(), startEtcd()])
})
afterAll(async () => {
	for (const { process } of running.values()) process.kill('SIGKILL')
	await Promise.all([...running.values()].map(({ exited }) => exited))
	for (const server of [kafka, elasticsearch, etcd]) await server?.[Symbol.asyncDispose]()
	folder.remove()
})

describe('the services of docker-compose.yml', () => {
	it('become healthy, in the order in which they wait for each other', async () => {
		for (const [name] of roleServices) start(name)
		for (const [name] of roleServices) expect(await untilHealthy(`${name}-1`)).toContain('"ok":true')
	})

	it('store the recorded incident whole, while one more processor joins and another is restarted', async () => {
		await eventually(
			() => clusterOf('demo'),
			(cluster) => versions(cluster) > 300,
			answersMs,
		)
		start('process', 2)
		expect(await end('process-1')).toBe(0)
		start('process', 3)
		const whole = await eventually(
			() => clusterOf('demo'),
			(cluster) => versions(cluster) >= 2817 && (cluster?.counts.audit ?? 0) >= 3363 && (cluster?.counts.log ?? 0) >= 12_440,
			answersMs,
		)
		expect([versions(whole), whole?.counts.audit, whole?.counts.log, whole?.counts.reject ?? 0]).toEqual([2817, 3363, 12_440, 0])
	})

	it('record the etcd that is there', async () => {
		const client = etcdClient([etcd?.endpoint ?? ''])
		const body = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'hello', namespace: 'default' } }
		await client.put('/registry/configmaps/default/hello').value(JSON.stringify(body))
		client.close()
		const found = await eventually(
			async () =>
				(await fetch(`${await serving()}/api/v1/history/compose/configmaps/default/hello`)).json() as Promise<
					Partial<WirePage<WireVersion>>
				>,
			({ items }) => (items?.length ?? 0) > 0,
			answersMs,
		)
		expect(found.items).toHaveLength(1)
	})

	it('say what waits where, and nothing waits', async () => {
		for (const name of ['process-2', 'process-3']) {
			const address = await operationsOf(name)
			const lags = await eventually(
				async () =>
					[...(await (await fetch(`${address}/metrics`)).text()).matchAll(/^kubetape_process_lag_records\{.*\} (\d+)$/gm)].map(([, lag]) =>
						Number(lag),
					),
				(found) => found.length > 0 && found.every((lag) => lag === 0),
				answersMs,
			)
			expect(lags.length).toBeGreaterThan(0)
		}
	})

	it('are not ready while Elasticsearch is away, are told to end, and end with 0; the next ones go on', async () => {
		await elasticsearch?.end()
		expect(await untilHealthy('serve-1', false)).toContain('"serve: store":{"ok":false')
		expect(await untilHealthy('process-2', false)).toContain('"ok":false')
		expect(await end('process-2')).toBe(0)
		await elasticsearch?.restart()
		expect(await untilHealthy('process-3')).toContain('"ok":true')
		expect(await untilHealthy('serve-1')).toContain('"ok":true')
		expect(versions(await clusterOf('demo'))).toBe(2817)
	})

	it('all end with 0', async () => {
		const names = [...running.keys()]
		expect(names).toHaveLength(3)
		expect(await Promise.all(names.map(end))).toEqual([0, 0, 0])
	})
})
