// The Kafka record log against the bare client: CPU per record of appending 1.5 KB changes, beside kafkajs sending the same bytes with the same settings, and reading.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import kafkajs, { type Message } from 'kafkajs'
import { encodeRecords } from '#records/codec.ts'
import type { Redacted } from '#records/record.ts'
import { systemClock } from '#runtime/clock.ts'
import { openKafkaLog } from '#storage/log/kafka/log.ts'
import { pack } from '#storage/log/kafka/messages.ts'
import type { RecordLog } from '#storage/log/port.ts'
import { pod } from '#bench/log.ts'
import { startKafka } from '#test/support/kafka.ts'
import { kafkaConfig } from '#test/support/kafka-log.ts'

export const name = 'kafka'

const partitions = 4
const batchRecords = 2000
const batches = 20
const rounds = 5

interface Cost {
	/** µs of CPU of this process a record, its threads included. */
	readonly cpu: number
	readonly perSecond: number
}

async function costOf(records: number, work: () => Promise<void>): Promise<Cost> {
	const cpu = process.cpuUsage()
	const begin = performance.now()
	await work()
	const { user, system } = process.cpuUsage(cpu)
	return { cpu: (user + system) / records, perSecond: records / ((performance.now() - begin) / 1000) }
}

const median = (costs: readonly Cost[]): Cost => {
	const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
	return { cpu: middle(costs.map(({ cpu }) => cpu)), perSecond: middle(costs.map(({ perSecond }) => perSecond)) }
}
const shown = ({ cpu, perSecond }: Cost): string => `${cpu.toFixed(1)} µs of CPU a record (${Math.round(perSecond).toLocaleString('en')}/s)`

/** The same messages, made before, in the same sends: one partition each, one outstanding a partition. */
async function bareSender(
	brokers: readonly string[],
	topic: string,
): Promise<{ send(made: readonly Message[][][]): Promise<void>; close(): Promise<void> }> {
	const client = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING })
	const producer = client.producer({
		idempotent: true,
		allowAutoTopicCreation: false,
		createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
	})
	await producer.connect()
	const lane = async (sends: readonly Message[][]): Promise<void> => {
		for (const messages of sends) await producer.send({ topic, acks: -1, compression: kafkajs.CompressionTypes.ZSTD, messages })
	}
	return {
		async send(made) {
			for (const lanes of made) await Promise.all(lanes.map((messages) => lane([messages])))
		},
		close: () => producer.disconnect(),
	}
}

async function readAll(log: RecordLog, group: string, count: number): Promise<void> {
	let seen = 0
	for await (const { records, next } of log.read(group, ['records'], AbortSignal.timeout(120_000))) {
		seen += records.length
		await log.commit(group, next)
		if (seen >= count) return
	}
	throw new Error(`${seen} of ${count} records were read`)
}

export async function run(print: (line: string) => void): Promise<void> {
	const dir = mkdtempSync(join(tmpdir(), 'kubetape-bench-kafka-'))
	await using server = await startKafka()
	try {
		const config = kafkaConfig(server.brokers, { partitions, topicPrefix: 'ours' })
		await using log = await openKafkaLog({ config, dir, clock: systemClock })
		await using _theirs = await openKafkaLog({ config: { ...config, topicPrefix: 'bare' }, dir, clock: systemClock })
		const bare = await bareSender(server.brokers, 'bare.records')
		const costs: { ours: Cost[]; bare: Cost[]; encode: Cost[] } = { ours: [], bare: [], encode: [] }
		const total = batchRecords * batches
		for (let round = 0; round <= rounds; round++) {
			const made = Array.from({ length: batches }, (_, batch) =>
				Array.from({ length: batchRecords }, (__, index): Redacted => pod(round * total + batch * batchRecords + index + 1)),
			)
			const messages = made.map((records) =>
				pack(records, { partitions, batchBytesMax: 8_388_608, atMs: 1 }).pieces.map((piece) => [...piece.messages]),
			)
			const theirs = await costOf(total, () => bare.send(messages))
			const ours = await costOf(total, async () => {
				for (const records of made) await log.append('records', records)
			})
			const encode = await costOf(total, async () => made.forEach((records) => encodeRecords(records)))
			if (round === 0) continue // compiled before it is counted
			costs.ours.push(ours)
			costs.bare.push(theirs)
			costs.encode.push(encode)
		}
		const [ours, theirs, encode] = [median(costs.ours), median(costs.bare), median(costs.encode)]
		print(`append: ${shown(ours)}; bare client, messages made before: ${shown(theirs)}; ratio of CPU ${(ours.cpu / theirs.cpu).toFixed(2)}`)
		print(
			`of it, records to bytes: ${encode.cpu.toFixed(1)} µs; ratio to the bare client that makes them too ${(ours.cpu / (theirs.cpu + encode.cpu)).toFixed(2)}`,
		)
		const read = await costOf(total * (rounds + 1), () => readAll(log, 'bench', total * (rounds + 1)))
		print(`read and commit: ${shown(read)}`)
		await bare.close()
	} finally {
		rmSync(dir, { recursive: true, force: true })
	}
}
