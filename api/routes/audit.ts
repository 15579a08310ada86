// GET /api/v1/audit and /api/v1/audit/top: who asked the API server for what.
import { Type } from 'typebox'
import type { FastifyInstance } from 'fastify'
import type { AuditField } from '#storage/store/port.ts'
import { apiLimits } from '#api/api-limits.ts'
import {
	auditParameters,
	objectParameters,
	orderParameter,
	pageParameters,
	parseFilter,
	openPage,
	rangeParameters,
	textParameters,
} from '#api/query.ts'
import { addRoute, parameters } from '#api/route.ts'
import { itemSchema, pageOf, topSchema } from '#api/schemas.ts'
import { wireItem } from '#api/serialize.ts'
import { requestsPage } from '#api/stages.ts'
import type { ApiContext } from '#api/context.ts'

const { cluster, namespace, name } = objectParameters
const filters = { cluster, namespace, name, ...auditParameters, ...rangeParameters, ...textParameters }
const collapse = Type.Optional(
	Type.Boolean({
		default: false,
		description:
			'One item for each request: its last stage, with all of them in stages. Otherwise one for each stage that the audit log has, as every count has it.',
	}),
)
const querySchema = parameters({ ...filters, ...pageParameters, ...orderParameter, collapse })
const bySchema = Type.Unsafe<AuditField>({
	type: 'string',
	enum: ['user', 'verb', 'resource', 'namespace', 'code', 'userAgent', 'sourceIP'],
	description: 'What to count by.',
})
const limitSchema = Type.Optional(
	Type.Integer({ minimum: 1, maximum: apiLimits.topMax, default: apiLimits.topDefault, description: 'How many values.' }),
)
const topQuery = parameters({ ...filters, by: bySchema, limit: limitSchema })

export function auditRoutes(app: FastifyInstance, context: ApiContext): void {
	const { store, clock } = context
	addRoute(
		app,
		context,
		{
			url: '/api/v1/audit',
			tag: 'records',
			summary: 'Requests to the API server, newest first',
			query: querySchema,
			response: pageOf(itemSchema),
		},
		async ({ query }) => {
			const opened = openPage(query, clock, 'desc')
			const filter = parseFilter(query, opened.clock, ['audit'])
			if (query.collapse === true) {
				const requests = await requestsPage(store, filter, opened.page)
				return { items: requests.items, next: opened.next(requests.next) }
			}
			const page = await store.timeline(filter, opened.page)
			return { items: page.items.map(wireItem), next: opened.next(page.next) }
		},
	)
	addRoute(
		app,
		context,
		{
			url: '/api/v1/audit/top',
			tag: 'records',
			summary: 'The most frequent values of one field',
			query: topQuery,
			response: pageOf(topSchema),
		},
		async ({ query }) => {
			const { by, limit, ...rest } = query
			const items = await store.auditTop(parseFilter(rest, clock, ['audit']), by, limit ?? apiLimits.topDefault)
			return { items, next: null }
		},
	)
}
