// What the view needs, asked again when it changes, and never twice at once: records, coverage, the list of clusters.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { WireBucket, WireCluster, WireCoverage, WireItem } from '#api/wire.ts'
import { api, Problem, type Query } from './api.ts'
import { bucketsAsked, emptySet, itemsMax, loadRecords, merge, type RecordSet } from './load.ts'

/** How often the list of clusters is asked for: it also tells whether the server still answers and whether there is more. */
const clustersMs = 2500
const liveBucketsMs = 2000

export interface Loaded {
	/** The query that this is, or will be, the answer to. */
	readonly of: string
	readonly set: RecordSet
	readonly busy: boolean
	readonly problem: string
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
	const last = useRef('')
	useEffect(() => {
		if (text === undefined) return undefined
		const stop = new AbortController()
		const known = last.current === text ? undefined : kept.get(text)
		const again = last.current === text || known !== undefined
		last.current = text
		setLoaded((before) => ({ of: text, set: known ?? before.set, busy: true, problem: again && !known ? before.problem : '' }))
		loadRecords(JSON.parse(text) as Query, stop.signal, (set) => {
			// Asked again, the old records stay in sight until the new ones are whole.
			if (!stop.signal.aborted) setLoaded((before) => ({ ...before, problem: '', set: again ? refreshed(before.set, set) : set }))
		}).then(
			() => {
				if (stop.signal.aborted) return
				setLoaded((before) => {
					keep(text, before.set)
					return { ...before, busy: false }
				})
			},
			(error: unknown) => {
				if (stop.signal.aborted) return
				const problem = error instanceof Problem ? error.message : `the page failed: ${String(error)}`
				setLoaded((before) => ({ ...before, set: again ? before.set : emptySet, busy: false, problem }))
			},
		)
		return () => stop.abort()
	}, [text, turn])
	const add = useCallback((items: readonly WireItem[]) => {
		setLoaded((before) => {
			const merged = merge(before.set.items, items)
			if (merged === before.set.items) return before
			const fresh = merged.length - before.set.items.length
			const newest = merged.slice(0, itemsMax)
			const since = newest.length < merged.length ? Date.parse(newest.at(-1)?.time ?? '') : before.set.since
			return { ...before, set: { ...before.set, items: newest, total: before.set.total + fresh, since } }
		})
	}, [])
	const busy = loaded.busy || (text !== undefined && loaded.of !== text)
	return { loaded: busy === loaded.busy ? loaded : { ...loaded, busy }, add }
}

/** What was added meanwhile stays: the answer may be older than it. */
function refreshed(old: RecordSet, fresh: RecordSet): RecordSet {
	return { ...fresh, items: merge(fresh.items, old.items).slice(0, itemsMax) }
}

/** While `on`, the density follows the records that were added. */
export function useLiveBuckets(query: Query | undefined, on: boolean, set: RecordSet): RecordSet {
	const [buckets, setBuckets] = useState<readonly WireBucket[]>()
	const waiting = useRef(false)
	const text = query && JSON.stringify(query)
	useEffect(() => setBuckets(undefined), [text, on, set.buckets])
	useEffect(() => {
		if (!on || text === undefined || waiting.current) return undefined
		waiting.current = true
		const stop = new AbortController()
		const timer = setTimeout(() => {
			waiting.current = false
			api.histogram({ ...(JSON.parse(text) as Query), buckets: String(bucketsAsked) }, stop.signal).then(
				({ items }) => setBuckets(items),
				() => undefined, // the list of clusters tells that the server is gone
			)
		}, liveBucketsMs)
		return () => {
			waiting.current = false
			clearTimeout(timer)
			stop.abort()
		}
	}, [text, on, set.total])
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

export function useCoverage(cluster: string, turn: number): { readonly coverage?: WireCoverage; readonly problem: string } {
	const [state, setState] = useState<{ readonly coverage?: WireCoverage; readonly problem: string }>({ problem: '' })
	useEffect(() => {
		if (cluster === '') return undefined
		const stop = new AbortController()
		api.coverage({ cluster }, stop.signal).then(
			(coverage) => setState({ coverage, problem: '' }),
			(error: Error) => stop.signal.aborted || setState({ problem: error.message }),
		)
		return () => stop.abort()
	}, [cluster, turn])
	return state
}
