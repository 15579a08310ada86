// Appending while brokers fail: everything acknowledged is stored, in the order of each object, whatever happens to brokers and answers.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '#runtime/clock.ts'
import { openKafkaLog, type KafkaLogOptions } from '#storage/log/kafka/log.ts'
import type { RecordLog } from '#storage/log/port.ts'
import { startKafka, type KafkaServer } from '#test/support/kafka.ts'
import { kafkaConfig } from '#test/support/kafka-log.ts'
import { apiKeys, startKafkaProxy, type KafkaProxy } from '#test/support/kafka-proxy.ts'
import { tellFault } from '#test/support/fault-line.ts'
import { eventually, temporaryFolder } from '#test/support/program.ts'
import { createRandom, seedOf } from '#test/support/random.ts'
import { count, type Count, pause, readEverything, startAppending, type Appending } from './kafka-support.ts'

const seed = seedOf('kafka-produce.kafka.test.ts')
const random = createRandom(seed)
const partitions = 4
const nothingLost = { lost: 0, disordered: 0 }
let folder: ReturnType<typeof temporaryFolder>
let stack: AsyncDisposableStack
beforeEach(() => {
	folder = temporaryFolder('kafka-produce')
	stack = new AsyncDisposableStack()
	stack.defer(() => folder.remove())
})
afterEach(() => stack.disposeAsync())

/** Long enough that nothing reaches it, or none at all. */
const withoutSpool = { afterMs: 5000, bytesMax: 0 }
const optionsOn = (brokers: readonly string[], spool: object = withoutSpool): KafkaLogOptions => ({
	config: kafkaConfig(brokers, { partitions, spool }),
	dir: folder.path,
	clock: systemClock,
})

async function underFault(
	name: string,
	options: KafkaLogOptions,
	log: RecordLog,
	fault: (appending: Appending) => Promise<object>,
): Promise<Count> {
	const appending = startAppending(log, random)
	const told = await fault(appending)
	await appending.stop()
	await log[Symbol.asyncDispose]()
	const counted = count(appending.acknowledged, await readEverything(options))
	const { acknowledged, lost, doubled, disordered } = counted
	const outcome = { acknowledged, lost, readAgain: doubled, gaps: 0, rejects: 0 }
	tellFault(`F12 producing: ${name}`, outcome, { ...told, disordered, 'appends made again': appending.rejected(), seed })
	expect(counted.acknowledged).toBeGreaterThan(1000)
	return counted
}

async function single(): Promise<KafkaServer> {
	return stack.use(await startKafka())
}

it('a broker is killed and started again', async () => {
	const server = await single()
	const options = optionsOn(server.brokers)
	const counted = await underFault('a broker killed and started again', options, await openKafkaLog(options), async () => {
		for (let kills = 0; kills < 3; kills++) {
			await pause(1000 + random() * 2000)
			await server.kill()
			await server.start()
		}
		await pause(500)
		return { kills: 3 }
	})
	expect(counted).toMatchObject(nothingLost)
})

it('answers are lost after the write', async () => {
	const proxy: KafkaProxy = stack.use(await startKafkaProxy())
	const server = stack.use(await startKafka({ advertised: [proxy.port] }))
	proxy.forwardTo(server.brokers[0] ?? '')
	const options = optionsOn([`127.0.0.1:${proxy.port}`])
	const counted = await underFault('answers swallowed after the write', options, await openKafkaLog(options), async () => {
		let swallowed = 0
		let armed = false
		proxy.onAnswer = (apiKey) => {
			if (!armed || apiKey !== apiKeys.produce) return 'pass'
			armed = false
			swallowed += 1
			return 'swallow'
		}
		for (let turn = 0; turn < 25; turn++) {
			armed = true
			await pause(100 + random() * 300)
			await eventually(
				async () => swallowed,
				(times) => times > turn,
			)
		}
		proxy.onAnswer = () => 'pass'
		return { swallowed }
	})
	expect(counted).toMatchObject(nothingLost)
})

it('a broker hangs for longer than requests wait', async () => {
	const server = await single()
	const options = optionsOn(server.brokers)
	const counted = await underFault('a broker that hangs', options, await openKafkaLog(options), async () => {
		await pause(1000)
		server.halt()
		await pause(13_000)
		server.resume()
		await pause(1500)
		return { hungMs: 13_000 }
	})
	expect(counted).toMatchObject(nothingLost)
})

it('three brokers are killed in turn', async () => {
	const server = stack.use(await startKafka({ nodes: 3 }))
	const options = optionsOn(server.brokers)
	const counted = await underFault('three brokers killed in turn', options, await openKafkaLog(options), async () => {
		for (const node of [1, 2, 3]) {
			await pause(1500 + random() * 1500)
			await server.kill(node)
			await pause(random() * 2000)
			await server.start(node)
		}
		await pause(1000)
		return { kills: 3 }
	})
	expect(counted).toMatchObject(nothingLost)
})

it('brokers are away for longer than records wait in memory: they wait on the disk', async () => {
	const server = await single()
	const options = optionsOn(server.brokers, { afterMs: 500 })
	const counted = await underFault('brokers away, records wait on the disk', options, await openKafkaLog(options), async (appending) => {
		await pause(1000)
		await server.kill()
		const before = appending.acknowledged.size
		await pause(4000)
		// Acknowledged while no broker is there.
		const spooled = await eventually(
			async () => appending.acknowledged.size - before,
			(records) => records > 1000,
		)
		await server.start()
		await pause(2000)
		return { spooled }
	})
	expect(counted).toMatchObject(nothingLost)
})
