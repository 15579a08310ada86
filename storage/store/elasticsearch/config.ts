// Options of the store on Elasticsearch.
import { Type, type Static } from 'typebox'

const ageOf = (what: string) =>
	Type.Optional(
		Type.Integer({ minimum: 0, description: `The days of ${what} are kept this long, in place of store.retention.ageMs; 0 keeps all.` }),
	)

export const elasticsearchStoreConfig = Type.Object(
	{
		url: Type.String({
			default: 'http://127.0.0.1:9200',
			pattern: '^https?://[^\\s,@/]+(/[^\\s,@]*)?(,https?://[^\\s,@/]+(/[^\\s,@]*)?)*$',
			form: 'https://host:9200, several with a comma between them, without user and password',
			description: 'Address of Elasticsearch; of several nodes, with commas between them. They are used in turn.',
		}),
		apiKey: Type.Optional(Type.String({ minLength: 1, description: 'API key (its encoded form). A file is the better place for it.' })),
		apiKeyFile: Type.Optional(Type.String({ minLength: 1, description: 'File that holds the API key.' })),
		username: Type.Optional(Type.String({ minLength: 1, description: 'User, where no API key is used.' })),
		password: Type.Optional(Type.String({ description: 'Password of that user. A file is the better place for it.' })),
		passwordFile: Type.Optional(Type.String({ minLength: 1, description: 'File that holds the password.' })),
		caFile: Type.Optional(Type.String({ minLength: 1, description: 'PEM file of the authority that signed Elasticsearch’s certificate.' })),
		prefix: Type.String({
			default: 'kubetape',
			pattern: '^[a-z][a-z0-9_]{0,31}$',
			form: 'lower-case letters, digits and _, a letter first',
			description: 'What the names of all indices and templates begin with.',
		}),
		refreshMs: Type.Integer({
			default: 1000,
			minimum: 0,
			maximum: 60_000,
			description: 'What was put is seen by readers so long after at the latest; 0: as soon as it is put, at the price of slower puts.',
		}),
		shards: Type.Integer({ default: 1, minimum: 1, maximum: 64, description: 'Primary shards of each index, one index a day and class.' }),
		replicas: Type.String({
			default: '0-1',
			pattern: '^\\d{1,2}(-(\\d{1,2}|all))?$',
			form: 'a number, or a range as 0-1 or 0-all',
			description: 'Copies of each shard; a range follows the number of nodes.',
		}),
		searchBodies: Type.Boolean({
			default: true,
			description: 'Whether annotations, spec and status of objects can be searched in Kibana; it costs a third more of the server’s time.',
		}),
		compatibility: Type.Integer({ default: 9, minimum: 8, maximum: 9, description: 'Major version of the servers.' }),
		timeoutMs: Type.Integer({ default: 60_000, minimum: 100, maximum: 600_000, description: 'An answer is waited for so long.' }),
		retention: Type.Object(
			{
				changesAgeMs: ageOf('changes'),
				eventsAgeMs: ageOf('cluster events'),
				auditAgeMs: ageOf('audit entries'),
				logsAgeMs: ageOf('log lines'),
				ledgerAgeMs: ageOf('gaps, coverage and rejects'),
			},
			{ additionalProperties: false, default: {} },
		),
	},
	{ additionalProperties: false },
)

export type ElasticsearchStoreConfig = Static<typeof elasticsearchStoreConfig>
