// A commit that the brokers do not take while nothing more comes: it is made up for.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '#runtime/clock.ts'
import { openKafkaLog } from '#storage/log/kafka/log.ts'
import { startKafka } from '#test/support/kafka.ts'
import { kafkaConfig } from '#test/support/kafka-log.ts'
import { apiKeys, startKafkaProxy } from '#test/support/kafka-proxy.ts'
import { tellFault } from '#test/support/fault-line.ts'
import { temporaryFolder } from '#test/support/program.ts'
import { numberedRecord } from '#test/support/records.ts'
import { count, numberOf, objectOf } from './kafka-support.ts'

const group = 'store'
let folder: ReturnType<typeof temporaryFolder>
let stack: AsyncDisposableStack
beforeEach(() => {
	folder = temporaryFolder('kafka-commit')
	stack = new AsyncDisposableStack()
	stack.defer(() => folder.remove())
})
afterEach(() => stack.disposeAsync())

it('what was read last is committed in the end, though its commit got no answer', async () => {
	const proxy = stack.use(await startKafkaProxy())
	const server = stack.use(await startKafka({ advertised: [proxy.port] }))
	proxy.forwardTo(server.brokers[0] ?? '')
	const config = kafkaConfig([`127.0.0.1:${proxy.port}`], { sessionTimeoutMs: 30_000 })
	const log = stack.use(await openKafkaLog({ config, dir: folder.path, clock: systemClock, stallMs: 4000 }))
	const numbers = Array.from({ length: 20 }, (_, number) => number)
	await log.append(
		'records',
		numbers.map((number) => numberedRecord(number, objectOf(number))),
	)
	let held = 0
	let isHolding = true
	proxy.onRequest = (apiKey) => {
		if (!isHolding || apiKey !== apiKeys.offsetCommit) return 'pass'
		held += 1
		return 'hold'
	}
	const lag = async (): Promise<bigint> => (await log.lag(group, ['records'])).reduce((sum, { records }) => sum + records, 0n)
	const stored: number[] = []
	for await (const { records, next } of log.read(group, ['records'], AbortSignal.timeout(120_000))) {
		stored.push(...records.map(numberOf))
		await log.commit(group, next)
		// Heartbeats went on meanwhile, and the member has all there is.
		isHolding = false
		if ((await lag()) === 0n) break
	}
	const { acknowledged, lost, doubled } = count(new Set(numbers), stored)
	tellFault(
		'F12 consuming: a commit without an answer, and nothing behind it',
		{ acknowledged, lost, readAgain: doubled, gaps: 0, rejects: 0 },
		{ held },
	)
	expect(held).toBeGreaterThan(0)
	expect(await lag()).toBe(0n)
	expect(lost).toBe(0)
})
