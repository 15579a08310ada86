// A real Kafka and a real Elasticsearch, and roles as processes, each with a data directory of its own: over those two, or over what is embedded.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Value } from 'typebox/value'
import { configSchema, type Config } from '#cli/config.ts'
import { createRoleContext } from '#cli/roles/context.ts'
import { openLog } from '#cli/roles/engines.ts'
import { streams, type RecordLog } from '#storage/log/port.ts'
import { startElasticsearch, type ElasticsearchServer } from '#test/support/elasticsearch.ts'
import { startKafka, type KafkaServer } from '#test/support/kafka.ts'
import { eventually, Programs, temporaryFolder, type Program } from '#test/support/program.ts'

export type Engines = 'embedded' | 'distributed'

export interface Stage extends AsyncDisposable {
	readonly dir: string
	readonly kafka: KafkaServer
	readonly elasticsearch: ElasticsearchServer
	/** The configuration of whatever has this data directory. Values that are redacted are told apart by hashes: all have one key. */
	config(name: string, engines: Engines): Readonly<Record<string, unknown>>
	start(role: string, name: string, engines: Engines): Program
	readonly end: Programs['end']
	/** The record log of whatever has this data directory. */
	log(name: string, engines: Engines): Promise<RecordLog>
}

const drainedMs = 240_000

/** Until nothing waits there for the group: what it did with the last record is done. Gives 0. */
export const drained = (log: RecordLog, group: string): Promise<number> =>
	eventually(
		async () => (await log.lag(group, streams)).reduce((sum, { records }) => sum + Number(records), 0),
		(records) => records === 0,
		drainedMs,
	)

/** `clusters`: what is recorded, as in the configuration. */
export async function openStage(clusters: readonly object[]): Promise<Stage> {
	const folder = temporaryFolder('stage')
	const programs = new Programs()
	const keyFile = join(folder.path, 'key')
	writeFileSync(keyFile, '0'.repeat(64))
	const [kafka, elasticsearch] = await Promise.all([startKafka(), startElasticsearch()])
	const overThem = {
		log: { kafka: { brokers: kafka.brokers, partitions: 4, replicationFactor: 1, minInsyncReplicas: 1, sessionTimeoutMs: 6000 } },
		store: { elasticsearch: { url: elasticsearch.url } },
	}
	const config: Stage['config'] = (name, engines) => ({
		dataDir: join(folder.path, name),
		clusters,
		server: { port: 0 },
		redaction: { keyFile },
		logLevel: 'warn',
		...(engines === 'distributed' ? overThem : {}),
	})
	return {
		dir: folder.path,
		kafka,
		elasticsearch,
		config,
		start(role, name, engines) {
			const path = join(folder.path, `${name}.yaml`)
			writeFileSync(path, JSON.stringify(config(name, engines)))
			return programs.start([role, '--config', path])
		},
		end: programs.end.bind(programs),
		log: (name, engines) =>
			openLog(
				createRoleContext('collect', Value.Default(configSchema, { ...config(name, engines) }) as Config, () => undefined),
				new AbortController().signal,
			),
		async [Symbol.asyncDispose]() {
			await programs[Symbol.asyncDispose]()
			for (const server of [kafka, elasticsearch]) await server[Symbol.asyncDispose]()
			folder.remove()
		},
	}
}
