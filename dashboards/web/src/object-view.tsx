// One object: its versions, what changed in the chosen one, who did it, and the whole of it as it was.
import { useEffect, useState } from 'preact/hooks'
import type { WireActor, WireDiff, WireState, WireVersion } from '#api/wire.ts'
import { api, objectPath } from './api.ts'
import { bound } from './table-view.tsx'
import { yamlLines } from './yaml.ts'

interface ObjectViewProps {
	readonly cluster: string
	readonly object: string
	readonly revision: string
	readonly onRevision: (revision: string) => void
	readonly onClose: () => void
}

const versionsMax = 500

function shown(value: unknown): string {
	if (value === undefined) return '—'
	return typeof value === 'string' ? value : JSON.stringify(value, undefined, 1)
}

function actorText(actor: WireActor | null): string {
	if (actor === null) return ''
	if (actor.tier === 'unresolved') return 'not resolved'
	return `${actor.user}${actor.impersonated === '' ? '' : ` as ${actor.impersonated}`}, ${actor.verb}`
}

export function ObjectView({ cluster, object, revision, onRevision, onClose }: ObjectViewProps) {
	const [versions, setVersions] = useState<readonly WireVersion[]>([])
	const [more, setMore] = useState(false)
	const [problem, setProblem] = useState('')
	const [diff, setDiff] = useState<WireDiff>()
	const [state, setState] = useState<WireState>()
	const path = objectPath(cluster, object)
	const noise = versions.filter((version) => version.folded === undefined)
	const chosen = versions.find((version) => version.revision === revision) ?? noise.at(-1) ?? versions.at(-1)

	useEffect(() => {
		const stop = new AbortController()
		setVersions([])
		setProblem('')
		api.history(path, { limit: String(versionsMax), order: 'desc' }, stop.signal).then(
			(page) => {
				setVersions(page.items.toReversed())
				setMore(page.next !== null)
			},
			(error: Error) => stop.signal.aborted || setProblem(error.message),
		)
		return () => stop.abort()
	}, [path])

	useEffect(() => {
		if (!chosen?.revision) return undefined
		const stop = new AbortController()
		setDiff(undefined)
		setState(undefined)
		const quiet = (error: Error): void => {
			if (!stop.signal.aborted) setProblem(error.message)
		}
		api.diff(path, { to: chosen.revision }, stop.signal).then(setDiff, quiet)
		api.state(path, { at: chosen.revision }, stop.signal).then(setState, quiet)
		return () => stop.abort()
	}, [path, chosen?.revision])

	useEffect(() => {
		document.querySelector('.version[aria-current=true]')?.scrollIntoView({ block: 'nearest' })
	}, [chosen?.id])

	useEffect(() => {
		const move = (event: KeyboardEvent): void => {
			if (event.target instanceof HTMLInputElement || (event.key !== 'j' && event.key !== 'k')) return
			const index = versions.findIndex((version) => version.id === chosen?.id)
			const next = versions[index + (event.key === 'j' ? 1 : -1)]
			if (next?.revision) onRevision(next.revision)
		}
		addEventListener('keydown', move)
		return () => removeEventListener('keydown', move)
	}, [versions, chosen?.id, onRevision])

	return (
		<aside class="object" aria-label={`Object ${object}`}>
			<header>
				<h2>{object}</h2>
				<button type="button" onClick={onClose} aria-label="Close">
					✕
				</button>
			</header>
			{problem !== '' && (
				<p class="problem" role="alert">
					{problem}
				</p>
			)}
			<div class="object-body">
				<ol class="versions" aria-label="Versions" tabIndex={0}>
					{more && <li class="note">the newest {versionsMax} versions</li>}
					{versions.map((version) => (
						<li key={version.id}>
							<button
								type="button"
								class={`version ${version.severity}`}
								aria-current={version.id === chosen?.id}
								onClick={() => onRevision(version.revision ?? '')}
							>
								<span class="time">
									{version.time.slice(11, 23)} <i>{bound(version.timeBoundSeconds)}</i>
								</span>
								<span class="revision">rev {version.revision}</span>
								<span class="summary">{version.summary}</span>
								{version.actor?.tier === 'exact' && <span class="actor">{actorText(version.actor)}</span>}
							</button>
						</li>
					))}
				</ol>
				<div class="version-detail" tabIndex={0} aria-label="Version">
					{chosen && (
						<>
							<h3>
								revision {chosen.revision}: {chosen.summary}
							</h3>
							<p class="facts">
								{chosen.time} {bound(chosen.timeBoundSeconds)}
								{chosen.sighting !== 'watch' && <b> · as found by a {chosen.sighting}</b>}
								{chosen.actor && (
									<>
										{' '}
										· who: <b>{actorText(chosen.actor)}</b>
										{chosen.actor.tier === 'exact' && ` from ${chosen.actor.sourceIP} with ${chosen.actor.userAgent.split(' ')[0]}`}
									</>
								)}
								{chosen.owners && chosen.owners.length > 0 && (
									<> · owned by {chosen.owners.map((owner) => `${owner.kind} ${owner.name}`).join(' ← ')}</>
								)}
								{chosen.note !== undefined && <> · {chosen.note}</>}
							</p>
							{diff && diff.changes.length > 0 && <DiffTable diff={diff} />}
							{state?.body && (
								<details open={diff === undefined || diff.changes.length === 0}>
									<summary>the whole object at revision {chosen.revision}</summary>
									<pre>{yamlLines(state.body).join('\n')}</pre>
								</details>
							)}
						</>
					)}
				</div>
			</div>
		</aside>
	)
}

const facetOrder = ['spec', 'data', 'status', 'metadata'] as const

function DiffTable({ diff }: { readonly diff: WireDiff }) {
	return (
		<table class="diff">
			<caption>what changed since revision {diff.from ?? 'none'}</caption>
			<tbody>
				{facetOrder.flatMap((facet) => {
					const changes = diff.changes.filter((change) => change.facet === facet)
					return changes.length === 0
						? []
						: [
								<tr key={facet}>
									<th colSpan={3} scope="colgroup">
										{facet}
									</th>
								</tr>,
								...changes.map((change) => (
									<tr key={change.path}>
										<td class="path">{change.path}</td>
										<td class="before">{change.op === 'added' ? '' : <del>{shown(change.before)}</del>}</td>
										<td class="after">{change.op === 'removed' ? '' : <ins>{shown(change.after)}</ins>}</td>
									</tr>
								)),
							]
				})}
			</tbody>
		</table>
	)
}
