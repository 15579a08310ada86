// How complete the record is: revisions seen whole, gaps one by one, and the inputs that were set aside as bad.
import { useEffect, useRef, useState } from 'preact/hooks'
import type { WireCoverage, WirePage, WireReject } from '#api/wire.ts'
import { api, objectPath } from './api.ts'
import { count, plural } from './time.ts'

const gapsMax = 200
const touchedMax = 20
const rejectsPage = 50

/** `revisions 2..2683: all 2,682 present`, per range of revisions; empty where nothing is known. */
export function statement(coverage: WireCoverage): readonly string[] {
	return coverage.ranges.map(({ from, to, space, scope }) => {
		const all = count(Number(BigInt(to) - BigInt(from) + 1n))
		const where = [scope, space === 'main' ? '' : space].filter((part) => part !== '').join(', ')
		return `revisions ${from}..${to}: all ${all} present${where === '' ? '' : ` (${where})`}`
	})
}

export function coverageText(coverage: WireCoverage): { readonly text: string; readonly state: 'good' | 'bad' | '' } {
	const { gaps, rejects, ranges } = coverage
	const bad = [gaps.length > 0 ? plural(gaps.length, 'gap') : '', rejects > 0 ? plural(rejects, 'reject') : ''].filter(
		(part) => part !== '',
	)
	if (bad.length > 0) return { text: bad.join(', '), state: 'bad' }
	if (ranges.length === 0) return { text: 'coverage not known', state: '' }
	const [first] = ranges
	return {
		text: ranges.length === 1 ? `complete: revisions ${first?.from}..${first?.to}` : `complete: ${plural(ranges.length, 'range')}`,
		state: 'good',
	}
}

interface LedgerProps {
	readonly cluster: string
	readonly coverage: WireCoverage | undefined
	readonly problem: string
	/** Changes when there may be more of them. */
	readonly newest: string
	readonly onOpenKey: (key: string) => void
	readonly onClose: () => void
}

export function Ledger({ cluster, coverage, problem, newest, onOpenKey, onClose }: LedgerProps) {
	return (
		<aside class="object ledger" aria-label="Coverage, gaps and rejects">
			<header>
				<h2>How complete the record is</h2>
				<button type="button" onClick={onClose} aria-label="Close" title="Close (Esc)">
					✕
				</button>
			</header>
			<div class="ledger-body" tabIndex={0} role="group" aria-label="Statements">
				{problem !== '' && (
					<p class="problem" role="alert">
						{problem}
					</p>
				)}
				{coverage && (
					<>
						<h3>Seen whole</h3>
						<ul class="statements">
							{statement(coverage).map((text) => (
								<li key={text}>{text}</li>
							))}
						</ul>
						{coverage.audit.length > 0 && (
							<ul class="statements">
								{coverage.audit.map(({ way, fromTime, toTime, sent, received }) => (
									<li key={`${way} ${fromTime}`}>
										audit entries by {way}, {fromTime} to {toTime}: {count(received)} came of {count(sent)} that were sent
									</li>
								))}
							</ul>
						)}
						{coverage.ranges.length === 0 && <p class="none">No range of revisions is stated as whole.</p>}
						<Gaps coverage={coverage} cluster={cluster} onOpenKey={onOpenKey} />
					</>
				)}
				<Rejects cluster={cluster} newest={newest} expected={coverage?.rejects} />
			</div>
		</aside>
	)
}

function Gaps({
	coverage,
	cluster,
	onOpenKey,
}: {
	readonly coverage: WireCoverage
	readonly cluster: string
	readonly onOpenKey: (key: string) => void
}) {
	const { gaps } = coverage
	return (
		<>
			<h3>{gaps.length === 0 ? 'No gaps' : plural(gaps.length, 'gap')}</h3>
			<ul class="gaps">
				{gaps.slice(0, gapsMax).map((gap, index) => (
					<li key={`${gap.scope}${gap.observed}${index}`}>
						<b>{gap.reason}</b> revisions {gap.from ?? 'not known'} to {gap.to ?? 'not known'} of{' '}
						{gap.scope === '' ? 'everything' : gap.scope}
						<div class="facts">
							{gap.fromTime ?? 'time not known'} to {gap.toTime ?? 'time not known'} · noticed {gap.observed} · {gap.detail}
						</div>
						<div class="facts">
							{plural(gap.touchedCount, 'object')} differed after it
							{gap.touched.length > 0 && ': '}
							{gap.touched.slice(0, touchedMax).map((key) => (
								<a
									key={key}
									class="touched"
									href={`/api/v1/history/${objectPath(cluster, key)}`}
									onClick={(event) => (event.preventDefault(), onOpenKey(key))}
								>
									{key}
								</a>
							))}
							{gap.touchedCount > Math.min(touchedMax, gap.touched.length) &&
								` and ${count(gap.touchedCount - Math.min(touchedMax, gap.touched.length))} more`}
						</div>
					</li>
				))}
			</ul>
			{gaps.length > gapsMax && (
				<p class="none">
					the first {gapsMax} of {count(gaps.length)}
				</p>
			)}
		</>
	)
}

type Page = Pick<WirePage<WireReject>, 'items' | 'next'>

interface RejectPages extends Page {
	readonly problem: string
	readonly busy: boolean
}

/** What came meanwhile goes before what is there; where more came than fit on a page, it begins anew. */
export function withNewest(before: Page, newest: Page): Page {
	const known = newest.items.findIndex(({ id }) => id === before.items[0]?.id)
	return known < 0 ? newest : { items: [...newest.items.slice(0, known), ...before.items], next: before.next }
}

/** `expected` undefined: how many there are is not known. */
function Rejects({
	cluster,
	newest,
	expected,
}: {
	readonly cluster: string
	readonly newest: string
	readonly expected: number | undefined
}) {
	const [pages, setPages] = useState<RejectPages>({ items: [], next: null, problem: '', busy: true })
	const ask = (cursor: string | null, signal: AbortSignal, join: (before: Page, page: Page) => Page): void => {
		setPages((before) => ({ ...before, busy: true }))
		api.rejects({ cluster, limit: String(rejectsPage), ...(cursor === null ? {} : { cursor }) }, signal).then(
			(page) => signal.aborted || setPages((before) => ({ ...join(before, page), problem: '', busy: false })),
			(error: Error) => signal.aborted || setPages((before) => ({ ...before, problem: error.message, busy: false })),
		)
	}
	const leaving = useRef(new AbortController())
	useEffect(() => {
		const left = (leaving.current = new AbortController())
		return () => left.abort()
	}, [cluster])
	useEffect(() => {
		const stop = new AbortController()
		ask(null, stop.signal, withNewest)
		return () => stop.abort()
	}, [cluster, newest, expected])
	const askOlder = (cursor: string): void =>
		ask(cursor, leaving.current.signal, (before, older) =>
			before.next === cursor ? { items: [...before.items, ...older.items], next: older.next } : before,
		)
	return (
		<>
			<h3>{expected === undefined ? 'Rejects' : expected === 0 ? 'No rejects' : `${plural(expected, 'input')} rejected`}</h3>
			{pages.problem !== '' && (
				<p class="problem" role="alert">
					{pages.problem}
				</p>
			)}
			{pages.items.length > 0 && (
				<table class="rejects">
					<thead>
						<tr>
							<th scope="col">time (UTC)</th>
							<th scope="col">step</th>
							<th scope="col">reason</th>
							<th scope="col">where</th>
							<th scope="col">bytes</th>
							<th scope="col">SHA-256</th>
						</tr>
					</thead>
					<tbody>
						{pages.items.map((item) => (
							<tr key={item.id}>
								<td>{item.time.slice(0, 19).replace('T', ' ')}</td>
								<td>{item.step}</td>
								<td>{item.reason}</td>
								<td>{item.where}</td>
								<td class="number">{count(item.sizeBytes)}</td>
								<td title={item.sha256}>
									<code>{item.sha256.slice(0, 12)}</code>
								</td>
							</tr>
						))}
					</tbody>
				</table>
			)}
			{pages.next !== null && (
				<button type="button" class="more" disabled={pages.busy} onClick={() => pages.next !== null && askOlder(pages.next)}>
					older rejects
				</button>
			)}
		</>
	)
}
