// GET /openapi.json and /docs: the API, described by its own schemas.
import type { FastifyInstance } from 'fastify'
import { docsPage, docsPolicy } from '#api/docs-page.ts'
import { openApiDocument } from '#api/openapi.ts'
import { addRoute } from '#api/route.ts'
import { errorSchema } from '#api/schemas.ts'
import type { ApiContext } from '#api/context.ts'

export function docsRoutes(app: FastifyInstance, context: ApiContext): void {
	addRoute(
		app,
		context,
		{ url: '/openapi.json', tag: 'process', summary: 'This API as OpenAPI 3.1', contentType: 'application/json' },
		async ({ reply }) =>
			reply.type('application/json; charset=utf-8').send(JSON.stringify(openApiDocument(context.routes, context.version, errorSchema))),
	)
	addRoute(app, context, { url: '/docs', tag: 'process', summary: 'This page', contentType: 'text/html' }, async ({ reply }) =>
		reply.header('content-security-policy', docsPolicy).type('text/html; charset=utf-8').send(docsPage(context.routes, context.version)),
	)
}
