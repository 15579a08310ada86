// Noticing that there is more than what is shown: a recording that is still being read is asked for again by itself, a live cluster when the reader wants it.
import { useEffect, useRef, useState } from 'preact/hooks'
import type { WireCluster } from '#api/wire.ts'

interface FreshInput {
	readonly cluster: WireCluster | undefined
	readonly live: boolean
	readonly busy: boolean
	/** The list of clusters has no answer. */
	readonly gone: boolean
	/** The records had no answer, and may have one when they are asked for again. */
	readonly failed: boolean
	/** New records are held back. */
	readonly paused: boolean
	readonly again: () => void
}

const retryMs = 1000
const retryMsMax = 15_000
const shownKinds = ['change', 'event', 'audit', 'reject', 'gap'] as const

function countOf(cluster: WireCluster | undefined): number {
	return shownKinds.reduce((sum, kind) => sum + (cluster?.counts[kind] ?? 0), 0)
}

/** How many records were stored since what is shown was asked for. */
export function useFresh({ cluster, live, busy, gone, failed, paused, again }: FreshInput): number {
	const now = countOf(cluster)
	const [seen, setSeen] = useState<{ readonly name: string; readonly count: number }>({ name: '', count: 0 })
	const name = cluster?.name ?? ''
	useEffect(() => {
		if ((busy || live) && name !== '') setSeen({ name, count: now })
	}, [busy, name, live ? now : 0])
	// The server answers again, or may: what failed is asked for again.
	const tries = useRef(0)
	useEffect(() => {
		if (!failed && !busy) tries.current = 0
		if (gone || !failed || busy) return undefined
		const timer = setTimeout(again, Math.min(retryMs * 2 ** tries.current++, retryMsMax))
		return () => clearTimeout(timer)
	}, [gone, failed, busy, again])
	const was = useRef(gone)
	useEffect(() => {
		if (gone) was.current = true
		else if (was.current && !paused) {
			was.current = false
			again()
		}
	}, [gone, paused, again])
	const fresh = seen.name === name && !busy && !live ? Math.max(0, now - seen.count) : 0
	useEffect(() => {
		if (fresh > 0 && cluster?.replay) again()
	}, [fresh, cluster?.replay, again])
	return cluster?.replay ? 0 : fresh
}
