// One object: its versions, what changed in the chosen one and who did it, and the whole of it as it was.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { WireDiff, WireState, WireVersion } from '#api/wire.ts'
import { Actor } from './actor.tsx'
import { api, mayPass, objectPath } from './api.ts'
import { BodyView } from './body-view.tsx'
import { DiffView } from './diff-view.tsx'
import { word, type View } from './filter.ts'
import { partsOf } from './items.ts'
import { useRetry } from './retry.ts'
import { bound, plural } from './time.ts'
import { VersionList } from './version-list.tsx'
import { isNamed, partsOfName, useVersions, versionName } from './versions.ts'

const basesMax = 300

interface ObjectViewProps {
	readonly cluster: string
	readonly view: View
	/** Changes when there may be newer versions. */
	readonly newest: string
	readonly change: (part: Partial<View>, replace?: boolean) => void
	readonly onClose: () => void
}

interface Detail {
	readonly of: string
	readonly diff?: WireDiff
	readonly state?: WireState
	readonly problem: string
	/** So often in a row, where it may be otherwise when it is asked again. */
	readonly failures: number
}

/** What is known of one version, asked for by revision: it does not wait for the list. `newest` changes: who it was may be known by now. */
function useDetail(path: string, revision: string | undefined, base: string, newest: string): Detail {
	const of = `${path}@${revision ?? ''}~${base}`
	const [detail, setDetail] = useState<Detail>({ of: '', problem: '', failures: 0 })
	const retry = useRetry(detail.of === of ? detail.failures : 0)
	useEffect(() => {
		if (!revision) return undefined
		const stop = new AbortController()
		const put = (part: Partial<Detail> | ((before: Detail) => Partial<Detail>)): void => {
			if (stop.signal.aborted) return
			setDetail((before) => {
				const known = before.of === of ? before : { of, problem: '', failures: 0 }
				return { ...known, ...(typeof part === 'function' ? part(known) : part) }
			})
		}
		const { revision: at, inSpace } = partsOfName(revision)
		Promise.all([
			api.diff(path, { to: at, ...inSpace, ...(base === '' ? {} : { from: base }) }, stop.signal).then((diff) => put({ diff })),
			api.state(path, { at, ...inSpace }, stop.signal).then((state) => put({ state })),
		]).then(
			() => put({ problem: '', failures: 0 }),
			(error: Error) => put(({ failures }) => ({ problem: error.message, failures: mayPass(error) ? failures + 1 : 0 })),
		)
		return () => stop.abort()
	}, [of, newest, retry])
	return detail.of === of ? detail : { of, problem: '', failures: 0 }
}

/** The newest version when the object was opened: one that comes later does not take the place of what is being read. */
function useOpened(path: string, latest: string | undefined): string | undefined {
	const opened = useRef({ path: '', revision: latest })
	if (opened.current.path !== path || opened.current.revision === undefined) opened.current = { path, revision: latest }
	return opened.current.revision
}

export function ObjectView({ cluster, view, newest, change, onClose }: ObjectViewProps) {
	const { object, revision, base, whole } = view
	const path = objectPath(cluster, object)
	const versions = useVersions(path, revision, newest)
	const { items } = versions
	const [moved, setMoved] = useState(0)
	const latest = useMemo(() => items.find(({ folded }) => folded === undefined) ?? items[0], [items])
	const several = items.some(({ space }) => space !== items[0]?.space)
	const opened = useOpened(path, latest && versionName(latest, several))
	const chosen = revision || opened
	const detail = useDetail(path, chosen, base, newest)
	const choose = (version: WireVersion): void => change({ revision: versionName(version, several), base: '' }, true)

	useLayoutEffect(() => {
		const move = (event: KeyboardEvent): void => {
			if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return
			if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return
			const step = event.key === 'j' || event.key === 'ArrowDown' ? 1 : event.key === 'k' || event.key === 'ArrowUp' ? -1 : 0
			if (event.key === 'y') change({ whole: !whole })
			else if (step !== 0) {
				const next = items[items.findIndex((version) => isNamed(version, chosen ?? '')) + step]
				if (!next?.revision) return
				event.preventDefault()
				choose(next)
				setMoved((before) => before + 1)
			}
		}
		addEventListener('keydown', move)
		return () => removeEventListener('keydown', move)
	}, [items, chosen, whole, change])

	const { namespace, name, resource } = partsOf(object)
	const kind = latest?.objectKind || detail.state?.item.objectKind || resource
	const only = [word('kind', resource), word('name', name), ...(namespace === '' ? [] : [word('ns', namespace)])].join(' ')
	const problem = detail.problem || versions.problem
	return (
		<aside class="object" aria-label={`${kind} ${name}`}>
			<header>
				<h2>
					<span class="kind">{kind}</span> {namespace !== '' && <span class="ns">{namespace}/</span>}
					{name}
				</h2>
				<button type="button" onClick={() => change({ words: only, object: '', revision: '', base: '' })}>
					only this
				</button>
				<button type="button" onClick={onClose} aria-label="Close" title="Close (Esc)">
					✕
				</button>
			</header>
			{problem !== '' && (
				<p class="problem" role="alert">
					{problem}
				</p>
			)}
			<div class="object-body">
				<VersionList versions={versions} chosen={chosen} moved={moved} onChoose={choose} onOlder={versions.older} />
				<VersionDetail {...{ detail, versions: items, chosen, base, whole, change }} busy={problem === ''} />
			</div>
		</aside>
	)
}

interface VersionDetailProps {
	readonly detail: Detail
	readonly versions: readonly WireVersion[]
	readonly chosen: string | undefined
	readonly base: string
	readonly whole: boolean
	readonly busy: boolean
	readonly change: ObjectViewProps['change']
}

function VersionDetail({ detail, versions, chosen, base, whole, busy, change }: VersionDetailProps) {
	const { diff, state } = detail
	const item = versions.find((version) => isNamed(version, chosen ?? '')) ?? state?.item
	const bases = versions.filter(({ revision, space }) => revision !== item?.revision && space === item?.space).slice(0, basesMax)
	return (
		<div class="version-detail" tabIndex={0} role="group" aria-label="Version">
			{item && (
				<>
					<h3>
						<span class="revision">revision {item.revision}</span> {base === '' ? item.summary : (diff?.summary ?? '')}
					</h3>
					<p class="facts">
						{item.time.replace('T', ' ')} {bound(item.timeBoundSeconds)} · {item.operation}
						{item.sighting !== 'watch' && <b> · as found by a {item.sighting}, not seen when it was written</b>}
						{diff && (
							<>
								{' '}
								· <Actor actor={diff.actor} />
								{diff.actor?.tier === 'exact' && ` from ${diff.actor.sourceIP} with ${diff.actor.userAgent.split(' ')[0]}`}
							</>
						)}
						{item.owners && item.owners.length > 0 && (
							<> · owned by {item.owners.map((owner) => `${owner.kind} ${owner.name}`).join(' ← ')}</>
						)}
						{item.note !== undefined && <> · {item.note}</>}
					</p>
				</>
			)}
			<div class="tabs">
				<button type="button" aria-pressed={!whole} onClick={() => change({ whole: false })}>
					what changed
				</button>
				<button type="button" aria-pressed={whole} title="y" onClick={() => change({ whole: true })}>
					whole object
				</button>
				{!whole && bases.length > 0 && (
					<label>
						since{' '}
						<select value={base} onChange={(event) => change({ base: event.currentTarget.value })}>
							<option value="">the version before</option>
							{bases.map((version) => (
								<option key={version.id} value={version.revision}>
									rev {version.revision} {version.summary.slice(0, 50)}
								</option>
							))}
							{base !== '' && !bases.some(({ revision }) => revision === base) && <option value={base}>rev {base}</option>}
						</select>
					</label>
				)}
			</div>
			{!diff && !state && busy && <p class="none">loading …</p>}
			{whole
				? state && <BodyView key={state.item.id} state={state} />
				: diff && <DiffView key={detail.of} diff={diff} body={state?.body} />}
			{versions.length === 0 && !busy && <p class="none">{plural(0, 'version')}</p>}
		</div>
	)
}
