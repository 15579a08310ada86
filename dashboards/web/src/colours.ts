// Colours of the kinds, as the style sheet has them, for what is drawn on a canvas; they follow the scheme of the system.
import { useEffect, useState } from 'preact/hooks'

const names = ['change', 'event', 'audit', 'log', 'warning', 'error', 'muted', 'line', 'text', 'back', 'human', 'hole'] as const
export type Palette = Readonly<Record<(typeof names)[number], string>>

function colours(): Palette {
	const style = getComputedStyle(document.documentElement)
	return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim() || '#888'])) as Palette
}

/** Another palette when the scheme changes. */
export function usePalette(): Palette {
	const [palette, setPalette] = useState(colours)
	useEffect(() => {
		const scheme = matchMedia('(prefers-color-scheme: dark)')
		const read = (): void => setPalette(colours())
		scheme.addEventListener('change', read)
		return () => scheme.removeEventListener('change', read)
	}, [])
	return palette
}
