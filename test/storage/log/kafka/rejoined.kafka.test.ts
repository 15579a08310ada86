// What was read before partitions were given out anew and is done only afterwards: its commit is void, and reading goes on.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '#runtime/clock.ts'
import { openKafkaLog } from '#storage/log/kafka/log.ts'
import type { Batch, RecordLog } from '#storage/log/port.ts'
import { kafkaConfig } from '#test/support/kafka-log.ts'
import { askKafka, startKafka } from '#test/support/kafka.ts'
import { eventually, temporaryFolder } from '#test/support/program.ts'
import { numberedRecord } from '#test/support/records.ts'

const group = 'store'
/** More than three batches. */
const count = 3500
const patienceMs = 60_000
let folder: ReturnType<typeof temporaryFolder>
let stack: AsyncDisposableStack
beforeEach(() => {
	folder = temporaryFolder('kafka-rejoined')
	stack = new AsyncDisposableStack()
	stack.defer(() => folder.remove())
})
afterEach(() => stack.disposeAsync())

const lagOf = async (log: RecordLog): Promise<bigint[]> => (await log.lag(group, ['records'])).map(({ records }) => records)

it('a commit beyond what was read again is void', async () => {
	const { brokers } = stack.use(await startKafka())
	const open = async (name: string): Promise<RecordLog> =>
		stack.use(await openKafkaLog({ config: kafkaConfig(brokers), dir: `${folder.path}/${name}`, clock: systemClock }))
	const log = await open('one')
	const other = await open('other')
	await log.append(
		'records',
		Array.from({ length: count }, (_, number) => numberedRecord(number, 'object')),
	)
	const members = (): Promise<string> =>
		askKafka(brokers, async (admin) => {
			const [described] = (await admin.describeGroups([`${kafkaConfig(brokers).topicPrefix}.${group}`])).groups
			return `${described?.members.length} ${described?.state}`
		})

	const stop = new AbortController()
	const reading = log.read(group, ['records'], stop.signal)[Symbol.asyncIterator]()
	const next = async (): Promise<Batch> => {
		const result = await reading.next()
		if (result.done === true) throw new Error('reading has ended')
		return result.value
	}
	const before = [await next(), await next(), await next()]
	// Under way, as the indexer has them, when another member comes and goes.
	const later = next()
	const joined = new AbortController()
	const others = (async () => {
		for await (const _batch of other.read(group, ['records'], joined.signal)) await systemClock.sleep(10)
	})()
	await eventually(members, (now) => now === '2 Stable', patienceMs)
	joined.abort()
	await others
	const [, , third] = before
	let again = await later
	// Where nothing was taken away from it, the rest came: what follows is read in the new generation.
	while (again.given === third?.given) again = await next()
	expect(again.next[0]?.offset).toBeLessThan(third?.next[0]?.offset ?? 0n)

	await log.commit(group, third?.next ?? [])
	expect(await lagOf(log), 'void').toEqual([BigInt(count)])
	// The other's leaving may have given partitions out once more by now: what is void then is read again.
	for (;;) {
		await log.commit(group, again.next)
		if ((await lagOf(log))[0] === 0n) break
		again = await next()
	}
	await expect(log.commit(group, [{ stream: 'records', partition: 0, offset: BigInt(count + 1) }])).rejects.toMatchObject({
		code: 'LOG_POSITION_UNKNOWN',
	})
	stop.abort()
	expect((await reading.next()).done).toBe(true)
})
