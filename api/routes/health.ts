// GET /livez, /readyz, /metrics: for probes and Prometheus.
import type { FastifyInstance } from 'fastify'
import type { HealthReport } from '#runtime/health.ts'
import { metricsType } from '#runtime/operations.ts'
import { addRoute } from '#api/route.ts'
import { healthSchema } from '#api/schemas.ts'
import type { ApiContext } from '#api/context.ts'

export function healthRoutes(app: FastifyInstance, context: ApiContext): void {
	const common = { tag: 'process', response: healthSchema, alsoStatus: [503] } as const
	addRoute(app, context, { ...common, url: '/livez', summary: 'Whether the process is alive' }, async ({ reply }) =>
		answer(context.health.live(), reply),
	)
	addRoute(app, context, { ...common, url: '/readyz', summary: 'Whether every part is ready, part by part' }, async ({ reply }) =>
		answer(await context.health.ready(), reply),
	)
	addRoute(
		app,
		context,
		{ url: '/metrics', tag: 'process', summary: 'Metrics in Prometheus text format', contentType: 'text/plain' },
		async ({ reply }) => reply.type(metricsType).send(await context.metrics.render()),
	)
}

async function answer(report: HealthReport, reply: { code(status: number): unknown }): Promise<HealthReport> {
	reply.code(report.ok ? 200 : 503)
	return report
}
