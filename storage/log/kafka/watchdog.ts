// Whether a member still reads what it was given: kafkajs fetches from a broker only when the reader is done with all that came before, so that time alone tells nothing while a store is slow.

/** Records were first seen to wait in a partition: when, and how many fetches had been answered then. */
export interface Waiting {
	readonly since: number
	readonly turns: number
}

/** What a fetch brings is limited, and kafkajs asks in a random order: a partition may be passed over so often by chance. */
const turnsMin = 8
const turnsPerPartition = 2

export class Watchdog {
	readonly #stallMs: number
	#turns = 0
	/** performance.now() of the last fetch that was answered, or batch that the reader was done with. */
	#movedAt: number

	constructor(stallMs: number, now: number) {
		this.#stallMs = stallMs
		this.#movedAt = now
	}

	/** A fetch was answered: every partition of its broker had a chance. */
	fetched(now: number): void {
		this.#turns += 1
		this.#movedAt = now
	}

	/** The reader is done with a batch. */
	released(now: number): void {
		this.#movedAt = now
	}

	/** From now on records wait. */
	waiting(now: number): Waiting {
		return { since: now, turns: this.#turns }
	}

	/**
	 * Whether a partition whose records wait, and are not in the reader's hands, will never be read by this member: nothing of it moves and it has nothing in hand, or
	 * it goes on and has passed this partition over, out of so many, too often.
	 */
	isStuck({ since, turns }: Waiting, { now, partitions, inHand }: { now: number; partitions: number; inHand: boolean }): boolean {
		if (now - since < this.#stallMs) return false
		if (this.#turns - turns > turnsMin + turnsPerPartition * partitions) return true
		return !inHand && now - Math.max(since, this.#movedAt) >= this.#stallMs
	}
}
