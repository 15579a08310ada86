// What all watches together have collected and not yet sent: joined into batches, with the cursors of all whose records are in them.
import type { Emit } from '#collectors/port.ts'
import type { KnownObject, LocalState } from '#collectors/local-state.ts'
import { Outbox, type StateChange } from '#collectors/outbox.ts'
import type { KubetapeRecord } from '#records/record.ts'
import { limits } from '#runtime/limits.ts'

/** Asked when a batch is closed: where its owner stands with everything in it. */
export interface CursorOwner {
	readonly name: string
	cursor(): string
}

export class CommonOutbox {
	readonly #outbox: Outbox
	readonly #onFailure: (error: unknown) => void
	#records: KubetapeRecord[] = []
	#changes = new Map<string, StateChange>()
	#owners = new Set<CursorOwner>()
	#bytes = 0
	#scheduled = false
	#waiting: (() => void)[] = []

	constructor(emit: Emit, state: LocalState, onFailure: (error: unknown) => void) {
		this.#outbox = new Outbox(emit, state, () => this.#settled())
		this.#onFailure = onFailure
	}

	/** The owner's cursor must already stand behind `record`. Wait for `room` before the next one where the box is full. What is added in one turn goes in one batch. */
	add(owner: CursorOwner, record?: KubetapeRecord, change?: StateChange): void {
		this.#owners.add(owner)
		if (record) this.#records.push(record)
		if (change) {
			this.#changes.set(change.key, change)
			this.#bytes += change.value?.byteLength ?? 0
		}
		this.#schedule()
	}

	get isFull(): boolean {
		return (
			this.#outbox.failure !== undefined || this.#records.length >= limits.batchRecordsMax / 2 || this.#bytes >= limits.batchBytesMax / 2
		)
	}

	/** Resolves when there is room; throws what an earlier batch failed with. */
	async room(): Promise<void> {
		while (this.isFull && !this.#outbox.failure) await new Promise<void>((resolve) => this.#waiting.push(resolve))
		if (this.#outbox.failure) throw this.#outbox.failure.error
	}

	/** Resolves when everything that was added is saved; throws what a batch failed with. */
	async drain(): Promise<void> {
		while ((this.#owners.size > 0 || this.#outbox.inFlight > 0) && !this.#outbox.failure) {
			this.#flush()
			await this.#outbox.drain()
		}
		if (this.#outbox.failure) throw this.#outbox.failure.error
	}

	/** The last known value of a key, what is still on its way included. */
	known(key: string): KnownObject | undefined {
		const change = this.#changes.get(key)
		if (!change) return this.#outbox.known(key)
		return change.value === null ? undefined : { key, revision: change.revision, value: change.value }
	}

	#schedule(): void {
		if (this.#scheduled || this.#outbox.isFull) return
		this.#scheduled = true
		setImmediate(() => {
			this.#scheduled = false
			this.#flush()
		})
	}

	#flush(): void {
		if (this.#outbox.failure || this.#owners.size === 0 || this.#outbox.isFull) return
		const records = this.#records
		const changes = this.#changes
		const cursors = Object.fromEntries([...this.#owners].map((owner) => [owner.name, owner.cursor()]))
		this.#records = []
		this.#changes = new Map()
		this.#owners = new Set()
		this.#bytes = 0
		// There is room, so that this hands over at once; a failure is told by onSettled.
		this.#outbox.send(records, cursors, changes).catch(() => undefined)
		this.#wake()
	}

	#settled(): void {
		if (this.#outbox.failure) this.#onFailure(this.#outbox.failure.error)
		if (this.#owners.size > 0) this.#schedule()
		this.#wake()
	}

	#wake(): void {
		const waiting = this.#waiting
		this.#waiting = []
		for (const resolve of waiting) resolve()
	}
}
