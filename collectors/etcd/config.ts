// Options of the etcd collector.
import { Type, type Static } from 'typebox'

export const etcdConfig = Type.Object(
	{
		endpoints: Type.Array(
			Type.String({ pattern: '^(https?://)?(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+):\\d{1,5}$', form: 'host:2379 or https://host:2379' }),
			{
				minItems: 1,
				maxItems: 32,
				description: 'Addresses of etcd, as https://host:2379. They are tried in turn.',
			},
		),
		caFile: Type.Optional(Type.String({ minLength: 1, description: 'PEM file of the authority that signed etcd’s certificate.' })),
		certFile: Type.Optional(
			Type.String({ minLength: 1, description: 'PEM file of the client certificate. Read anew at each connection.' }),
		),
		keyFile: Type.Optional(Type.String({ minLength: 1, description: 'PEM file of the client certificate’s key.' })),
		username: Type.Optional(
			Type.String({ minLength: 1, description: 'User, where etcd’s own authentication is on. It needs to read the whole range.' }),
		),
		password: Type.Optional(Type.String({ description: 'Password of that user. A file is the better place for it.' })),
		passwordFile: Type.Optional(Type.String({ minLength: 1, description: 'File that holds the password.' })),
		prefix: Type.String({
			default: '',
			description: 'Keys that are recorded. Empty is the whole keyspace: only that proves that no revision is missing.',
		}),
		registry: Type.String({
			default: '/registry/',
			pattern: '/$',
			description: 'Where the API server keeps its objects (its --etcd-prefix, with a slash at the end).',
		}),
		snapshotPageKeys: Type.Integer({ default: 500, minimum: 1, maximum: 10_000, description: 'Keys of one page of a snapshot.' }),
		progressMs: Type.Integer({
			default: 10_000,
			minimum: 100,
			maximum: 600_000,
			description: 'A silent watch is asked for a sign of life so often; without an answer for three times as long it is opened anew.',
		}),
		retryMaxMs: Type.Integer({ default: 15_000, minimum: 10, maximum: 600_000, description: 'Longest wait between two tries to connect.' }),
	},
	{ additionalProperties: false, description: 'The etcd of the cluster: every write as it was made.' },
)

export type EtcdConfig = Static<typeof etcdConfig>
