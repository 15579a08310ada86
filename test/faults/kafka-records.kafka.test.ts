// Records that are not as they should be: too large for the brokers, never ours, damaged at rest, removed before they were read, or gone with their topic.
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { Body } from '#records/body.ts'
import type { Redacted } from '#records/record.ts'
import { systemClock } from '#runtime/clock.ts'
import { openKafkaLog, type Loss } from '#storage/log/kafka/log.ts'
import type { RecordLog } from '#storage/log/port.ts'
import { askKafka, startKafka, type KafkaServer } from '#test/support/kafka.ts'
import { kafkaConfig } from '#test/support/kafka-log.ts'
import { tellFault } from '#test/support/fault-line.ts'
import { temporaryFolder } from '#test/support/program.ts'
import { createRandom, seedOf } from '#test/support/random.ts'
import { aChange, asRedacted, numberedRecord } from '#test/support/records.ts'
import { numberOf } from './kafka-support.ts'

const seed = seedOf('kafka-records.kafka.test.ts')
const random = createRandom(seed)
let server: KafkaServer
let folder: ReturnType<typeof temporaryFolder>
let prefixes = 0
let topic = ''
let losses: Loss[] = []
beforeAll(async () => {
	server = await startKafka()
})
afterAll(() => server?.[Symbol.asyncDispose]())
beforeEach(() => {
	folder = temporaryFolder('kafka-records')
	losses = []
	topic = `records${++prefixes}.records`
})
afterEach(() => folder.remove())

const opened = (more: object = {}): Promise<RecordLog> =>
	openKafkaLog({
		config: kafkaConfig(server.brokers, { topicPrefix: `records${prefixes}`, ...more }),
		dir: folder.path,
		clock: systemClock,
		// A member that begins anew tells it again.
		onLoss(loss) {
			if (!losses.some(({ kind, fromOffset }) => kind === loss.kind && fromOffset === loss.fromOffset)) losses.push(loss)
		},
	})

/** `before`: each commit. */
async function read(log: RecordLog, wanted: number, before?: () => Promise<void>): Promise<readonly Redacted[]> {
	const found: Redacted[] = []
	for await (const batch of log.read('store', ['records'], AbortSignal.timeout(30_000))) {
		found.push(...batch.records)
		await before?.()
		await log.commit('store', batch.next)
		if (found.length >= wanted) return found
	}
	throw new Error(`${found.length} of ${wanted} records were read`)
}
const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index)
const appendOneByOne = async (log: RecordLog, from: number, to: number): Promise<void> => {
	for (const number of numbers(from, to)) await log.append('records', [numberedRecord(number)])
}

it('records of every size are stored whole, or say what was left out', async () => {
	await using log = await opened({ maxMessageBytes: 100_000 })
	const sent = Array.from({ length: 60 }, (_, index) => {
		const data = randomBytes(Math.floor(random() * 150_000)).toString('hex')
		return aChange({ revision: BigInt(index), after: Body.ofValue({ data }), before: null })
	})
	await Promise.all(sent.map((record) => log.append('records', [asRedacted(record)])))
	const found = new Map((await read(log, sent.length)).map((record) => [record.id, record]))
	let cut = 0
	for (const { id, after } of sent) {
		const record = found.get(id)
		if (record?.kind !== 'change') throw new Error(`${id} is missing`)
		if (record.after) expect(record.after.text).toBe(after?.text)
		else {
			cut += 1
			expect(record.note).toMatch(/^its value was left out: \d+ bytes, of which the record log takes 95000 packed$/)
			expect(after?.bytes.length).toBeGreaterThan(95_000)
		}
	}
	const lost = sent.filter(({ id }) => !found.has(id)).length
	tellFault(
		'F12 oversize',
		{ acknowledged: sent.length, lost, gaps: losses.length, rejects: 0 },
		{ 'marked, without their value': cut, seed },
	)
	expect(cut).toBeGreaterThan(5)
	expect(cut).toBeLessThan(55)
	expect(losses).toEqual([])
})

it('messages that are none of ours are told, and stop nobody', async () => {
	await using log = await opened()
	const producer = new kafkajs.Kafka({ brokers: [...server.brokers], logLevel: kafkajs.logLevel.NOTHING }).producer()
	await producer.connect()
	const poison = ['', 'text', '{"kind":"change"}', randomBytes(300)]
	await appendOneByOne(log, 1, 2)
	for (const value of poison) await producer.send({ topic, messages: [{ key: 'test\0x', value }] })
	await producer.send({ topic, messages: [{ key: null, value: null }] })
	await producer.disconnect()
	await appendOneByOne(log, 3, 4)
	const found = (await read(log, 4)).map(numberOf)
	expect(found).toEqual([1, 2, 3, 4])
	expect(losses.map(({ kind, fromOffset }) => [kind, Number(fromOffset)])).toEqual(numbers(2, 6).map((offset) => ['foreign', offset]))
	expect(losses[1]).toMatchObject({ key: 'test\0x', value: Buffer.from('text'), stream: 'records', where: `topic ${topic}, partition 0` })
	tellFault('F12 poison messages', { acknowledged: 4, lost: 4 - new Set(found).size, gaps: 0, rejects: losses.length }, { poison: 5, seed })
	expect((await log.lag('store', ['records']))[0]?.records).toBe(0n)
})

it('damage at rest is told once by failing, and once more as a loss, and what lies behind it is read', async () => {
	const first = await opened()
	await appendOneByOne(first, 1, 3)
	// Several records in one batch are damaged together.
	await first.append(
		'records',
		numbers(4, 6).map((number) => numberedRecord(number)),
	)
	const segment = join(server.segments(topic, 0), readdirSync(server.segments(topic, 0)).find((name) => name.endsWith('.log')) ?? '')
	const { length } = readFileSync(segment)
	await appendOneByOne(first, 7, 8)
	const file = openSync(segment, 'r+')
	writeSync(file, Buffer.from([0xa5, 0x5a, 0xa5]), 0, 3, length - 40)
	closeSync(file)
	const failure = await read(first, 8).catch((error: unknown) => error)
	expect(failure).toMatchObject({
		code: 'STORAGE_CORRUPT',
		message: expect.stringMatching(new RegExp(`topic ${topic}, partition 0: the record at offset 3 is damaged`)),
	})
	expect(losses).toEqual([])
	await first[Symbol.asyncDispose]()
	await using again = await opened()
	expect((await read(again, 2)).map(numberOf)).toEqual([7, 8])
	expect(losses.map(({ kind, fromOffset }) => [kind, Number(fromOffset)])).toEqual([3, 4, 5].map((offset) => ['damaged', offset]))
	tellFault('F12 damage at rest', { acknowledged: 8, lost: 3, gaps: losses.length, rejects: 0 }, { 'lost are': 'what the gaps tell', seed })
})

it('records that the brokers removed before they were read are told, also while reading', async () => {
	await using log = await opened()
	const removeBefore = (offset: string): Promise<void> =>
		askKafka(server.brokers, async (admin) => {
			await admin.fetchTopicOffsets(topic)
			await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset }] })
		})
	await appendOneByOne(log, 1, 3)
	expect((await read(log, 3)).map(numberOf)).toEqual([1, 2, 3])
	await appendOneByOne(log, 4, 8)
	await removeBefore('5')
	// By what the group had committed it is known what is missing, also to whoever comes after a kill in this moment.
	const committed = new Set<string | undefined>()
	const look = async (): Promise<void> => {
		const groupId = `records${prefixes}.store`
		const [found] = await askKafka(server.brokers, (admin) => admin.fetchOffsets({ groupId, topics: [topic] }))
		committed.add(found?.partitions[0]?.offset)
	}
	expect((await read(log, 3, look)).map(numberOf)).toEqual([6, 7, 8])
	expect(committed.values().next().value).toBe('3')
	expect(losses).toMatchObject([{ kind: 'removed', fromOffset: 3n, toOffset: 4n }])
	tellFault(
		'F12 removed by the brokers before they were read',
		{ acknowledged: 8, lost: 2, gaps: losses.length, rejects: 0 },
		{ 'lost are': 'what the gap tells', seed },
	)
})

it('a topic that was made anew is read from its beginning', async () => {
	const first = await opened()
	await appendOneByOne(first, 1, 5)
	expect((await read(first, 5)).map(numberOf)).toEqual(numbers(1, 5))
	await first[Symbol.asyncDispose]()
	await askKafka(server.brokers, async (admin) => {
		await admin.deleteTopics({ topics: [topic] })
		while ((await admin.listTopics()).includes(topic)) await systemClock.sleep(50)
	})
	await using again = await opened()
	await appendOneByOne(again, 11, 12)
	expect((await read(again, 2)).map(numberOf)).toEqual([11, 12])
	expect((await again.lag('store', ['records']))[0]?.records).toBe(0n)
})
