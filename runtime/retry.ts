// Waiting between tries: exponential with jitter, bounded.
import type { Clock } from './clock.ts'

export interface BackoffOptions {
	readonly clock: Clock
	readonly firstMs: number
	readonly maxMs: number
	/** In [0, 1); passed in so that tests own it. */
	readonly random?: () => number
}

/** One run of failures: `wait` sleeps longer each time, `reset` after a success. */
export function createBackoff(options: BackoffOptions): {
	wait(signal: AbortSignal): Promise<void>
	reset(): void
	readonly attempts: number
} {
	const random = options.random ?? Math.random
	let attempts = 0
	return {
		async wait(signal) {
			const full = Math.min(options.maxMs, options.firstMs * 2 ** Math.min(attempts, 30))
			attempts += 1
			await options.clock.sleep(full / 2 + (random() * full) / 2, signal)
		},
		reset() {
			attempts = 0
		},
		get attempts() {
			return attempts
		},
	}
}
