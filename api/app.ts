// The HTTP server: routes over the store, read-only, and the page.
import { fastify, type FastifyInstance } from 'fastify'
import { KubetapeError } from '#runtime/errors.ts'
import { apiLimits } from './api-limits.ts'
import type { ApiContext, ApiOptions } from './context.ts'
import { answerError, explainViolation } from './errors.ts'
import { parameterNames } from './query.ts'
import { auditRoutes } from './routes/audit.ts'
import { clusterRoutes } from './routes/clusters.ts'
import { coverageRoutes } from './routes/coverage.ts'
import { docsRoutes } from './routes/docs.ts'
import { healthRoutes } from './routes/health.ts'
import { diffRoutes } from './routes/history-diff.ts'
import { historyRoutes } from './routes/history.ts'
import { logRoutes } from './routes/logs.ts'
import { objectRoutes } from './routes/objects.ts'
import { pageRoutes } from './routes/page.ts'
import { streamRoutes } from './routes/stream.ts'
import { timelineRoutes } from './routes/timeline.ts'
import { guard } from './security.ts'

const routes = [
	healthRoutes,
	clusterRoutes,
	timelineRoutes,
	streamRoutes,
	auditRoutes,
	logRoutes,
	objectRoutes,
	historyRoutes,
	diffRoutes,
	coverageRoutes,
	docsRoutes,
]

/** Not yet listening. Closing it ends live streams; the store stays its owner's. */
export async function createApi(options: ApiOptions): Promise<FastifyInstance> {
	const closing = new AbortController()
	const context: ApiContext = { ...options, routes: [], closing: closing.signal }
	const app = fastify({
		loggerInstance: options.logger.child({}, { level: options.logger.level === 'silent' ? 'silent' : 'warn' }),
		bodyLimit: apiLimits.bodyBytesMax,
		requestTimeout: apiLimits.requestMs,
		http: { headersTimeout: apiLimits.headersMs },
		forceCloseConnections: true,
		routerOptions: { maxParamLength: apiLimits.paramCharsMax },
		ajv: { customOptions: { removeAdditional: false, coerceTypes: true, useDefaults: false, allErrors: false } },
		frameworkErrors: answerError,
	})
	app.setErrorHandler((error: Error & { validation?: unknown; validationContext?: string }, request, reply) => {
		const schema = request.routeOptions.schema?.querystring
		const isQuery = error.validationContext === 'querystring' && Array.isArray(error.validation)
		answerError(
			isQuery
				? explainViolation(error.validation as Parameters<typeof explainViolation>[0], 'the query', parameterNames(schema as never))
				: error,
			request,
			reply,
		)
	})
	app.addHook('preClose', async () => closing.abort(new KubetapeError('INTERNAL', 'the server closes')))
	app.addHook('onResponse', async (request, reply) => {
		// A live stream takes as long as somebody looks at it.
		const route = request.routeOptions.url ?? 'unknown'
		if (!route.endsWith('/stream')) options.metrics.answered?.(route, reply.statusCode, reply.elapsedTime / 1000)
	})
	guard(app)
	for (const add of routes) add(app, context)
	await pageRoutes(app, context)
	return app
}
