// Histories from the store: what this process has not seen itself, because it happened before it began, or was forgotten.
import { podFactsOf } from '#history/pod-facts.ts'
import type { PodFacts } from '#records/indexed.ts'
import type { Micros } from '#records/time.ts'
import type { Item, Store } from '#storage/store/port.ts'
import { enrichLimits, type Subject } from './memory.ts'
import { spanOf, type Version } from './versions.ts'

export type HistoryStore = Pick<Store, 'history' | 'versionAt' | 'get' | 'show'>

const isPod = ({ object }: Subject): boolean => object.resource === 'pods' && object.group === ''
const isCreation = (item: Item): boolean => item.operation === 'created' && item.sighting === 'watch'
/** A version that only tells of its status has the spec of the one before. */
const mayHaveOtherFacts = (item: Item): boolean =>
	item.operation === 'created' || item.sighting !== 'watch' || !item.facets || item.facets.some((facet) => facet !== 'status')

/** Versions by that name, newest first, down to the creation of this uid. */
async function itemsOf(store: HistoryStore, { cluster, object, uid }: Subject): Promise<Item[]> {
	const items: Item[] = []
	let cursor: string | undefined
	do {
		const page = await store.history(cluster, object, {
			limit: enrichLimits.pageItems,
			order: 'desc',
			...(cursor === undefined ? {} : { cursor }),
		})
		items.push(...page.items)
		if (page.items.some((item) => item.uid === uid && isCreation(item))) break
		cursor = page.next ?? undefined
	} while (cursor !== undefined && items.length < enrichLimits.versionsRead)
	return items
}

async function podFacts(store: HistoryStore, cluster: string, id: string): Promise<PodFacts | undefined> {
	const body = (await store.get(cluster, id))?.body
	return body ? podFactsOf(body.readObject()) : undefined
}

function versionOf(item: Item, pod: PodFacts | undefined): Version {
	return {
		labels: item.labels ?? {},
		owners: item.owners ?? [],
		...(pod ? { pod } : {}),
		space: item.space ?? '',
		revision: item.revision ?? 0n,
		...spanOf(item),
		isCreation: isCreation(item),
	}
}

/**
 * The versions of the object, oldest first. Of a Pod also those by another uid whose configHash is this one: so the kubelet names static pods.
 * What stood before the oldest day that is kept is known from that day's keyframe. `near`: where the object has no versions of its own in what is kept.
 */
export async function readVersions(store: HistoryStore, subject: Subject, near: Micros): Promise<Version[]> {
	const { cluster, object, uid } = subject
	const found = (await itemsOf(store, subject)).reverse().filter((item) => item.operation !== 'deleted' && !item.folded)
	const uids = new Map<string, boolean>([[uid, true]])
	const isMeant = async (item: Item, facts: () => Promise<PodFacts | undefined>): Promise<boolean> => {
		const known = uids.get(item.uid ?? '')
		if (known !== undefined) return known
		const same = isPod(subject) && (await facts())?.configHash === uid
		uids.set(item.uid ?? '', same)
		return same
	}
	const versions: Version[] = []
	const add = async (item: Item): Promise<void> => {
		if (!(await isMeant(item, () => podFacts(store, cluster, item.id)))) return
		const before = versions.at(-1)?.pod
		const pod = isPod(subject) ? (before && !mayHaveOtherFacts(item) ? before : await podFacts(store, cluster, item.id)) : undefined
		versions.push(versionOf(item, pod))
	}
	if (!found.some((item) => item.uid === uid && isCreation(item))) {
		const base = await store.versionAt(cluster, object, { time: found[0] ? found[0].occurredAt - 1 : near })
		if (base && base.operation !== 'deleted') {
			const pod = isPod(subject) && base.body ? podFactsOf(base.body.readObject()) : undefined
			if (await isMeant(base, async () => pod)) versions.push(versionOf(base, pod))
		}
	}
	for (const item of found) await add(item)
	return versions
}
