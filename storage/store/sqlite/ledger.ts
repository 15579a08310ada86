// Statements about the record itself: gaps, coverage, rejects; and which clusters and kinds there are.
import type { Coverage, Gap, RecordKind, Reject } from '#records/record.ts'
import { inOrder } from '#storage/store/buckets.ts'
import type { ClusterInfo, Page, Store } from '#storage/store/port.ts'
import type { Partition } from './partition.ts'
import { statementOf } from './row.ts'
import { kinds } from './schema.ts'
import { ranksOf } from './state.ts'
import { timeline } from './timeline.ts'

const pageRecords = 500

function statements<T>(
	partitions: readonly Partition[],
	cluster: string,
	kind: RecordKind,
	range: { readonly from?: number; readonly to?: number },
): T[] {
	const found: T[] = []
	let cursor: string | undefined
	do {
		const page = timeline(
			partitions,
			{ ...range, cluster, include: [kind] },
			{ limit: pageRecords, order: 'asc', ...(cursor === undefined ? {} : { cursor }) },
		)
		for (const item of page.items) found.push(statementById<T>(partitions, item.id))
		cursor = page.next ?? undefined
	} while (cursor !== undefined)
	return found
}

function statementById<T>(partitions: readonly Partition[], id: string): T {
	for (const partition of partitions) {
		if (!partition.mayHold(id)) continue
		const full = partition.guard(() => partition.rowById(id))
		if (full) return statementOf<T>(full)
	}
	throw new RangeError(`record ${id} is gone`)
}

export function ledger(
	partitions: readonly Partition[],
	cluster: string,
	range: { readonly from?: number; readonly to?: number },
): { readonly gaps: readonly Gap[]; readonly coverage: readonly Coverage[] } {
	return {
		gaps: statements<Gap>(partitions, cluster, 'gap', range),
		coverage: statements<Coverage>(partitions, cluster, 'coverage', range),
	}
}

export function rejects(partitions: readonly Partition[], asked: Parameters<Store['rejects']>[0]): Page<Reject> {
	const { cluster, from, to, ...page } = asked
	const range = {
		...(cluster === undefined ? {} : { cluster }),
		...(from === undefined ? {} : { from }),
		...(to === undefined ? {} : { to }),
	}
	const found = timeline(partitions, { ...range, include: ['reject'], noise: true }, page)
	return { items: found.items.map((item) => statementById<Reject>(partitions, item.id)), next: found.next }
}

export function objectKinds(partitions: readonly Partition[]): Awaited<ReturnType<Store['kinds']>> {
	const found = new Map(partitions.flatMap((partition) => [...partition.kinds().all]))
	return [...found.values()].filter(({ resource }) => resource !== '')
}

interface Info {
	firstAt: number
	lastAt: number
	readonly counts: Partial<Record<RecordKind, number>>
	readonly spaces: Map<string, { firstRevision: bigint; lastRevision: bigint }>
}

export function clusters(partitions: readonly Partition[]): ClusterInfo[] {
	const infos = new Map<string, Info>()
	for (const partition of partitions) {
		for (const span of partition.guard(() => partition.spans()).values()) {
			const kind = kinds[span.kind] as RecordKind
			const info: Info = infos.get(span.cluster) ?? { firstAt: span.atMin, lastAt: span.atMax, counts: {}, spaces: new Map() }
			infos.set(span.cluster, info)
			info.firstAt = Math.min(info.firstAt, span.atMin)
			info.lastAt = Math.max(info.lastAt, span.atMax)
			info.counts[kind] = (info.counts[kind] ?? 0) + span.records
			if (kind !== 'change' && kind !== 'event') continue
			const space = info.spaces.get(span.space) ?? { firstRevision: span.revMin, lastRevision: span.revMax }
			if (span.revMin < space.firstRevision) space.firstRevision = span.revMin
			if (span.revMax > space.lastRevision) space.lastRevision = span.revMax
			info.spaces.set(span.space, space)
		}
	}
	return [...infos]
		.toSorted(([a], [b]) => (a < b ? -1 : 1))
		.map(([name, info]) => ({
			name,
			firstAt: info.firstAt,
			lastAt: info.lastAt,
			counts: inOrder(info.counts),
			spaces: [...ranksOf(partitions, name).keys()].flatMap((space) => {
				const range = info.spaces.get(space)
				return range ? [{ space, ...range }] : []
			}),
		}))
}
