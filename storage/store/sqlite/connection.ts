// How a day's file is opened, and what can be told of it without that.
import { closeSync, openSync, readSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import type { SqliteStoreConfig } from './config.ts'
import { storeLimits } from './limits.ts'

/** Header of the wal-index (https://www.sqlite.org/walformat.html), in hex; empty where nobody has the file open. */
export function headOf(path: string): string {
	let file: number
	try {
		file = openSync(path, 'r')
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
		throw error
	}
	try {
		const head = Buffer.alloc(48)
		return head.toString('hex', 0, readSync(file, head, 0, 48, 0))
	} finally {
		closeSync(file)
	}
}

export function configure(db: DatabaseSync, config: SqliteStoreConfig, readOnly: boolean): void {
	db.exec(`PRAGMA busy_timeout = ${storeLimits.busyTimeoutMs}; PRAGMA cache_size = -${config.cacheKibibytes}; PRAGMA temp_store = MEMORY;`)
	// Checkpoints are made by checkpoint(), which takes the checksums of the pages.
	if (!readOnly)
		db.exec(
			`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${config.synchronous}; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = ${storeLimits.walBytesMax}`,
		)
}
