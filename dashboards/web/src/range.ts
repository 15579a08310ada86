// The time in sight, what of it is not held or not recorded, and what to say where nothing is.
import type { WireCluster, WireCoverage } from '#api/wire.ts'
import type { Clusters, Loaded } from './data.ts'
import type { View } from './filter.ts'
import type { Hole } from './lane-view.tsx'
import type { RecordSet } from './load.ts'
import { count } from './time.ts'

/** Milliseconds: what the density spans, and newer records beyond it. */
export function rangeOf({ buckets, items }: RecordSet): { readonly from: number; readonly to: number } {
	const from = Date.parse(buckets[0]?.from ?? '')
	const to = Date.parse(buckets.at(-1)?.to ?? '')
	return { from, to: Math.max(to, Date.parse(items[0]?.time ?? '') || to) }
}

/** Gaps with times, and the older part of the range of which only what matters is held. */
export function holesOf(set: RecordSet, coverage: WireCoverage | undefined): readonly Hole[] {
	const { from, to } = rangeOf(set)
	const holes: Hole[] = []
	if (set.since > from && set.total > set.items.length && Number.isFinite(set.since)) {
		const text = `${count(set.total - set.items.length)} older records are not loaded here: only warnings, errors and requests of people; zoom in for all`
		holes.push({ kind: 'unloaded', from, to: Math.min(to, set.since), text })
	}
	for (const gap of coverage?.gaps ?? []) {
		const begin = gap.fromTime ?? gap.toTime ?? gap.observed
		const end = gap.toTime ?? gap.observed
		holes.push({ kind: 'gap', from: Date.parse(begin), to: Date.parse(end), text: `gap, ${gap.reason}: ${gap.detail}` })
	}
	return holes
}

interface EmptyInput {
	readonly clusters: Clusters
	readonly cluster?: WireCluster
	readonly loaded: Loaded
	readonly view: View
}

/** Why there is nothing to see; empty where there is something, or it is not known yet. */
export function emptyText({ clusters, cluster, loaded, view }: EmptyInput): string {
	if (clusters.list === undefined) return clusters.problem === '' ? 'loading …' : 'No answer from the server yet.'
	if (clusters.list.length === 0) return 'Nothing is recorded yet. This page shows the first records as they come.'
	if (view.cluster !== '' && !cluster) return `There is no cluster ${view.cluster}: ${clusters.list.map(({ name }) => name).join(', ')}.`
	if (loaded.set.items.length > 0 || loaded.problem !== '') return ''
	if (loaded.busy) return 'loading …'
	if (view.include.length === 0) return 'No kind of record is chosen.'
	if (view.words !== '') return `Nothing matches ${view.words} in this range.`
	return cluster
		? `No record in this range: there are records from ${cluster.firstTime.slice(0, 19)} to ${cluster.lastTime.slice(0, 19)}.`
		: ''
}
