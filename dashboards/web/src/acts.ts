// What people did: their writes, oldest first, each with the change that its answer names; a burst of one user and verb is one act.
import type { WireItem } from '#api/wire.ts'
import { isHuman, isWanted, isWrite, requestsOf } from './items.ts'

export interface Act {
	readonly item: WireItem
	/** How many requests of one user and verb came together; the first stands for them. */
	readonly count: number
	/** The change of the same object at the revision that the answer carried, where it stands at the time of the request. */
	readonly change?: WireItem
}

const togetherMs = 3000
const togetherMin = 4
/** Further apart, the answer carried an older revision: the request wrote nothing. */
const sameWriteMs = 2000

/** Changes by object and revision: several where an etcd was restored and numbers came again. */
export type ChangesByRevision = ReadonlyMap<string, readonly WireItem[]>

export function changesByRevision(items: readonly WireItem[]): ChangesByRevision {
	return Map.groupBy(
		items.filter(({ kind, object, revision }) => kind === 'change' && object && revision),
		({ object, revision }) => `${object?.key}@${revision}`,
	)
}

/** The write that a request's answer names. The server says `exact` with more care (a history's actor); this only finds the text for it. */
export function changeOf(request: WireItem, changes: ChangesByRevision): WireItem | undefined {
	const named = request.object && changes.get(`${request.object.key}@${request.audit?.responseRevision ?? ''}`)
	return named?.find(({ time, timeBoundSeconds }) => {
		const apart = Math.abs(Date.parse(time) - Date.parse(request.time))
		return apart <= sameWriteMs + timeBoundSeconds * 1000
	})
}

export function actsOf(items: readonly WireItem[]): readonly Act[] {
	const changes = changesByRevision(items)
	const writes = requestsOf(items)
		.filter((item) => isHuman(item) && isWrite(item) && item.audit?.dryRun === false)
		.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
	const acts: Act[] = []
	for (let first = 0; first < writes.length;) {
		const start = writes[first] as WireItem
		let next = first + 1
		const same = (item: WireItem | undefined, before: WireItem | undefined): boolean =>
			item !== undefined &&
			before !== undefined &&
			item.audit?.user === start.audit?.user &&
			item.audit?.verb === start.audit?.verb &&
			item.severity === start.severity &&
			Date.parse(item.time) - Date.parse(before.time) < togetherMs
		while (same(writes[next], writes[next - 1])) next += 1
		if (next - first >= togetherMin) acts.push({ item: start, count: next - first })
		else for (const item of writes.slice(first, next)) acts.push(oneAct(item, changes))
		first = next
	}
	return acts
}

function oneAct(item: WireItem, changes: ChangesByRevision): Act {
	const change = changeOf(item, changes)
	return { item, count: 1, ...(change && (isWanted(change) || change.facets?.length) ? { change } : {}) }
}
