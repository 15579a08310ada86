// Colours of the kinds, as the style sheet has them, for what is drawn on a canvas.

export type ColourName = 'change' | 'event' | 'audit' | 'log' | 'warning' | 'error' | 'muted' | 'line' | 'text' | 'back' | 'human'

export function colours(): Readonly<Record<ColourName, string>> {
	const style = getComputedStyle(document.documentElement)
	const read = (name: ColourName): string => style.getPropertyValue(`--${name}`).trim() || '#888'
	return {
		change: read('change'),
		event: read('event'),
		audit: read('audit'),
		log: read('log'),
		warning: read('warning'),
		error: read('error'),
		muted: read('muted'),
		line: read('line'),
		text: read('text'),
		back: read('back'),
		human: read('human'),
	}
}
