// Many rows of one height in a scroller: only those in sight exist.
import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'

const overscan = 6
/** So many rows may come before those in sight at once. */
const movedRowsMax = 2000

interface RowsProps {
	readonly count: number
	/** Of one row, in pixels. */
	readonly height: number
	/** Kept in sight when another is chosen; -1: none. */
	readonly chosen: number
	/** What a row is, wherever it stands by now: what is looked at stays where it is when others come before it. */
	readonly keyOf?: (index: number) => string | undefined
	/** Counts up when the keyboard moved the choice: its `[data-focus]` then gets the focus. */
	readonly moved?: number
	readonly class: string
	readonly label: string
	/** What lies below the rows. */
	readonly children?: ComponentChildren
	/** What the rows are of: another list begins at its top. */
	readonly of?: string | undefined
	/** Lies over the rows, as wide as they are. */
	readonly overlay?: ComponentChildren
	/** Plain text: rows are not marked up as a list, and the scroller takes the focus itself. */
	readonly plain?: boolean
	readonly row: (index: number) => ComponentChildren
}

export function Rows({
	count,
	height,
	chosen,
	keyOf,
	of,
	moved = 0,
	label,
	row,
	children,
	overlay,
	plain = false,
	class: name,
}: RowsProps) {
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
	const key = (index: number): string => keyOf?.(index) ?? String(index)
	// Before the choice is brought into sight: it may be what has moved.
	const uppermost = useRef({ key: '', index: 0 })
	useLayoutEffect(() => {
		const place = scroller.current
		if (!place || place.scrollTop === 0 || !keyOf) return
		const { key: before, index } = uppermost.current
		let now = index
		while (now < count && now < index + movedRowsMax && keyOf(now) !== before) now++
		if (now === index || keyOf(now) !== before) return
		place.scrollTop += (now - index) * height
		setTop(place.scrollTop)
	}, [count, height, keyOf?.(0)])
	useLayoutEffect(() => {
		const index = Math.floor((scroller.current?.scrollTop ?? 0) / height)
		uppermost.current = { key: key(index), index }
	})
	useLayoutEffect(() => {
		if (scroller.current) scroller.current.scrollTop = 0
		setTop(0)
	}, [of])
	const choice = chosen < 0 ? '' : key(chosen)
	useLayoutEffect(() => {
		const place = scroller.current
		if (!place || chosen < 0) return
		const begin = chosen * height
		if (begin < place.scrollTop) place.scrollTop = begin
		else if (begin + height > place.scrollTop + place.clientHeight) place.scrollTop = begin + height - place.clientHeight
		setTop(place.scrollTop)
	}, [choice, height, count > chosen])
	const followed = useRef(moved)
	useEffect(() => {
		if (moved === followed.current) return
		followed.current = moved
		scroller.current?.querySelector<HTMLElement>(`[data-row="${chosen}"] [data-focus]`)?.focus({ preventScroll: true })
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
								key={key(index)}
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
