// One way to add a route: its schemas validate the request, serialise the answer and make the documentation.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type, type Static, type TObject, type TSchema } from 'typebox'
import { errorSchema } from './schemas.ts'
import type { ApiContext } from './context.ts'

export interface RouteDescription {
	/** Fastify's form: `/api/v1/history/:cluster/…`. */
	readonly url: string
	readonly tag: string
	readonly summary: string
	readonly description?: string
	readonly params?: TObject
	readonly query?: TObject
	/** Request headers that mean something. */
	readonly headers?: Readonly<Record<string, string>>
	/** Schema of the answer 200; none where it is not JSON. */
	readonly response?: TSchema
	readonly contentType?: string
	/** Further statuses that answer with the same schema. */
	readonly alsoStatus?: readonly number[]
}

interface Input<P extends TObject, Q extends TObject> {
	readonly params: Static<P>
	readonly query: Static<Q>
	readonly request: FastifyRequest
	readonly reply: FastifyReply
}

/** No parameters at all: an unknown one is an error. */
export const noParameters = Type.Object({}, { additionalProperties: false })

/** An object of query parameters in which nothing else may occur. */
export function parameters<T extends Record<string, TSchema>>(properties: T): TObject<T> {
	return Type.Object(properties, { additionalProperties: false })
}

type Described<P extends TObject, Q extends TObject> = Omit<RouteDescription, 'params' | 'query'> & {
	readonly params?: P
	readonly query?: Q
}

export function addRoute<P extends TObject, Q extends TObject>(
	app: FastifyInstance,
	context: ApiContext,
	route: Described<P, Q>,
	answer: (input: Input<P, Q>) => Promise<unknown>,
): void {
	context.routes.push(route)
	const response: Record<string, TSchema> = { '4xx': errorSchema, '5xx': errorSchema }
	for (const status of [200, ...(route.alsoStatus ?? [])]) if (route.response) response[String(status)] = route.response
	app.get(
		route.url,
		{ schema: { querystring: route.query ?? noParameters, ...(route.params ? { params: route.params } : {}), response } },
		(request, reply) => answer({ params: request.params as Static<P>, query: request.query as Static<Q>, request, reply }),
	)
}
