// Where a processor is killed in its cycle, told by what passes between it and its servers: nothing of the product knows of it.
import { apiKeys, type KafkaProxy } from '#test/support/kafka-proxy.ts'
import type { Proxy } from '#test/support/proxy.ts'

export interface Field {
	readonly kafka: KafkaProxy
	readonly store: Proxy
	/** True at the moment at which the processor is to be killed: then it is, before this returns. */
	readonly strike: () => boolean
	/** Connections to Kafka that are numbered higher are of a processor that came later. */
	readonly olderConnections: number
}

export interface Step {
	readonly name: string
	/** Another processor comes to the group, which is then given partitions anew. */
	readonly joins?: true
	/** It does not come to the place a second time by itself. */
	readonly once?: true
	/** From now on the proxies look for the place. */
	readonly arm: (field: Field) => void
}

/** Of a fetch that brought records; one that brought none is smaller. */
const recordsBytesMin = 8192
const isBulk = (request: string): boolean => request.startsWith('POST /_bulk')
/** Lines that are told anew are written on condition. */
const isAmending = (request: string): boolean => isBulk(request) && request.includes('"if_seq_no"')
const isPut = (request: string): boolean => isBulk(request) && request.includes('{"create"')
const isLookUp = (request: string): boolean => request.includes('"ids":{"values"') && !request.includes('"filter"')
const isRefresh = (request: string): boolean => /^POST \S+\/_refresh/.test(request)

const atKafkaRequest =
	(key: number) =>
	({ kafka, strike, olderConnections }: Field): void => {
		kafka.onRequest = (apiKey, { connection }) => (apiKey === key && connection <= olderConnections && strike() ? 'hold' : 'pass')
	}
const atKafkaAnswer =
	(key: number, bytesMin = 0) =>
	({ kafka, strike, olderConnections }: Field): void => {
		kafka.onAnswer = (apiKey, { connection, bytes }) =>
			apiKey === key && bytes >= bytesMin && connection <= olderConnections && strike() ? 'swallow' : 'pass'
	}
const atStoreRequest =
	(is: (request: string) => boolean, verdict: 'hold' | 'cut' = 'hold') =>
	({ store, strike }: Field): void => {
		store.onRequest = (request) => (is(request) && strike() ? verdict : 'pass')
	}
const atStoreAnswer =
	(is: (request: string) => boolean) =>
	({ store, strike }: Field): void => {
		store.onAnswer = (asked) => (is(asked) && strike() ? 'hold' : 'pass')
	}

/** A put goes in several requests: of these, every other one never arrives. */
function halfOfThePut({ store, strike }: Field): void {
	let [seen, held] = [0, 0]
	store.onRequest = (request) => {
		if (!isPut(request) || ++seen % 2 === 1) return 'pass'
		held += 1
		return 'hold'
	}
	store.onAnswer = (asked) => (isPut(asked) && held > 0 && strike() ? 'hold' : 'pass')
}

function shownToNobody({ store, strike }: Field): void {
	let hasStored = false
	store.onAnswer = (asked) => {
		hasStored ||= isPut(asked)
		return 'pass'
	}
	store.onRequest = (request) => (hasStored && isRefresh(request) && strike() ? 'hold' : 'pass')
}

/** The processor is killed when it has sent it; it arrives when another one has stored the same. */
function arrivesLate({ store, strike }: Field): void {
	store.onRequest = (request) => (isPut(request) ? 'keep' : 'pass')
	store.onKept = () => void strike()
}

/** The put does not end, so the partition is taken from under it. */
function inHandWhileTaken(field: Field): void {
	field.store.onRequest = (request) => (isPut(request) ? 'hold' : 'pass')
	atKafkaRequest(apiKeys.joinGroup)(field)
}

export const steps: readonly Step[] = [
	{ name: 'records were fetched, and did not arrive', arm: atKafkaAnswer(apiKeys.fetch, recordsBytesMin) },
	{ name: 'read and described, the store is being asked what it has', arm: atStoreRequest(isLookUp) },
	{ name: 'before a bulk request', arm: atStoreRequest(isPut) },
	{ name: 'in the middle of a bulk request', arm: atStoreRequest(isPut, 'cut') },
	{ name: 'one bulk request of a put was done, another not sent', once: true, arm: halfOfThePut },
	{ name: 'a bulk request was done, its answer did not arrive', arm: atStoreAnswer(isPut) },
	{ name: 'a bulk request arrives when another processor has stored the same', once: true, arm: arrivesLate },
	{ name: 'stored, and shown to nobody yet', arm: shownToNobody },
	{ name: 'before lines of a Pod are told anew', arm: atStoreRequest(isAmending) },
	{ name: 'lines of a Pod were told anew, the answer did not arrive', arm: atStoreAnswer(isAmending) },
	{ name: 'stored, and not committed', arm: atKafkaRequest(apiKeys.offsetCommit) },
	{ name: 'committed, the answer did not arrive', arm: atKafkaAnswer(apiKeys.offsetCommit) },
	{ name: 'rebalance: before it joins again', joins: true, arm: atKafkaRequest(apiKeys.joinGroup) },
	{ name: 'rebalance: partitions were given, the answer did not arrive', joins: true, arm: atKafkaAnswer(apiKeys.syncGroup) },
	{ name: 'rebalance: with a put under way', joins: true, arm: inHandWhileTaken },
]
