// GET /api/v1/coverage: what was seen whole and what is missing; /api/v1/rejects: what was refused.
import type { FastifyInstance } from 'fastify'
import { joinAudit, joinCoverage } from '#history/coverage.ts'
import type { Gap } from '#records/record.ts'
import { requireCluster } from '#api/object-path.ts'
import { objectParameters, orderParameter, pageParameters, openPage, parseRange, rangeParameters } from '#api/query.ts'
import { addRoute, parameters } from '#api/route.ts'
import { coverageSchema, pageOf, rejectSchema } from '#api/schemas.ts'
import { wireReject, wireTime } from '#api/serialize.ts'
import type { ApiContext } from '#api/context.ts'
import type { WireCoverage } from '#api/wire.ts'

const querySchema = parameters({ cluster: objectParameters.cluster, ...rangeParameters })
const rejectQuery = parameters({ cluster: objectParameters.cluster, ...rangeParameters, ...pageParameters, ...orderParameter })

function wireGap(gap: Gap): WireCoverage['gaps'][number] {
	const { space, scope, reason, touched, touchedCount, detail } = gap
	const times = { fromTime: gap.fromAt === null ? null : wireTime(gap.fromAt), toTime: gap.toAt === null ? null : wireTime(gap.toAt) }
	return {
		space,
		scope,
		reason,
		from: gap.fromRevision?.toString() ?? null,
		to: gap.toRevision?.toString() ?? null,
		...times,
		touched,
		touchedCount,
		detail,
		observed: wireTime(gap.observedAt),
	}
}

export function coverageRoutes(app: FastifyInstance, context: ApiContext): void {
	const { store, clock } = context
	addRoute(
		app,
		context,
		{ url: '/api/v1/coverage', tag: 'ledger', summary: 'Revisions seen whole, and gaps', query: querySchema, response: coverageSchema },
		async ({ query }): Promise<WireCoverage> => {
			const cluster = await requireCluster(context, query.cluster)
			const { gaps, coverage } = await store.ledger(cluster, parseRange(query, clock))
			const counts = (await store.clusters()).find((info) => info.name === cluster)?.counts
			const ranges = joinCoverage(coverage).map((range) => ({ ...range, from: range.from.toString(), to: range.to.toString() }))
			const audit = joinAudit(coverage).map(({ fromAt, toAt, ...range }) => ({
				...range,
				fromTime: wireTime(fromAt),
				toTime: wireTime(toAt),
			}))
			return { cluster, ranges, audit, gaps: gaps.map(wireGap), rejects: counts?.reject ?? 0 }
		},
	)
	const rejects = {
		url: '/api/v1/rejects',
		tag: 'ledger',
		summary: 'Bad input that was set aside, newest first',
		query: rejectQuery,
		response: pageOf(rejectSchema),
	}
	addRoute(app, context, rejects, async ({ query }) => {
		const opened = openPage(query, clock, 'desc')
		const narrowed = { ...(query.cluster ? { cluster: query.cluster } : {}), ...parseRange(query, opened.clock) }
		const page = await store.rejects({ ...opened.page, ...narrowed })
		return { items: page.items.map(wireReject), next: opened.next(page.next) }
	})
}
