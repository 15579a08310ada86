// GET /api/v1/stream: records as they are stored, as server-sent events (WHATWG HTML §9.2). Last-Event-ID resumes behind that record.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import type { Filter } from '#storage/store/port.ts'
import { apiLimits } from '#api/api-limits.ts'
import { parseFilter, timelineParameters } from '#api/query.ts'
import { addRoute, parameters } from '#api/route.ts'
import { wireItem } from '#api/serialize.ts'
import type { ApiContext } from '#api/context.ts'

const querySchema = parameters(timelineParameters)
type Batch = Awaited<ReturnType<ApiContext['store']['tail']>>

/** Waits while the reader is slow; false where it is gone or takes nothing for too long. */
async function write(raw: ServerResponse, text: string, signal: AbortSignal): Promise<boolean> {
	if (signal.aborted || raw.destroyed) return false
	if (raw.write(text)) return true
	try {
		await once(raw, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(apiLimits.streamStallMs)]) })
		return true
	} catch {
		// Closed or stalled: either way this stream ends.
		return false
	}
}

function frames(batch: Batch): string {
	let text = ''
	for (const item of batch.items) text += `id: ${item.token}\ndata: ${JSON.stringify(wireItem(item))}\n\n`
	// The token also moves where nothing passed the filter.
	return batch.items.at(-1)?.token === batch.token ? text : `${text}id: ${batch.token}\n\n`
}

async function pump(context: ApiContext, raw: ServerResponse, filter: Filter, first: Batch, signal: AbortSignal): Promise<void> {
	const { store, clock } = context
	let batch = first
	let token: string | undefined
	let silentSince = clock.nowMicros()
	for (;;) {
		const silent = clock.nowMicros() - silentSince
		const moved = batch.token !== token
		const text = moved ? frames(batch) : silent > apiLimits.streamHeartbeatMs * 1000 ? ': alive\n\n' : ''
		if (text !== '') {
			if (!(await write(raw, text, signal))) return
			silentSince = clock.nowMicros()
		}
		token = batch.token
		if (batch.items.length < apiLimits.streamBatchItemsMax) await clock.sleep(apiLimits.streamPollMs, signal)
		if (signal.aborted) return
		batch = await store.tail(filter, token, apiLimits.streamBatchItemsMax)
	}
}

export function streamRoutes(app: FastifyInstance, context: ApiContext): void {
	let open = 0
	const description = 'Each message is one item of the timeline as JSON; its id goes into Last-Event-ID to resume behind it.'
	const route = {
		url: '/api/v1/stream',
		tag: 'records',
		summary: 'Records as they are stored',
		description,
		query: querySchema,
		headers: { 'Last-Event-ID': 'id of the last message seen' },
		contentType: 'text/event-stream',
	}
	addRoute(app, context, route, async ({ query, request, reply }) => {
		if (open >= apiLimits.streamsMax) throw new KubetapeError('API_TOO_MANY_STREAMS', `${apiLimits.streamsMax} live streams are open`)
		open++
		try {
			const filter = parseFilter(query, context.clock)
			const header = request.headers['last-event-id']
			const after = typeof header === 'string' && header !== '' ? header : undefined
			if (after !== undefined && after.length > apiLimits.cursorCharsMax)
				throw new KubetapeError('CURSOR_INVALID', 'Last-Event-ID is too long')
			const first = await context.store.tail(filter, after, apiLimits.streamBatchItemsMax)
			const gone = new AbortController()
			request.raw.socket.once('close', () => gone.abort())
			reply.hijack()
			const { raw } = reply
			raw.writeHead(200, {
				...reply.getHeaders(),
				'content-type': 'text/event-stream; charset=utf-8',
				'cache-control': 'no-store',
				'x-accel-buffering': 'no',
			} as Record<string, string>)
			raw.write('retry: 2000\n\n')
			try {
				await pump(context, raw, filter, first, AbortSignal.any([gone.signal, context.closing]))
			} catch (error) {
				request.log.error({ err: error }, 'a live stream failed')
				raw.write(
					`event: failed\ndata: ${JSON.stringify({ message: error instanceof KubetapeError ? messageOf(error) : 'the stream failed' })}\n\n`,
				)
			}
			raw.end()
		} finally {
			open--
		}
		return reply
	})
}
