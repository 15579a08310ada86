// Which object a path names: /{cluster}/{resource}/{namespace|-}/{name}, where the resource may lack its group or be a kind.
import { Type } from 'typebox'
import type { KindName } from '#records/kind-names.ts'
import { resourceName, type ObjectRef } from '#records/object-key.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { apiLimits } from './api-limits.ts'
import { isBuiltIn, typesNamed } from './kinds.ts'
import { invalid } from './query.ts'
import type { ApiContext } from './context.ts'

const namesMax = 20
const part = (description: string) => Type.String({ description, minLength: 1, maxLength: apiLimits.paramCharsMax })

export const objectPath = Type.Object({
	cluster: part('Cluster name.'),
	resource: part('`pods`, `deployments.apps`; also `deployments`, `Deployment`, `Deployment.apps` or `deploy` where that is unambiguous.'),
	namespace: part('Namespace, or `-` for objects that have none.'),
	name: part('Name; slashes percent-encoded.'),
})

export interface ObjectPath {
	readonly cluster: string
	readonly resource: string
	readonly namespace: string
	readonly name: string
}

/** A full name means itself; Kubernetes' own kinds win over others, and the core group over them, as for kubectl. */
function preferred(word: string, types: readonly KindName[]): readonly KindName[] {
	const own = types.filter((type) => isBuiltIn(type))
	const ranked = [types.filter((type) => resourceName(type) === word.toLowerCase()), own.filter(({ group }) => group === ''), own, types]
	return ranked.find((some) => some.length > 0) ?? []
}

/** Throws NOT_FOUND where no kind is named so, QUERY_INVALID where several are. */
export async function resolveObject(context: ApiContext, path: ObjectPath): Promise<ObjectRef> {
	const types = preferred(path.resource, await typesNamed(context, 'resource', path.resource))
	const [type, ...others] = types
	if (!type || others.length > 0) throw invalid('resource', `${path.resource} is ambiguous: ${types.map(resourceName).join(', ')}`)
	const { resource, group } = type
	return { resource, group, namespace: path.namespace === '-' ? '' : path.namespace, name: path.name }
}

export function notFound(path: ObjectPath, what = 'was never seen'): KubetapeError {
	const place = path.namespace === '-' ? path.name : `${path.namespace}/${path.name}`
	return new KubetapeError('NOT_FOUND', `${path.resource} ${place} ${what} in cluster ${path.cluster}`)
}

/** Clusters that are configured, or were recorded. */
async function knownClusters(context: ApiContext): Promise<readonly string[]> {
	const recorded = (await context.store.clusters()).map((info) => info.name)
	return [...new Set([...context.clusters.map((known) => known.name), ...recorded])]
}

/** Throws NOT_FOUND, naming the known ones, for a cluster that is neither configured nor recorded. */
export async function requireKnown(context: ApiContext, cluster: string): Promise<void> {
	if (context.clusters.some((known) => known.name === cluster)) return
	const names = await knownClusters(context)
	if (names.includes(cluster)) return
	const known =
		names.length === 0 ? 'nothing is recorded yet' : `there ${names.length === 1 ? 'is' : 'are'} ${names.slice(0, namesMax).join(', ')}`
	throw new KubetapeError('NOT_FOUND', `no cluster ${JSON.stringify(cluster.slice(0, 128))}: ${known}`, {
		details: { parameter: 'cluster' },
	})
}

/** The cluster asked for, or the only one there is; a name that cannot be found where nothing is recorded yet. */
export async function requireCluster(context: ApiContext, cluster: string | undefined): Promise<string> {
	if (cluster) return cluster
	const names = await knownClusters(context)
	const [only] = names
	if (names.length > 1) throw invalid('cluster', `is needed: there are ${names.slice(0, namesMax).join(', ')}`)
	return only ?? ''
}
