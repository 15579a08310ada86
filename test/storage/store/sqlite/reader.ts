// How another thread opens an SQLite store for reading.
import type { Store } from '#storage/store/port.ts'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'
import { fixedClock } from '#test/storage/store/records.ts'

export function openReader(where: string): Promise<Store> {
	return openSqliteStore({ dir: where, readOnly: true, clock: fixedClock })
}
