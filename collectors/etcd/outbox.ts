// What has been handed over and is not yet durable: bounded in number; state and cursor are saved in order, each after its records.
import type { Emit } from '#collectors/port.ts'
import type { KnownObject, LocalState } from '#collectors/local-state.ts'
import type { KubetapeRecord } from '#records/record.ts'
import type { Revision } from '#records/revision.ts'
import { limits } from '#runtime/limits.ts'

export interface StateChange {
	readonly key: string
	readonly revision: Revision
	readonly value: Uint8Array | null
}

type Changes = ReadonlyMap<string, StateChange>

export class Outbox {
	readonly #emit: Emit
	readonly #state: LocalState
	readonly #waiting = new Set<Changes>()
	#saved: Promise<void> = Promise.resolve()
	#failure: { readonly error: unknown } | undefined
	readonly #failed = new AbortController()
	#room: (() => void) | undefined

	constructor(emit: Emit, state: LocalState) {
		this.#emit = emit
		this.#state = state
	}

	/** Aborts when a batch could not be made durable. */
	get failed(): AbortSignal {
		return this.#failed.signal
	}

	/** Resolves when the batch has been handed over. Throws what an earlier batch failed with: nothing after it was saved. */
	async send(records: readonly KubetapeRecord[], changes: Changes, cursors: Readonly<Record<string, string>>): Promise<void> {
		while (this.#waiting.size >= limits.batchesInFlightMax && !this.#failure) await new Promise<void>((resolve) => (this.#room = resolve))
		if (this.#failure) throw this.#failure.error
		this.#waiting.add(changes)
		const emitted = records.length === 0 ? Promise.resolve() : this.#emit(records)
		this.#saved = Promise.allSettled([emitted, this.#saved]).then(([result]) => {
			if (result.status === 'rejected') this.#failure ??= { error: result.reason }
			try {
				if (!this.#failure) this.#state.apply(changes.values(), cursors)
			} catch (error) {
				this.#failure = { error }
			}
			if (this.#failure) this.#failed.abort()
			this.#waiting.delete(changes)
			this.#room?.()
			this.#room = undefined
		})
	}

	/** Resolves when everything that was sent is saved. Throws what a batch failed with. */
	async drain(): Promise<void> {
		await this.#saved
		if (this.#failure) throw this.#failure.error
	}

	/** The last known value of a key, what is still on its way included. */
	known(key: string): KnownObject | undefined {
		for (const changes of [...this.#waiting].toReversed()) {
			const change = changes.get(key)
			if (change) return change.value === null ? undefined : { key, revision: change.revision, value: change.value }
		}
		return this.#state.get(key)
	}
}
