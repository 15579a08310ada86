// The same records as a list, for reading in order and for screen readers.
import type { WireItem } from '#api/wire.ts'
import { nameOf } from './items.ts'
import { Rows } from './rows.tsx'
import { bound, clock } from './time.ts'

const rowHeight = 25

interface TableProps {
	readonly items: readonly WireItem[]
	readonly chosen: number
	readonly moved: number
	readonly spanMs: number
	/** What is said below the last row. */
	readonly end: string
	readonly onChoose: (index: number) => void
	/** The query; the list of another begins at its top. */
	readonly shown: string | undefined
	readonly onOpen: (item: WireItem) => void
}

export function TableView({ items, chosen, moved, shown, spanMs, end, onChoose, onOpen }: TableProps) {
	return (
		<div class="table">
			<div class="table-head" aria-hidden="true">
				<span>time (UTC)</span>
				<span>what</span>
				<span>object</span>
				<span>summary</span>
				<span>revision</span>
			</div>
			<Rows
				count={items.length}
				height={rowHeight}
				chosen={chosen}
				keyOf={(index) => items[index]?.id}
				moved={moved}
				of={shown}
				class="records"
				label="Records, newest first"
				row={(index) => {
					const item = items[index]
					return (
						item && (
							<Record
								item={item}
								focusable={index === Math.max(0, chosen)}
								spanMs={spanMs}
								onOpen={() => (onChoose(index), onOpen(item))}
							/>
						)
					)
				}}
			>
				{end !== '' && <p class="none">{end}</p>}
			</Rows>
		</div>
	)
}

function Record({
	item,
	focusable,
	spanMs,
	onOpen,
}: {
	readonly item: WireItem
	readonly focusable: boolean
	readonly spanMs: number
	readonly onOpen: () => void
}) {
	const { object, severity } = item
	const about = object ? `${item.objectKind || object.resource} ${nameOf(object)}` : item.log?.pod || item.log?.component || ''
	return (
		<button
			type="button"
			class={`record ${severity}`}
			data-focus
			tabIndex={focusable ? 0 : -1}
			onClick={onOpen}
			aria-disabled={!object?.name}
		>
			<span class="time">
				{clock(item.time, spanMs, 3)} <i>{bound(item.timeBoundSeconds)}</i>
			</span>
			<span class={`badge ${item.kind}`}>{item.kind}</span>
			<span class="about" title={about}>
				{about}
			</span>
			<span class="summary" title={item.summary}>
				{severity !== 'normal' && (
					<span class={`warn ${severity}`} role="img" aria-label={severity}>
						▲{' '}
					</span>
				)}
				{item.summary}
			</span>
			<span class="revision">{item.revision ?? item.audit?.responseRevision ?? ''}</span>
		</button>
	)
}
