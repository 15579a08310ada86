// Options of the audit collectors: the API server's log file, and the webhook receiver.
import { Type, type Static } from 'typebox'

export const auditFileConfig = Type.Object(
	{
		path: Type.String({
			minLength: 1,
			description: 'The API server’s audit log (its --audit-log-path). Rotated files beside it are read too.',
		}),
		pollMs: Type.Integer({
			default: 500,
			minimum: 10,
			maximum: 60_000,
			description: 'The file is looked at so often, where the file system does not tell of changes.',
		}),
		lineBytesMax: Type.Integer({
			default: 16_777_216,
			minimum: 1024,
			maximum: 33_554_432,
			description: 'Longest line that is read, in bytes. A longer one is set aside.',
		}),
		lastLineMs: Type.Integer({
			default: 5000,
			minimum: 10,
			maximum: 600_000,
			description: 'A last line without its end is read after such a pause.',
		}),
	},
	{ additionalProperties: false, description: 'The API server’s audit log as a file (JSON, audit.k8s.io/v1 or v1beta1).' },
)

export type AuditFileConfig = Static<typeof auditFileConfig>

export const auditWebhookConfig = Type.Object(
	{
		host: Type.String({ default: '127.0.0.1', minLength: 1, description: 'Address on which audit batches are received.' }),
		port: Type.Integer({
			default: 8481,
			minimum: 0,
			maximum: 65_535,
			description: 'Port of the receiver; 0 takes a free one. The API server posts to /audit/CLUSTER.',
		}),
		certFile: Type.Optional(
			Type.String({ minLength: 1, description: 'PEM file of the receiver’s certificate. With it (and keyFile) it speaks TLS only.' }),
		),
		keyFile: Type.Optional(Type.String({ minLength: 1, description: 'PEM file of the certificate’s key.' })),
		clientCaFile: Type.Optional(
			Type.String({
				minLength: 1,
				description: 'PEM file of the authority that signed the API servers’ client certificates. With it, others are refused.',
			}),
		),
		clientNames: Type.Optional(
			Type.Array(Type.String({ minLength: 1 }), {
				minItems: 1,
				description: 'Common names of client certificates that may post; without it, every certificate of the authority may.',
			}),
		),
	},
	{ additionalProperties: false, description: 'Receives audit batches (the API server’s --audit-webhook-config-file).' },
)

export type AuditWebhookConfig = Static<typeof auditWebhookConfig>

export const auditCountersConfig = Type.Object(
	{
		servers: Type.Array(
			Type.Object(
				{
					kubeconfig: Type.Optional(
						Type.String({ minLength: 1, description: 'Kubeconfig of a user who may get /metrics; without it, as `kubernetes` finds one.' }),
					),
					context: Type.Optional(Type.String({ minLength: 1, description: 'Its context; without it, the current one.' })),
					url: Type.Optional(
						Type.String({
							minLength: 1,
							pattern: '^https?://[^/?#]+/?$',
							form: 'https://HOST:PORT',
							description: 'Address of this API server itself, where the kubeconfig names a load balancer before several.',
						}),
					),
					file: Type.Boolean({
						default: false,
						description: 'This API server writes the file of `audit`. Of a single one that is so without saying.',
					}),
				},
				{ additionalProperties: false },
			),
			{
				minItems: 1,
				maxItems: 20,
				description: 'Every API server of the cluster. One that is missing here can hide losses, and never makes up any.',
			},
		),
		pollMs: Type.Integer({ default: 30_000, minimum: 100, maximum: 600_000, description: 'Their counters are asked for so often.' }),
		settleMs: Type.Integer({
			default: 300_000,
			minimum: 1000,
			maximum: 3_600_000,
			description: 'An entry that has not come so long after it was written is lost: longer than the API server tries.',
		}),
	},
	{
		additionalProperties: false,
		description: 'Compares what the API servers count of their audit log (/metrics) with what came: what was lost is a gap.',
	},
)

export type AuditCountersConfig = Static<typeof auditCountersConfig>
