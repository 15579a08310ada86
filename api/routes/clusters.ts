// GET /api/v1/clusters: what is recorded, from when to when.
import type { FastifyInstance } from 'fastify'
import { addRoute } from '#api/route.ts'
import { clusterSchema, pageOf } from '#api/schemas.ts'
import { wireCluster } from '#api/serialize.ts'
import type { ApiContext } from '#api/context.ts'

export function clusterRoutes(app: FastifyInstance, context: ApiContext): void {
	const replayed = new Set(context.clusters.filter((cluster) => cluster.replay).map((cluster) => cluster.name))
	addRoute(
		app,
		context,
		{ url: '/api/v1/clusters', tag: 'records', summary: 'Clusters with records', response: pageOf(clusterSchema) },
		async () => {
			const clusters = await context.store.clusters()
			return { items: clusters.map((cluster) => wireCluster(cluster, replayed.has(cluster.name))), next: null }
		},
	)
}
