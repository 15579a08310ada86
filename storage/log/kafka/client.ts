// A kafkajs client in the settings that lose nothing (docs/decisions/021): one for each producer, consumer and admin, so that nothing is shared between them.
import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import kafkajs, { type Kafka, type KafkaConfig, type SASLOptions } from 'kafkajs'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import type { Logger } from '#runtime/log.ts'
import type { KafkaLogConfig } from './config.ts'
import './codec.ts'
import './offset-manager.ts'
import './request-queue.ts'

/** Waits of kafkajs itself, whose own numbers would have it give up, or wait for half a minute. */
const retry = { initialRetryTime: 100, maxRetryTime: 2000, factor: 0.2, multiplier: 1.5 } as const
/**
 * How often kafkajs tries again by itself: for some seconds. What must go on for longer is begun anew by those who use it: a client that retries without end
 * cannot be closed while the brokers are away, and comes back to life with them.
 */
export const clientRetries = 6
const connectionTimeoutMs = 3000
const requestTimeoutMs = 10_000

function readOption(key: string, path: string | undefined): string | undefined {
	if (path === undefined) return undefined
	try {
		return readFileSync(path, 'utf8')
	} catch (error) {
		throw new KubetapeError('CONFIG_UNREADABLE', `log.kafka.${key}: ${messageOf(error)}`, { cause: error })
	}
}

function tlsOf({ tls }: KafkaLogConfig): ConnectionOptions | undefined {
	if (!tls) return undefined
	const files = {
		ca: readOption('tls.caFile', tls.caFile),
		cert: readOption('tls.certFile', tls.certFile),
		key: readOption('tls.keyFile', tls.keyFile),
	}
	return Object.fromEntries(Object.entries(files).filter(([, text]) => text !== undefined))
}

/** A new object for each client: kafkajs keeps its authenticator in it, and would go on with an old password. */
function saslOf({ sasl }: KafkaLogConfig): SASLOptions | undefined {
	if (!sasl) return undefined
	const { mechanism, username } = sasl
	const password = readOption('sasl.passwordFile', sasl.passwordFile)?.trim() ?? ''
	return { mechanism, username, password }
}

/** `retries`: how often kafkajs tries again by itself. Certificates and the password are read anew. Throws CONFIG_UNREADABLE. */
export function createClient(config: KafkaLogConfig, log: Logger, retries: number): Kafka {
	const ssl = tlsOf(config)
	const sasl = saslOf(config)
	const options: KafkaConfig = {
		clientId: 'kubetape',
		brokers: [...config.brokers],
		connectionTimeout: connectionTimeoutMs,
		authenticationTimeout: requestTimeoutMs,
		requestTimeout: requestTimeoutMs,
		retry: { ...retry, retries },
		logLevel: kafkajs.logLevel.INFO,
		// What matters of it is said by those who act on it: kafkajs tells every try of every retry as an error.
		logCreator:
			() =>
			({ namespace, log: entry }) =>
				log.debug({ ...entry, namespace }, 'kafkajs'),
		...(ssl ? { ssl } : {}),
		...(sasl ? { sasl } : {}),
	}
	return new kafkajs.Kafka(options)
}
