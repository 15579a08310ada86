// How far an API server's clock is from ours, in bounds that hold: from the Date of its answers, each of which says its second.
import type { Micros } from '#records/time.ts'

interface Sample {
	readonly at: Micros
	readonly low: Micros
	readonly high: Micros
}

const second = 1_000_000
const samplesMax = 30
/** A clock that is being slewed goes wrong by so much of the time that passes, at most (adjtimex: 500 ppm, for both clocks). */
const drift = 0.001

export class ServerClock {
	#samples: Sample[] = []
	/** Counts the times at which one of the clocks was seen to be set. */
	steps = 0

	/** `date`: the header. The answer was made between the two times. Undefined where it says nothing. */
	observe(date: string | undefined, sentAt: Micros, answeredAt: Micros): { readonly low: Micros; readonly high: Micros } | undefined {
		const at = Date.parse(date ?? '') * 1000
		if (!Number.isFinite(at)) return undefined
		const sample = { at: answeredAt, low: at - answeredAt, high: at + second - sentAt }
		this.#samples = [...this.#samples.slice(1 - samplesMax), sample]
		const bounds = this.#bounds(answeredAt)
		if (bounds.low <= bounds.high) return bounds
		this.steps += 1
		this.#samples = [sample]
		return this.#bounds(answeredAt)
	}

	#bounds(now: Micros): { readonly low: Micros; readonly high: Micros } {
		let [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
		for (const sample of this.#samples) {
			const slack = (now - sample.at) * drift
			low = Math.max(low, sample.low - slack)
			high = Math.min(high, sample.high + slack)
		}
		return { low, high }
	}
}
