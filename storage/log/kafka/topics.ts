// The topics: what they must be like, made where they are missing, checked where they are there.
import kafkajs, { type Admin, type ITopicMetadata } from 'kafkajs'
import type { Clock } from '#runtime/clock.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { streams, type Stream } from '#storage/log/port.ts'
import type { KafkaLogConfig } from './config.ts'
import { isOfType, kafkaError } from './errors.ts'

export interface Topic {
	readonly stream: Stream
	readonly name: string
	readonly partitions: number
	/** Largest batch that the brokers take, packed. */
	readonly batchBytesMax: number
}

export type Topics = ReadonlyMap<Stream, Topic>

/** Made and checked with the others, so that the right to create topics is needed once; alerting reads and writes it. */
const reserved = ['matches'] as const

export const topicName = (config: KafkaLogConfig, stream: Stream | (typeof reserved)[number]): string => `${config.topicPrefix}.${stream}`

const metadataTries = 50
const metadataPauseMs = 200

/** `key=value` of a topic as we would make it. */
function settingsOf(config: KafkaLogConfig): Readonly<Record<string, string>> {
	const { retention, minInsyncReplicas, maxMessageBytes } = config
	return {
		'cleanup.policy': 'delete',
		'compression.type': 'producer',
		'min.insync.replicas': String(minInsyncReplicas),
		'max.message.bytes': String(maxMessageBytes),
		'retention.ms': retention.ageMs === 0 ? '-1' : String(retention.ageMs),
		'retention.bytes': retention.bytesMax === 0 ? '-1' : String(retention.bytesMax),
		'unclean.leader.election.enable': 'false',
	}
}

/** Creates what is missing, checks all. Throws KAFKA_TOPIC with what to do, or what the brokers answered. */
export async function ensureTopics(admin: Admin, config: KafkaLogConfig, clock: Clock): Promise<Topics> {
	const names = [...streams, ...reserved].map((stream) => topicName(config, stream))
	const known = new Set(await admin.listTopics())
	const missing = names.filter((name) => !known.has(name))
	if (missing.length > 0) await createMissing(admin, config, missing)
	const metadata = await metadataOf(admin, names, config, clock)
	const { resources } = await admin.describeConfigs({
		includeSynonyms: false,
		resources: names.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
	})
	const settings = new Map(
		resources.map(({ resourceName, configEntries }) => [
			resourceName,
			new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
		]),
	)
	for (const topic of metadata.toSorted((a, b) => names.indexOf(a.name) - names.indexOf(b.name)))
		refuseWrong(topic, settings.get(topic.name) ?? new Map(), config)
	return new Map(
		streams.map((stream) => {
			const name = topicName(config, stream)
			const batchBytesMax = Number(settings.get(name)?.get('max.message.bytes') ?? config.maxMessageBytes)
			return [stream, { stream, name, partitions: config.partitions, batchBytesMax }]
		}),
	)
}

async function createMissing(admin: Admin, config: KafkaLogConfig, missing: readonly string[]): Promise<void> {
	const settings = settingsOf(config)
	const shown = Object.entries(settings).flatMap(([name, value]) => ['--config', `${name}=${value}`])
	const command = (topic: string): string =>
		`kafka-topics.sh --create --topic ${topic} --partitions ${config.partitions} --replication-factor ${config.replicationFactor} ${shown.join(' ')}`
	if (!config.createTopics)
		throw new KubetapeError(
			'KAFKA_TOPIC',
			`the topics ${missing.join(', ')} are missing and log.kafka.createTopics is false: ${command(missing[0] ?? '')}`,
		)
	try {
		await admin.createTopics({
			// A new topic is not at once in every broker's metadata, and kafkajs' own wait for it fails on that.
			waitForLeaders: false,
			topics: missing.map((topic) => ({
				topic,
				numPartitions: config.partitions,
				replicationFactor: config.replicationFactor,
				configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
			})),
		})
	} catch (error) {
		if (isOfType(error, 'TOPIC_ALREADY_EXISTS')) return // another process starts at the same time
		if (isOfType(error, 'INVALID_REPLICATION_FACTOR'))
			throw new KubetapeError(
				'KAFKA_TOPIC',
				`topics cannot be created with log.kafka.replicationFactor ${config.replicationFactor}: there are fewer brokers. Set it, and log.kafka.minInsyncReplicas, lower`,
				{ cause: error },
			)
		throw kafkaError(`the topics ${missing.join(', ')} cannot be created`, error)
	}
}

/** Waits until every partition has a leader. */
async function metadataOf(
	admin: Admin,
	names: readonly string[],
	config: KafkaLogConfig,
	clock: Clock,
): Promise<readonly ITopicMetadata[]> {
	for (let tries = 1; ; tries++) {
		try {
			const { topics } = await admin.fetchTopicMetadata({ topics: [...names] })
			if (topics.every(({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0))) return topics
			if (tries === metadataTries) throw new KubetapeError('STORAGE_UNAVAILABLE', `a topic of ${config.topicPrefix}.* has no leader`)
		} catch (error) {
			if (tries === metadataTries || !isOfType(error, 'UNKNOWN_TOPIC_OR_PARTITION')) throw error
		}
		await clock.sleep(metadataPauseMs)
	}
}

function refuseWrong({ name, partitions }: ITopicMetadata, settings: ReadonlyMap<string, string>, config: KafkaLogConfig): void {
	const refuse = (is: string, change: string, or: string): never => {
		throw new KubetapeError('KAFKA_TOPIC', `topic ${name} has ${is}: ${change}${or === '' ? '' : `, or ${or}`}`)
	}
	const alter = (setting: string): string => `kafka-configs.sh --alter --entity-type topics --entity-name ${name} --add-config ${setting}`
	const number = (setting: string): number => Number(settings.get(setting) ?? Number.NaN)
	if (partitions.length !== config.partitions)
		refuse(
			`${partitions.length} partitions, not ${config.partitions}`,
			partitions.length < config.partitions
				? `kafka-topics.sh --alter --topic ${name} --partitions ${config.partitions} while nothing is recorded`
				: 'partitions cannot be taken away',
			`set log.kafka.partitions to ${partitions.length} in every process`,
		)
	if (settings.has('cleanup.policy') && settings.get('cleanup.policy') !== 'delete')
		refuse(`cleanup.policy ${settings.get('cleanup.policy')}, which takes records out of the middle`, alter('cleanup.policy=delete'), '')
	if (!['producer', 'zstd', undefined].includes(settings.get('compression.type')))
		refuse(
			`compression.type ${settings.get('compression.type')}, which packs anew without a checksum`,
			alter('compression.type=producer'),
			'',
		)
	if (number('min.insync.replicas') < config.minInsyncReplicas)
		refuse(
			`min.insync.replicas ${settings.get('min.insync.replicas')}, less than ${config.minInsyncReplicas}`,
			alter(`min.insync.replicas=${config.minInsyncReplicas}`),
			'set log.kafka.minInsyncReplicas lower',
		)
	const replicas = Math.min(...partitions.map((partition) => partition.replicas.length))
	if (number('min.insync.replicas') > replicas)
		refuse(
			`${replicas} ${replicas === 1 ? 'replica' : 'replicas'} and min.insync.replicas ${settings.get('min.insync.replicas')}, so that nothing can be appended`,
			alter(`min.insync.replicas=${replicas}`),
			'give it more replicas with kafka-reassign-partitions.sh',
		)
	const kept = number('retention.ms')
	if (kept >= 0 && (config.retention.ageMs === 0 || kept < config.retention.ageMs))
		refuse(
			`retention.ms ${kept}, shorter than log.kafka.retention.ageMs`,
			alter(`retention.ms=${config.retention.ageMs === 0 ? -1 : config.retention.ageMs}`),
			`set log.kafka.retention.ageMs to ${kept}`,
		)
	const bytes = number('retention.bytes')
	if (bytes >= 0 && (config.retention.bytesMax === 0 || bytes < config.retention.bytesMax))
		refuse(
			`retention.bytes ${bytes}, less than log.kafka.retention.bytesMax`,
			alter(`retention.bytes=${config.retention.bytesMax === 0 ? -1 : config.retention.bytesMax}`),
			`set log.kafka.retention.bytesMax to ${bytes}`,
		)
}
