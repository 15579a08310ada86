// What guards every request: GET only, the host that was asked for, and headers that keep a browser from doing more than the page needs.
import type { FastifyInstance } from 'fastify'
import { KubetapeError } from '#runtime/errors.ts'
import { isLoopbackAddress, isLoopbackHost } from '#runtime/listen.ts'

/** The page runs its own script and style, and talks to where it came from. */
export const pagePolicy = [
	"default-src 'none'",
	"script-src 'self'",
	"style-src 'self'",
	"img-src 'self' data:",
	"font-src 'self'",
	"connect-src 'self'",
	"manifest-src 'self'",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
].join('; ')

export function guard(app: FastifyInstance): void {
	app.addHook('onRequest', async (request, reply) => {
		void reply.headers({
			'content-security-policy': pagePolicy,
			'x-content-type-options': 'nosniff',
			'x-frame-options': 'DENY',
			'referrer-policy': 'no-referrer',
			'cross-origin-opener-policy': 'same-origin',
			'cross-origin-resource-policy': 'same-origin',
			'permissions-policy': 'camera=(), geolocation=(), microphone=()',
			'cache-control': 'no-store',
		})
		if (isLoopbackAddress(request.raw.socket.localAddress) && !isLoopbackHost(request.headers.host ?? '')) {
			throw new KubetapeError(
				'API_HOST_REFUSED',
				`the host ${JSON.stringify((request.headers.host ?? '').slice(0, 100))} is not this machine`,
			)
		}
		if (request.method !== 'GET' && request.method !== 'HEAD') {
			void reply.header('allow', 'GET, HEAD')
			throw new KubetapeError('API_METHOD_NOT_ALLOWED', `${request.method}: the API only answers questions`)
		}
	})
}
