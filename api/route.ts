// One way to add a route: its schemas validate the request, serialise the answer and make the documentation.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type, type Static, type TObject, type TSchema } from 'typebox'
import { KubetapeError } from '#runtime/errors.ts'
import { storedWord } from './kinds.ts'
import { requireKnown } from './object-path.ts'
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

interface Named {
	readonly cluster?: string
	readonly kind?: string
	readonly resource?: string
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
	const schema = { querystring: route.query ?? noParameters, ...(route.params ? { params: route.params } : {}), response }
	app.get(route.url, { schema, preValidation: refuseOddNumbers(route.query) }, async (request, reply) => {
		const params = request.params as Static<P>
		const query = await understand(context, params, request.query as Static<Q>)
		return answer({ params, query, request, reply })
	})
}

/** Whole numbers are digits: what JavaScript also reads as one (`0x10`, `1e3`, ` 5`) was not meant as one. */
function refuseOddNumbers(schema: TObject | undefined): (request: FastifyRequest) => Promise<void> {
	const properties: Readonly<Record<string, { readonly type?: unknown }>> = schema?.properties ?? {}
	const whole = Object.keys(properties).filter((name) => properties[name]?.type === 'integer')
	return async (request) => {
		const query = request.query as Readonly<Record<string, unknown>>
		for (const name of whole)
			if (typeof query[name] === 'string' && !/^-?\d+$/.test(query[name]))
				throw new KubetapeError('QUERY_INVALID', `${name} must be integer`, { details: { parameter: name } })
	}
}

/** Names as everybody says them become those that the store knows; what names nothing is told, and is no empty answer. */
async function understand<Q>(context: ApiContext, params: unknown, query: Q): Promise<Q> {
	const { cluster } = { ...(query as Named), ...(params as Named) }
	if (cluster) await requireKnown(context, cluster)
	const named: Record<string, string> = {}
	for (const name of ['kind', 'resource'] as const) {
		const word = (query as Named)[name]
		if (word) named[name] = await storedWord(context, name, word)
	}
	return { ...query, ...named }
}
