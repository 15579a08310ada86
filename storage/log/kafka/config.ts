// Options of the Kafka record log.
import { Type, type Static } from 'typebox'

const closed = { additionalProperties: false } as const
// oxlint-disable-next-line typescript/explicit-function-return-type -- TypeBox infers what Static needs
const file = (description: string) => Type.Optional(Type.String({ minLength: 1, description }))

const tls = Type.Object(
	{
		caFile: file('PEM file of the authority that signed the brokers’ certificates. Without it, those that the system trusts.'),
		certFile: file('PEM file of a client certificate, where the brokers want one.'),
		keyFile: file('PEM file of that certificate’s key.'),
	},
	{ ...closed, description: 'TLS to the brokers; `{}` is TLS with the authorities that the system trusts.' },
)

const sasl = Type.Object(
	{
		mechanism: Type.Union(
			['plain', 'scram-sha-256', 'scram-sha-512'].map((name) => Type.Literal(name)),
			{ description: 'How the brokers want the password. `plain` sends it as it is: with TLS only.' },
		),
		username: Type.String({ minLength: 1, description: 'User of the brokers.' }),
		passwordFile: Type.String({ minLength: 1, description: 'File that holds the password.' }),
	},
	{ ...closed, description: 'User and password for the brokers.' },
)

export const kafkaLogConfig = Type.Object(
	{
		brokers: Type.Array(Type.String({ pattern: '^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+):\\d{1,5}$', form: 'host:9092' }), {
			minItems: 1,
			maxItems: 100,
			description: 'Addresses of some brokers, as host:9092; the others are learnt from them.',
		}),
		tls: Type.Optional(tls),
		sasl: Type.Optional(sasl),
		topicPrefix: Type.String({
			default: 'kubetape',
			pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$',
			form: 'letters, digits, and . _ - behind the first',
			description: 'Topics are named PREFIX.records, PREFIX.logs and so on, consumer groups PREFIX.store.',
		}),
		createTopics: Type.Boolean({
			default: true,
			description: 'Topics that are missing are created at the start. Otherwise, and where they are there, they are checked.',
		}),
		partitions: Type.Integer({
			default: 8,
			minimum: 1,
			maximum: 1000,
			description: 'Partitions of each topic: so many processors can share the work. Every process must have the same number here.',
		}),
		replicationFactor: Type.Integer({
			default: 3,
			minimum: 1,
			maximum: 9,
			description: 'Brokers that hold each partition of a new topic.',
		}),
		minInsyncReplicas: Type.Integer({
			default: 2,
			minimum: 1,
			maximum: 9,
			description: 'Brokers that must have a record before it counts as durable. A topic that asks for fewer is refused.',
		}),
		maxMessageBytes: Type.Integer({
			default: 8_388_608,
			minimum: 65_536,
			maximum: 41_943_040,
			description:
				'Largest message of a new topic, packed. A record that is larger even packed is stored without its bodies, and says so. What an existing topic allows counts.',
		}),
		retention: Type.Object(
			{
				ageMs: Type.Integer({
					default: 259_200_000,
					minimum: 0,
					description:
						'The brokers keep records this long, in milliseconds, also unread ones: longer than the store may be away. 0 keeps all. A topic that keeps them shorter is refused.',
				}),
				bytesMax: Type.Integer({
					default: 0,
					minimum: 0,
					description: 'The brokers remove the oldest records of a partition of a new topic beyond this many bytes; 0 sets no limit.',
				}),
			},
			{ ...closed, default: {} },
		),
		sessionTimeoutMs: Type.Integer({
			default: 15_000,
			minimum: 1000,
			maximum: 300_000,
			description: 'A processor that is silent for so long has its partitions given to others.',
		}),
		spool: Type.Object(
			{
				afterMs: Type.Integer({
					default: 5000,
					minimum: 100,
					maximum: 600_000,
					description: 'Records that the brokers have not taken for so long are made durable in the data directory until they do.',
				}),
				bytesMax: Type.Integer({
					default: 1_073_741_824,
					minimum: 0,
					description:
						'So many bytes may wait there, packed; then collecting pauses. The last quarter is for audit entries, whose source does not wait. 0: nothing waits there.',
				}),
			},
			{ ...closed, default: {} },
		),
	},
	{ ...closed, description: 'The record log on Kafka, in place of the one in the data directory. See storage/log/kafka/README.md.' },
)

export type KafkaLogConfig = Static<typeof kafkaLogConfig>
