// What all watches together have collected: emitted in batches, bounded; state and cursors are saved in order, each after its records are durable.
import type { Emit } from '#collectors/port.ts'
import type { KnownObject, LocalState } from '#collectors/local-state.ts'
import type { KubetapeRecord } from '#records/record.ts'
import type { Revision } from '#records/revision.ts'
import { limits } from '#runtime/limits.ts'

export interface StateChange {
	readonly key: string
	readonly revision: Revision
	/** Null where the object has gone. */
	readonly value: Uint8Array | null
}

/** Asked when a batch is closed: where its owner stands with everything in it. */
export interface CursorOwner {
	readonly name: string
	cursor(): string
}

export class Outbox {
	readonly #emit: Emit
	readonly #state: LocalState
	readonly #onFailure: (error: unknown) => void
	/** What is not saved yet: the newest change of each key. */
	readonly #unsaved = new Map<string, StateChange>()
	#records: KubetapeRecord[] = []
	#changes = new Map<string, StateChange>()
	#owners = new Set<CursorOwner>()
	#bytes = 0
	#inFlight = 0
	#scheduled = false
	#tail: Promise<void> = Promise.resolve()
	#failure: { readonly error: unknown } | undefined
	#waiting: (() => void)[] = []

	constructor(emit: Emit, state: LocalState, onFailure: (error: unknown) => void) {
		this.#emit = emit
		this.#state = state
		this.#onFailure = onFailure
	}

	/** The owner's cursor must already stand behind `record`. Wait for `room` before the next one where the box is full. */
	add(owner: CursorOwner, record?: KubetapeRecord, change?: StateChange): void {
		this.#owners.add(owner)
		if (record) this.#records.push(record)
		if (change) {
			this.#changes.set(change.key, change)
			this.#unsaved.set(change.key, change)
			this.#bytes += change.value?.byteLength ?? 0
		}
		this.#schedule()
	}

	get isFull(): boolean {
		return this.#failure !== undefined || this.#records.length >= limits.batchRecordsMax / 2 || this.#bytes >= limits.batchBytesMax / 2
	}

	/** Resolves when there is room; throws what an earlier batch failed with. */
	async room(): Promise<void> {
		while (this.isFull && !this.#failure) await new Promise<void>((resolve) => this.#waiting.push(resolve))
		if (this.#failure) throw this.#failure.error
	}

	/** Resolves when everything that was added is saved; throws what a batch failed with. */
	async drain(): Promise<void> {
		while ((this.#owners.size > 0 || this.#inFlight > 0) && !this.#failure) {
			this.#flush()
			await this.#tail
		}
		if (this.#failure) throw this.#failure.error
	}

	/** The last known value of a key, what is still on its way included. */
	known(key: string): KnownObject | undefined {
		const change = this.#unsaved.get(key)
		if (!change) return this.#state.get(key)
		return change.value === null ? undefined : { key, revision: change.revision, value: change.value }
	}

	#schedule(): void {
		if (this.#scheduled || this.#inFlight >= limits.batchesInFlightMax) return
		this.#scheduled = true
		setImmediate(() => {
			this.#scheduled = false
			this.#flush()
		})
	}

	#flush(): void {
		if (this.#failure || this.#owners.size === 0 || this.#inFlight >= limits.batchesInFlightMax) return
		const records = this.#records
		const changes = this.#changes
		const cursors = Object.fromEntries([...this.#owners].map((owner) => [owner.name, owner.cursor()]))
		this.#records = []
		this.#changes = new Map()
		this.#owners = new Set()
		this.#bytes = 0
		this.#inFlight += 1
		const emitted = records.length === 0 ? Promise.resolve() : this.#emit(records)
		this.#tail = Promise.allSettled([emitted, this.#tail]).then(([result]) => this.#save(result, changes, cursors))
		this.#wake()
	}

	#save(result: PromiseSettledResult<void>, changes: ReadonlyMap<string, StateChange>, cursors: Readonly<Record<string, string>>): void {
		try {
			if (result.status === 'rejected') throw result.reason
			if (!this.#failure) this.#state.apply(changes.values(), cursors)
		} catch (error) {
			if (!this.#failure) {
				this.#failure = { error }
				this.#onFailure(error)
			}
		}
		for (const [key, change] of changes) if (this.#unsaved.get(key) === change) this.#unsaved.delete(key)
		this.#inFlight -= 1
		if (this.#owners.size > 0) this.#schedule()
		this.#wake()
	}

	#wake(): void {
		const waiting = this.#waiting
		this.#waiting = []
		for (const resolve of waiting) resolve()
	}
}
