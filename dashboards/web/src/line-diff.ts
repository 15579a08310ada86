// Two texts of several lines against each other: which lines went, came and stayed.

export interface DiffLine {
	readonly op: 'same' | 'removed' | 'added'
	readonly text: string
}

/** More cells than this are not compared line by line: the whole middle counts as replaced. */
const cellsMax = 1_000_000

/** The longest common subsequence of lines, after what is the same at both ends. */
export function lineDiff(before: string, after: string): readonly DiffLine[] {
	const a = before.split('\n')
	const b = after.split('\n')
	let head = 0
	while (head < a.length && head < b.length && a[head] === b[head]) head++
	let tail = 0
	while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++
	const same = (lines: readonly string[]): DiffLine[] => lines.map((text) => ({ op: 'same', text }))
	return [
		...same(a.slice(0, head)),
		...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
		...same(tail === 0 ? [] : a.slice(-tail)),
	]
}

function middle(a: readonly string[], b: readonly string[]): readonly DiffLine[] {
	const removed = (text: string): DiffLine => ({ op: 'removed', text })
	const added = (text: string): DiffLine => ({ op: 'added', text })
	if (a.length * b.length > cellsMax) return [...a.map(removed), ...b.map(added)]
	const width = b.length + 1
	const table = new Uint32Array((a.length + 1) * width)
	const at = (i: number, j: number): number => table[i * width + j] ?? 0
	for (let i = a.length - 1; i >= 0; i--)
		for (let j = b.length - 1; j >= 0; j--)
			table[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
	const lines: DiffLine[] = []
	let i = 0
	let j = 0
	while (i < a.length || j < b.length) {
		if (i < a.length && j < b.length && a[i] === b[j]) {
			lines.push({ op: 'same', text: a[i++] ?? '' })
			j++
		} else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) lines.push(removed(a[i++] ?? ''))
		else lines.push(added(b[j++] ?? ''))
	}
	return lines
}

/** Lines that did not change, but for `around` of them beside each change, folded into one that says how many. */
export function folded(lines: readonly DiffLine[], around = 2): readonly (DiffLine | { readonly op: 'folded'; readonly count: number })[] {
	const near = lines.map(() => false)
	for (const [index, line] of lines.entries())
		if (line.op !== 'same') for (let k = Math.max(0, index - around); k <= Math.min(lines.length - 1, index + around); k++) near[k] = true
	const shown: (DiffLine | { op: 'folded'; count: number })[] = []
	for (const [index, line] of lines.entries()) {
		const last = shown.at(-1)
		if (near[index]) shown.push(line)
		else if (last?.op === 'folded') last.count++
		else shown.push({ op: 'folded', count: 1 })
	}
	return shown
}

/** Where two short texts differ: what is the same before and behind. */
export function middleOf(before: string, after: string): { readonly head: number; readonly tail: number } {
	let head = 0
	while (head < before.length && head < after.length && before[head] === after[head]) head++
	let tail = 0
	while (tail < before.length - head && tail < after.length - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++
	return { head, tail }
}
