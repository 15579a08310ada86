// How much of one log is read in a second, where that is limited.

const windowMs = 1000

export class RateLimit {
	/** Bytes in a second. */
	readonly bytesMax: number
	#begin = Number.NEGATIVE_INFINITY
	#used = 0

	constructor(bytesMax: number) {
		this.bytesMax = bytesMax
	}

	/** `nowMs`: monotonic. `new`: a second has begun; what was read beyond the limit before counts for it. */
	state(nowMs: number): 'new' | 'free' | 'used' {
		const seconds = Math.floor((nowMs - this.#begin) / windowMs)
		if (seconds >= 1) {
			this.#begin = Number.isFinite(seconds) ? this.#begin + seconds * windowMs : nowMs
			this.#used = Number.isFinite(seconds) ? Math.max(0, this.#used - seconds * this.bytesMax) : 0
			return this.#used < this.bytesMax ? 'new' : 'used'
		}
		return this.#used < this.bytesMax ? 'free' : 'used'
	}

	use(bytes: number): void {
		this.#used += bytes
	}
}
