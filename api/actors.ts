// Who made a version: the audit entry of the request whose answer carried exactly its revision.
import { resourceName, type ObjectRef } from '#records/object-key.ts'
import type { Item } from '#storage/store/port.ts'
import { limits } from '#runtime/limits.ts'
import { exactActor } from '#history/attribution.ts'
import { apiLimits } from './api-limits.ts'
import type { ApiContext } from './context.ts'
import type { WireActor } from './wire.ts'

const unresolved: WireActor = {
	tier: 'unresolved',
	user: '',
	impersonated: '',
	verb: '',
	subresource: '',
	userAgent: '',
	sourceIP: '',
	auditID: '',
}

type Entry = NonNullable<Item['audit']>

function wireActor({ user, impersonated, verb, subresource, userAgent, auditID, sourceIPs }: Entry): WireActor {
	return { tier: 'exact', user, impersonated, verb, subresource, userAgent, sourceIP: sourceIPs[0] ?? '', auditID }
}

function actorOf(version: Item, entries: readonly Entry[]): WireActor {
	const { revision, operation, sighting } = version
	if (revision === undefined || operation === undefined) return unresolved
	const marked = version.paths?.includes('metadata.deletionTimestamp') ?? false
	const entry = exactActor({ revision, operation, sighting: sighting ?? 'watch', marked }, entries)
	return entry ? wireActor(entry) : unresolved
}

/** Audit entries about the object around the times of the versions, at most attributionEntriesMax. */
async function entriesAbout(context: ApiContext, cluster: string, object: ObjectRef, versions: readonly Item[]): Promise<readonly Item[]> {
	const window = apiLimits.attributionWindowMs * 1000
	const times = versions.flatMap((version) => [version.occurredAt - version.occurredBound, version.occurredAt + version.occurredBound])
	const filter = {
		cluster,
		kind: resourceName(object),
		name: object.name,
		include: ['audit'] as const,
		from: Math.max(0, Math.min(...times) - window),
		to: Math.max(...times) + window,
		...(object.namespace === '' ? {} : { namespace: object.namespace }),
	}
	const entries: Item[] = []
	let cursor: string | null | undefined
	do {
		const page = await context.store.timeline(filter, { limit: limits.pageItemsMax, order: 'asc', ...(cursor ? { cursor } : {}) })
		entries.push(...page.items)
		cursor = page.next
	} while (cursor && entries.length < apiLimits.attributionEntriesMax)
	return entries
}

/** One actor per version, in order; null where the cluster has no audit at all. */
export async function actorsOf(
	context: ApiContext,
	cluster: string,
	object: ObjectRef,
	versions: readonly Item[],
): Promise<readonly (WireActor | null)[]> {
	if (versions.length === 0) return []
	const info = (await context.store.clusters()).find((known) => known.name === cluster)
	if ((info?.counts.audit ?? 0) === 0) return versions.map(() => null)
	const entries = await entriesAbout(context, cluster, object, versions)
	const claims = entries.flatMap((entry) => (entry.audit ? [entry.audit] : []))
	return versions.map((version) => actorOf(version, claims))
}
