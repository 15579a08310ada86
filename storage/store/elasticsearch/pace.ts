// How much goes into one bulk request and how many are under way: more by steps while it goes well, half when the server refuses.
import { elasticLimits } from './limits.ts'

export class Pace {
	#bytes: number = elasticLimits.bulkBytesFirst
	#together: number = elasticLimits.bulksFirst
	#well = 0

	/** Of the next request, about. */
	get bytes(): number {
		return this.#bytes
	}

	get together(): number {
		return this.#together
	}

	/** `full`: the request had as many bytes as it might have; only that tells that more would go. */
	wentWell(full: boolean): void {
		if (!full) return
		this.#bytes = Math.min(elasticLimits.bulkBytesMax, this.#bytes + elasticLimits.bulkBytesStep)
		this.#well += 1
		if (this.#well % 8 === 0) this.#together = Math.min(elasticLimits.bulksMax, this.#together + 1)
	}

	/** `sent`: bytes of the request that was refused. */
	refused(sent: number): void {
		this.#bytes = Math.max(elasticLimits.bulkBytesMin, Math.floor(Math.min(this.#bytes, sent) / 2))
		this.#together = Math.max(1, Math.floor(this.#together / 2))
		this.#well = 0
	}
}
