// GET /api/v1/timeline and its histogram: everything that happened, in one order.
import { Type } from 'typebox'
import type { FastifyInstance } from 'fastify'
import { apiLimits } from '#api/api-limits.ts'
import { orderParameter, pageParameters, parseFilter, openPage, timelineParameters } from '#api/query.ts'
import { addRoute, parameters } from '#api/route.ts'
import { bucketSchema, itemSchema, pageOf } from '#api/schemas.ts'
import { wireBucket, wireItem } from '#api/serialize.ts'
import type { ApiContext } from '#api/context.ts'

const querySchema = parameters({ ...timelineParameters, ...pageParameters, ...orderParameter })
const bucketsSchema = Type.Optional(
	Type.Integer({
		minimum: 1,
		maximum: apiLimits.bucketsMax,
		default: apiLimits.bucketsDefault,
		description: 'How many intervals of equal length, to the microsecond. None where nothing is recorded.',
	}),
)
const histogramQuery = parameters({ ...timelineParameters, buckets: bucketsSchema })

export function timelineRoutes(app: FastifyInstance, context: ApiContext): void {
	const { store, clock } = context
	addRoute(
		app,
		context,
		{ url: '/api/v1/timeline', tag: 'records', summary: 'What happened, newest first', query: querySchema, response: pageOf(itemSchema) },
		async ({ query }) => {
			const opened = openPage(query, clock, 'desc')
			const filter = parseFilter(query, opened.clock)
			if (filter.include?.length === 0) return { items: [], next: null }
			const page = await store.timeline(filter, opened.page)
			return { items: page.items.map(wireItem), next: opened.next(page.next) }
		},
	)
	addRoute(
		app,
		context,
		{
			url: '/api/v1/timeline/histogram',
			tag: 'records',
			summary: 'How much happened, over time',
			query: histogramQuery,
			response: pageOf(bucketSchema),
		},
		async ({ query }) => {
			const { buckets = apiLimits.bucketsDefault, ...rest } = query
			const filter = parseFilter(rest, clock)
			if (filter.include?.length === 0) return { items: [], next: null }
			return { items: (await store.histogram(filter, buckets)).map(wireBucket), next: null }
		},
	)
}
