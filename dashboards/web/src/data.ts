// What the view needs, asked again when the view changes: buckets, records up to a limit, coverage; and the live tail.
import { useCallback, useEffect, useState } from 'preact/hooks'
import type { WireBucket, WireCoverage, WireItem } from '#api/wire.ts'
import { api } from './api.ts'
import { queryOf, type View } from './filter.ts'

/** Records that are loaded at once; the page says so when there are more. */
export const itemsMax = 10_000
const pageItems = 1000
const buckets = 160

export interface Loaded {
	readonly items: readonly WireItem[]
	readonly buckets: readonly WireBucket[]
	readonly more: boolean
	readonly busy: boolean
	readonly problem: string
}

const nothing: Loaded = { items: [], buckets: [], more: false, busy: true, problem: '' }

export function useRecords(view: View): {
	readonly loaded: Loaded
	readonly showMore: () => void
	readonly add: (items: readonly WireItem[]) => void
} {
	const [loaded, setLoaded] = useState(nothing)
	const [limit, setLimit] = useState(itemsMax)
	const query = JSON.stringify(queryOf(view))
	useEffect(() => {
		if (view.cluster === '') return undefined
		const stop = new AbortController()
		const parameters = JSON.parse(query) as Record<string, string>
		const load = async (): Promise<void> => {
			setLoaded((before) => ({ ...before, busy: true, problem: '' }))
			const density = api
				.histogram({ ...parameters, buckets: String(buckets) }, stop.signal)
				.then((answer) => setLoaded((before) => ({ ...before, buckets: answer.items })))
			const items: WireItem[] = []
			let cursor: string | null = ''
			while (cursor !== null && items.length < limit) {
				const page: { items: readonly WireItem[]; next: string | null } = await api.timeline(
					{ ...parameters, limit: String(pageItems), ...(cursor === '' ? {} : { cursor }) },
					stop.signal,
				)
				items.push(...page.items)
				cursor = page.next
				const more = cursor !== null
				setLoaded((before) => ({ ...before, items: [...items], more }))
			}
			await density
			setLoaded((before) => ({ ...before, busy: false }))
		}
		load().catch((error: Error) => stop.signal.aborted || setLoaded((before) => ({ ...before, busy: false, problem: error.message })))
		return () => stop.abort()
	}, [query, view.cluster, limit])
	const add = useCallback((items: readonly WireItem[]) => {
		setLoaded((before) => {
			const known = new Set(before.items.map((item) => item.id))
			const fresh = items.filter((item) => !known.has(item.id))
			return fresh.length === 0 ? before : { ...before, items: [...fresh.toReversed(), ...before.items].slice(0, itemsMax) }
		})
	}, [])
	return { loaded, showMore: useCallback(() => setLimit((before) => before + itemsMax), []), add }
}

/** Records as they are stored, while `view.live`. */
export function useLive(view: View, onItems: (items: readonly WireItem[]) => void): void {
	const query = new URLSearchParams(queryOf({ ...view, from: '', to: '' })).toString()
	useEffect(() => {
		if (!view.live || view.cluster === '') return undefined
		const stream = new EventSource(`/api/v1/stream?${query}`)
		const take = (event: MessageEvent<string>): void => onItems([JSON.parse(event.data) as WireItem])
		stream.addEventListener('message', take)
		stream.addEventListener('record', take)
		return () => stream.close()
	}, [query, view.live, view.cluster, onItems])
}

export function useCoverage(cluster: string): WireCoverage | undefined {
	const [coverage, setCoverage] = useState<WireCoverage>()
	useEffect(() => {
		if (cluster === '') return undefined
		const stop = new AbortController()
		api.coverage({ cluster }, stop.signal).then(setCoverage, () => setCoverage(undefined))
		return () => stop.abort()
	}, [cluster])
	return coverage
}
