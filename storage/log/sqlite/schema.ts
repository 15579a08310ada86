// The file of the SQLite record log: its tables, how it is opened, and what SQLite's errors mean for a caller.
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import { KubetapeError, messageOf } from '#runtime/errors.ts'

export const logFile = 'records.db'

export const busyMs = 10_000
/** Pages of write-ahead log before it is moved into the file; 4 KiB each. */
const checkpointPages = 4000

const tables = `
CREATE TABLE IF NOT EXISTS batch (
  stream INTEGER NOT NULL, part INTEGER NOT NULL, first INTEGER NOT NULL,
  count INTEGER NOT NULL, crc INTEGER NOT NULL, at INTEGER NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY (stream, part, first)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS head (stream INTEGER NOT NULL, part INTEGER NOT NULL, first INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (stream, part)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS position (grp TEXT NOT NULL, stream INTEGER NOT NULL, part INTEGER NOT NULL, next INTEGER NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (grp, stream, part)) WITHOUT ROWID;`

/** What SQLite or the file system said, as an error of the registry. */
export function storageError(path: string, error: unknown): KubetapeError {
	if (error instanceof KubetapeError) return error
	const { errcode, code } = error as { errcode?: number; code?: string }
	const primary = errcode === undefined ? undefined : errcode & 0xff
	const message = `${path}: ${messageOf(error)}`
	if (primary === 13 || code === 'ENOSPC' || errcode === 778) return new KubetapeError('STORAGE_DISK_FULL', message, { cause: error })
	if (primary === 11 || primary === 26) return new KubetapeError('STORAGE_CORRUPT', message, { cause: error })
	if (primary === 18) return new KubetapeError('STORAGE_TOO_LARGE', message, { cause: error })
	if (primary === 5 || primary === 6) return new KubetapeError('STORAGE_BUSY', message, { cause: error })
	if (primary === 3 || primary === 8 || primary === 14 || primary === 23 || code === 'EACCES' || code === 'EPERM')
		return new KubetapeError('RUNTIME_NO_PERMISSION', message, { cause: error })
	return new KubetapeError('STORAGE_UNAVAILABLE', message, { cause: error })
}

/** Opens the file, made if it is missing. Durable: a commit is on the disk. Throws the registry's errors. */
export function openFile(path: string): DatabaseSync {
	let db: DatabaseSync | undefined
	try {
		mkdirSync(dirname(path), { recursive: true, mode: 0o750 })
		db = new DatabaseSync(path)
		db.exec(
			`PRAGMA busy_timeout=${busyMs}; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=${checkpointPages}; PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-4000;${tables}`,
		)
		return db
	} catch (error) {
		db?.close()
		throw storageError(path, error)
	}
}

/** The row as `batch` holds it. */
export interface BatchRow {
	readonly stream: bigint
	readonly part: bigint
	readonly first: bigint
	readonly count: bigint
	readonly crc: bigint
	readonly at: bigint
	readonly data: Uint8Array
}

/** CRC-32 of a row: of its data, then of where the row belongs, so that a row cannot be taken for another one. */
export function rowCrc(
	dataCrc: number,
	row: { readonly stream: bigint | number; readonly part: bigint | number; readonly first: bigint; readonly count: bigint | number },
): number {
	return crc32(`${row.stream}/${row.part}/${row.first}/${row.count}`, dataCrc)
}

/** CRC-32 of a committed position: a damaged one would skip records without a word. */
export function positionCrc(group: string, stream: bigint | number, part: bigint | number, next: bigint): number {
	return crc32(`${group}/${stream}/${part}/${next}`)
}

export function isSoundRow(row: Readonly<Record<string, unknown>>): boolean {
	const { stream, part, first, count, crc, data } = row as unknown as BatchRow
	if (![stream, part, first, count, crc].every((value) => typeof value === 'bigint') || !(data instanceof Uint8Array)) return false
	return rowCrc(crc32(data), { stream, part, first, count }) === Number(crc)
}
