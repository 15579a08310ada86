// The clock, passed in so that tests own it. The only place that reads the machine's time.

export interface Clock {
	/** Microseconds since 1970. Millisecond steps are refined by the monotonic clock. */
	readonly nowMicros: () => number
	/** Resolves after `ms`, or at once when the signal aborts. */
	readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
}

export const systemClock: Clock = {
	nowMicros: () => Math.floor((performance.timeOrigin + performance.now()) * 1000),
	sleep: (ms, signal) =>
		new Promise((resolve) => {
			if (signal?.aborted) return resolve()
			const done = (): void => {
				clearTimeout(timer)
				signal?.removeEventListener('abort', done)
				resolve()
			}
			const timer = setTimeout(done, ms)
			signal?.addEventListener('abort', done, { once: true })
		}),
}
