// The timeline page: density, lanes or table, one object; keyboard and deep links.
import { render } from 'preact'
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { WireCluster, WireCoverage, WireItem } from '#api/wire.ts'
import { api } from './api.ts'
import { useCoverage, useLive, useRecords } from './data.ts'
import { Density } from './density.tsx'
import { includes, readView, writeView, type View } from './filter.ts'
import { LaneView, openLane } from './lane-view.tsx'
import { actsOf, lanesOf } from './lanes.ts'
import { ObjectView } from './object-view.tsx'
import './style.css'
import { TableView } from './table-view.tsx'

function useView(): [View, (change: Partial<View>) => void] {
	const [view, setView] = useState(() => readView(location.hash))
	useEffect(() => {
		const read = (): void => setView(readView(location.hash))
		addEventListener('hashchange', read)
		return () => removeEventListener('hashchange', read)
	}, [])
	const change = useCallback((part: Partial<View>) => {
		const next = { ...readView(location.hash), ...part }
		location.hash = writeView(next)
		setView(next)
	}, [])
	return [view, change]
}

function Coverage({ coverage }: { readonly coverage: WireCoverage | undefined }) {
	if (!coverage) return null
	const { ranges, gaps, rejects } = coverage
	const whole = gaps.length === 0 && ranges.length > 0
	const text =
		gaps.length > 0
			? `${gaps.length} gap${gaps.length === 1 ? '' : 's'}`
			: whole
				? `complete: revisions ${ranges
						.map((range) => `${range.from}–${range.to}`)
						.slice(0, 3)
						.join(', ')}`
				: 'coverage not known'
	return (
		<details class={`coverage ${gaps.length > 0 || rejects > 0 ? 'bad' : whole ? 'good' : ''}`}>
			<summary>
				{text}
				{rejects > 0 && `, ${rejects} rejected`}
			</summary>
			<div class="panel">
				{ranges.map((range) => (
					<p key={range.from + range.scope}>
						revisions {range.from} to {range.to} seen whole: {range.versions} versions ({range.scope})
					</p>
				))}
				{gaps.map((gap) => (
					<p key={gap.observed + gap.scope} class="gap">
						<b>{gap.reason}</b> {gap.scope}: {gap.from ?? '?'} to {gap.to ?? '?'}: {gap.detail}; {gap.touchedCount} objects differ
					</p>
				))}
				{rejects > 0 && (
					<p>
						{rejects} inputs were set aside as bad: <a href="/api/v1/rejects">list</a>
					</p>
				)}
			</div>
		</details>
	)
}

const help = [
	['j k', 'next, previous lane or version'],
	['Enter', 'open the lane'],
	['/', 'filter'],
	['t', 'table or lanes'],
	['l', 'live'],
	['Esc', 'back'],
	['?', 'this help'],
] as const

function App() {
	const [view, change] = useView()
	const [clusters, setClusters] = useState<readonly WireCluster[]>([])
	const [problem, setProblem] = useState('')
	const [chosen, setChosen] = useState(-1)
	const [asking, setAsking] = useState(false)
	const box = useRef<HTMLInputElement>(null)
	useEffect(() => {
		let timer: ReturnType<typeof setTimeout> | undefined
		const load = (): void => {
			api.clusters().then(
				({ items }) => {
					setClusters(items)
					setProblem('')
					if (items.length === 0) timer = setTimeout(load, 500)
				},
				(error: Error) => {
					setProblem(error.message)
					timer = setTimeout(load, 2000)
				},
			)
		}
		load()
		return () => clearTimeout(timer)
	}, [])
	const cluster = clusters.find((candidate) => candidate.name === view.cluster) ?? clusters[0]
	const full: View = { ...view, cluster: view.cluster || (cluster?.name ?? ''), from: view.from || (cluster?.replay ? '' : 'now-1h') }
	const { loaded, showMore, add } = useRecords(full)
	useLive(full, add)
	const coverage = useCoverage(full.cluster)
	const lanes = useMemo(() => lanesOf(loaded.items), [loaded.items])
	const acts = useMemo(() => actsOf(loaded.items), [loaded.items])
	const first = loaded.buckets[0]
	const last = loaded.buckets.at(-1)
	const open = useCallback(
		(item: WireItem) =>
			item.object &&
			change({ object: item.object.key, revision: item.kind === 'change' ? (item.revision ?? '') : (item.audit?.responseRevision ?? '') }),
		[change],
	)
	const zoom = useCallback((from: string, to: string) => change({ from, to }), [change])
	const back = useCallback(() => history.back(), [])
	const setRevision = useCallback((revision: string) => change({ revision }), [change])
	const close = useCallback(() => change({ object: '', revision: '' }), [change])

	useEffect(() => {
		const press = (event: KeyboardEvent): void => {
			if (event.target instanceof HTMLInputElement) {
				if (event.key === 'Escape') event.target.blur()
				return
			}
			if (event.metaKey || event.ctrlKey || event.altKey) return
			if (event.key === '/') {
				event.preventDefault()
				box.current?.focus()
			} else if (event.key === 't') change({ table: !view.table })
			else if (event.key === 'l') change({ live: !view.live })
			else if (event.key === '?') setAsking((before) => !before)
			else if (event.key === 'Escape') {
				if (asking) setAsking(false)
				else if (view.object !== '') close()
				else if (view.from !== '' || view.to !== '') change({ from: '', to: '' })
			} else if (view.object === '' && (event.key === 'j' || event.key === 'ArrowDown'))
				setChosen((before) => Math.min(lanes.length - 1, before + 1))
			else if (view.object === '' && (event.key === 'k' || event.key === 'ArrowUp')) setChosen((before) => Math.max(0, before - 1))
			else if (event.key === 'Enter' && event.target === document.body && lanes[chosen]) openLane(lanes[chosen], open)
		}
		addEventListener('keydown', press)
		return () => removeEventListener('keydown', press)
	}, [view, lanes, chosen, asking, change, close, open])

	return (
		<div class={view.object === '' ? 'page' : 'page with-object'}>
			<header class="top">
				<h1>Kubetape</h1>
				<label>
					cluster{' '}
					<select value={full.cluster} onChange={(event) => change({ cluster: event.currentTarget.value, object: '', from: '', to: '' })}>
						{clusters.map(({ name }) => (
							<option key={name}>{name}</option>
						))}
					</select>
				</label>
				<input
					ref={box}
					type="text"
					role="searchbox"
					class="filter"
					placeholder='ns:shop kind:Deployment is:warning "free text"   ( / )'
					aria-label="Filter"
					value={view.words}
					onChange={(event) => change({ words: event.currentTarget.value })}
				/>
				<label>
					from{' '}
					<input
						class="when"
						value={view.from}
						placeholder={first?.from.slice(0, 19) ?? 'now-1h'}
						onChange={(event) => change({ from: event.currentTarget.value })}
					/>
				</label>
				<label>
					to{' '}
					<input
						class="when"
						value={view.to}
						placeholder={last?.to.slice(0, 19) ?? 'now'}
						onChange={(event) => change({ to: event.currentTarget.value })}
					/>
				</label>
				<fieldset>
					<legend class="hidden">Kinds</legend>
					{includes.map((name) => (
						<label key={name} class={`include ${name}`}>
							<input
								type="checkbox"
								checked={view.include.includes(name)}
								onChange={(event) =>
									change({
										include: includes.filter((other) => (other === name ? event.currentTarget.checked : view.include.includes(other))),
									})
								}
							/>
							{name}
						</label>
					))}
				</fieldset>
				<button type="button" aria-pressed={view.table} onClick={() => change({ table: !view.table })}>
					table
				</button>
				<button type="button" aria-pressed={view.live} onClick={() => change({ live: !view.live })}>
					live
				</button>
				<Coverage coverage={coverage} />
			</header>
			<main>
				{problem + loaded.problem !== '' && (
					<p class="problem" role="alert">
						{problem || loaded.problem}
					</p>
				)}
				<Density buckets={loaded.buckets} onZoom={zoom} onBack={back} />
				<p class="status" aria-live="polite">
					{loaded.busy ? 'loading … ' : ''}
					{loaded.items.length} records of {lanes.length} objects
					{loaded.more ? ' (the newest; there are more: narrow the range or the filter)' : ''}
					<span class="key">
						<i class="change" /> change <i class="event" /> event <i class="audit" /> request <i class="human" /> by a person{' '}
						<i class="warning" /> warning · times are UTC
					</span>
				</p>
				{view.table ? (
					<TableView items={loaded.items} more={loaded.more} onMore={showMore} onOpen={open} />
				) : (
					<div class="story">
						<LaneView
							lanes={lanes}
							from={Date.parse(first?.from ?? '')}
							to={Date.parse(last?.to ?? '')}
							chosen={chosen}
							onChoose={setChosen}
							onOpen={open}
						/>
						<section class="acts" aria-label="What people did" tabIndex={0}>
							<h2>What people did</h2>
							<ol>
								{acts.slice(0, 500).map(({ item, count }) => (
									<li key={item.id} class={item.severity}>
										<button type="button" onClick={() => open(item)} disabled={!item.object?.name}>
											<time>{item.time.slice(11, 19)}</time> {item.summary}
											{count > 1 && <b> and {count - 1} more at once</b>}
										</button>
									</li>
								))}
							</ol>
							{acts.length === 0 && <p>no request of a person in this range</p>}
						</section>
					</div>
				)}
			</main>
			{view.object !== '' && full.cluster !== '' && (
				<ObjectView cluster={full.cluster} object={view.object} revision={view.revision} onRevision={setRevision} onClose={close} />
			)}
			{asking && (
				<dialog open class="help" aria-label="Keys">
					<dl>
						{help.map(([keys, what]) => (
							<div key={keys}>
								<dt>{keys}</dt>
								<dd>{what}</dd>
							</div>
						))}
					</dl>
				</dialog>
			)}
		</div>
	)
}

const root = document.getElementById('app')
if (root) render(<App />, root)
