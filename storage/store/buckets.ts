// The buckets of a histogram: as many as asked for, of equal length to the microsecond.
import type { RecordKind } from '#records/record.ts'

export interface Counting {
	readonly from: number
	readonly to: number
	readonly counts: Partial<Record<RecordKind, number>>
	warnings: number
}

/** In this order on every engine: the same answer is the same text. */
const countedKinds: readonly RecordKind[] = ['change', 'event', 'audit', 'log', 'gap', 'coverage', 'reject']

export function inOrder(counts: Partial<Record<RecordKind, number>>): Partial<Record<RecordKind, number>> {
	return Object.fromEntries(countedKinds.flatMap((kind) => (counts[kind] === undefined ? [] : [[kind, counts[kind]]])))
}

/** Fewer than asked for only where there are not so many microseconds. */
export function makeBuckets(from: number, to: number, buckets: number): readonly Counting[] {
	const span = to - from + 1
	const count = Math.max(1, Math.min(buckets, span))
	const edge = (index: number): number => (index === count ? to + 1 : from + Math.floor((span / count) * index))
	return Array.from({ length: count }, (_, index) => ({ from: edge(index), to: edge(index + 1) - 1, counts: {}, warnings: 0 }))
}
