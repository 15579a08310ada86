// Records into lanes: one per object, what belongs to one owner together, what went wrong and what people did first.
import type { WireItem } from '#api/wire.ts'
import { isHuman, isLoud, isWanted, isWrite, partsOf } from './items.ts'

/** One record of a lane, with what drawing it needs. */
export interface Mark {
	readonly item: WireItem
	/** Milliseconds since 1970. */
	readonly at: number
	readonly human: boolean
	readonly loud: boolean
}

export interface Lane {
	readonly key: string
	readonly title: string
	readonly namespace: string
	readonly kind: string
	readonly marks: readonly Mark[]
	readonly warnings: number
	readonly errors: number
	readonly score: number
	/** Namespace and name of the topmost owner, or of the object itself: lanes of one group stand together. */
	readonly group: string
	/** Has an owner among the objects. */
	readonly owned: boolean
	/** The first lane of its group. */
	readonly head: boolean
}

/** What a group or a lane is worth to a reader: no amount of one kind drowns the other. */
interface Worth {
	loud: number
	writes: number
	wanted: number
	all: number
}

const nothing = (): Worth => ({ loud: 0, writes: 0, wanted: 0, all: 0 })

function add(worth: Worth, mark: Mark): void {
	worth.all++
	if (mark.loud) worth.loud += mark.item.severity === 'error' ? 3 : 1
	if (mark.human && isWrite(mark.item)) worth.writes++
	if (isWanted(mark.item)) worth.wanted++
}

function scoreOf({ loud, writes, wanted, all }: Worth): number {
	return Math.min(loud, 20) * 10 + Math.min(writes, 10) * 20 + Math.min(wanted, 20) + Math.min(all, 100) / 100
}

function laneKeyOf(item: WireItem): string {
	if (item.object) return item.object.key
	return item.log ? `log/${item.log.namespace || '-'}/${item.log.pod || item.log.component}` : ''
}

function groupOf(key: string, sample: WireItem | undefined): { readonly group: string; readonly owned: boolean } {
	const { namespace, name } = partsOf(key)
	const owner = sample?.owners?.at(-1)?.name
	return { group: `${namespace}/${owner ?? name}`, owned: owner !== undefined }
}

interface Draft extends Omit<Lane, 'head' | 'score'> {
	readonly worth: Worth
}

function draft(key: string, marks: readonly Mark[]): Draft {
	const sample = marks.find(({ item }) => item.kind === 'change')?.item ?? marks.find(({ item }) => item.owners)?.item ?? marks[0]?.item
	const { resource, namespace, name } = partsOf(key)
	const worth = nothing()
	for (const mark of marks) add(worth, mark)
	const errors = marks.filter(({ item }) => item.severity === 'error').length
	const warnings = marks.filter(({ loud }) => loud).length
	const kind = sample?.objectKind || resource.split('.')[0] || ''
	return { key, title: name, namespace, kind, marks, warnings, errors, worth, ...groupOf(key, sample) }
}

/** Lanes of `items`, which come newest first. Groups by what happened in them; in a group the owner first, then by what happened. */
export function lanesOf(items: readonly WireItem[]): readonly Lane[] {
	const byObject = new Map<string, Mark[]>()
	for (const item of items) {
		const key = laneKeyOf(item)
		if (key === '') continue
		const mark = { item, at: Date.parse(item.time), human: isHuman(item), loud: isLoud(item) }
		const list = byObject.get(key)
		if (list) list.push(mark)
		else byObject.set(key, [mark])
	}
	const drafts = [...byObject].map(([key, marks]) => draft(key, marks))
	const groups = new Map<string, Worth>()
	for (const { group, worth } of drafts) {
		const sum = groups.get(group) ?? nothing()
		for (const part of ['loud', 'writes', 'wanted', 'all'] as const) sum[part] += worth[part]
		groups.set(group, sum)
	}
	const groupScore = new Map([...groups].map(([group, worth]) => [group, scoreOf(worth)]))
	const rated = drafts.map(({ worth, ...lane }) => ({ ...lane, score: scoreOf(worth), head: false }))
	const sorted = rated.toSorted(
		(a, b) =>
			(groupScore.get(b.group) ?? 0) - (groupScore.get(a.group) ?? 0) ||
			(a.group < b.group ? -1 : a.group > b.group ? 1 : 0) ||
			bestFirst(a, b),
	)
	return sorted.map((lane, index) => ({ ...lane, head: sorted[index - 1]?.group !== lane.group }))
}

/** The workload itself first, then what happened most. */
function bestFirst(a: Lane, b: Lane): number {
	return Number(isWorkload(b.kind)) - Number(isWorkload(a.kind)) || b.score - a.score || Number(a.owned) - Number(b.owned)
}

const workloads = /^(?:Deployment|StatefulSet|DaemonSet|Job|CronJob|Node)$/
const isWorkload = (kind: string): boolean => workloads.test(kind)

/** The record that a lane stands for when it is opened: its newest warning's version, else its newest change. */
export function telling(lane: Lane): WireItem | undefined {
	const changes = lane.marks.filter(({ item }) => item.kind === 'change')
	return (changes.find(({ loud }) => loud) ?? changes[0] ?? lane.marks[0])?.item
}
