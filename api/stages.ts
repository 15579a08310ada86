// One entry for each request to the API server: its last stage stands for it, with every stage named.
import type { Filter, Item, Page, PageRequest, Store } from '#storage/store/port.ts'
import { wireItem, wireTime } from './serialize.ts'
import type { WireItem } from './wire.ts'

/** A client may choose the Audit-ID of its request, and the same again: the time at which it came in tells its requests apart. */
const requestOf = ({ cluster, audit }: Item): string => `${cluster}\0${audit?.auditID ?? ''}\0${audit?.requestReceivedAt ?? ''}`

/** Stages of the requests that these entries are of. */
async function stagesOf(store: Store, items: readonly Item[]): Promise<ReadonlyMap<string, readonly Item[]>> {
	const clusters = Map.groupBy(
		items.filter(({ audit }) => audit !== undefined && audit.auditID !== ''),
		({ cluster }) => cluster,
	)
	const all = new Map<string, readonly Item[]>()
	for (const [cluster, ofCluster] of clusters) {
		const stages = await store.stages(
			cluster,
			ofCluster.map(({ audit }) => audit?.auditID ?? ''),
		)
		for (const [request, ofRequest] of Map.groupBy(stages, requestOf)) all.set(request, ofRequest)
	}
	return all
}

/** Whether the filter means that very entry too. */
async function isMeant(store: Store, filter: Filter, { id, occurredAt }: Item): Promise<boolean> {
	if ((filter.from !== undefined && occurredAt < filter.from) || (filter.to !== undefined && occurredAt > filter.to)) return false
	const { items } = await store.timeline({ ...filter, from: occurredAt, to: occurredAt }, { limit: 1000, order: 'asc' })
	return items.some((item) => item.id === id)
}

/** The entry itself where it stands for its request: no later stage of it is meant by the filter. */
async function standing(store: Store, filter: Filter, item: Item, stages: readonly Item[]): Promise<WireItem | undefined> {
	const at = stages.findIndex(({ id }) => id === item.id)
	for (const later of at < 0 ? [] : stages.slice(at + 1)) if (await isMeant(store, filter, later)) return undefined
	const named = (at < 0 ? [item] : stages).map((stage) => ({
		id: stage.id,
		stage: stage.audit?.stage ?? '',
		time: wireTime(stage.occurredAt),
		code: stage.audit?.code ?? 0,
	}))
	return { ...wireItem(item), stages: named }
}

/** A page of requests, as long as one of entries would be. */
export async function requestsPage(store: Store, filter: Filter, page: PageRequest): Promise<Page<WireItem>> {
	const items: WireItem[] = []
	let cursor = page.cursor
	for (;;) {
		const entries = await store.timeline(filter, {
			...page,
			limit: page.limit - items.length,
			...(cursor === undefined ? {} : { cursor }),
		})
		const stages = await stagesOf(store, entries.items)
		for (const item of entries.items) {
			const wire = await standing(store, filter, item, stages.get(requestOf(item)) ?? [])
			if (wire) items.push(wire)
		}
		if (entries.next === null || items.length >= page.limit) return { items, next: entries.next }
		cursor = entries.next
	}
}
