// The same records as a list, for reading and for screen readers.
import type { WireItem } from '#api/wire.ts'

interface TableProps {
	readonly items: readonly WireItem[]
	readonly more: boolean
	readonly onMore: () => void
	readonly onOpen: (item: WireItem) => void
}

/** Rows that exist at once: further ones are asked for by the button. */
const rowsMax = 2000

export function bound(seconds: number): string {
	if (seconds === 0) return ''
	return seconds < 0.001 ? '±<1 ms' : seconds < 1 ? `±${Math.round(seconds * 1000)} ms` : `±${seconds.toFixed(1)} s`
}

export function TableView({ items, more, onMore, onOpen }: TableProps) {
	return (
		<div class="table" tabIndex={0} aria-label="Records">
			<table>
				<thead>
					<tr>
						<th scope="col">time (UTC)</th>
						<th scope="col">±</th>
						<th scope="col">what</th>
						<th scope="col">object</th>
						<th scope="col">summary</th>
						<th scope="col">revision</th>
					</tr>
				</thead>
				<tbody>
					{items.slice(0, rowsMax).map((item) => (
						<tr key={item.id + item.kind} class={item.severity}>
							<td class="time">{item.time.slice(11, 23)}</td>
							<td class="bound">{bound(item.timeBoundSeconds)}</td>
							<td>
								<span class={`badge ${item.kind}`}>{item.kind}</span>
							</td>
							<td>
								{item.object ? (
									<button type="button" class="link" onClick={() => onOpen(item)}>
										{item.objectKind || item.object.resource}{' '}
										{[item.object.namespace, item.object.name].filter((part) => part !== '').join('/')}
									</button>
								) : (
									item.log?.pod || item.log?.component || ''
								)}
							</td>
							<td>
								{item.severity !== 'normal' && (
									<span class="warn" aria-label={item.severity}>
										▲{' '}
									</span>
								)}
								{item.summary}
							</td>
							<td class="revision">{item.revision ?? item.audit?.responseRevision ?? ''}</td>
						</tr>
					))}
				</tbody>
			</table>
			{more && (
				<button type="button" class="more" onClick={onMore}>
					show more
				</button>
			)}
		</div>
	)
}
