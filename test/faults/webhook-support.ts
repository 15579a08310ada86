// What a reader of the record log finds of audit entries.
import { join } from 'node:path'
import { systemClock } from '#runtime/clock.ts'
import { openSqliteLog } from '#storage/log/sqlite/log.ts'

export interface StoredEntries {
	/** Of each auditID the ids under which it is stored. */
	readonly ids: ReadonlyMap<string, ReadonlySet<string>>
	/** Repeated ones counted as often as they are there. */
	readonly records: number
}

/** All that is there now. `data`: the program's data directory. */
export async function readEntries(data: string): Promise<StoredEntries> {
	const ids = new Map<string, Set<string>>()
	let [read, records] = [0, 0]
	await using log = await openSqliteLog({ dir: join(data, 'log'), clock: systemClock })
	const [lag] = await log.lag('entries', ['records'])
	if (!lag || lag.records === 0n) return { ids, records }
	for await (const batch of log.read('entries', ['records'], new AbortController().signal)) {
		read += batch.records.length
		for (const record of batch.records) {
			if (record.kind !== 'audit') continue
			records += 1
			ids.set(record.auditID, (ids.get(record.auditID) ?? new Set()).add(record.id))
		}
		if (BigInt(read) >= lag.records) break
	}
	return { ids, records }
}
