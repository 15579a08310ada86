// The revision clock: etcd revisions carry no time; this gives each a time with a bound, from observation and from times written into objects.
import type { Micros } from './time.ts'

export interface ClockReading {
	readonly occurredAt: Micros
	readonly occurredBound: Micros
}

/** Reads of one revision space, fed in revision order. */
export class RevisionClock {
	#floor: Micros = 0

	/**
	 * A revision that was seen at `observedAt`. `writtenAt` is a time its writer put into the object (renewTime, an Event's time), where there is one:
	 * the write cannot be earlier, and neither can any later revision. A written time after the sighting is a clock ahead of ours, and not used.
	 * The sighting is the estimate, as a watch is prompt; the bound reaches back to the last written time.
	 */
	read(observedAt: Micros, writtenAt?: Micros): ClockReading {
		if (writtenAt !== undefined && writtenAt <= observedAt && writtenAt > this.#floor) this.#floor = writtenAt
		if (this.#floor === 0 || this.#floor > observedAt) return { occurredAt: observedAt, occurredBound: 0 }
		return { occurredAt: observedAt, occurredBound: observedAt - this.#floor }
	}
}
