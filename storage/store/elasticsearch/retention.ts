// Retention: whole indices go, the oldest first, each class by its own age; never those of today and later. What stood when the first remaining day began is kept as its keyframe.
import { dayOf } from '#records/time.ts'
import type { StoreRetention } from '#storage/store/port.ts'
import type { ElasticsearchStoreConfig } from './config.ts'
import type { Keyframes } from './keyframes.ts'
import { dayEnd, dayStart, type DayIndex, type RecordClass } from './names.ts'
import type { Searcher } from './search.ts'

interface Sized {
	readonly index: DayIndex
	readonly bytes: number
}

interface Stats {
	readonly indices?: Readonly<Record<string, { readonly total?: { readonly store?: { readonly size_in_bytes?: number } } }>>
}

const dayMicros = 86_400_000_000

/** Damaged ones too, of which no size is known. */
async function indicesOf(searcher: Searcher): Promise<readonly Sized[]> {
	const names = searcher.names.every()
	const { indices: found } = await searcher.ask<{ readonly indices: readonly { readonly name: string }[] }>({
		method: 'GET',
		path: `/_resolve/index/${names}`,
	})
	const { indices: sizes = {} } = await searcher.ask<Stats>({
		method: 'GET',
		path: `/${names}/_stats/store`,
		query: { filter_path: 'indices.*.total.store.size_in_bytes', ignore_unavailable: 'true' },
	})
	return found
		.flatMap(({ name }) => {
			const index = searcher.names.parse(name)
			return index ? [{ index, bytes: sizes[name]?.total?.store?.size_in_bytes ?? 0 }] : []
		})
		.toSorted((a, b) => (a.index.day < b.index.day ? -1 : a.index.day > b.index.day ? 1 : a.index.name < b.index.name ? -1 : 1))
}

const ageOf = (of: DayIndex['class'], policy: StoreRetention, own: ElasticsearchStoreConfig['retention']): number =>
	(of === 'keyframes' ? undefined : own[`${of satisfies RecordClass}AgeMs`]) ?? policy.ageMs

export function indicesToRemove(
	indices: readonly Sized[],
	policy: StoreRetention,
	own: ElasticsearchStoreConfig['retention'],
	now: number,
): readonly DayIndex[] {
	const today = dayOf(now)
	let total = indices.reduce((sum, { bytes }) => sum + bytes, 0)
	const removed = new Set<DayIndex>()
	const remove = ({ index, bytes }: Sized): void => {
		removed.add(index)
		total -= bytes
	}
	const past = indices.filter(({ index }) => index.day < today)
	for (const sized of past) {
		const ageMs = ageOf(sized.index.class, policy, own)
		if (ageMs > 0 && dayEnd(sized.index.day) < now - ageMs * 1000) remove(sized)
	}
	for (const sized of past) if (policy.bytesMax > 0 && total > policy.bytesMax && !removed.has(sized.index)) remove(sized)
	return [...removed]
}

export async function retain(
	searcher: Searcher,
	keyframes: Keyframes,
	policy: StoreRetention,
	own: ElasticsearchStoreConfig['retention'],
	now: number,
): Promise<{ readonly removedPartitions: readonly string[] }> {
	const indices = await indicesOf(searcher)
	const ofChanges = indices.filter(({ index }) => index.class === 'changes').map(({ index }) => index.day)
	const today = dayOf(now)
	// A past state of today is then read from today.
	if (ofChanges.includes(today) && ofChanges.some((day) => day < today)) await keyframes.make(today)
	const removed = indicesToRemove(indices, policy, own, now)
	const last = removed.filter(({ class: of }) => of === 'changes').at(-1)
	if (last) {
		const first = dayOf(dayStart(last.day) + dayMicros)
		await keyframes.make(first)
		if (!(await keyframes.isComplete(first))) return { removedPartitions: [] }
		await keyframes.removeBefore(first)
	}
	for (const { name } of removed)
		await searcher.connection.ask({ method: 'DELETE', path: `/${name}`, query: { ignore_unavailable: 'true' } })
	return { removedPartitions: removed.map(({ name }) => name) }
}
