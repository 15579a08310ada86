// The roles as processes of their own over Kafka, killed in mid-work while the broker is killed too: they answer what one process with everything embedded answers, route by route.
import { readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { storeGroup } from '#cli/roles/context.ts'
import { systemClock } from '#runtime/clock.ts'
import { openKafkaLog } from '#storage/log/kafka/log.ts'
import { startKafka, type KafkaServer } from '#test/support/kafka.ts'
import { kafkaConfig } from '#test/support/kafka-log.ts'
import { eventually, Programs, temporaryFolder, type Program } from '#test/support/program.ts'
import { differenceOf } from './answers.ts'
import { clustersOf, isWhole, versionsOf } from './incident.ts'
import { drained } from './stage.ts'

const folder = temporaryFolder('apart-kafka')
// Values that are redacted are told apart by hashes, which are those of the key.
const key = join(folder.path, 'key')
writeFileSync(key, '0'.repeat(64))
let server: KafkaServer

const demo = `clusters: [{ name: demo, replay: { path: ${JSON.stringify(resolve('demo'))} } }]\nserver: { port: 0 }\noperations: { port: 0 }\nlogLevel: warn\n`
function configOf(name: string, more: string): string {
	const path = join(folder.path, `${name}.yaml`)
	writeFileSync(path, `dataDir: ${join(folder.path, name)}\n${demo}redaction: { keyFile: ${key} }\n${more}`)
	return path
}

const programs = new Programs()
const start = (role: string, config: string): Program => programs.start([role, '--config', config])
const end = programs.end.bind(programs)

beforeAll(async () => {
	server = await startKafka()
})
afterAll(async () => {
	await programs[Symbol.asyncDispose]()
	await server?.[Symbol.asyncDispose]()
	folder.remove()
})

const object = 'demo/deployments.apps/shop/checkout'
const routes = [
	'/api/v1/timeline?cluster=demo&noise=true',
	'/api/v1/timeline?cluster=demo&namespace=shop&include=changes,events',
	'/api/v1/timeline?cluster=demo&q=checkout&include=changes,audit',
	'/api/v1/timeline/histogram?cluster=demo&buckets=50&from=2020-01-01&to=2030-01-01',
	'/api/v1/audit?cluster=demo',
	'/api/v1/audit?cluster=demo&collapse=true',
	'/api/v1/audit/top?by=user',
	'/api/v1/audit/top?by=resource',
	'/api/v1/logs?cluster=demo',
	'/api/v1/logs?cluster=demo&namespace=shop&level=error',
	`/api/v1/history/${object}`,
	`/api/v1/history/${object}/diff?from=1&to=710`,
	'/api/v1/objects?cluster=demo&kind=Pod&at=2100-01-01',
	'/api/v1/objects?cluster=demo&kind=Deployment&at=2100-01-01',
	'/api/v1/coverage?cluster=demo',
	'/api/v1/clusters',
	'/api/v1/rejects?cluster=demo',
] as const

/** The whole answer, over all its pages, as text; without its cursors, and without when we saw it. */
async function answer(address: string, route: string): Promise<string> {
	const parts: string[] = []
	for (let cursor: string | null = ''; cursor !== null;) {
		const more = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
		const response = await fetch(`${address}${route}${route.includes('?') ? '&' : '?'}limit=1000${more}`)
		const plain = response.status === 400 ? await fetch(address + route) : response
		const { next = null, ...body } = (await plain.json()) as { next?: string | null }
		parts.push(`${plain.status} ${JSON.stringify(body)}`)
		cursor = next
	}
	return parts.join('\n').replaceAll(/"(observed|stored)":"[^"]*"/g, '"$1":""')
}

describe('roles apart over Kafka', () => {
	it('answer what one process answers, byte by byte, after kills of roles and of the broker', { timeout: 900_000 }, async () => {
		const embedded = start('all-in-one', configOf('embedded', ''))
		const address = await embedded.address
		await eventually(() => clustersOf(address), isWhole, 120_000)
		const kafka = configOf(
			'kafka',
			`log: { kafka: { brokers: ${JSON.stringify(server.brokers)}, partitions: 4, replicationFactor: 1, minInsyncReplicas: 1, sessionTimeoutMs: 6000, spool: { afterMs: 1000 } } }\n`,
		)
		let [collect, processing] = [start('collect', kafka), start('process', kafka)]
		const serving = await start('serve', kafka).address
		await eventually(
			() => clustersOf(serving),
			(now) => versionsOf(now) > 200,
			120_000,
		)
		await end(processing, 'SIGKILL')
		processing = start('process', kafka)
		await end(collect, 'SIGKILL')
		collect = start('collect', kafka)
		await server.kill()
		await server.start()
		await end(processing)
		processing = start('process', kafka)
		await eventually(() => clustersOf(serving), isWhole, 240_000).catch((error: unknown) => {
			throw new Error(`${String(error)}; collect: ${collect.output().slice(-3000)}; process: ${processing.output().slice(-3000)}`)
		})
		await eventually(
			async () => [await answer(address, '/api/v1/coverage?cluster=demo'), await answer(serving, '/api/v1/coverage?cluster=demo')],
			([one, other]) => one === other,
		).catch(async () => {
			throw new Error(`other gaps: ${await answer(serving, '/api/v1/coverage?cluster=demo')}; process: ${processing.output().slice(-2000)}`)
		})
		// What was found out about Pods behind their first lines is put to these before it is committed.
		await using log = await openKafkaLog({
			config: kafkaConfig(server.brokers, { partitions: 4 }),
			dir: join(folder.path, 'looking'),
			clock: systemClock,
		})
		await drained(log, storeGroup)
		const differing: string[] = []
		for (const route of routes) {
			const [one, other] = [await answer(address, route), await answer(serving, route)]
			expect(one, route).toMatch(/^200 /)
			if (one !== other) differing.push(`${route}: ${differenceOf(one, other)}`)
		}
		expect(differing).toEqual([])
		expect(readdirSync(join(folder.path, 'kafka', 'log')), 'nothing of the log is in the data directory, but the spool').toEqual(['kafka'])
		expect([await end(collect), await end(processing)]).toEqual([0, 0])
	})

	it('say what is wrong with the log before anything is recorded', async () => {
		const wrong = configOf('wrong', `log: { kafka: { brokers: ${JSON.stringify(server.brokers)}, topicPrefix: wrong } }\n`)
		const program = start('collect', wrong)
		expect(await program.exited).toBe(3)
		expect(program.output()).toMatch(/KAFKA_TOPIC/)
		expect(program.output()).toMatch(/replicationFactor 3: there are fewer brokers/)
	})
})
