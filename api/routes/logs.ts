// GET /api/v1/logs: lines of containers, units and control-plane files.
import type { FastifyInstance } from 'fastify'
import { logParameters, objectParameters, orderParameter, pageParameters, parseFilter, parsePage, rangeParameters, textParameters } from '#api/query.ts'
import { addRoute, parameters } from '#api/route.ts'
import { itemSchema, pageOf } from '#api/schemas.ts'
import { wireItem } from '#api/serialize.ts'
import type { ApiContext } from '#api/context.ts'

const { cluster, namespace } = objectParameters
const query = parameters({ cluster, namespace, ...logParameters, ...textParameters, ...rangeParameters, ...pageParameters, ...orderParameter })

export function logRoutes(app: FastifyInstance, context: ApiContext): void {
	addRoute(app, context, { url: '/api/v1/logs', tag: 'records', summary: 'Log lines, newest first', query, response: pageOf(itemSchema) }, async ({ query }) => {
		const { limit, cursor, order, ...rest } = query
		const page = await context.store.timeline(parseFilter(rest, context.clock, ['log']), { order: 'desc', ...parsePage(query) })
		return { items: page.items.map(wireItem), next: page.next }
	})
}
