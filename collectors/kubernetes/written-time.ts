// When a version was written, between the newest time that its writer put into it (or into an earlier revision) and the moment it was seen.
import type { ClockReading } from '#records/revision-clock.ts'
import type { Revision } from '#records/revision.ts'
import { parseTime, type Micros } from '#records/time.ts'

type Fields = Readonly<Record<string, unknown>>
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})

/** The newest of creationTimestamp, deletion mark aside, managedFields times and a Lease's renewal: the write was not earlier. */
export function writtenTime(object: Fields): Micros | undefined {
	const metadata = fields(object['metadata'])
	const managed = Array.isArray(metadata['managedFields']) ? metadata['managedFields'] : []
	const times = [metadata['creationTimestamp'], ...managed.map((entry) => fields(entry)['time'])]
	if (object['kind'] === 'Lease') times.push(fields(object['spec'])['renewTime'])
	let newest: Micros | undefined
	for (const time of times) {
		const at = typeof time === 'string' ? parseTime(time) : undefined
		if (at !== undefined && (newest === undefined || at > newest)) newest = at
	}
	return newest
}

/** Shared by all watches of one revision space: they are nearly, not quite, in one order, so a time bounds only revisions above its own. */
export class WrittenClock {
	#revision: Revision = 0n
	#at: Micros = 0

	/** `live`: seen as it happened. What a list shows is placed where it was seen, with a bound back to when it can have been written. */
	read(revision: Revision, observedAt: Micros, writtenAt: Micros | undefined, live: boolean): ClockReading {
		const own = writtenAt !== undefined && writtenAt <= observedAt ? writtenAt : 0
		if (!live) return { occurredAt: observedAt, occurredBound: own === 0 ? 0 : observedAt - own }
		const floor = revision > this.#revision ? Math.max(own, this.#at) : own
		if (own > this.#at && revision > this.#revision) {
			this.#at = own
			this.#revision = revision
		}
		if (floor === 0 || floor > observedAt) return { occurredAt: observedAt, occurredBound: 0 }
		const bound = Math.ceil((observedAt - floor) / 2)
		return { occurredAt: floor + bound, occurredBound: bound }
	}
}
