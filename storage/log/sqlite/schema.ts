// The file of the SQLite record log: its tables, how it is opened, and what SQLite's errors mean for a caller.
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { KubetapeError, messageOf } from '#runtime/errors.ts'

export const logFile = 'records.db'

const busyMs = 10_000
/** Pages of write-ahead log before it is moved into the file; 4 KiB each. */
const checkpointPages = 4000

const tables = `
CREATE TABLE IF NOT EXISTS batch (
  stream INTEGER NOT NULL, part INTEGER NOT NULL, first INTEGER NOT NULL,
  count INTEGER NOT NULL, crc INTEGER NOT NULL, at INTEGER NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY (stream, part, first)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS head (stream INTEGER NOT NULL, part INTEGER NOT NULL, first INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (stream, part)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS position (grp TEXT NOT NULL, stream INTEGER NOT NULL, part INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (grp, stream, part)) WITHOUT ROWID;`

/** What SQLite or the file system said, as an error of the registry. */
export function storageError(path: string, error: unknown): KubetapeError {
	if (error instanceof KubetapeError) return error
	const { errcode, code } = error as { errcode?: number; code?: string }
	const primary = errcode === undefined ? undefined : errcode & 0xff
	const message = `${path}: ${messageOf(error)}`
	if (primary === 13 || code === 'ENOSPC' || errcode === 778) return new KubetapeError('STORAGE_DISK_FULL', message, { cause: error })
	if (primary === 11 || primary === 26) return new KubetapeError('STORAGE_CORRUPT', message, { cause: error })
	if (primary === 5 || primary === 6) return new KubetapeError('STORAGE_BUSY', message, { cause: error })
	if (primary === 3 || primary === 8 || primary === 14 || primary === 23 || code === 'EACCES' || code === 'EPERM') return new KubetapeError('RUNTIME_NO_PERMISSION', message, { cause: error })
	return new KubetapeError('STORAGE_UNAVAILABLE', message, { cause: error })
}

/** Opens the file, made if it is missing. Durable: a commit is on the disk. Throws the registry's errors. */
export function openFile(path: string): DatabaseSync {
	let db: DatabaseSync | undefined
	try {
		mkdirSync(dirname(path), { recursive: true, mode: 0o750 })
		db = new DatabaseSync(path)
		db.exec(`PRAGMA busy_timeout=${busyMs}; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=${checkpointPages}; PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-4000;${tables}`)
		return db
	} catch (error) {
		db?.close()
		throw storageError(path, error)
	}
}

export interface Damage {
	readonly path: string
	/** Where the damaged file was set aside. */
	readonly setAside: string
	readonly reason: string
	/** Batches that could be carried over, and records that the file's own counters say are missing. */
	readonly kept: number
	readonly lostRecords: bigint
}

/** True where the file's own header and size fit and its pages hold together. Reads the whole file once. */
function isSound(path: string): string | undefined {
	if (!existsSync(path) || statSync(path).size === 0) return undefined
	let db: DatabaseSync | undefined
	try {
		db = new DatabaseSync(path)
		db.exec(`PRAGMA busy_timeout=${busyMs}`)
		const result = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check']
		return result === 'ok' ? undefined : String(result)
	} catch (error) {
		const known = storageError(path, error)
		if (known.code === 'STORAGE_CORRUPT') return messageOf(error)
		throw known
	} finally {
		db?.close()
	}
}

/** Checks the file; a damaged one is set aside under a name that says so, and what can be read of it, from the beginning of each partition to the damage, is carried over. */
export function repairFile(dir: string, stamp: string): Damage | undefined {
	const path = join(dir, logFile)
	const reason = isSound(path)
	if (reason === undefined) return undefined
	const setAside = `${path}.damaged-${stamp}`
	for (const suffix of ['', '-wal', '-shm']) if (existsSync(path + suffix)) renameSync(path + suffix, setAside + suffix)
	rmSync(path, { force: true })
	const fresh = openFile(path)
	try {
		return { path, setAside, reason, ...carryOver(setAside, fresh) }
	} finally {
		fresh.close()
	}
}

function carryOver(from: string, to: DatabaseSync): { kept: number; lostRecords: bigint } {
	let kept = 0
	let lostRecords = 0n
	const rowsOf = function* (sql: string): Generator<Record<string, unknown>> {
		let db: DatabaseSync | undefined
		try {
			db = new DatabaseSync(from, { readOnly: false })
			const statement = db.prepare(sql)
			statement.setReadBigInts(true)
			for (const row of statement.iterate()) yield row
		} catch {
			return // as far as it could be read
		} finally {
			db?.close()
		}
	}
	const put = to.prepare('INSERT OR IGNORE INTO batch VALUES (?, ?, ?, ?, ?, ?, ?)')
	const ends = new Map<string, bigint>()
	to.exec('BEGIN IMMEDIATE')
	for (const row of rowsOf('SELECT * FROM batch ORDER BY stream, part, first')) {
		const key = `${row['stream'] as bigint}/${row['part'] as bigint}`
		const end = ends.get(key)
		if (end !== undefined && end !== row['first']) continue
		put.run(row['stream'] as bigint, row['part'] as bigint, row['first'] as bigint, row['count'] as bigint, row['crc'] as bigint, row['at'] as bigint, row['data'] as Uint8Array)
		ends.set(key, (row['first'] as bigint) + (row['count'] as bigint))
		kept += 1
	}
	for (const row of rowsOf('SELECT * FROM head')) {
		const key = `${row['stream'] as bigint}/${row['part'] as bigint}`
		const next = ends.get(key) ?? (row['first'] as bigint)
		lostRecords += (row['next'] as bigint) - next
		to.prepare('INSERT OR REPLACE INTO head VALUES (?, ?, ?, ?)').run(row['stream'] as bigint, row['part'] as bigint, row['first'] as bigint, row['next'] as bigint)
	}
	for (const [key, next] of ends) {
		const [stream, part] = key.split('/').map(Number)
		to.prepare('INSERT OR IGNORE INTO head SELECT stream, part, min(first), ? FROM batch WHERE stream = ? AND part = ? GROUP BY stream, part').run(next, stream ?? 0, part ?? 0)
	}
	for (const row of rowsOf('SELECT * FROM position')) to.prepare('INSERT OR REPLACE INTO position VALUES (?, ?, ?, ?)').run(row['grp'] as string, row['stream'] as bigint, row['part'] as bigint, row['next'] as bigint)
	to.exec('COMMIT')
	return { kept, lostRecords }
}
