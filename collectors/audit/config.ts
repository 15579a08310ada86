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
