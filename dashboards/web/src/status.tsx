// The line above the lanes: how much is shown of how much, and the marks, which are switches as well.
import type { WireBucket } from '#api/wire.ts'
import { everything, includes, type View } from './filter.ts'
import { count, plural } from './time.ts'
import type { ChangeView } from './use-view.ts'

const marks = { changes: 'change', events: 'event', audit: 'audit', logs: 'log' } as const
const names = { changes: 'changes', events: 'events', audit: 'requests', logs: 'log lines' } as const

interface StatusProps {
	readonly view: View
	readonly buckets: readonly WireBucket[]
	readonly held: number
	readonly total: number
	readonly objects: number
	readonly busy: boolean
	readonly fresh: number
	readonly change: ChangeView
	readonly onFresh: () => void
}

export function Status({ view, buckets, held, total, objects, busy, fresh, change, onFresh }: StatusProps) {
	const by = (kind: keyof WireBucket['counts']): number => buckets.reduce((sum, { counts }) => sum + (counts[kind] ?? 0), 0)
	const zoomed = view.to !== '' || (view.from !== '' && view.from !== everything)
	return (
		<div class="status-line">
			<p class="status" role="status" data-busy={busy}>
				{held < total ? `${count(held)} of ${plural(total, 'record')}` : plural(held, 'record')} of {plural(objects, 'object')}
				{busy ? ' · loading …' : ''}
			</p>
			{zoomed && (
				<button type="button" class="link" onClick={() => change({ from: everything, to: '' })}>
					whole range
				</button>
			)}
			{view.words !== '' && (
				<button type="button" class="link" onClick={() => change({ words: '' })}>
					clear filter
				</button>
			)}
			{fresh > 0 && (
				<button type="button" class="fresh" onClick={onFresh}>
					{plural(fresh, 'new record')}: show
				</button>
			)}
			<fieldset class="kinds">
				<legend class="hidden">Kinds of records</legend>
				{includes.map((name) => (
					<label key={name}>
						<input
							type="checkbox"
							checked={view.include.includes(name)}
							onChange={(event) =>
								change({
									include: includes.filter((other) => (other === name ? event.currentTarget.checked : view.include.includes(other))),
								})
							}
						/>
						<i class={`mark ${marks[name]}`} aria-hidden="true" /> {names[name]}
						{view.include.includes(name) && <span class="many"> {count(by(marks[name]))}</span>}
					</label>
				))}
			</fieldset>
			<span class="key">
				<i class="mark human" aria-hidden="true" /> by a person <i class="mark warning" aria-hidden="true" /> warning{' '}
				<i class="mark error" aria-hidden="true" /> error · UTC
			</span>
		</div>
	)
}
