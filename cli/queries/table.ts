// Tables for a terminal: columns as wide as they need, the last one cut to what is left.

export interface Column {
	readonly title: string
	/** The column that gives way where the line is too long. */
	readonly flexible?: boolean
}

const gap = '  '
const flexibleMin = 20

/** What a record says must not move the cursor: control characters are shown as blanks. */
export function plain(text: string): string {
	return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, ' ')
}

function cut(text: string, width: number): string {
	const chars = Array.from(text)
	return chars.length <= width ? text : `${chars.slice(0, Math.max(0, width - 1)).join('')}…`
}

const lengthOf = (text: string): number => Array.from(text).length

/** `width` 0: no limit (the output is no terminal). Ends with a line break; nothing but the titles where there are no rows. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[], width: number, withTitles = true): string {
	const cells = rows.map((row) => row.map(plain))
	const all = withTitles ? [columns.map((column) => column.title), ...cells] : cells
	const widths = columns.map((_, index) => all.reduce((widest, row) => Math.max(widest, lengthOf(row[index] ?? '')), 0))
	if (width > 0) {
		const total = widths.reduce((sum, each) => sum + each, 0) + gap.length * (columns.length - 1)
		const flexible = columns.flatMap((column, index) => (column.flexible ? [index] : []))
		let excess = total - width
		for (const index of flexible.toReversed()) {
			const give = Math.max(0, Math.min(excess, (widths[index] ?? 0) - flexibleMin))
			widths[index] = (widths[index] ?? 0) - give
			excess -= give
		}
	}
	const line = (row: readonly string[]): string =>
		columns
			.map((_, index) => {
				const text = cut(row[index] ?? '', widths[index] ?? 0)
				return text + ' '.repeat(Math.max(0, (widths[index] ?? 0) - lengthOf(text)))
			})
			.join(gap)
			.trimEnd()
	return all.map((row) => `${line(row)}\n`).join('')
}
