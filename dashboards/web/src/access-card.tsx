// Who touched access, which writes nobody asked for, and what is missing: one half of the summary.
import type { WireCoverage, WireItem } from '#api/wire.ts'
import { word, type View } from './filter.ts'
import type { Findings, Group } from './findings.ts'
import { nameOf } from './items.ts'
import { clock, plural } from './time.ts'

const linesMax = 5

function UnrequestedLine({
	item,
	spanMs,
	onOpen,
}: {
	readonly item: WireItem
	readonly spanMs: number
	readonly onOpen: (item: WireItem) => void
}) {
	return (
		<li>
			<button type="button" class="finding" onClick={() => onOpen(item)}>
				<span class="warn error" aria-hidden="true">
					▲
				</span>{' '}
				<b>
					{item.objectKind} {item.object && nameOf(item.object)}
				</b>{' '}
				{item.summary}: <b>no request recorded for it</b> <time>{clock(item.time, spanMs)}</time>
			</button>
		</li>
	)
}

function MissingLine({ coverage, onLook }: { readonly coverage: WireCoverage; readonly onLook: () => void }) {
	const { gaps, rejects } = coverage
	const parts = [gaps.length > 0 ? plural(gaps.length, 'gap') : '', rejects > 0 ? `${plural(rejects, 'input')} rejected` : '']
	return (
		<li>
			<button type="button" class="finding" onClick={onLook}>
				<span class="warn error" aria-hidden="true">
					▲
				</span>{' '}
				{parts.filter((part) => part !== '').join(', ')}: look at them
			</button>
		</li>
	)
}

function GroupLine({ group, label, onOpen }: { readonly group: Group; readonly label: string; readonly onOpen: (item: WireItem) => void }) {
	const named = group.items.find(({ object }) => object?.name)
	const shown = group.what.slice(0, 4)
	const text = (
		<>
			<b class="human">{group.user}</b> {label}: {shown.join(', ')}
			{group.what.length > shown.length && `, ${group.what.length - shown.length} more`}
		</>
	)
	return (
		<li>
			<button type="button" class="finding" disabled={!named} onClick={() => named && onOpen(named)} title={group.what.join('\n')}>
				{text}
			</button>
		</li>
	)
}

interface AccessCardProps {
	readonly findings: Findings
	readonly coverage: WireCoverage | undefined
	readonly spanMs: number
	readonly change: (part: Partial<View>) => void
	readonly onOpen: (item: WireItem) => void
}

export function AccessCard({ findings, coverage, spanMs, change, onOpen }: AccessCardProps) {
	const { unrequested, refusals, access, audited } = findings
	const { items, unrecorded } = unrequested
	const nothing = items.length + unrecorded.length + refusals.length + access.length === 0
	const calm = audited
		? 'No refusal, no change of roles, no Secret or container touched by people.'
		: 'No requests are recorded in this range.'
	return (
		<div class="card trust" tabIndex={0} role="group" aria-label="Access and trust">
			<h3>Access and trust</h3>
			<ul>
				{items.slice(0, linesMax).map((item) => (
					<UnrequestedLine key={item.id} item={item} spanMs={spanMs} onOpen={onOpen} />
				))}
				{items.length > linesMax && <li class="none">and {plural(items.length - linesMax, 'more write')} without a request</li>}
				{coverage && coverage.gaps.length + coverage.rejects > 0 && (
					<MissingLine coverage={coverage} onLook={() => change({ ledger: true })} />
				)}
				{refusals.slice(0, linesMax).map((group) => (
					<GroupLine key={group.user} group={group} label={`refused ${group.items.length}×`} onOpen={onOpen} />
				))}
				{access.slice(0, linesMax).map((group) => (
					<GroupLine key={group.user} group={group} label="did" onOpen={onOpen} />
				))}
				{unrecorded.slice(0, linesMax).map(({ resource, count }) => (
					<li key={resource} class="none">
						requests about {resource} are not recorded: {plural(count, 'change')} of unknown origin
					</li>
				))}
			</ul>
			{refusals.length > 0 && (
				<button type="button" class="link" onClick={() => change({ words: word('code', '403'), include: ['audit'] })}>
					all refused requests
				</button>
			)}
			{nothing && <p class="none">{calm}</p>}
		</div>
	)
}
