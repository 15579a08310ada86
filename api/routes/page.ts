// The built page: its files, and index.html for / and for deep links.
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { KubetapeError } from '#runtime/errors.ts'
import type { ApiContext } from '#api/context.ts'

/** A link into the page: no API path, no file name. */
function isDeepLink(url: string): boolean {
	const path = url.split('?', 1)[0] ?? ''
	return !/^\/(api|clusters|livez|readyz|metrics|docs|openapi\.json)(\/|$)/.test(path) && !/\.[a-z0-9]{1,8}$/i.test(path)
}

export async function pageRoutes(app: FastifyInstance, context: ApiContext): Promise<void> {
	if (context.webRoot !== undefined) {
		await app.register(fastifyStatic, {
			root: context.webRoot,
			prefix: '/',
			cacheControl: false,
			// The build puts a hash into the names of what lies in assets/.
			setHeaders: (reply, path) =>
				void reply.header('cache-control', /[/\\]assets[/\\]/.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache'),
		})
	}
	app.setNotFoundHandler((request, reply) => {
		const wantsPage = (request.headers.accept ?? '').includes('text/html')
		if (context.webRoot !== undefined && wantsPage && isDeepLink(request.url)) return reply.sendFile('index.html')
		throw new KubetapeError('NOT_FOUND', `${request.url.split('?', 1)[0]?.slice(0, 200) ?? ''} is no route: /docs lists them`)
	})
}
