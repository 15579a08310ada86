// What a store engine brings to the contract of stores (test/contracts/store.ts), and how a promise becomes a test.
import { expect, it } from 'vitest'
import type { RecordId } from '#records/id.ts'
import type { Store } from '#storage/store/port.ts'

/** Where a store is, in words that can be sent to another thread. */
export interface StorePlace {
	/** URL of a module that exports `openReader(where: string): Promise<Store>`. */
	readonly module: string
	readonly where: string
}

export interface OpenStore {
	readonly store: Store
	readonly place: StorePlace
	/** Ends the store as it is and opens it anew on the same data. */
	readonly reopen: () => Promise<Store>
	/** Damages, at rest, the partition that holds this record; the record itself becomes unreadable. The store is closed by then. */
	readonly damage: (id: RecordId) => Promise<void>
	readonly cleanup: () => Promise<void>
}

export interface StoreEngine {
	readonly name: string
	open(): Promise<OpenStore>
	/** Promises the engine cannot keep, by test name. They are listed, never skipped in silence. */
	readonly cannot?: readonly string[]
}

export type Promised = (name: string, body: (open: OpenStore) => Promise<void>) => void

/** One test per promise; one that the engine cannot keep is a test that names it. */
export function promisesOf(engine: StoreEngine): Promised {
	return (name, body) => {
		if (engine.cannot?.includes(name)) return it(`cannot: ${name}`, () => expect(engine.cannot).toContain(name))
		it(name, async () => {
			const open = await engine.open()
			try {
				await body(open)
			} finally {
				await open.cleanup()
			}
		})
	}
}
