// The timeline page: what stands out, density, lanes or table, what people did, one object; keyboard and deep links.
import { render } from 'preact'
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { WireItem } from '#api/wire.ts'
import { changeOf, changesByRevision } from './acts.ts'
import { usePalette } from './colours.ts'
import { Density } from './density.tsx'
import { everything, type View } from './filter.ts'
import { Help } from './help.tsx'
import { useKeys } from './keys.ts'
import { LaneView } from './lane-view.tsx'
import type { RecordSet } from './load.ts'
import { Ledger } from './ledger.tsx'
import { ObjectView } from './object-view.tsx'
import { People } from './people.tsx'
import { rangeOf } from './range.ts'
import { useSlowly } from './retry.ts'
import { Standout } from './standout.tsx'
import { Status } from './status.tsx'
import './style/index.css'
import { TableView } from './table-view.tsx'
import { count, daysOf, plural } from './time.ts'
import { useTimeline, type Timeline } from './timeline.ts'
import { Toolbar } from './toolbar.tsx'
import { useView, type ChangeView } from './use-view.ts'
import { versionName } from './versions.ts'

const wideGutter = 338
const narrowGutter = 150
const narrowPixels = 1100
/** How often at most an open object is asked for its newest versions. */
const versionsMs = 3000

function useGutter(open: boolean): number {
	const [wide, setWide] = useState(() => innerWidth > narrowPixels)
	useEffect(() => {
		const media = matchMedia(`(min-width: ${narrowPixels + 1}px)`)
		const read = (): void => setWide(media.matches)
		media.addEventListener('change', read)
		return () => media.removeEventListener('change', read)
	}, [])
	return wide && !open ? wideGutter : wide ? 240 : narrowGutter
}

/** The version of its object that a record is about: of a change its own, of a request the one that it wrote, else what stood when it happened. Empty, the newest, where that is not held. */
function revisionAt(item: WireItem, set: RecordSet, several: boolean): string {
	const name = (version: WireItem): string => versionName(version, several)
	if (item.kind === 'change') return name(item)
	const versions = set.items.filter(({ kind, object }) => kind === 'change' && object?.key === item.object?.key)
	const written = item.audit && changeOf(item, changesByRevision(versions))
	if (written) return name(written)
	// Newest first. Of a part of the records, the one that stood then may be missing.
	const stood = set.items.length < set.total ? undefined : versions.find(({ time }) => time <= item.time)
	return stood ? name(stood) : ''
}

/** What the mouse and the lines of the summary do. */
function useActions(change: ChangeView, { wholeSet, several }: Timeline) {
	const open = useCallback(
		(item: WireItem) => {
			if (!item.object?.name) return
			change({ object: item.object.key, revision: revisionAt(item, wholeSet, several), base: '', ledger: false })
		},
		[change, wholeSet, several],
	)
	const openKey = useCallback((key: string) => change({ object: key, revision: '', base: '', ledger: false }), [change])
	const zoom = useCallback((begin: string, end: string) => change({ from: begin, to: end, live: false }), [change])
	const reset = useCallback(() => change({ from: everything, to: '' }), [change])
	const close = useCallback(() => change({ object: '', revision: '', base: '', whole: false, ledger: false }), [change])
	return { open, openKey, zoom, reset, close }
}

/** The record or the lane that is chosen: itself, and not its place, which changes as records come. */
function useChoice(rows: readonly { readonly id?: string; readonly key?: string }[], shown: string | undefined, table: boolean) {
	const [key, setKey] = useState<string>()
	const [moved, setMoved] = useState(0)
	const keyAt = (index: number): string | undefined => rows[index]?.id ?? rows[index]?.key
	const chosen = useMemo(() => (key === undefined ? -1 : rows.findIndex(({ id, key: own }) => (id ?? own) === key)), [rows, key])
	const setChosen = (index: number): void => setKey(keyAt(index))
	const move = (step: number): void => {
		setKey(keyAt(Math.max(0, Math.min(rows.length - 1, chosen + step))))
		setMoved((before) => before + 1)
	}
	useEffect(() => setKey(undefined), [table, shown])
	return { chosen, moved, setChosen, move }
}

function App() {
	const [view, change] = useView()
	const [asking, setAsking] = useState(false)
	const box = useRef<HTMLInputElement>(null)
	const timeline = useTimeline(view)
	const { cluster, ready, set, tail, ledger, turn, newest, rows, lanes, findings, problem } = timeline
	const { from, to } = rangeOf(set)
	const actions = useActions(change, timeline)
	const choice = useChoice(view.table ? rows : lanes, timeline.shown, view.table)
	useKeys({ view, change, box, from, to, asking, setAsking, move: choice.move, pause: tail.pause })
	const beside = view.object !== '' || view.ledger
	const gutter = useGutter(beside)
	const version = useSlowly(newestOf(timeline, view.object), versionsMs)
	return (
		<div class={`page${beside ? ' beside' : ''}`} style={{ '--gutter': `${gutter}px` }}>
			<Toolbar
				{...{ view, cluster, box, change }}
				coverage={ledger.coverage}
				from={timeline.from}
				seen={{ from: set.buckets[0]?.from ?? '', to: set.buckets.at(-1)?.to ?? '' }}
				clusters={timeline.clusters.list ?? []}
				live={tail.state}
				paused={tail.paused}
				held={tail.held}
				onPause={tail.pause}
				onHelp={() => setAsking(true)}
			/>
			{problem !== '' && (
				<p class="problem" role="alert">
					{problem}
				</p>
			)}
			<Main {...{ view, change, timeline, actions, choice, gutter, beside }} />
			{!beside && (
				<People
					acts={timeline.acts}
					audited={timeline.wholeSet.items.length > 0 ? findings.audited : undefined}
					spanMs={to - from}
					onOpen={actions.open}
				/>
			)}
			{view.object !== '' && ready && <ObjectView {...{ cluster, view, change }} newest={`${turn} ${version}`} onClose={actions.close} />}
			{view.object === '' && view.ledger && ready && (
				<Ledger
					{...{ cluster, newest }}
					coverage={ledger.coverage}
					problem={ledger.problem}
					onOpenKey={actions.openKey}
					onClose={actions.close}
				/>
			)}
			{asking && <Help onClose={() => setAsking(false)} />}
		</div>
	)
}

/** The newest change of an object among those that are held: when another comes there is a version more. */
function newestOf({ wholeSet }: Timeline, object: string): string {
	return wholeSet.items.find((item) => item.kind === 'change' && item.object?.key === object)?.id ?? ''
}

interface MainProps {
	readonly view: View
	readonly change: ChangeView
	readonly timeline: Timeline
	readonly actions: ReturnType<typeof useActions>
	readonly choice: ReturnType<typeof useChoice>
	readonly gutter: number
	readonly beside: boolean
}

function Main({ view, change, timeline, actions, choice, gutter, beside }: MainProps) {
	const { set, wholeSet, holes, lanes, empty, findings, cluster, ledger } = timeline
	const { chosen, moved, setChosen } = choice
	const palette = usePalette()
	const { from, to } = rangeOf(set)
	const rest = set.items.length < set.total
	const end = rest ? `${count(set.items.length)} of ${plural(set.total, 'record')}: narrow the range or the filter for the others` : ''
	return (
		<main>
			{!beside && wholeSet.total > 0 && (
				<Standout
					{...{ cluster, findings, change }}
					newest={timeline.newest}
					coverage={ledger.coverage}
					partial={partialText(wholeSet)}
					folded={view.folded}
					spanMs={to - from}
					onOpen={actions.open}
				/>
			)}
			{set.buckets.length > 0 && (
				<Density
					buckets={set.buckets}
					{...{ holes, palette, gutter }}
					days={daysOf(from, to)}
					onZoom={actions.zoom}
					onReset={actions.reset}
				/>
			)}
			<Status
				{...{ view, change }}
				buckets={set.buckets}
				held={set.items.length}
				total={set.total}
				objects={lanes.length}
				busy={timeline.busy}
				fresh={timeline.fresh}
				onFresh={timeline.again}
			/>
			{empty !== '' ? (
				<p class="empty">{empty}</p>
			) : view.table ? (
				<TableView
					items={timeline.rows}
					{...{ chosen, moved, end }}
					shown={timeline.shown}
					spanMs={to - from}
					onChoose={setChosen}
					onOpen={actions.open}
				/>
			) : (
				<LaneView
					{...{ lanes, from, to, holes, palette, chosen, moved }}
					shown={timeline.shown}
					onChoose={setChosen}
					onOpen={actions.open}
				/>
			)}
		</main>
	)
}

/** What the summary is made from, where that is not everything. */
function partialText({ items, total, loudSince, since }: RecordSet): string {
	if (items.length >= total) return ''
	const from = Math.min(loudSince, since)
	const loud = Number.isFinite(from) ? `all warnings since ${new Date(from).toISOString().slice(0, 19).replace('T', ' ')}` : 'all warnings'
	return `From ${count(items.length)} of ${plural(total, 'record')}: the newest, ${loud}, and of each person the newest requests.`
}

const root = document.getElementById('app')
if (root) render(<App />, root)
