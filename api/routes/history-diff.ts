// GET …/{name}/diff: what differs between two versions of one object.
import { Type } from 'typebox'
import type { FastifyInstance } from 'fastify'
import { describeChange } from '#history/describe.ts'
import { diff } from '#history/diff.ts'
import type { ObjectRef } from '#records/object-key.ts'
import type { Version } from '#storage/store/port.ts'
import { actorsOf } from '#api/actors.ts'
import { apiLimits } from '#api/api-limits.ts'
import { notFound, objectPath, resolveObject } from '#api/object-path.ts'
import { parseAt } from '#api/query.ts'
import { addRoute, parameters } from '#api/route.ts'
import { diffSchema } from '#api/schemas.ts'
import { wireObject } from '#api/serialize.ts'
import type { ApiContext } from '#api/context.ts'
import type { WireDiff } from '#api/wire.ts'
import { latest } from './history.ts'

const text = (description: string) => Type.Optional(Type.String({ description, maxLength: apiLimits.textCharsMax }))
const querySchema = parameters({
	from: text('Time or revision; the version before `to` if absent.'),
	to: text('Time or revision; the latest version if absent.'),
	space: text('Revision space of both.'),
})

type Fields = Readonly<Record<string, unknown>>

/** Nothing is there before the first version and after a deletion; undefined where the value could not be read. */
function bodyOf(version: Version | undefined): Fields | null | undefined {
	return !version || version.operation === 'deleted' ? null : version.body?.object
}

function difference(from: Version | undefined, to: Version): Pick<WireDiff, 'summary' | 'facets' | 'changes'> {
	if (from?.id === to.id) return { summary: 'one and the same version', facets: [], changes: [] }
	const before = bodyOf(from)
	const after = bodyOf(to)
	if (before === undefined || after === undefined) return { summary: 'a value cannot be read', facets: [], changes: [] }
	const changes = diff(before ?? {}, after ?? {})
	const operation = after === null ? 'deleted' : before === null ? 'created' : 'updated'
	return {
		summary: describeChange(to.objectKind ?? '', operation, before, after).summary,
		facets: [...new Set(changes.map((change) => change.facet))],
		changes,
	}
}

async function versionBefore(context: ApiContext, cluster: string, object: ObjectRef, version: Version): Promise<Version | undefined> {
	if (version.revision === undefined || version.revision === 0n) return undefined
	const at = { revision: version.revision - 1n, ...(version.space === undefined ? {} : { space: version.space }) }
	return context.store.versionAt(cluster, object, at)
}

export function diffRoutes(app: FastifyInstance, context: ApiContext): void {
	const { store, clock } = context
	const url = '/api/v1/history/:cluster/:resource/:namespace/:name/diff'
	addRoute(
		app,
		context,
		{ url, tag: 'objects', summary: 'What differs between two versions', params: objectPath, query: querySchema, response: diffSchema },
		async ({ params, query }): Promise<WireDiff> => {
			const object = await resolveObject(context, params)
			const to = await store.versionAt(params.cluster, object, query.to ? parseAt('to', query.to, query.space, clock) : latest)
			if (!to) throw notFound(params, query.to ? `was not there at ${query.to.slice(0, 60)}` : 'was never seen')
			const from = query.from
				? await store.versionAt(params.cluster, object, parseAt('from', query.from, query.space, clock))
				: await versionBefore(context, params.cluster, object, to)
			const [actor = null] = await actorsOf(context, params.cluster, object, [to])
			return {
				cluster: params.cluster,
				object: wireObject(object),
				from: from?.revision?.toString() ?? null,
				to: to.revision?.toString() ?? null,
				...difference(from, to),
				actor,
			}
		},
	)
}
