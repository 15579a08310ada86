// Receives audit batches from API servers. The answer 200 says that every entry is durable; on anything else the API server sends the batch again.
import { isUtf8 } from 'node:buffer'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Emit } from '#collectors/port.ts'
import type { KubetapeRecord } from '#records/record.ts'
import type { Micros } from '#records/time.ts'
import type { Clock } from '#runtime/clock.ts'
import { messageOf } from '#runtime/errors.ts'
import { aborted, atMost } from '#runtime/lifecycle.ts'
import { limits } from '#runtime/limits.ts'
import type { Logger } from '#runtime/log.ts'
import type { Metrics } from '#runtime/metrics.ts'
import type { AuditWebhookConfig } from './config.ts'
import { clientNameOf, createListener, listen } from './listener.ts'
import { parseAuditLine, rejectLine } from './parse.ts'
import { JsonScan, prepare, type Member, type Span } from './json-scan.ts'

export interface AuditWebhookContext {
	readonly clock: Clock
	readonly log: Logger
	readonly metrics: Metrics
	/** Names of clusters that may post. */
	readonly clusters: readonly string[]
	/** True while nothing can be appended: batches are refused at once then. */
	readonly isPaused?: () => boolean
	/** Told what is durable, for each batch. */
	readonly onKept?: (cluster: string, records: readonly KubetapeRecord[]) => void
	/** Told the address once it listens. */
	readonly onListening?: (address: AddressInfo) => void
}

export interface AuditWebhook {
	/** Runs until the signal aborts. Throws RUNTIME_PORT_TAKEN, RUNTIME_NO_PERMISSION or CONFIG_UNREADABLE where it cannot listen. */
	run(emit: Emit, signal: AbortSignal): Promise<void>
}

const bodyBytesMax = 32 * 1024 * 1024
/** Batches that are whole and not yet durable, and the bytes of all that is received. Beyond, the API server is told to come again. A peer that trickles holds none of the places. */
const requestsInFlightMax = 16
const bytesInFlightMax = 64 * 1024 * 1024
/** A request, and its headers, must be there by then. */
const requestMsMax = 30_000
const headersMsMax = 10_000
/** A batch that is not durable by then is to be sent again: the API server gives up after 30 s itself. */
const answerMsMax = 15_000
/** Batches on their way are waited for so long when it stops. */
const stopMsMax = 5000
const source = 'audit'

export function createAuditWebhook(config: AuditWebhookConfig, context: AuditWebhookContext): AuditWebhook {
	return {
		async run(emit, signal) {
			const receiver = createReceiver(config, context, emit)
			const server = createListener(config, (request, response) => void receiver(request, response))
			server.requestTimeout = requestMsMax
			server.headersTimeout = headersMsMax
			await listen(server, config)
			const address = server.address() as AddressInfo
			context.log.info({ host: address.address, port: address.port }, 'audit batches are received at /audit/CLUSTER')
			context.onListening?.(address)
			try {
				await aborted(signal)
			} finally {
				const closed = once(server, 'close')
				server.close()
				server.closeIdleConnections()
				await atMost(stopMsMax, closed)
				server.closeAllConnections()
			}
		},
	}
}

type Receiver = (request: IncomingMessage, response: ServerResponse) => Promise<void>

function createReceiver(config: AuditWebhookConfig, context: AuditWebhookContext, emit: Emit): Receiver {
	const answers = context.metrics.counter('kubetape_audit_webhook_batches_total', 'Audit batches received, by answer', [
		'cluster',
		'status',
	])
	const load = { requests: 0, bytes: 0 }

	const receive = async (request: IncomingMessage, cluster: string): Promise<number> => {
		const declared = Number(request.headers['content-length'] ?? 0)
		if (declared > bodyBytesMax) return 413
		if (context.isPaused?.() === true || load.requests >= requestsInFlightMax || load.bytes + declared > bytesInFlightMax) return 503
		let held = 0
		let place = 0
		let kept: Promise<void> | undefined
		try {
			const parts: Buffer[] = []
			for await (const part of request as AsyncIterable<Buffer>) {
				held += part.length
				load.bytes += part.length
				if (held > bodyBytesMax) return 413
				if (load.bytes > bytesInFlightMax) return 503
				parts.push(part)
			}
			// The others have become whole meanwhile.
			if (load.requests >= requestsInFlightMax) return 503
			load.requests += 1
			place = 1
			const { status, records } = readBatch(Buffer.concat(parts), cluster, context.clock.nowMicros())
			kept = keep(records, emit).then(() => context.onKept?.(cluster, records))
			return (await isDoneInTime(kept, context.clock)) ? status : 503
		} finally {
			const release = (): void => {
				load.requests -= place
				load.bytes -= held
			}
			// A batch that was answered for too late is held until it is durable all the same.
			if (kept) void kept.then(release, release)
			else release()
		}
	}

	return async (request, response) => {
		const cluster = clusterOf(request.url ?? '', context.clusters)
		let status = 503
		try {
			status = refusalOf(request, cluster, config) ?? (await receive(request, cluster ?? ''))
		} catch (error) {
			context.log.warn({ cluster, error: messageOf(error) }, 'an audit batch could not be kept; the API server sends it again')
		}
		answers.inc({ cluster: cluster ?? '', status: String(status) })
		// What is left of a refused body is not read: the connection ends with the answer.
		const headers = {
			...(status === 503 ? { 'retry-after': '1' } : {}),
			...(status === 405 ? { allow: 'POST' } : {}),
			...(request.complete ? {} : { connection: 'close' }),
		}
		if (!response.destroyed) response.writeHead(status, headers).end()
	}
}

/** What is refused whatever the body holds. */
function refusalOf(request: IncomingMessage, cluster: string | undefined, config: AuditWebhookConfig): number | undefined {
	if (config.clientNames && !config.clientNames.includes(clientNameOf(request.socket))) return 403
	if (cluster === undefined) return 404
	if (request.method !== 'POST') return 405
	// API servers do not pack what they send: what is packed could unpack to anything.
	return (request.headers['content-encoding'] ?? 'identity') === 'identity' ? undefined : 415
}

async function keep(records: readonly KubetapeRecord[], emit: Emit): Promise<void> {
	for (const batch of batchesOf(records)) await emit(batch)
}

async function isDoneInTime(kept: Promise<void>, clock: Clock): Promise<boolean> {
	const over = new AbortController()
	try {
		return await Promise.race([kept.then(() => true), clock.sleep(answerMsMax, over.signal).then(() => false)])
	} finally {
		over.abort()
	}
}

/** As large as one call of emit may be. */
function* batchesOf(records: readonly KubetapeRecord[]): Generator<readonly KubetapeRecord[]> {
	let batch: KubetapeRecord[] = []
	let bytes = 0
	for (const record of records) {
		const size = record.kind === 'audit' ? record.body.bytesAtMost : 0
		if (batch.length >= limits.batchRecordsMax || (batch.length > 0 && bytes + size > limits.batchBytesMax)) {
			yield batch
			batch = []
			bytes = 0
		}
		batch.push(record)
		bytes += size
	}
	if (batch.length > 0) yield batch
}

function clusterOf(url: string, clusters: readonly string[]): string | undefined {
	const [, name] = /^\/audit\/([^/?]+)(?:\?.*)?$/.exec(url) ?? []
	// Names of clusters need no escapes in a URL.
	return clusters.find((cluster) => cluster === name)
}

const list = prepare({ kind: 'value', apiVersion: 'value', items: 'elements' })

const textOf = (body: Buffer, span: Span | undefined): unknown => (span ? JSON.parse(body.toString('utf8', span.from, span.to)) : undefined)

/** An item that is no audit entry is a reject among the others: sending it again would not mend it. A body that is no list is one reject, and is answered so. */
function readBatch(
	body: Buffer,
	cluster: string,
	observedAt: number,
): { readonly status: 200 | 400; readonly records: readonly KubetapeRecord[] } {
	const context = { cluster, source, observedAt, where: 'webhook' }
	const garbage = (reason: string): { readonly status: 400; readonly records: readonly KubetapeRecord[] } => ({
		status: 400,
		records: [rejectLine(body, context, reason)],
	})
	if (!isUtf8(body)) return garbage('the body is not UTF-8')
	const members = new JsonScan(body).members(list)
	if (typeof members === 'string') return garbage(`the body is ${members === 'escaped name' ? 'no EventList' : members}`)
	// As for a parser, the last of several members of a name counts.
	const memberOf = (name: string): Member | undefined => members.findLast((member) => member.name === name)
	const version = textOf(body, memberOf('apiVersion'))
	if (textOf(body, memberOf('kind')) !== 'EventList' || (version !== 'audit.k8s.io/v1' && version !== 'audit.k8s.io/v1beta1'))
		return garbage('the body is no audit.k8s.io EventList')
	const items = memberOf('items')?.elements
	if (!items) return garbage('items is no list')
	// A batch that is sent again has the same entries before the bad one.
	let after: Micros | undefined
	const records = items.map(({ from, to }, index) => {
		const record = parseAuditLine(body.subarray(from, to), { ...context, after, where: `webhook item ${index + 1}`, itemOf: version })
		if (record.kind === 'audit') after = record.occurredAt
		return record
	})
	return { status: 200, records }
}
