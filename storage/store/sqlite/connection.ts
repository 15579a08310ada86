// How a day's file is opened.
import type { DatabaseSync } from 'node:sqlite'
import type { SqliteStoreConfig } from './config.ts'
import { storeLimits } from './limits.ts'

export function configure(db: DatabaseSync, config: SqliteStoreConfig, readOnly: boolean): void {
	db.exec(`PRAGMA busy_timeout = ${storeLimits.busyTimeoutMs}; PRAGMA cache_size = -${config.cacheKibibytes}; PRAGMA temp_store = MEMORY;`)
	// Checkpoints are made by checkpoint(), which takes the checksums of the pages.
	if (!readOnly)
		db.exec(
			`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${config.synchronous}; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = ${storeLimits.walBytesMax}`,
		)
}
