// One resource: listed where that is needed, then watched, without end; every failure answered by what it means.
import type { IncomingMessage } from 'node:http'
import { parseRevision, type Revision } from '#records/revision.ts'
import { createBackoff } from '#runtime/retry.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import { limits } from '#runtime/limits.ts'
import type { KubernetesConfig } from './config.ts'
import type { Connection } from './connection.ts'
import { readAll, type ServedResource } from './discovery.ts'
import { failureOf, retryAfterOf, statusOf } from './failure.ts'
import type { Ledger, LedgerParts } from './ledger.ts'
import { splitLines, type Line } from './lines.ts'
import { splitPage } from './list-page.ts'
import type { Slots } from './slots.ts'
import { apiVersionOf, isSecret, itemBody } from './versions.ts'
import { readWatchLine } from './watch-event.ts'

export interface ResourceParts extends LedgerParts {
	readonly config: KubernetesConfig
	readonly connection: Connection
	/** Lists read at the same time, over all resources. */
	readonly lists: Slots
	/** Turned off for all when the API server refuses one. */
	readonly can: { streamLists: boolean }
	/** Called after an object of this resource was created, changed or deleted. */
	readonly onChange?: () => void
}

const pageBytesMax = 64 * 1024 * 1024
const retryFirstMs = 100
const watchSecondsMin = 480
const watchSecondsSpread = 240
const endOfList = 'k8s.io/initial-events-end'
const metadataList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'
const metadataItem = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'

/** Resolves when the signal aborts. */
export async function followResource(served: ServedResource, ledger: Ledger, parts: ResourceParts, signal: AbortSignal): Promise<void> {
	const { config, context } = parts
	const backoff = createBackoff({ clock: context.clock, firstMs: retryFirstMs, maxMs: config.retryMaxMs })
	let isDenied = false
	const onAlive = (): void => {
		backoff.reset()
		isDenied = false
	}
	while (!signal.aborted) {
		try {
			await ledger.arrive(() => readHead(served, parts, signal))
			if (ledger.position.pending && !parts.can.streamLists) await readPages(served, ledger, parts, signal)
			else await readStream(served, ledger, parts, { signal, onAlive })
			// Ended by the server: at once again, unless it gave nothing.
			if (backoff.attempts > 0) await backoff.wait(signal)
			else await context.clock.sleep(retryFirstMs, signal)
		} catch (error) {
			if (signal.aborted) return
			if (!(error instanceof KubetapeError)) throw error
			if (error.code === 'KUBERNETES_AUTH') {
				if (!isDenied)
					context.log.warn({ resource: served.name, error: error.message }, 'the resource may not be read: it is tried again now and then')
				isDenied = true
				await context.clock.sleep(config.deniedRetryMs, signal)
				continue
			}
			await recover(error, served, ledger, parts)
			const wait = retryAfterOf(error)
			if (wait === undefined) await backoff.wait(signal)
			else await context.clock.sleep(wait, signal)
		}
	}
}

async function recover(error: KubetapeError, served: ServedResource, ledger: Ledger, parts: ResourceParts): Promise<void> {
	const status = statusOf(error)
	const { context } = parts
	context.metrics
		.counter('kubetape_kubernetes_failures_total', 'Failures of lists and watches by resource and status', [
			'cluster',
			'resource',
			'status',
		])
		.inc({
			cluster: context.cluster,
			resource: served.name,
			status: String(status ?? 'none'),
		})
	if (error.code === 'KUBERNETES_GONE') ledger.relist()
	else if (ledger.position.pending && parts.can.streamLists && (status === 400 || status === 422)) {
		parts.can.streamLists = false
		context.log.info({ resource: served.name }, 'the API server does not stream lists: they are read in pages')
	} else context.log.info({ resource: served.name, error: error.message }, 'the watch was interrupted: it goes on where it stood')
}

function pathOf(served: ServedResource, query: Readonly<Record<string, string>>): string {
	const root = served.group === '' ? '/api' : '/apis'
	return `${root}/${apiVersionOf(served)}/${served.resource}?${new URLSearchParams(query).toString()}`
}

/** Spread by name, so that not all watches are opened anew in the same moment. */
function watchSeconds(name: string): string {
	let sum = 0
	for (const character of name) sum += character.codePointAt(0) ?? 0
	return String(watchSecondsMin + (sum % watchSecondsSpread))
}

/** The newest revision of the resource's storage: a list without a resourceVersion is never older than what was written before it. */
async function readHead(served: ServedResource, { config, connection }: ResourceParts, signal: AbortSignal): Promise<Revision> {
	const path = pathOf(served, { limit: '1' })
	const bytes = await readPage(await connection.get(path, { accept: metadataList, signal, silenceMs: config.watchSilenceMs }))
	const revision = parseRevision(bytes && splitPage(bytes)?.resourceVersion)
	if (revision === undefined) throw new KubetapeError('KUBERNETES_UNAVAILABLE', `the answer for ${served.name} is no list with a revision`)
	return revision
}

async function readPages(served: ServedResource, ledger: Ledger, parts: ResourceParts, signal: AbortSignal): Promise<void> {
	const { config, connection, outbox } = parts
	const done = await parts.lists.take()
	try {
		ledger.beginList()
		let limit = config.pageItems
		let token = ''
		for (;;) {
			const path = pathOf(served, { limit: String(limit), ...(token === '' ? {} : { continue: token }) })
			const accept = isSecret(served) ? metadataList : 'application/json'
			const bytes = await readPage(await connection.get(path, { accept, signal, silenceMs: config.watchSilenceMs }))
			if (bytes === undefined && limit > 1) {
				limit = Math.ceil(limit / 4)
				continue
			}
			const page = bytes && splitPage(bytes)
			if (!page || page.resourceVersion === '')
				throw new KubetapeError('KUBERNETES_UNAVAILABLE', `the answer for ${served.name} is no list`)
			for (const item of page.items) {
				takeItem(served, ledger, item)
				if (outbox.isFull) await outbox.room()
			}
			if (page.continue === '') return await ledger.finishList(page.resourceVersion)
			token = page.continue
		}
	} finally {
		done()
	}
}

/** Undefined where the page is too long: fewer items are asked for then. */
async function readPage(response: IncomingMessage): Promise<Buffer | undefined> {
	try {
		return await readAll(response, pageBytesMax)
	} catch (error) {
		if (error instanceof KubetapeError && error.details['tooLong'] === true) return undefined
		throw error
	}
}

function takeItem(served: ServedResource, ledger: Ledger, item: Buffer): void {
	let body
	try {
		body = itemBody(served, item)
	} catch {
		ledger.reject('the item of the list is not JSON', item)
		return
	}
	ledger.take('ADDED', body)
}

interface StreamOptions {
	readonly signal: AbortSignal
	readonly onAlive: () => void
}

/** A watch; begun with the whole list where one is needed. */
async function readStream(served: ServedResource, ledger: Ledger, parts: ResourceParts, { signal, onAlive }: StreamOptions): Promise<void> {
	const { config, connection, outbox } = parts
	const isList = ledger.position.pending !== null
	const done = isList ? await parts.lists.take() : () => {}
	try {
		if (isList) ledger.beginList()
		const from = isList
			? { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }
			: { resourceVersion: ledger.position.revision }
		const path = pathOf(served, { watch: '1', allowWatchBookmarks: 'true', timeoutSeconds: watchSeconds(served.name), ...from })
		const response = await connection.get(path, {
			accept: isSecret(served) ? metadataItem : 'application/json',
			signal,
			silenceMs: config.watchSilenceMs,
		})
		for await (const lines of splitLines(chunksOf(response), limits.recordBytesMax)) {
			for (const line of lines) {
				await takeLine(line, ledger, parts)
				if (!ledger.position.pending) done()
				if (outbox.isFull) await outbox.room()
			}
			onAlive()
		}
	} finally {
		done()
	}
}

/** What ends the connection is KUBERNETES_UNAVAILABLE: the watch goes on from its position. */
async function* chunksOf(response: IncomingMessage): AsyncGenerator<Buffer> {
	try {
		for await (const chunk of response) yield chunk as Buffer
	} catch (error) {
		throw new KubetapeError('KUBERNETES_UNAVAILABLE', `the connection was cut: ${messageOf(error)}`, { cause: error })
	}
}

async function takeLine(line: Line, ledger: Ledger, parts: ResourceParts): Promise<void> {
	if ('tooLong' in line) return ledger.reject('the line is longer than a record may be', line.tooLong)
	const event = readWatchLine(line.bytes)
	if (typeof event === 'string') return ledger.reject(event, line.bytes)
	const object = event.object.object as {
		readonly code?: unknown
		readonly metadata?: { readonly resourceVersion?: unknown; readonly annotations?: Readonly<Record<string, unknown>> }
	}
	if (event.type === 'ERROR')
		throw failureOf(typeof object.code === 'number' ? object.code : 0, event.object.text, retrySecondsIn(event.object.object))
	if (event.type !== 'BOOKMARK') {
		ledger.take(event.type, event.object)
		parts.onChange?.()
		return
	}
	const revision = object.metadata?.resourceVersion
	if (typeof revision !== 'string' || !/^\d{1,19}$/.test(revision)) return ledger.reject('the bookmark has no resourceVersion', line.bytes)
	if (ledger.position.pending && object.metadata?.annotations?.[endOfList] === 'true') await ledger.finishList(revision)
	else ledger.bookmark(revision)
}

function retrySecondsIn(status: Readonly<Record<string, unknown>>): string | undefined {
	const details = status['details'] as Readonly<Record<string, unknown>> | undefined
	const seconds = details?.['retryAfterSeconds']
	return typeof seconds === 'number' ? String(seconds) : undefined
}
