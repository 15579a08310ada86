// The keyboard of the timeline; an open object has its own keys for moving among its versions.
import type { RefObject } from 'preact'
import { useLayoutEffect } from 'preact/hooks'
import type { View } from './filter.ts'
import type { ChangeView } from './use-view.ts'

interface Keys {
	readonly view: View
	readonly change: ChangeView
	readonly box: RefObject<HTMLInputElement | null>
	/** Milliseconds that are in sight. */
	readonly from: number
	readonly to: number
	readonly asking: boolean
	readonly setAsking: (asking: boolean) => void
	readonly move: (step: number) => void
	readonly pause: () => void
}

const isField = (target: EventTarget | null): boolean =>
	(target instanceof HTMLInputElement && target.type !== 'checkbox') ||
	target instanceof HTMLSelectElement ||
	target instanceof HTMLTextAreaElement

/** The range moved or scaled about its middle; undefined where nothing is in sight. */
export function rangeBy(from: number, to: number, key: string): { readonly from: string; readonly to: string } | undefined {
	const width = to - from
	if (!(width > 0)) return undefined
	const iso = (ms: number): string => new Date(Math.round(ms)).toISOString()
	const put = (begin: number, end: number) => ({ from: iso(begin), to: iso(Math.max(end, begin + 10)) })
	if (key === 'ArrowLeft') return put(from - width / 2, to - width / 2)
	if (key === 'ArrowRight') return put(from + width / 2, to + width / 2)
	if (key === '+' || key === '=') return put(from + width / 4, to - width / 4)
	if (key === '-') return put(from - width / 2, to + width / 2)
	return undefined
}

/** Escape closes what was opened last. */
function closeOne({ view, change, asking, setAsking }: Keys): void {
	if (asking) setAsking(false)
	else if (view.object !== '') change({ object: '', revision: '', base: '', whole: false })
	else if (view.ledger) change({ ledger: false })
	else if (view.from !== '' || view.to !== '') change({ from: '', to: '' })
}

/** The range that a key made last: the next step goes on from it, also where its records are not there yet, and back returns to what was before the first. */
let stepped = { from: '', to: '' }

function step({ view, change, from, to }: Keys, key: string): boolean {
	const goesOn = view.to !== '' && view.from === stepped.from && view.to === stepped.to
	const range = goesOn ? rangeBy(Date.parse(view.from), Date.parse(view.to), key) : rangeBy(from, to, key)
	if (!range) return false
	stepped = range
	change({ ...range, live: false }, goesOn)
	return true
}

function press(event: KeyboardEvent, keys: Keys): void {
	const { view, change, box, setAsking, asking, move } = keys
	// What lies behind the sheet is not in reach.
	if (asking && event.key !== '?' && event.key !== 'Escape') return
	const free = view.object === '' && !view.ledger
	if (event.key === '/') {
		event.preventDefault()
		box.current?.focus()
		box.current?.select()
	} else if (event.key === 't') change({ table: !view.table })
	else if (event.key === 's') change({ folded: !view.folded })
	else if (event.key === 'c') change({ ledger: !view.ledger, object: '', revision: '', base: '' })
	else if (event.key === 'l') change({ live: !view.live, ...(view.live ? {} : { to: '' }) })
	else if (event.key === ' ' && view.live && !(event.target instanceof HTMLButtonElement)) {
		event.preventDefault()
		keys.pause()
	} else if (event.key === '?') setAsking(!asking)
	else if (event.key === 'Escape') closeOne(keys)
	else if (free && (event.key === 'j' || event.key === 'ArrowDown')) {
		event.preventDefault()
		move(1)
	} else if (free && (event.key === 'k' || event.key === 'ArrowUp')) {
		event.preventDefault()
		move(-1)
	} else if (step(keys, event.key)) event.preventDefault()
}

export function useKeys(keys: Keys): void {
	// Before the next key can come: one that is pressed in the moment after another is about what is shown by then.
	useLayoutEffect(() => {
		const listen = (event: KeyboardEvent): void => {
			if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return
			if (isField(event.target)) {
				if (event.key === 'Escape') (event.target as HTMLElement).blur()
			} else press(event, keys)
		}
		addEventListener('keydown', listen)
		return () => removeEventListener('keydown', listen)
	})
}
