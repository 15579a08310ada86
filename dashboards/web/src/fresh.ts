// Noticing that there is more than what is shown: a recording that is still being read is asked for again by itself, a live cluster when the reader wants it.
import { useEffect, useRef, useState } from 'preact/hooks'
import type { WireCluster } from '#api/wire.ts'

interface FreshInput {
	readonly cluster: WireCluster | undefined
	readonly live: boolean
	readonly busy: boolean
	/** The list of clusters has no answer. */
	readonly gone: boolean
	/** The records had no answer. */
	readonly unreached: boolean
	readonly again: () => void
}

const retryMs = 1000
const shownKinds = ['change', 'event', 'audit', 'reject', 'gap'] as const

function countOf(cluster: WireCluster | undefined): number {
	return shownKinds.reduce((sum, kind) => sum + (cluster?.counts[kind] ?? 0), 0)
}

/** How many records were stored since what is shown was asked for. */
export function useFresh({ cluster, live, busy, gone, unreached, again }: FreshInput): number {
	const now = countOf(cluster)
	const [seen, setSeen] = useState<{ readonly name: string; readonly count: number }>({ name: '', count: 0 })
	const name = cluster?.name ?? ''
	useEffect(() => {
		if (busy && name !== '') setSeen({ name, count: now })
	}, [busy, name])
	// The server answers again, or may: what failed is asked for again.
	useEffect(() => {
		if (gone || !unreached) return undefined
		const timer = setTimeout(again, retryMs)
		return () => clearTimeout(timer)
	}, [gone, unreached, busy, again])
	const was = useRef(gone)
	useEffect(() => {
		if (was.current && !gone) again()
		was.current = gone
	}, [gone, again])
	const fresh = seen.name === name && !busy && !live ? Math.max(0, now - seen.count) : 0
	useEffect(() => {
		if (fresh > 0 && cluster?.replay) again()
	}, [fresh, cluster?.replay, again])
	return cluster?.replay ? 0 : fresh
}
