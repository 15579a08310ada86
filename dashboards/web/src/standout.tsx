// The summary: what went wrong and what came just before it, who touched access, what is missing. Each line opens its records.
import { useEffect, useRef, useState } from 'preact/hooks'
import type { WireActor, WireCoverage, WireItem } from '#api/wire.ts'
import { AccessCard } from './access-card.tsx'
import { Actor } from './actor.tsx'
import { api, objectPath } from './api.ts'
import type { View } from './filter.ts'
import type { Breakage, Findings } from './findings.ts'
import { clock, count, plural } from './time.ts'

const breakagesMax = 6
/** Actors asked for at once: of the changes that stand before what went wrong. */
const actorsMax = 8

interface StandoutProps {
	readonly cluster: string
	/** Changes when there may be more records. */
	readonly newest: string
	readonly findings: Findings
	readonly coverage: WireCoverage | undefined
	/** Only a part of the range is held: the newest, and what matters of the rest. */
	readonly partial: string
	readonly folded: boolean
	readonly spanMs: number
	readonly change: (part: Partial<View>) => void
	readonly onOpen: (item: WireItem) => void
}

/** Who made these changes, as the server says it. What it says exactly stays so; else it is asked again when `newest` changes: requests may come after what they did. */
function useActors(cluster: string, items: readonly WireItem[], newest: string): ReadonlyMap<string, WireActor | null> {
	const [actors, setActors] = useState<ReadonlyMap<string, WireActor | null>>(new Map())
	const asked = useRef({ newest, ids: new Set<string>() })
	if (asked.current.newest !== newest) asked.current = { newest, ids: new Set() }
	const isOpen = (id: string): boolean => actors.get(id)?.tier !== 'exact' && !asked.current.ids.has(id)
	const wanted = items.filter(({ id, object, revision }) => object && revision && isOpen(id)).slice(0, actorsMax)
	const ids = wanted.map(({ id }) => id).join()
	useEffect(() => {
		if (wanted.length === 0) return undefined
		const stop = new AbortController()
		const answering = wanted.map(async (item): Promise<[string, WireActor | null]> => {
			const diff = await api.diff(
				objectPath(cluster, item.object?.key ?? ''),
				{ to: item.revision ?? '', ...(item.space === undefined ? {} : { space: item.space }) },
				stop.signal,
			)
			return [item.id, diff.actor ?? null]
		})
		void Promise.allSettled(answering).then((answers) => {
			if (stop.signal.aborted) return
			for (const { id } of wanted) asked.current.ids.add(id)
			const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
			setActors((before) => new Map([...before, ...found]))
		})
		return () => stop.abort()
	}, [cluster, ids, newest])
	return actors
}

export function headline(
	findings: Findings,
	coverage: WireCoverage | undefined,
): readonly { readonly text: string; readonly loud: boolean }[] {
	const { breakages, refusals, unrequested, audited } = findings
	const refused = refusals.reduce((sum, { items }) => sum + items.length, 0)
	const parts = [
		breakages.length === 0
			? { text: 'no warning about any object', loud: false }
			: { text: `${plural(breakages.length, 'object')} with warnings`, loud: true },
		...(refused > 0 ? [{ text: `${plural(refused, 'request')} of people refused`, loud: true }] : []),
		...(unrequested.items.length > 0 ? [{ text: `${plural(unrequested.items.length, 'write')} without a request`, loud: true }] : []),
		...(audited ? [] : [{ text: 'no requests are recorded: who did what is not known', loud: false }]),
	]
	if (!coverage) return parts
	const { gaps, rejects, ranges } = coverage
	if (gaps.length > 0) parts.push({ text: `${plural(gaps.length, 'gap')} in the record`, loud: true })
	if (rejects > 0) parts.push({ text: `${plural(rejects, 'input')} rejected`, loud: true })
	if (gaps.length === 0 && ranges.length > 0) parts.push({ text: 'no record is missing', loud: false })
	return parts
}

export function Standout(props: StandoutProps) {
	const { cluster, newest, findings, coverage, partial, folded, spanMs, change, onOpen } = props
	const shown = findings.breakages.slice(0, breakagesMax)
	const actors = useActors(
		cluster,
		shown.flatMap(({ before, nearby }) => [...(before ? [before] : []), ...nearby]),
		newest,
	)
	const parts = headline(findings, coverage)
	return (
		<section class={`standout${folded ? ' folded' : ''}`} aria-label="What stands out">
			<h2>
				<button type="button" class="fold" aria-expanded={!folded} onClick={() => change({ folded: !folded })}>
					<span aria-hidden="true">{folded ? '▸' : '▾'}</span> What stands out
				</button>
				<span class="headline">
					{parts.map(({ text, loud }) => (
						<span key={text} class={loud ? 'loud' : 'calm'}>
							{text}
						</span>
					))}
				</span>
			</h2>
			{!folded && (
				<div class="cards">
					<div class="card broke" tabIndex={0} role="group" aria-label="What went wrong">
						<h3>What went wrong, and what came just before</h3>
						{shown.length === 0 && <p class="none">No warning about any object in this range.</p>}
						<ul>
							{shown.map((item) => (
								<BreakageLine key={`${item.kind}${item.namespace}/${item.name}`} {...{ item, actors, spanMs, change, onOpen }} />
							))}
						</ul>
						{findings.breakages.length > shown.length && (
							<p>
								and {plural(findings.breakages.length - shown.length, 'more object')}:{' '}
								<button type="button" class="link" onClick={() => change({ words: 'is:warning' })}>
									all warnings
								</button>{' '}
								<button type="button" class="link" onClick={() => change({ words: 'is:error' })}>
									all errors
								</button>
							</p>
						)}
						{partial !== '' && <p class="none">{partial}</p>}
					</div>
					<AccessCard {...{ findings, coverage, spanMs, change, onOpen }} />
				</div>
			)}
		</section>
	)
}

interface LineProps {
	readonly spanMs: number
	readonly change: (part: Partial<View>) => void
	readonly onOpen: (item: WireItem) => void
}

function BreakageLine({
	item,
	actors,
	spanMs,
	onOpen,
}: LineProps & { readonly item: Breakage; readonly actors: ReadonlyMap<string, WireActor | null> }) {
	const when = item.count === 1 ? clock(item.first.time, spanMs) : `${clock(item.first.time, spanMs)}–${clock(item.last.time, spanMs)}`
	const reasons = item.reasons.slice(0, 3).map(({ reason, count: times }) => (times > 1 ? `${reason} ×${count(times)}` : reason))
	return (
		<li>
			<button type="button" class="finding" onClick={() => onOpen(item.first)}>
				<span class={`warn${item.first.severity === 'error' || item.last.severity === 'error' ? ' error' : ''}`} aria-hidden="true">
					▲
				</span>{' '}
				<b>
					{item.kind} {[item.namespace, item.name].filter((part) => part !== '').join('/')}
				</b>{' '}
				{reasons.join(', ')} <time>{when}</time>
			</button>
			{[...(item.before ? [item.before] : []), ...item.nearby].map((change) => (
				<button key={change.id} type="button" class="finding before" onClick={() => onOpen(change)}>
					<span aria-hidden="true">↳</span> <time>{clock(change.time, spanMs)}</time>{' '}
					{change !== item.before && `${change.objectKind} ${change.object?.name}: `}
					{change.summary} <Actor actor={actors.get(change.id)} short />
				</button>
			))}
		</li>
	)
}
