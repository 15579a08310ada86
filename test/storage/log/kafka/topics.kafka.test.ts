// The topics of the record log on a real broker: made as they must be, and refused with what to do where they are not.
import kafkajs from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '#runtime/clock.ts'
import type { KubetapeError } from '#runtime/errors.ts'
import { openKafkaLog } from '#storage/log/kafka/log.ts'
import { askKafka, startKafka, type KafkaServer } from '#test/support/kafka.ts'
import { kafkaConfig } from '#test/support/kafka-log.ts'
import { temporaryFolder } from '#test/support/program.ts'

const folder = temporaryFolder('kafka-topics')
let server: KafkaServer
let prefixes = 0
beforeAll(async () => {
	server = await startKafka()
})
afterAll(async () => {
	await server?.[Symbol.asyncDispose]()
	folder.remove()
})

async function opened(overrides: Readonly<Record<string, unknown>>): Promise<string> {
	try {
		await using _log = await openKafkaLog({ config: kafkaConfig(server.brokers, overrides), dir: folder.path, clock: systemClock })
		return 'opened'
	} catch (error) {
		return `${(error as KubetapeError).code}: ${(error as Error).message}`
	}
}

/** `records` as an operator made it, before the log is opened for the first time. */
async function openedOn(
	made: { readonly partitions?: number; readonly config?: Readonly<Record<string, string>> },
	overrides: object = {},
): Promise<string> {
	const topicPrefix = `made${++prefixes}`
	const configEntries = Object.entries(made.config ?? {}).map(([name, value]) => ({ name, value }))
	await askKafka(server.brokers, (admin) =>
		admin.createTopics({
			waitForLeaders: false,
			topics: [{ topic: `${topicPrefix}.records`, numPartitions: made.partitions ?? 1, replicationFactor: 1, configEntries }],
		}),
	)
	return opened({ topicPrefix, ...overrides })
}

describe('topics', () => {
	it('that are missing are made as they must be', async () => {
		const hour = 3_600_000
		expect(await opened({ topicPrefix: 'fresh', partitions: 3, retention: { ageMs: hour, bytesMax: 1_000_000 } })).toBe('opened')
		const [topics, configs] = await askKafka(server.brokers, async (admin) => [
			await admin.fetchTopicMetadata({ topics: ['records', 'logs', 'ledger', 'rejects', 'matches'].map((name) => `fresh.${name}`) }),
			await admin.describeConfigs({
				includeSynonyms: false,
				resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: 'fresh.records' }],
			}),
		])
		expect(topics.topics.map(({ partitions }) => partitions.length)).toEqual([3, 3, 3, 3, 3])
		const entries = new Map(configs.resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]))
		expect(
			Object.fromEntries(
				['cleanup.policy', 'retention.ms', 'retention.bytes', 'min.insync.replicas', 'max.message.bytes'].map((name) => [
					name,
					entries.get(name),
				]),
			),
		).toEqual({
			'cleanup.policy': 'delete',
			'retention.ms': String(hour),
			'retention.bytes': '1000000',
			'min.insync.replicas': '1',
			'max.message.bytes': '8388608',
		})
		expect(await opened({ topicPrefix: 'fresh', partitions: 3, retention: { ageMs: hour, bytesMax: 1_000_000 } }), 'again').toBe('opened')
	})

	it('are opened by several processes at the same time', async () => {
		expect(await Promise.all([1, 2, 3].map(() => opened({ topicPrefix: 'together' })))).toEqual(['opened', 'opened', 'opened'])
	})

	it('that are wrong are refused, with what to do', async () => {
		expect(await openedOn({ partitions: 2 })).toMatch(
			/^KAFKA_TOPIC: topic made\d+\.records has 2 partitions, not 1: .*set log\.kafka\.partitions to 2/,
		)
		expect(await openedOn({ partitions: 1 }, { partitions: 4 })).toMatch(/kafka-topics\.sh --alter --topic made\d+\.records --partitions 4/)
		expect(await openedOn({ config: { 'cleanup.policy': 'compact' } })).toMatch(
			/cleanup\.policy compact.*--add-config cleanup\.policy=delete/,
		)
		expect(await openedOn({ config: { 'compression.type': 'lz4' } })).toMatch(
			/compression\.type lz4.*--add-config compression\.type=producer/,
		)
		expect(await openedOn({ config: { 'retention.ms': '60000' } })).toMatch(
			/retention\.ms 60000, shorter.*--add-config retention\.ms=259200000/,
		)
		expect(await openedOn({ config: { 'retention.bytes': '1000' } })).toMatch(/retention\.bytes 1000.*--add-config retention\.bytes=-1/)
		expect(await openedOn({}, { minInsyncReplicas: 2 })).toMatch(
			/records has min\.insync\.replicas 1, less than 2: .*--add-config min\.insync\.replicas=2/,
		)
		expect(await openedOn({ config: { 'min.insync.replicas': '2' } })).toMatch(/1 replica.*min\.insync\.replicas/)
	})

	it('that are missing and may not be made are named, with the command that makes them', async () => {
		expect(await opened({ topicPrefix: 'absent', createTopics: false })).toMatch(
			/^KAFKA_TOPIC: the topics absent\.records, .* are missing and log\.kafka\.createTopics is false: kafka-topics\.sh --create --topic absent\.records --partitions 1/,
		)
		expect(await opened({ topicPrefix: 'many', replicationFactor: 3, minInsyncReplicas: 2 })).toMatch(
			/^KAFKA_TOPIC: .*replicationFactor 3: there are fewer brokers/,
		)
	})

	it('of brokers that are not there are asked for a while', async () => {
		const config = kafkaConfig(['127.0.0.1:1'])
		await expect(openKafkaLog({ config, dir: folder.path, clock: systemClock })).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
	})
})
