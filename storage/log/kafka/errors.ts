// What an error of kafkajs means: whether the same batch goes again, a new producer is needed, the group is joined anew, or nobody can help but an operator.
import { KubetapeError, messageOf, type ErrorCode } from '#runtime/errors.ts'

/**
 * `again`: the identical batch, on the same producer · `renew`: on a new producer · `rejoin`: a new member of the group ·
 * `refuse`: this batch will never be taken · `fatal`: an operator must change something.
 */
export type Verdict = 'again' | 'renew' | 'rejoin' | 'refuse' | 'fatal'

const verdicts: Readonly<Record<string, Verdict>> = {
	OUT_OF_ORDER_SEQUENCE_NUMBER: 'renew',
	UNKNOWN_PRODUCER_ID: 'renew',
	PRODUCER_FENCED: 'renew',
	INVALID_PRODUCER_EPOCH: 'renew',
	INVALID_PRODUCER_ID_MAPPING: 'renew',
	UNKNOWN_MEMBER_ID: 'rejoin',
	ILLEGAL_GENERATION: 'rejoin',
	REBALANCE_IN_PROGRESS: 'rejoin',
	FENCED_INSTANCE_ID: 'rejoin',
	NOT_COORDINATOR_FOR_GROUP: 'rejoin',
	MESSAGE_TOO_LARGE: 'refuse',
	RECORD_LIST_TOO_LARGE: 'refuse',
	INVALID_RECORD: 'refuse',
	SASL_AUTHENTICATION_FAILED: 'fatal',
	ILLEGAL_SASL_STATE: 'fatal',
	UNSUPPORTED_SASL_MECHANISM: 'fatal',
	TOPIC_AUTHORIZATION_FAILED: 'fatal',
	GROUP_AUTHORIZATION_FAILED: 'fatal',
	CLUSTER_AUTHORIZATION_FAILED: 'fatal',
	TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'fatal',
	INVALID_TOPIC_EXCEPTION: 'fatal',
	UNSUPPORTED_VERSION: 'fatal',
}

/** Codes of Node's TLS that say that the other side is not who it should be, or speaks no TLS (node:tls, OpenSSL's X509_V_ERR_…). */
const tlsCodes =
	/^(CERT_|ERR_TLS_|ERR_SSL_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_(GET|VERIFY)|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|EPROTO)/
const causesMax = 10

interface Node {
	readonly name?: unknown
	readonly type?: unknown
	readonly code?: unknown
	readonly cause?: unknown
	readonly originalError?: unknown
	readonly errors?: unknown
}

/** The error and what it was made of, outermost first. */
function* chain(error: unknown, depth = 0): Generator<Node> {
	if (typeof error !== 'object' || error === null || depth > causesMax) return
	const node = error as Node
	yield node
	yield* chain(node.cause, depth + 1)
	yield* chain(node.originalError, depth + 1)
	if (Array.isArray(node.errors)) for (const inner of node.errors as unknown[]) yield* chain(inner, depth + 1)
}

function isTls(node: Node): boolean {
	return typeof node.code === 'string' && tlsCodes.test(node.code)
}

const isAuthentication = (node: Node): boolean => String(node.name) === 'KafkaJSSASLAuthenticationError'

/** What is not known is tried again: nothing is lost by it. */
export function verdictOf(error: unknown): Verdict {
	for (const node of chain(error)) {
		const known = typeof node.type === 'string' ? verdicts[node.type] : undefined
		if (known) return known
		if (isTls(node) || isAuthentication(node)) return 'fatal'
	}
	return 'again'
}

/** Also of an error that kafkajs carries inside another one. */
export function isOfType(error: unknown, type: string): boolean {
	return [...chain(error)].some((node) => node.type === type)
}

function codeOf(error: unknown): ErrorCode {
	const nodes = [...chain(error)]
	if (nodes.some(isTls)) return 'KAFKA_TLS'
	const types = nodes.map(({ type }) => (typeof type === 'string' ? type : ''))
	if (nodes.some(isAuthentication) || types.some((type) => /SASL|AUTHORIZATION_FAILED/.test(type))) return 'KAFKA_AUTH'
	if (types.some((type) => verdicts[type] === 'refuse')) return 'STORAGE_TOO_LARGE'
	if (types.some((type) => verdicts[type] === 'fatal')) return 'KAFKA_TOPIC'
	return 'STORAGE_UNAVAILABLE'
}

/** As an error of the registry, with what was asked for in front. */
export function kafkaError(what: string, error: unknown): KubetapeError {
	if (error instanceof KubetapeError) return error
	return new KubetapeError(codeOf(error), `${what}: ${messageOf(error)}`, { cause: error })
}
