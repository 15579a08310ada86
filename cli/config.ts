// The whole configuration: each folder declares its own part, this composes them. Reference: docs/reference/configuration.md (generated).
import { Type, type Static } from 'typebox'
import { auditCountersConfig, auditFileConfig, auditWebhookConfig } from '#collectors/audit/config.ts'
import { etcdConfig } from '#collectors/etcd/config.ts'
import { kubernetesConfig } from '#collectors/kubernetes/config.ts'
import { logsConfig } from '#collectors/logs/config.ts'
import { replayConfig } from '#collectors/replay/config.ts'
import { kafkaLogConfig } from '#storage/log/kafka/config.ts'
import { sqliteLogConfig } from '#storage/log/sqlite/config.ts'
import { elasticsearchStoreConfig } from '#storage/store/elasticsearch/config.ts'
import { sqliteStoreConfig } from '#storage/store/sqlite/config.ts'

const closed = { additionalProperties: false } as const

const clusterConfig = Type.Object(
	{
		name: Type.String({
			pattern: '^[A-Za-z0-9]([A-Za-z0-9._@-]{0,126}[A-Za-z0-9])?$',
			form: 'letters, digits, and . _ @ - between them',
			description: 'Name of the cluster, in every id and URL. Changing it makes it another cluster.',
		}),
		etcd: Type.Optional(etcdConfig),
		kubernetes: Type.Optional(kubernetesConfig),
		audit: Type.Optional(auditFileConfig),
		auditCounters: Type.Optional(auditCountersConfig),
		logs: Type.Optional(logsConfig),
		replay: Type.Optional(replayConfig),
	},
	{
		...closed,
		description: 'A cluster and the sources it is recorded from. Several sources of one cluster may overlap: ids make repeats harmless.',
	},
)

export const configSchema = Type.Object(
	{
		dataDir: Type.String({
			default: '.kubetape',
			minLength: 1,
			description: 'Where the record log, the store, cursors and the redaction key are.',
		}),
		logLevel: Type.Union(
			['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'].map((level) => Type.Literal(level)),
			{ default: 'info', description: 'How much the program says on standard error.' },
		),
		server: Type.Object(
			{
				host: Type.String({
					default: '127.0.0.1',
					description: 'Address of the API and the page. Beyond loopback is refused while no authentication is configured.',
				}),
				port: Type.Integer({ default: 8480, minimum: 0, maximum: 65535, description: 'Port of the API and the page; 0 takes a free one.' }),
			},
			{ ...closed, default: {} },
		),
		operations: Type.Optional(
			Type.Object(
				{
					host: Type.String({
						default: '127.0.0.1',
						minLength: 1,
						description: 'Address of /livez, /readyz and /metrics. It may be beyond loopback: nothing that was recorded is shown there.',
					}),
					port: Type.Integer({
						default: 8482,
						minimum: 0,
						maximum: 65_535,
						description: 'Its port; 0 takes a free one. Roles of one machine need one each.',
					}),
				},
				{
					...closed,
					description: 'A port for probes and Prometheus, of every role. Without it, only the server of the page answers them.',
				},
			),
		),
		redaction: Type.Optional(
			Type.Object(
				{
					keyFile: Type.String({
						minLength: 1,
						description:
							'File of the key that hashes are made with: 64 hexadecimal digits (`openssl rand -hex 32`). Without it, one is made in the data directory. Collectors of one cluster need the same.',
					}),
				},
				closed,
			),
		),
		webhook: Type.Optional(auditWebhookConfig),
		clusters: Type.Array(clusterConfig, { default: [], maxItems: 100, description: 'What is recorded.' }),
		log: Type.Object(
			{ sqlite: sqliteLogConfig, kafka: Type.Optional(kafkaLogConfig) },
			{ ...closed, default: {}, description: 'The record log: in the data directory, or on Kafka where `log.kafka` is given.' },
		),
		store: Type.Object(
			{
				sqlite: Type.Object(sqliteStoreConfig.properties, { ...closed, default: {} }),
				elasticsearch: Type.Optional(elasticsearchStoreConfig),
				retention: Type.Object(
					{
						ageMs: Type.Integer({ default: 0, minimum: 0, description: 'The store keeps days this long, in milliseconds; 0 keeps all.' }),
						bytesMax: Type.Integer({
							default: 0,
							minimum: 0,
							description: 'The store removes its oldest days beyond this many bytes; 0 sets no limit.',
						}),
					},
					{ ...closed, default: {} },
				),
			},
			{
				...closed,
				default: {},
				description: 'The store: in the data directory, or on Elasticsearch where `store.elasticsearch` is given.',
			},
		),
	},
	closed,
)

export type Config = Static<typeof configSchema>
export type ClusterConfig = Static<typeof clusterConfig>
