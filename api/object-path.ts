// Which object a path names: /{cluster}/{resource}/{namespace|-}/{name}, where the resource may lack its group or be a kind.
import { Type } from 'typebox'
import { builtIn } from '#records/catalog-built-in.ts'
import { resourceName, type ObjectRef } from '#records/object-key.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { apiLimits } from './api-limits.ts'
import { invalid } from './query.ts'
import type { ApiContext } from './context.ts'

const part = (description: string) => Type.String({ description, minLength: 1, maxLength: apiLimits.paramCharsMax })

export const objectPath = Type.Object({
	cluster: part('Cluster name.'),
	resource: part('`pods`, `deployments.apps`; also `deployments` or `Deployment` where that is unambiguous.'),
	namespace: part('Namespace, or `-` for objects that have none.'),
	name: part('Name; slashes percent-encoded.'),
})

export interface ObjectPath {
	readonly cluster: string
	readonly resource: string
	readonly namespace: string
	readonly name: string
}

/** Types that a word can mean: a plural, a kind, both with or without group. The core group wins, as it does for kubectl. */
function candidates(word: string): readonly Pick<ObjectRef, 'resource' | 'group'>[] {
	const lower = word.toLowerCase()
	const found = builtIn.filter((type) => {
		const group = type.group === '' ? '' : `.${type.group}`
		return [type.resource, type.resource + group, type.kind.toLowerCase(), type.kind.toLowerCase() + group].includes(lower)
	})
	const exact = found.filter((type) => resourceName(type) === lower)
	const core = found.filter((type) => type.group === '')
	return exact.length > 0 ? exact : core.length > 0 ? core : found
}

/** Custom kinds are not in the catalog of built-in ones: then what was recorded under the name tells. Throws QUERY_INVALID where a bare resource means several. */
export async function resolveObject(context: ApiContext, path: ObjectPath): Promise<ObjectRef> {
	const place = { namespace: path.namespace === '-' ? '' : path.namespace, name: path.name }
	const types = candidates(path.resource)
	const [type] = types
	if (types.length > 1) throw invalid('resource', `${path.resource} is ambiguous: ${types.map(resourceName).join(', ')}`)
	if (type) return { resource: type.resource, group: type.group, ...place }
	const dot = path.resource.indexOf('.')
	const literal: ObjectRef = {
		resource: dot < 0 ? path.resource : path.resource.slice(0, dot),
		group: dot < 0 ? '' : path.resource.slice(dot + 1),
		...place,
	}
	const known = await context.store.history(path.cluster, literal, { limit: 1 })
	if (known.items.length > 0) return literal
	const filter = {
		cluster: path.cluster,
		kind: path.resource,
		name: path.name,
		include: ['change', 'event'] as const,
		...(place.namespace === '' ? {} : { namespace: place.namespace }),
	}
	const seen = await context.store.timeline(filter, { limit: 10, order: 'desc' })
	const match = seen.items.find(
		(item) => item.kind === 'change' && item.object?.name === place.name && item.object.namespace === place.namespace,
	)
	return match?.object ?? literal
}

export function notFound(path: ObjectPath, what = 'was never seen'): KubetapeError {
	const place = path.namespace === '-' ? path.name : `${path.namespace}/${path.name}`
	return new KubetapeError('NOT_FOUND', `${path.resource} ${place} ${what} in cluster ${path.cluster}`)
}

/** The cluster asked for, or the only one there is; a name that cannot be found where nothing is recorded yet. */
export async function requireCluster(context: ApiContext, cluster: string | undefined): Promise<string> {
	if (cluster) return cluster
	const recorded = (await context.store.clusters()).map((info) => info.name)
	const names = [...new Set([...recorded, ...context.clusters.map((known) => known.name)])]
	const [only] = names
	if (names.length > 1) throw invalid('cluster', `is needed: there are ${names.slice(0, 20).join(', ')}`)
	return only ?? ''
}
