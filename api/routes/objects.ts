// GET /api/v1/objects: the live objects as of a time or a revision.
import { Type } from 'typebox'
import type { FastifyInstance } from 'fastify'
import type { StateSelector } from '#storage/store/port.ts'
import { apiLimits } from '#api/api-limits.ts'
import { requireCluster } from '#api/object-path.ts'
import { objectParameters, pageParameters, parseAt, openPage } from '#api/query.ts'
import { addRoute, parameters } from '#api/route.ts'
import { statePageSchema } from '#api/schemas.ts'
import { parseFieldSelector, parseLabelSelector } from '#api/selectors.ts'
import { wireState } from '#api/serialize.ts'
import type { ApiContext } from '#api/context.ts'

const text = (description: string) => Type.Optional(Type.String({ description, maxLength: apiLimits.textCharsMax }))
const { cluster, namespace, name } = objectParameters
const querySchema = parameters({
	cluster,
	at: text('Time (RFC 3339, date math) or revision; now if absent.'),
	space: text('Revision space of `at`.'),
	kind: objectParameters.kind,
	resource: text('The same as kind.'),
	namespace,
	name,
	labelSelector: text('Kubernetes label selector: app=web,tier!=cache,env in (a,b),!legacy.'),
	fieldSelector: text('Kubernetes field selector over any path: status.phase=Running.'),
	...pageParameters,
})

export function objectRoutes(app: FastifyInstance, context: ApiContext): void {
	addRoute(
		app,
		context,
		{ url: '/api/v1/objects', tag: 'objects', summary: 'The live objects at a time', query: querySchema, response: statePageSchema },
		async ({ query }) => {
			const kind = query.kind || query.resource
			const selector: StateSelector = {
				...(kind ? { kind } : {}),
				...(query.namespace ? { namespace: query.namespace } : {}),
				...(query.name ? { name: query.name } : {}),
				...(query.labelSelector ? { labels: parseLabelSelector(query.labelSelector) } : {}),
				...(query.fieldSelector ? { fields: parseFieldSelector(query.fieldSelector) } : {}),
			}
			const opened = openPage(query, context.clock)
			const at = parseAt('at', query.at || 'now', query.space, opened.clock)
			const page = await context.store.stateAt(await requireCluster(context, query.cluster), at, selector, opened.page)
			return { items: page.items.map(wireState), next: opened.next(page.next), revision: page.revision?.toString() ?? null }
		},
	)
}
