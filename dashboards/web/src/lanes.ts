// Records into lanes: one per object, what belongs to one owner together, the most telling first.
import type { WireItem } from '#api/wire.ts'

export interface Lane {
	readonly key: string
	readonly title: string
	readonly namespace: string
	readonly kind: string
	readonly items: readonly WireItem[]
	readonly warnings: number
	readonly score: number
	/** The topmost owner's name, where it is another object. */
	readonly group: string
}

const controllers = /^system:(?:serviceaccount:kube-system|node|kube-|apiserver|kwok)/

/** A person or a pipeline, not a part of the control plane. */
export function isHuman(item: WireItem): boolean {
	return item.kind === 'audit' && item.audit !== undefined && !controllers.test(item.audit.user)
}

const isWrite = (item: WireItem): boolean => !/^(get|list|watch)$/.test(item.audit?.verb ?? '')

/** What a reader wants to see first: what people did, then what was wanted, then what went wrong, then how much. */
function scoreOf(item: WireItem): number {
	if (isHuman(item)) return isWrite(item) ? 40 : 4
	if (item.kind === 'change')
		return item.facets?.some((facet) => facet === 'spec' || facet === 'data') || item.operation !== 'updated' ? 3 : 0.2
	if (item.severity !== 'normal') return 5
	return 0.3
}

export function lanesOf(items: readonly WireItem[]): readonly Lane[] {
	const byObject = new Map<string, WireItem[]>()
	for (const item of items) {
		const key = item.object?.key ?? (item.log ? `log/${item.log.namespace || '-'}/${item.log.pod || item.log.component}` : '')
		if (key === '') continue
		const list = byObject.get(key)
		if (list) list.push(item)
		else byObject.set(key, [item])
	}
	const lanes = [...byObject].map(([key, list]): Lane => {
		const sample = list.find((item) => item.kind === 'change') ?? list[0]
		const [resource = '', namespace = '', ...name] = key.split('/')
		return {
			key,
			title: name.join('/'),
			namespace: namespace === '-' ? '' : namespace,
			kind: sample?.objectKind || resource.split('.')[0] || '',
			items: list,
			warnings: list.filter((item) => item.severity !== 'normal').length,
			score: list.reduce((sum, item) => sum + scoreOf(item), 0),
			group: sample?.owners?.at(-1)?.name ?? '',
		}
	})
	const groupScore = new Map<string, number>()
	const groupKey = (lane: Lane): string => `${lane.namespace}/${lane.group === '' ? lane.title : lane.group}`
	for (const lane of lanes) groupScore.set(groupKey(lane), Math.max(groupScore.get(groupKey(lane)) ?? 0, lane.score))
	// Objects of one owner stay together, under the owner, at the place of the most telling among them.
	return lanes.toSorted(
		(a, b) =>
			(groupScore.get(groupKey(b)) ?? 0) - (groupScore.get(groupKey(a)) ?? 0) ||
			groupKey(a).localeCompare(groupKey(b)) ||
			Number(a.group !== '') - Number(b.group !== '') ||
			b.score - a.score,
	)
}

export interface Act {
	readonly item: WireItem
	/** How many requests of one user and verb came together; the first stands for them. */
	readonly count: number
}

const togetherMs = 3000
const togetherMin = 4

/** What people did, oldest first: writes only, no dry runs; a burst of one user and verb is one act. */
export function actsOf(items: readonly WireItem[]): readonly Act[] {
	const writes = items
		.filter((item) => isHuman(item) && isWrite(item) && item.audit?.dryRun === false && item.audit.stage !== 'ResponseStarted')
		.toSorted((a, b) => a.time.localeCompare(b.time))
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
		else for (const item of writes.slice(first, next)) acts.push({ item, count: 1 })
		first = next
	}
	return acts
}
