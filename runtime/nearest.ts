// The known word that was probably meant.

/** Edit distance. */
function distance(a: string, b: string): number {
	let row = Array.from({ length: b.length + 1 }, (_, index) => index)
	for (let i = 1; i <= a.length; i++) {
		const next = [i]
		for (let j = 1; j <= b.length; j++) {
			next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)))
		}
		row = next
	}
	return row[b.length] ?? 0
}

/** The known word nearest to `word`, or undefined where none is near. Case does not matter. */
export function nearest(word: string, known: readonly string[]): string | undefined {
	const ranked = known
		.map((name) => ({ name, steps: distance(word.toLowerCase(), name.toLowerCase()) }))
		.toSorted((a, b) => a.steps - b.steps)
	const best = ranked[0]
	return best && best.steps <= Math.max(2, Math.floor(word.length / 3)) ? best.name : undefined
}
