// GET /api/v1/history/{cluster}/{resource}/{namespace|-}/{name}: the versions of one object; /state: one of them, whole.
import { Type } from 'typebox'
import type { FastifyInstance } from 'fastify'
import { actorsOf } from '#api/actors.ts'
import { apiLimits } from '#api/api-limits.ts'
import { notFound, objectPath, resolveObject } from '#api/object-path.ts'
import { orderParameter, pageParameters, parseAt, openPage, parseRange, rangeParameters } from '#api/query.ts'
import { addRoute, parameters } from '#api/route.ts'
import { pageOf, stateSchema, versionSchema } from '#api/schemas.ts'
import { wireItem, wireState } from '#api/serialize.ts'
import type { ApiContext } from '#api/context.ts'

const base = '/api/v1/history/:cluster/:resource/:namespace/:name'
const querySchema = parameters({ ...rangeParameters, ...pageParameters, ...orderParameter })
const at = Type.Optional(Type.String({ description: 'Time or revision; the latest if absent.', maxLength: apiLimits.textCharsMax }))
const space = Type.Optional(Type.String({ description: 'Revision space of `at`.', maxLength: apiLimits.textCharsMax }))

/** Later than every record. */
export const latest = { time: Number.MAX_SAFE_INTEGER } as const

export function historyRoutes(app: FastifyInstance, context: ApiContext): void {
	const { store, clock } = context
	addRoute(
		app,
		context,
		{
			url: base,
			tag: 'objects',
			summary: 'The versions of one object, oldest first',
			params: objectPath,
			query: querySchema,
			response: pageOf(versionSchema),
		},
		async ({ params, query }) => {
			const object = await resolveObject(context, params)
			const opened = openPage(query, clock)
			const page = await store.history(params.cluster, object, { ...opened.page, ...parseRange(query, opened.clock) })
			const whole = query.from === undefined && query.to === undefined && query.cursor === undefined
			if (page.items.length === 0 && whole) throw notFound(params)
			const actors = await actorsOf(context, params.cluster, object, page.items)
			return { items: page.items.map((item, index) => ({ ...wireItem(item), actor: actors[index] ?? null })), next: opened.next(page.next) }
		},
	)
	const state = {
		url: `${base}/state`,
		tag: 'objects',
		summary: 'One object as it was',
		params: objectPath,
		query: parameters({ at, space }),
		response: stateSchema,
	}
	addRoute(app, context, state, async ({ params, query }) => {
		const object = await resolveObject(context, params)
		const version = await store.versionAt(params.cluster, object, query.at ? parseAt('at', query.at, query.space, clock) : latest)
		if (!version) throw notFound(params, query.at ? `was not there at ${query.at.slice(0, 60)}` : 'was never seen')
		return wireState(version)
	})
}
