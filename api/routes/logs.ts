// GET /api/v1/logs: lines of containers, units and control-plane files.
import type { FastifyInstance } from 'fastify'
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
import { addRoute, parameters } from '#api/route.ts'
import { itemSchema, pageOf } from '#api/schemas.ts'
import { wireItem } from '#api/serialize.ts'
import type { ApiContext } from '#api/context.ts'

const { cluster, namespace } = objectParameters
const query = parameters({
	cluster,
	namespace,
	...logParameters,
	...textParameters,
	...rangeParameters,
	...pageParameters,
	...orderParameter,
})

export function logRoutes(app: FastifyInstance, context: ApiContext): void {
	addRoute(
		app,
		context,
		{ url: '/api/v1/logs', tag: 'records', summary: 'Log lines, newest first', query, response: pageOf(itemSchema) },
		async ({ query }) => {
			const opened = openPage(query, context.clock, 'desc')
			const page = await context.store.timeline(parseFilter(query, opened.clock, ['log']), opened.page)
			return { items: page.items.map(wireItem), next: opened.next(page.next) }
		},
	)
}
