// What a collector has handed over and is not yet durable: bounded in number; state and cursors are saved in order, each after its records.
import { saveWhenPossible, type KnownObject, type LocalState } from '#collectors/local-state.ts'
import type { Emit } from '#collectors/port.ts'
import type { KubetapeRecord } from '#records/record.ts'
import type { Revision } from '#records/revision.ts'
import { limits } from '#runtime/limits.ts'

export interface StateChange {
	readonly key: string
	readonly revision: Revision
	/** Null where the object has gone. */
	readonly value: Uint8Array | null
}

export type StateChanges = ReadonlyMap<string, StateChange>
export type Cursors = Readonly<Record<string, string>>

const unchanged: StateChanges = new Map()

export class Outbox {
	readonly #emit: Emit
	readonly #state: LocalState
	readonly #onSettled: () => void
	readonly #waiting: StateChanges[] = []
	#saved: Promise<void> = Promise.resolve()
	#failure: { readonly error: unknown } | undefined
	readonly #failed = new AbortController()
	#room: (() => void) | undefined
	readonly #onHeld: (error: unknown) => void
	#isDraining = false

	/** `onSettled` is called after each batch, saved or failed; `onHeld` where the state cannot be saved for now, which is tried again. */
	constructor(emit: Emit, state: LocalState, onSettled: () => void = () => {}, onHeld: (error: unknown) => void = () => {}) {
		this.#onHeld = onHeld
		this.#emit = emit
		this.#state = state
		this.#onSettled = onSettled
	}

	/** Aborts when a batch could not be made durable. */
	get failed(): AbortSignal {
		return this.#failed.signal
	}

	get failure(): { readonly error: unknown } | undefined {
		return this.#failure
	}

	get inFlight(): number {
		return this.#waiting.length
	}

	/** True where `send` would have to wait. */
	get isFull(): boolean {
		return this.#waiting.length >= limits.batchesInFlightMax
	}

	/** Resolves when the batch has been handed over, at once where there is room. Throws what an earlier batch failed with: nothing after it was saved. */
	async send(records: readonly KubetapeRecord[], cursors: Cursors, changes: StateChanges = unchanged): Promise<void> {
		while (this.isFull && !this.#failure) await new Promise<void>((resolve) => (this.#room = resolve))
		if (this.#failure) throw this.#failure.error
		this.#waiting.push(changes)
		const emitted = records.length === 0 ? Promise.resolve() : this.#emit(records)
		this.#saved = Promise.allSettled([emitted, this.#saved]).then(([result]) => this.#settle(result, changes, cursors))
	}

	/** Resolves when everything that was sent is saved. Throws what a batch failed with. */
	async drain(): Promise<void> {
		this.#isDraining = true
		await this.#saved
		if (this.#failure) throw this.#failure.error
	}

	/** The last known value of a key, what is still on its way included. */
	known(key: string): KnownObject | undefined {
		for (let at = this.#waiting.length - 1; at >= 0; at -= 1) {
			const change = this.#waiting[at]?.get(key)
			if (change) return change.value === null ? undefined : { key, revision: change.revision, value: change.value }
		}
		return this.#state.get(key)
	}

	/** Batches settle in the order they were sent. */
	async #settle(result: PromiseSettledResult<void>, changes: StateChanges, cursors: Cursors): Promise<void> {
		if (result.status === 'rejected') this.#failure ??= { error: result.reason }
		try {
			const save = (): void => this.#state.apply(changes.values(), cursors)
			if (!this.#failure) await saveWhenPossible(save, this.#onHeld, () => this.#isDraining)
		} catch (error) {
			this.#failure = { error }
		}
		if (this.#failure) this.#failed.abort()
		this.#waiting.shift()
		this.#room?.()
		this.#room = undefined
		this.#onSettled()
	}
}
