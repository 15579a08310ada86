// What the view needs, asked again when it changes, and never twice at once: records, coverage, the list of clusters.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { WireBucket, WireCluster, WireCoverage, WireItem } from '#api/wire.ts'
import { api, mayPass, Problem, type Query } from './api.ts'
import { bucketsAsked, emptySet, itemsMax, loadRecords, merge, mostOf, type RecordSet } from './load.ts'
import { useRetry } from './retry.ts'

/** How often the list of clusters is asked for: it also tells whether the server still answers and whether there is more. */
const clustersMs = 2500
const liveBucketsMs = 2000

export interface Loaded {
	/** The query that this is, or will be, the answer to. */
	readonly of: string
	readonly set: RecordSet
	readonly busy: boolean
	readonly problem: string
	/** The problem may be over when it is asked again. */
	readonly passes?: boolean
}

/** The sets of the last ranges and filters, so that going back shows them at once; they are asked for again all the same. */
const kept = new Map<string, RecordSet>()
const keptMax = 3

function keep(text: string, set: RecordSet): void {
	// A range that moves with the clock is not the same when one comes back to it.
	if (text.includes('"now')) return
	kept.delete(text)
	kept.set(text, set)
	if (kept.size > keptMax) kept.delete(kept.keys().next().value ?? '')
}

/** `query` undefined: nothing is asked for. `turn` changes: the same is asked for again, and what is shown stays until then. */
export function useRecords(
	query: Query | undefined,
	turn: number,
): { readonly loaded: Loaded; readonly add: (items: readonly WireItem[]) => void } {
	const [loaded, setLoaded] = useState<Loaded>({ of: '', set: emptySet, busy: true, problem: '' })
	const text = query && JSON.stringify(query)
	/** The query whose answer is shown. */
	const answered = useRef('')
	/** What was added while one is asked for: the answer may be older than it. */
	const added = useRef<readonly WireItem[] | undefined>(undefined)
	useEffect(() => {
		if (text === undefined) return undefined
		const stop = new AbortController()
		const known = answered.current === text ? undefined : kept.get(text)
		const again = answered.current === text || known !== undefined
		if (known) answered.current = text
		const isElsewhere = clusterOf(answered.current) !== clusterOf(text)
		if (isElsewhere) answered.current = ''
		added.current = []
		setLoaded((before) => ({
			of: text,
			set: known ?? (isElsewhere ? emptySet : before.set),
			busy: true,
			problem: again && !known ? before.problem : '',
		}))
		let answer = emptySet
		loadRecords(JSON.parse(text) as Query, stop.signal, (set) => {
			if (stop.signal.aborted) return
			answered.current = text
			answer = set
			// Asked again, the old records stay in sight until the new ones are whole.
			setLoaded((before) => ({ ...before, problem: '', set: withMore(set, again ? before.set.items : (added.current ?? [])) }))
		}).then(
			() => {
				if (stop.signal.aborted) return
				const set = withMore(answer, added.current ?? [])
				added.current = undefined
				keep(text, set)
				setLoaded((before) => ({ ...before, set, busy: false }))
			},
			(error: unknown) => {
				if (stop.signal.aborted) return
				added.current = undefined
				if (!again) answered.current = ''
				const problem = error instanceof Problem ? error.message : `the page failed: ${String(error)}`
				setLoaded((before) => ({ ...before, set: again ? before.set : emptySet, busy: false, problem, passes: mayPass(error) }))
			},
		)
		return () => stop.abort()
	}, [text, turn])
	const add = useCallback((items: readonly WireItem[]) => {
		if (added.current) added.current = [...added.current, ...items]
		setLoaded((before) => {
			const merged = merge(before.set.items, items)
			if (merged === before.set.items) return before
			const fresh = merged.length - before.set.items.length
			const { items: most, loudSince } = mostOf(merged, before.set.loudSince)
			const since = most.length < merged.length ? Date.parse(merged[itemsMax - 1]?.time ?? '') : before.set.since
			return {
				...before,
				set: { ...before.set, items: most, total: before.set.total + fresh, since: Math.max(since, before.set.since), loudSince },
			}
		})
	}, [])
	const busy = loaded.busy || (text !== undefined && loaded.of !== text)
	return { loaded: busy === loaded.busy ? loaded : { ...loaded, busy }, add }
}

/** Also those that came behind the answer. */
function withMore(set: RecordSet, more: readonly WireItem[]): RecordSet {
	const items = merge(set.items, more)
	return { ...set, items, total: Math.max(set.total, items.length) }
}

const clusterOf = (text: string): string => (text === '' ? '' : ((JSON.parse(text) as Query)['cluster'] ?? ''))

/** While `on`, the density follows the records that were added. */
export function useLiveBuckets(query: Query | undefined, on: boolean, set: RecordSet): RecordSet {
	const [buckets, setBuckets] = useState<readonly WireBucket[]>()
	const total = useRef(set.total)
	total.current = set.total
	const text = query && JSON.stringify(query)
	useEffect(() => setBuckets(undefined), [text, set.buckets])
	useEffect(() => {
		if (!on || text === undefined) return undefined
		const stop = new AbortController()
		let asked = total.current
		let isAsking = false
		const timer = setInterval(() => {
			if (isAsking || asked === total.current) return
			asked = total.current
			isAsking = true
			void api
				.histogram({ ...(JSON.parse(text) as Query), buckets: String(bucketsAsked) }, stop.signal)
				.then(
					({ items }) => setBuckets(items),
					() => undefined, // the list of clusters tells that the server is gone
				)
				.finally(() => (isAsking = false))
		}, liveBucketsMs)
		return () => {
			clearInterval(timer)
			stop.abort()
		}
	}, [text, on])
	return buckets ? { ...set, buckets } : set
}

export interface Clusters {
	readonly list: readonly WireCluster[] | undefined
	/** Why the server's last answer was none. */
	readonly problem: string
}

export function useClusters(): Clusters {
	const [state, setState] = useState<Clusters>({ list: undefined, problem: '' })
	useEffect(() => {
		const stop = new AbortController()
		let timer = 0
		const ask = (): void => {
			const later = (ms: number): void => void (timer = window.setTimeout(ask, ms))
			if (document.hidden) return later(clustersMs)
			api.clusters(stop.signal).then(
				({ items }) => {
					setState((before) =>
						before.problem === '' && JSON.stringify(before.list) === JSON.stringify(items) ? before : { list: items, problem: '' },
					)
					later(items.length === 0 ? 500 : clustersMs)
				},
				(error: Error) => {
					if (stop.signal.aborted) return
					setState((before) => ({ list: before.list, problem: error.message }))
					later(1000)
				},
			)
		}
		ask()
		return () => (stop.abort(), clearTimeout(timer))
	}, [])
	return state
}

interface Covered {
	readonly coverage?: WireCoverage
	readonly problem: string
}

/** `newest` changes: it is asked for again. */
export function useCoverage(cluster: string, newest: string): Covered {
	const [state, setState] = useState<Covered & { readonly of: string; readonly failures: number }>({ of: '', problem: '', failures: 0 })
	const retry = useRetry(state.of === cluster ? state.failures : 0)
	useEffect(() => {
		if (cluster === '') return undefined
		const stop = new AbortController()
		api.coverage({ cluster }, stop.signal).then(
			(coverage) => setState({ of: cluster, coverage, problem: '', failures: 0 }),
			(error: Error) =>
				stop.signal.aborted || setState((before) => ({ of: cluster, problem: error.message, failures: before.failures + 1 })),
		)
		return () => stop.abort()
	}, [cluster, newest, retry])
	return state.of === cluster ? state : { problem: '' }
}
