// The first line: cluster, filter, range, view, live tail, and how complete the record is.
import type { RefObject, TargetedEvent } from 'preact'
import { useLayoutEffect, useState } from 'preact/hooks'
import type { WireCluster, WireCoverage } from '#api/wire.ts'
import { everything, type View } from './filter.ts'
import { coverageText } from './ledger.tsx'
import type { LiveState } from './live.ts'
import { plural } from './time.ts'
import type { ChangeView } from './use-view.ts'

const ranges = [
	[everything, 'everything'],
	['now-15m', 'last 15 minutes'],
	['now-1h', 'last hour'],
	['now-6h', 'last 6 hours'],
	['now-1d', 'last day'],
	['now-7d', 'last 7 days'],
] as const

const liveText: Readonly<Record<LiveState, string>> = { off: 'live', connecting: 'connecting …', on: 'live', lost: 'reconnecting …' }

interface ToolbarProps {
	readonly view: View
	/** As the records are asked for: with the defaults of the cluster. */
	readonly from: string
	/** What is in sight. */
	readonly seen: { readonly from: string; readonly to: string }
	readonly cluster: string
	readonly clusters: readonly WireCluster[]
	readonly coverage: WireCoverage | undefined
	readonly live: LiveState
	readonly paused: boolean
	readonly held: number
	readonly box: RefObject<HTMLInputElement | null>
	readonly change: ChangeView
	readonly onPause: () => void
	readonly onHelp: () => void
}

/** Of a text box: what is being typed stays while the page around it is drawn anew, until another text is set. `give` is told on Enter and when the box is left. */
function useTyped(text: string, give: (text: string) => void) {
	const [typed, setTyped] = useState<string>()
	useLayoutEffect(() => setTyped(undefined), [text])
	return {
		value: typed ?? text,
		onInput: (event: TargetedEvent<HTMLInputElement>) => setTyped(event.currentTarget.value),
		onChange: (event: TargetedEvent<HTMLInputElement>) => give(event.currentTarget.value.trim()),
		// Escape leaves the box, and what was typed is not taken.
		onKeyDown: (event: TargetedEvent<HTMLInputElement, KeyboardEvent>) => {
			if (event.key !== 'Escape') return
			event.currentTarget.value = text
			setTyped(undefined)
		},
	}
}

export function Toolbar(props: ToolbarProps) {
	const { view, cluster, clusters, live, paused, held, box, change, onPause, onHelp } = props
	const words = useTyped(view.words, (typed) => change({ words: typed }))
	return (
		<header class="top">
			<h1>Kubetape</h1>
			<select
				aria-label="Cluster"
				value={cluster}
				onChange={(event) => change({ cluster: event.currentTarget.value, object: '', revision: '', base: '', from: '', to: '' })}
			>
				{!clusters.some(({ name }) => name === cluster) && <option>{cluster}</option>}
				{clusters.map(({ name }) => (
					<option key={name}>{name}</option>
				))}
			</select>
			<input
				ref={box}
				type="text"
				role="searchbox"
				class="filter"
				placeholder='filter: ns:shop kind:Deployment user:bob is:warning "free text"  ( / )'
				aria-label="Filter"
				title="Words: ns kind name uid user verb code resource pod container node is:warning is:error owned; all else is free text"
				spellcheck={false}
				{...words}
			/>
			<Range {...props} />
			<span class="buttons" role="group" aria-label="View">
				<button type="button" aria-pressed={!view.table} title="t" onClick={() => change({ table: false })}>
					lanes
				</button>
				<button type="button" aria-pressed={view.table} title="t" onClick={() => change({ table: true })}>
					table
				</button>
			</span>
			<button
				type="button"
				class={`live ${live}`}
				aria-pressed={view.live}
				title="New records as they are stored (l)"
				onClick={() => change({ live: !view.live, ...(view.live ? {} : { to: '' }) })}
			>
				{liveText[live]}
			</button>
			{view.live && (
				<button type="button" class="pause" aria-pressed={paused} title="Space" onClick={onPause}>
					{paused ? `paused: ${plural(held, 'new record')}` : 'pause'}
				</button>
			)}
			<CoverageButton {...props} />
			<button type="button" class="help-button" aria-label="Help" title="Keys and words (?)" onClick={onHelp}>
				?
			</button>
		</header>
	)
}

function Range({ view, from, seen, cluster, clusters, change }: ToolbarProps) {
	const recorded = clusters.find(({ name }) => name === cluster)
	const ends = {
		from: useTyped(view.from, (typed) => change({ from: typed })),
		to: useTyped(view.to, (typed) => change({ to: typed, ...(typed === '' ? {} : { live: false }) })),
	}
	const value = from === '' && view.to === '' ? everything : from
	const named = view.to === '' && ranges.some(([known]) => known === value)
	const choose = (select: HTMLSelectElement): void => {
		select.blur() // the next key is not about it
		const next = select.value
		if (next !== 'chosen') change({ from: next, to: '' })
		else change({ from: seen.from || (recorded?.firstTime ?? ''), to: seen.to || (recorded?.lastTime ?? ''), live: false })
	}
	return (
		<span class="range">
			<select aria-label="Time range" value={named ? value : 'chosen'} onChange={(event) => choose(event.currentTarget)}>
				{ranges.map(([known, text]) => (
					<option key={known} value={known}>
						{text}
					</option>
				))}
				<option value="chosen">from … to</option>
			</select>
			{!named &&
				(['from', 'to'] as const).map((end) => (
					<input
						key={end}
						class="when"
						aria-label={end === 'from' ? 'From' : 'To'}
						title="RFC 3339 (2026-11-23T16:19:00Z) or date math (now-15m), UTC"
						placeholder={end === 'from' ? 'begin' : 'now'}
						{...ends[end]}
					/>
				))}
		</span>
	)
}

function CoverageButton({ view, coverage, change }: ToolbarProps) {
	if (!coverage) return null
	const { text, state } = coverageText(coverage)
	return (
		<button
			type="button"
			class={`coverage ${state}`}
			aria-pressed={view.ledger}
			title="What was seen whole, gaps and rejects (c)"
			onClick={() => change({ ledger: !view.ledger, object: '', revision: '', base: '' })}
		>
			{state === 'good' ? '✓ ' : state === 'bad' ? '▲ ' : ''}
			{text}
		</button>
	)
}
