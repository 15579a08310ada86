// What is known for the view: the whole of the range for the summary, and what the filter selects.
import { useCallback, useMemo, useRef, useState } from 'preact/hooks'
import { actsOf } from './acts.ts'
import { useClusters, useCoverage, useLiveBuckets, useRecords } from './data.ts'
import { queryOf, wholeQueryOf, type View } from './filter.ts'
import { findingsOf } from './findings.ts'
import { useFresh } from './fresh.ts'
import { oneEachRequest } from './items.ts'
import { lanesOf } from './lanes.ts'
import { useTail } from './live.ts'
import { emptyText, holesOf } from './range.ts'
import { useSlowly } from './retry.ts'

/** How often at most. */
const besidesMs = 10_000

export function useTimeline(view: View) {
	const clusters = useClusters()
	// Where the address names none it is the first, and stays that one when another comes.
	const first = useRef('')
	const wanted = view.cluster || first.current
	const known = clusters.list?.find(({ name }) => name === wanted) ?? (view.cluster === '' ? clusters.list?.[0] : undefined)
	if (view.cluster === '') first.current = known?.name ?? ''
	const cluster = view.cluster || (known?.name ?? '')
	const full: View = { ...view, cluster, from: view.from || (known && !known.replay && view.to === '' ? 'now-1h' : '') }
	const ready = cluster !== '' && clusters.list !== undefined
	const wholeQuery = ready ? wholeQueryOf(full) : undefined
	const ownQuery = ready ? queryOf(full) : undefined
	const shown = JSON.stringify(ownQuery)
	const filtered = JSON.stringify(wholeQuery) !== shown
	const [turn, setTurn] = useState(0)
	const again = useCallback(() => setTurn((before) => before + 1), [])
	const whole = useRecords(wholeQuery, turn)
	const own = useRecords(filtered ? ownQuery : undefined, turn)
	const { loaded } = filtered ? own : whole
	const tail = useTail({
		live: view.live,
		wholeQuery,
		ownQuery: filtered ? ownQuery : undefined,
		addWhole: whole.add,
		addOwn: own.add,
		again,
	})
	const set = useLiveBuckets(ownQuery, view.live && !tail.paused, loaded.set)
	/** While records come, what is known besides them is asked for again. */
	const counts = useSlowly(view.live && !tail.paused ? JSON.stringify(known?.counts) : '', besidesMs)
	const newest = `${turn} ${counts}`
	const ledger = useCoverage(cluster, newest)
	const fresh = useFresh({
		cluster: known,
		live: view.live,
		busy: loaded.busy || whole.loaded.busy,
		gone: clusters.problem !== '',
		failed: [loaded, whole.loaded].some(({ problem: what, passes }) => what !== '' && passes === true),
		paused: tail.paused,
		again,
	})
	const wholeSet = whole.loaded.set
	const rows = useMemo(() => oneEachRequest(set.items), [set.items])
	const lanes = useMemo(() => lanesOf(rows), [rows])
	const acts = useMemo(() => actsOf(wholeSet.items), [wholeSet.items])
	const findings = useMemo(() => findingsOf(wholeSet.items, wholeSet.since), [wholeSet.items, wholeSet.since])
	const holes = useMemo(() => holesOf(set, ledger.coverage), [set, ledger.coverage])
	const busy = loaded.busy || whole.loaded.busy || !ready
	const problem = clusters.problem === '' ? loaded.problem || whole.loaded.problem : `${clusters.problem}: trying again`
	const empty = emptyText({ clusters, loaded, view, ...(known ? { cluster: known } : {}) })
	return {
		clusters,
		cluster,
		/** The cluster has several revision spaces. */
		several: (known?.spaces.length ?? 0) > 1,
		from: full.from,
		ready,
		shown,
		turn,
		newest,
		again,
		set,
		wholeSet,
		tail,
		ledger,
		fresh,
		rows,
		lanes,
		acts,
		findings,
		holes,
		busy,
		problem,
		empty,
	}
}

export type Timeline = ReturnType<typeof useTimeline>
