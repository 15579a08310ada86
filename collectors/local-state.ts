// A collector's own memory on disk: cursors, and the last known version of every object. One SQLite file; bounded memory.
import { mkdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export interface KnownObject {
	readonly key: string
	readonly revision: bigint
	/** Whatever the collector wants back: an etcd value, JSON text. */
	readonly value: Uint8Array
}

export interface LocalState extends Disposable {
	cursor(name: string): string | undefined
	get(key: string): KnownObject | undefined
	/** In key order, a page at a time: never the whole state in memory. */
	list(prefix: string): IterableIterator<KnownObject>
	/** One transaction: values (null removes the key), then cursors. Call it after the records are durable. */
	apply(
		changes: Iterable<{ readonly key: string; readonly revision: bigint; readonly value: Uint8Array | null }>,
		cursors: Readonly<Record<string, string>>,
	): void
}

const pageRows = 500
/** Result codes of https://www.sqlite.org/rescode.html, low byte: busy, locked, input or output, full, cannot open. */
const passing = new Set([5, 6, 10, 13, 14])
const againMs = 500

/** Saves again and again while the disk is full or does not answer: what was handed over stays, and nothing more is read meanwhile. `onHeld` is told why, once. Throws what trying again cannot help, or where `isOver`. */
export async function saveWhenPossible(save: () => void, onHeld: (error: unknown) => void, isOver: () => boolean): Promise<void> {
	for (let tries = 0; ; tries += 1) {
		try {
			return save()
		} catch (error) {
			const { errcode } = error as { errcode?: unknown }
			if (isOver() || typeof errcode !== 'number' || !passing.has(errcode & 0xff)) throw error
			if (tries === 0) onHeld(error)
			await sleep(againMs)
		}
	}
}

/** Opens `dir`/state.db, made if it is missing. A file that is damaged throws node:sqlite's error: the collector then begins with a snapshot and a gap. */
export function openLocalState(dir: string): LocalState {
	mkdirSync(dir, { recursive: true })
	const db = new DatabaseSync(join(dir, 'state.db'))
	db.exec(`PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-8000;
CREATE TABLE IF NOT EXISTS cursor (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS object (key TEXT PRIMARY KEY, revision INTEGER NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;`)
	const readCursor = db.prepare('SELECT value FROM cursor WHERE name = ?')
	const readObject = db.prepare('SELECT key, revision, value FROM object WHERE key = ?')
	readObject.setReadBigInts(true)
	const readPage = db.prepare('SELECT key, revision, value FROM object WHERE key > ? AND key >= ? ORDER BY key LIMIT ?')
	readPage.setReadBigInts(true)
	const putCursor = db.prepare('INSERT INTO cursor VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value')
	const putObject = db.prepare(
		'INSERT INTO object VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET revision = excluded.revision, value = excluded.value',
	)
	const dropObject = db.prepare('DELETE FROM object WHERE key = ?')
	return {
		cursor: (name) => readCursor.get(name)?.['value'] as string | undefined,
		get: (key) => readObject.get(key) as unknown as KnownObject | undefined,
		*list(prefix) {
			let after = ''
			for (;;) {
				const rows = readPage.all(after, prefix, pageRows) as unknown as KnownObject[]
				for (const row of rows) {
					if (!row.key.startsWith(prefix)) return
					yield row
				}
				const last = rows.at(-1)
				if (!last || rows.length < pageRows) return
				after = last.key
			}
		},
		apply(changes, cursors) {
			db.exec('BEGIN IMMEDIATE')
			try {
				for (const change of changes) {
					if (change.value === null) dropObject.run(change.key)
					else putObject.run(change.key, change.revision, change.value)
				}
				for (const [name, value] of Object.entries(cursors)) putCursor.run(name, value)
				db.exec('COMMIT')
			} catch (error) {
				// SQLite has done it already where the disk is full.
				if (db.isTransaction) db.exec('ROLLBACK')
				throw error
			}
		},
		[Symbol.dispose]: () => db.close(),
	}
}
