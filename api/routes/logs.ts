// GET /api/v1/logs: lines of containers, units and control-plane files; one of them whole; and those around one in its file.
import { Type } from 'typebox'
import type { FastifyInstance } from 'fastify'
import { KubetapeError } from '#runtime/errors.ts'
import { apiLimits } from '#api/api-limits.ts'
import {
	logParameters,
	objectParameters,
	orderParameter,
	pageParameters,
	parseFilter,
	openPage,
	rangeParameters,
	textParameters,
} from '#api/query.ts'
import { addRoute, noParameters, parameters } from '#api/route.ts'
import { itemSchema, lineSchema, pageOf } from '#api/schemas.ts'
import { wireItem } from '#api/serialize.ts'
import type { WireLine } from '#api/wire.ts'
import type { ApiContext } from '#api/context.ts'

const querySchema = parameters({
	...objectParameters,
	...logParameters,
	...textParameters,
	...rangeParameters,
	...pageParameters,
	...orderParameter,
})
const idSchema = Type.String({ pattern: '^[0-9a-f]{32}$', description: 'id of the line.' })
const paramsSchema = Type.Object({ cluster: Type.String({ maxLength: apiLimits.paramCharsMax }), id: idSchema })
const lines = (description: string) =>
	Type.Optional(Type.Integer({ minimum: 0, maximum: apiLimits.contextLinesMax, default: apiLimits.contextLinesDefault, description }))
const contextQuery = parameters({ before: lines('Lines before it.'), after: lines('Lines behind it.') })

const missing = (id: string): KubetapeError => new KubetapeError('NOT_FOUND', `there is no log line ${id}`)

export function logRoutes(app: FastifyInstance, context: ApiContext): void {
	const { store, clock } = context
	addRoute(
		app,
		context,
		{
			url: '/api/v1/logs',
			tag: 'records',
			summary: 'Log lines, newest first',
			description:
				'kind, name or uid with owner=true: the lines of every Pod that the object owned. As they come: /api/v1/stream?include=logs with the same parameters.',
			query: querySchema,
			response: pageOf(itemSchema),
		},
		async ({ query }) => {
			const opened = openPage(query, clock, 'desc')
			const page = await store.timeline(parseFilter(query, opened.clock, ['log']), opened.page)
			return { items: page.items.map(wireItem), next: opened.next(page.next) }
		},
	)
	addRoute(
		app,
		context,
		{
			url: '/api/v1/logs/:cluster/:id',
			tag: 'records',
			summary: 'One log line, whole',
			params: paramsSchema,
			query: noParameters,
			response: lineSchema,
		},
		async ({ params }): Promise<WireLine> => {
			const line = await store.get(params.cluster, params.id)
			if (line?.kind !== 'log') throw missing(params.id)
			const whole: Readonly<Record<string, unknown>> = line.body?.object ?? {}
			const raw = whole['raw'] ?? line.log?.raw
			const { body: _body, ...item } = line
			return {
				item: wireItem(item),
				text: typeof whole['text'] === 'string' ? whole['text'] : line.summary,
				raw: typeof raw === 'string' ? raw : null,
			}
		},
	)
	addRoute(
		app,
		context,
		{
			url: '/api/v1/logs/:cluster/:id/context',
			tag: 'records',
			summary: 'Log lines around one of the same file, in the order of the file',
			description:
				'By where they stand in the file, not by their times: also where a clock was set. Where the file begins or ends, the lines of the rotated file before it, and of the one that follows it.',
			params: paramsSchema,
			query: contextQuery,
			response: pageOf(itemSchema),
		},
		async ({ params, query }) => {
			const { before = apiLimits.contextLinesDefault, after = apiLimits.contextLinesDefault } = query
			const items = await store.around(params.cluster, params.id, before, after)
			if (!items) throw missing(params.id)
			return { items: items.map(wireItem), next: null }
		},
	)
}
