// The view is the URL: what changes it writes the URL, and back and forward read it again.
import { useCallback, useEffect, useState } from 'preact/hooks'
import { readView, writeView, type View } from './filter.ts'

export type ChangeView = (part: Partial<View>, replace?: boolean) => void

/** `replace`: a step among many (the next version), which back does not return to. */
export function useView(): readonly [View, ChangeView] {
	const [view, setView] = useState(() => readView(location.hash))
	useEffect(() => {
		const read = (): void => setView(readView(location.hash))
		addEventListener('hashchange', read)
		addEventListener('popstate', read)
		return () => {
			removeEventListener('hashchange', read)
			removeEventListener('popstate', read)
		}
	}, [])
	const change = useCallback((part: Partial<View>, replace = false) => {
		const before = readView(location.hash)
		const next = { ...before, ...part }
		const hash = writeView(next)
		if (hash !== writeView(before)) history[replace ? 'replaceState' : 'pushState'](null, '', hash)
		setView(next)
	}, [])
	return [view, change]
}
