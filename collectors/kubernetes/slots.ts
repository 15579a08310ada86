// At most so many at a time: the others wait in their order.

export class Slots {
	#free: number
	readonly #waiting: (() => void)[] = []

	constructor(count: number) {
		this.#free = count
	}

	/** Give the slot back by calling what it resolves to; calling it again does nothing. */
	async take(): Promise<() => void> {
		if (this.#free > 0) this.#free -= 1
		else await new Promise<void>((resolve) => this.#waiting.push(resolve))
		let held = true
		return () => {
			if (!held) return
			held = false
			const next = this.#waiting.shift()
			if (next) next()
			else this.#free += 1
		}
	}
}
