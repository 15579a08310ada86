// What arrived of numbered lines, as a reader sees it.

const begins = /"n":(\d+),/
const ends = /"end":(\d+)\}/

export class Tally {
	readonly #whole = new Map<number, number>()
	readonly #pieces = new Set<number>()
	readonly #ids = new Set<string>()
	/** When something new arrived. */
	lastAt = performance.now()

	/** With an id, what has it already counts once: a reader leaves it out. */
	add(text: string, id?: string): void {
		if (id !== undefined) {
			if (this.#ids.has(id)) return
			this.#ids.add(id)
		}
		const first = begins.exec(text)?.[1]
		if (first === undefined) return
		this.lastAt = performance.now()
		const number = Number(first)
		if (ends.exec(text)?.[1] === first) this.#whole.set(number, (this.#whole.get(number) ?? 0) + 1)
		else this.#pieces.add(number)
	}

	/** Lines that arrived whole, each once. */
	get count(): number {
		return this.#whole.size
	}

	/** Of the numbers below `written`. */
	outcome(written: number): { readonly lost: number; readonly inPieces: number; readonly duplicated: number } {
		let [lost, inPieces, duplicated] = [0, 0, 0]
		for (let number = 0; number < written; number += 1) {
			const times = this.#whole.get(number) ?? 0
			if (times > 1) duplicated += times - 1
			if (times > 0) continue
			if (this.#pieces.has(number)) inPieces += 1
			else lost += 1
		}
		return { lost, inPieces, duplicated }
	}
}
