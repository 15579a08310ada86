// What has been handed over and is not yet durable: bounded in number; cursors are saved in order, each after its records.
import type { LocalState } from '#collectors/local-state.ts'
import type { Emit } from '#collectors/port.ts'
import type { KubetapeRecord } from '#records/record.ts'
import { limits } from '#runtime/limits.ts'

export class Outbox {
	readonly #emit: Emit
	readonly #state: LocalState
	#inFlight = 0
	#saved: Promise<void> = Promise.resolve()
	#failure: { readonly error: unknown } | undefined
	#room: (() => void) | undefined

	constructor(emit: Emit, state: LocalState) {
		this.#emit = emit
		this.#state = state
	}

	/** Resolves when the batch has been handed over. Throws what an earlier batch failed with: nothing after it was saved. */
	async send(records: readonly KubetapeRecord[], cursors: Readonly<Record<string, string>>): Promise<void> {
		while (this.#inFlight >= limits.batchesInFlightMax && !this.#failure) await new Promise<void>((resolve) => (this.#room = resolve))
		if (this.#failure) throw this.#failure.error
		this.#inFlight += 1
		const emitted = records.length === 0 ? Promise.resolve() : this.#emit(records)
		this.#saved = Promise.allSettled([emitted, this.#saved]).then(([result]) => {
			if (result.status === 'rejected') this.#failure ??= { error: result.reason }
			try {
				if (!this.#failure) this.#state.apply([], cursors)
			} catch (error) {
				this.#failure = { error }
			}
			this.#inFlight -= 1
			this.#room?.()
			this.#room = undefined
		})
	}

	/** Resolves when everything that was sent is saved. Throws what a batch failed with. */
	async drain(): Promise<void> {
		await this.#saved
		if (this.#failure) throw this.#failure.error
	}
}
