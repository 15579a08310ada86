// When an item of a recording is due: as fast as it goes, or N times faster than it happened.
import type { Micros } from '#records/time.ts'
import type { Clock } from '#runtime/clock.ts'

/** Time in which nothing happened, or a garbled time, is waited for no longer than this (of the recording's time). */
const quietMicrosMax = 3_600_000_000

export interface Pace {
	/** How long the item at `at` has still to wait; 0 when it is due. */
	waitMs(at: Micros): number
}

export function createPace(speed: number | 'max', clock: Clock): Pace {
	if (speed === 'max') return { waitMs: () => 0 }
	let begunAt: Micros | undefined
	let lastAt: Micros = 0
	/** Of the recording's time, up to lastAt, without what was skipped. */
	let elapsed = 0
	return {
		waitMs(at) {
			begunAt ??= clock.nowMicros()
			if (lastAt === 0) lastAt = at
			if (at > lastAt) {
				elapsed += Math.min(at - lastAt, quietMicrosMax)
				lastAt = at
			}
			return Math.max(0, (begunAt + elapsed / speed - clock.nowMicros()) / 1000)
		},
	}
}
