// When what was put is seen: who writes says so, between two puts, so that a put is seen as a whole.
import type { Clock } from '#runtime/clock.ts'
import type { Searcher } from './search.ts'

export class Refresher {
	readonly #searcher: Searcher
	readonly #clock: Clock
	readonly #everyMs: number
	readonly #dirty = new Set<string>()
	#last = 0

	constructor(searcher: Searcher, clock: Clock, everyMs: number) {
		this.#searcher = searcher
		this.#clock = clock
		this.#everyMs = everyMs
	}

	touched(index: string): void {
		this.#dirty.add(index)
	}

	get isClean(): boolean {
		return this.#dirty.size === 0
	}

	/** How long until it is due. */
	get dueMs(): number {
		return Math.max(0, this.#last + this.#everyMs - this.#clock.nowMicros() / 1000)
	}

	/** Names in a URL are limited to 4 kB. */
	async now(): Promise<void> {
		const names = [...this.#dirty]
		this.#last = this.#clock.nowMicros() / 1000
		for (let at = 0; at < names.length; at += 50) await this.#searcher.refresh(names.slice(at, at + 50).join(','))
		for (const name of names) this.#dirty.delete(name)
	}
}
