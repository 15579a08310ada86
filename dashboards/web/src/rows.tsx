// Many rows of one height in a scroller: only those in sight exist.
import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'

const overscan = 6

interface RowsProps {
	readonly count: number
	/** Of one row, in pixels. */
	readonly height: number
	/** Kept in sight; -1: none. */
	readonly chosen: number
	/** Counts up when the keyboard moved the choice: its `[data-focus]` then gets the focus. */
	readonly moved?: number
	readonly class: string
	readonly label: string
	/** What lies below the rows. */
	readonly children?: ComponentChildren
	/** Lies over the rows, as wide as they are. */
	readonly overlay?: ComponentChildren
	/** Plain text: rows are not marked up as a list, and the scroller takes the focus itself. */
	readonly plain?: boolean
	readonly row: (index: number) => ComponentChildren
}

export function Rows({ count, height, chosen, moved = 0, label, row, children, overlay, plain = false, class: name }: RowsProps) {
	const scroller = useRef<HTMLDivElement>(null)
	const [top, setTop] = useState(0)
	const [room, setRoom] = useState(800)
	useLayoutEffect(() => {
		const place = scroller.current
		if (!place) return undefined
		const resized = new ResizeObserver(() => setRoom(place.clientHeight))
		resized.observe(place)
		return () => resized.disconnect()
	}, [])
	useLayoutEffect(() => {
		const place = scroller.current
		if (!place || chosen < 0) return
		const at = chosen * height
		if (at < place.scrollTop) place.scrollTop = at
		else if (at + height > place.scrollTop + place.clientHeight) place.scrollTop = at + height - place.clientHeight
		setTop(place.scrollTop)
	}, [chosen, height, count > chosen])
	useEffect(() => {
		if (moved > 0) scroller.current?.querySelector<HTMLElement>(`[data-row="${chosen}"] [data-focus]`)?.focus({ preventScroll: true })
	}, [moved, chosen])
	const first = Math.max(0, Math.min(Math.floor(top / height), count - 1) - overscan)
	const shown = Math.max(0, Math.min(count - first, Math.ceil(room / height) + 2 * overscan))
	return (
		<div
			class={`rows ${name}`}
			ref={scroller}
			onScroll={(event) => setTop(event.currentTarget.scrollTop)}
			{...(plain ? { tabIndex: 0, role: 'group', 'aria-label': label } : {})}
		>
			<div class="rows-inner" style={{ height: `${count * height}px` }}>
				<div {...(plain || count === 0 ? {} : { role: 'list', 'aria-label': label })}>
					{Array.from({ length: shown }, (_, offset) => {
						const index = first + offset
						return (
							<div
								key={index}
								class={`row${index === chosen ? ' chosen' : ''}`}
								data-row={index}
								style={{ top: `${index * height}px`, height: `${height}px` }}
								{...(plain ? {} : { role: 'listitem', 'aria-setsize': count, 'aria-posinset': index + 1 })}
							>
								{row(index)}
							</div>
						)
					})}
				</div>
				{overlay}
			</div>
			{children}
		</div>
	)
}
