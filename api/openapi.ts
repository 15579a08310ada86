// The OpenAPI 3.1 document, made from the same schemas that validate requests and serialise answers.
import type { TSchema } from 'typebox'
import type { RouteDescription } from './route.ts'

interface Property {
	readonly description?: string
	readonly [key: string]: unknown
}

interface Shape {
	readonly properties?: Readonly<Record<string, Property>>
	readonly required?: readonly string[]
}

function properties(
	schema: TSchema | undefined,
): readonly { readonly name: string; readonly required: boolean; readonly schema: Property }[] {
	const object: Shape | undefined = schema
	return Object.entries(object?.properties ?? {}).map(([name, property]) => ({
		name,
		required: object?.required?.includes(name) ?? false,
		schema: property,
	}))
}

function parameter(place: 'path' | 'query', { name, required, schema }: ReturnType<typeof properties>[number]): object {
	const { description, ...rest } = schema
	return { name, in: place, required: place === 'path' || required, ...(description ? { description } : {}), schema: rest }
}

function operation(route: RouteDescription, errorSchema: TSchema): object {
	const headers = Object.entries(route.headers ?? {}).map(([name, description]) => ({
		name,
		in: 'header',
		required: false,
		description,
		schema: { type: 'string' },
	}))
	const content = route.response ? { 'application/json': { schema: route.response } } : { [route.contentType ?? 'application/json']: {} }
	const statuses = [200, ...(route.alsoStatus ?? [])].map((status) => [
		String(status),
		{ description: status === 200 ? 'The answer.' : 'The answer is no.', content },
	])
	return {
		tags: [route.tag],
		summary: route.summary,
		...(route.description ? { description: route.description } : {}),
		parameters: [
			...properties(route.params).map((property) => parameter('path', property)),
			...properties(route.query).map((property) => parameter('query', property)),
			...headers,
		],
		responses: {
			...Object.fromEntries(statuses),
			default: { description: 'An error.', content: { 'application/json': { schema: errorSchema } } },
		},
	}
}

/** Fastify's `:name` becomes `{name}`. */
export function openApiDocument(routes: readonly RouteDescription[], version: string, errorSchema: TSchema): object {
	const paths = Object.fromEntries(routes.map((route) => [route.url.replaceAll(/:(\w+)/g, '{$1}'), { get: operation(route, errorSchema) }]))
	const info = {
		title: 'Kubetape',
		version,
		description: 'What changed, who changed it, what broke. Read-only; times are RFC 3339 in UTC, revisions decimal strings.',
	}
	return { openapi: '3.1.0', info, paths }
}
