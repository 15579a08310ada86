// A store that takes its time: what waits behind the batch that it is at is not stuck, and nobody leaves the group for it.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '#runtime/clock.ts'
import { createMetrics } from '#runtime/metrics.ts'
import { openKafkaLog } from '#storage/log/kafka/log.ts'
import { startKafka } from '#test/support/kafka.ts'
import { kafkaConfig } from '#test/support/kafka-log.ts'
import { tellFault } from '#test/support/fault-line.ts'
import { temporaryFolder } from '#test/support/program.ts'
import { seedOf } from '#test/support/random.ts'
import { numberedRecord } from '#test/support/records.ts'
import { count, numberOf, objectOf, pause, perObject } from './kafka-support.ts'

const seed = seedOf('kafka-slow-store.kafka.test.ts')
const stallMs = 3000
const objects = 16
let folder: ReturnType<typeof temporaryFolder>
let stack: AsyncDisposableStack
beforeEach(() => {
	folder = temporaryFolder('kafka-slow-store')
	stack = new AsyncDisposableStack()
	stack.defer(() => folder.remove())
})
afterEach(() => stack.disposeAsync())

it('a put that takes long holds other partitions up, and is no reason to begin anew', async () => {
	const server = stack.use(await startKafka())
	const metrics = createMetrics()
	const config = kafkaConfig(server.brokers, { partitions: 4, sessionTimeoutMs: 6000 })
	const log = stack.use(await openKafkaLog({ config, dir: folder.path, clock: systemClock, metrics, stallMs }))
	const acknowledged = new Set<number>()
	const append = async (number: number): Promise<void> => {
		await log.append('records', [numberedRecord(number, objectOf(number))])
		acknowledged.add(number)
	}
	await append(0)
	const rejoins = async () => (await metrics.registry.getSingleMetric('kubetape_log_rejoins_total')?.get())?.values ?? []
	let before: Awaited<ReturnType<typeof rejoins>> = []
	const stored: number[] = []
	const partitions = new Set<number>()
	let most = 0
	for await (const batch of log.read('store', ['records'], AbortSignal.timeout(60_000))) {
		for (const { partition } of batch.next) partitions.add(partition)
		most = Math.max(most, batch.next.length)
		if (stored.length === 0) {
			// A broker that was just started may turn the group away at first.
			before = await rejoins()
			// While this one is being put, records come into every partition; the member fetches nothing until it is done with it.
			for (let object = 1; object < objects; object++) await append(object * perObject)
			await pause(stallMs * 4)
		}
		stored.push(...batch.records.map(numberOf))
		await log.commit('store', batch.next)
		if (new Set(stored).size === objects) break
	}
	const after = await rejoins()
	const counted = count(acknowledged, stored)
	const outcome = { acknowledged: counted.acknowledged, lost: counted.lost, readAgain: counted.doubled, gaps: 0, rejects: 0 }
	tellFault('F12 consuming: a store slower than the watchdog', outcome, { 'put held ms': stallMs * 4, rejoins: after.length, seed })
	expect(partitions.size).toBe(4)
	expect(most, 'what waits in several partitions comes together').toBeGreaterThan(1)
	expect((await log.lag('store', ['records'])).map(({ records }) => records)).toEqual([0n, 0n, 0n, 0n])
	expect(after).toEqual(before)
	expect(counted).toMatchObject({ lost: 0, doubled: 0, disordered: 0 })
})
