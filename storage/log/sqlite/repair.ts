// Opens the record log's file checked: a damaged one is set aside, and what can be read of it is carried over.
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { messageOf } from '#runtime/errors.ts'
import { walDamage } from '#runtime/sqlite-wal.ts'
import { streams } from '#storage/log/port.ts'
import { isAsChecked, noteChecked } from './checked.ts'
import { busyMs, isSoundRow, logFile, openFile, positionCrc, storageError, type BatchRow } from './schema.ts'

/** Checking and repairing a large log takes its time; another role waits so long for it. */
const lockMs = 120_000
const partitionsMax = 64

export interface Damage {
	readonly path: string
	/** Where the damaged file was set aside. */
	readonly setAside: string
	readonly reason: string
	/** Batches that could be carried over, and records that the file's own counters say are missing. */
	readonly kept: number
	readonly lostRecords: bigint
}

interface Head {
	readonly first: bigint
	readonly next: bigint
}

/** Rows of a query as far as they can be read: at damage it ends, and says so to `broken`. */
function* readable(
	db: DatabaseSync,
	sql: string,
	values: readonly number[],
	broken: (error: unknown) => void,
): Generator<Record<string, unknown>> {
	try {
		const statement = db.prepare(sql)
		statement.setReadBigInts(true)
		for (const row of statement.iterate(...values)) yield row
	} catch (error) {
		broken(error)
	}
}

function headsIn(db: DatabaseSync, broken: (error: unknown) => void): Map<string, Head> {
	const heads = new Map<string, Head>()
	for (const row of readable(db, 'SELECT * FROM head', [], broken)) {
		const { first, next } = row as unknown as Head
		if (typeof first === 'bigint' && typeof next === 'bigint') heads.set(`${String(row['stream'])}/${String(row['part'])}`, { first, next })
	}
	return heads
}

/** What is wrong with the file: its write-ahead log, its pages, a row's checksum, or rows that do not join up to what `head` counts. Reads the whole file once, unless it is as it was when it was checked last. */
function damageIn(path: string): string | undefined {
	if (!existsSync(path)) return undefined
	// A file is never empty once it has tables. One that was emptied cannot be told from one whose maker died at once: both are named.
	if (statSync(path).size === 0) return 'the file is empty'
	const lost = walDamage(path)
	if (lost !== undefined) return lost
	if (isAsChecked(path)) return undefined
	let db: DatabaseSync | undefined
	try {
		db = new DatabaseSync(path)
		db.exec(`PRAGMA busy_timeout=${busyMs}`)
		const result = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check']
		if (result !== 'ok') return String(result)
		// One snapshot: another process may be appending.
		db.exec('BEGIN')
		const fail = (error: unknown): never => {
			throw error
		}
		const heads = headsIn(db, fail)
		const ends = new Map<string, bigint>()
		for (const row of readable(db, 'SELECT * FROM batch ORDER BY stream, part, first', [], fail)) {
			const place = `${String(row['stream'])}/${String(row['part'])}`
			const expected = ends.get(place) ?? heads.get(place)?.first
			if (!isSoundRow(row)) return `the batch at offset ${String(row['first'])} of ${place} fails its checksum`
			if (row['first'] !== expected) return `the batch at offset ${String(row['first'])} of ${place} does not follow ${String(expected)}`
			ends.set(place, (row['first'] as bigint) + (row['count'] as bigint))
		}
		for (const [place, head] of heads)
			if ((ends.get(place) ?? head.first) !== head.next) return `${place} does not end at offset ${head.next}`
		return undefined
	} catch (error) {
		const known = storageError(path, error)
		if (known.code === 'STORAGE_CORRUPT' || /no such (table|column)/.test(known.message)) return messageOf(error)
		throw known
	} finally {
		db?.close()
	}
}

/** Checks the file; a damaged one is set aside under a name that says so, and what can be read of it, from the beginning of each partition to the damage, is carried over. */
function repairFile(dir: string, stamp: string): Damage | undefined {
	const path = join(dir, logFile)
	const reason = damageIn(path)
	if (reason === undefined) return undefined
	const setAside = `${path}.damaged-${stamp}`
	for (const suffix of ['', '-wal', '-shm']) if (existsSync(path + suffix)) renameSync(path + suffix, setAside + suffix)
	const fresh = openFile(path)
	try {
		return { path, setAside, reason, ...carryOver(setAside, fresh) }
	} catch (error) {
		throw storageError(path, error)
	} finally {
		fresh.close()
	}
}

/** Opens the checked, if need be repaired, log. Roles open it at the same time: only one of them at a time checks and repairs. */
export function openLog(dir: string, stamp: string): { readonly db: DatabaseSync; readonly damage: Damage | undefined } {
	const lockPath = join(dir, 'records.lock')
	let lock: DatabaseSync | undefined
	try {
		mkdirSync(dir, { recursive: true, mode: 0o750 })
		lock = new DatabaseSync(lockPath)
		lock.exec(`PRAGMA busy_timeout=${lockMs}; BEGIN EXCLUSIVE`)
		const damage = repairFile(dir, stamp)
		const path = join(dir, logFile)
		const db = openFile(path)
		noteChecked(path)
		return { damage, db }
	} catch (error) {
		throw storageError(lockPath, error)
	} finally {
		lock?.close()
	}
}

function carryOver(from: string, to: DatabaseSync): { kept: number; lostRecords: bigint } {
	let kept = 0
	let lostRecords = 0n
	const damaged = (): void => undefined // as far as it could be read: what is missing is counted below
	let db: DatabaseSync | undefined
	try {
		db = new DatabaseSync(from)
		const source = db
		to.exec('BEGIN IMMEDIATE')
		const put = to.prepare('INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?)')
		const putHead = to.prepare('INSERT INTO head VALUES (?, ?, ?, ?)')
		const heads = headsIn(source, damaged)
		const ends = new Map<string, bigint>()
		for (let stream = 0; stream < streams.length; stream++) {
			for (let part = 0; part < partitionsMax; part++) {
				const head = heads.get(`${stream}/${part}`)
				let end = head?.first
				let first = end
				for (const row of readable(source, 'SELECT * FROM batch WHERE stream = ? AND part = ? ORDER BY first', [stream, part], damaged)) {
					// Only from the beginning, and without a hole: order and completeness hold for all that is read.
					if (!isSoundRow(row)) break
					// A sound row before the first offset that `head` names: then it is `head` that is damaged.
					const begins = end === head?.first && first === head?.first && (end === undefined || (row['first'] as bigint) < end)
					if (!begins && row['first'] !== end) break
					const { first: at, count, crc, at: appendedAt, data } = row as unknown as BatchRow
					put.run(stream, part, at, count, crc, typeof appendedAt === 'bigint' ? appendedAt : 0n, data)
					if (begins) first = at
					end = at + count
					kept += 1
				}
				if (first === undefined || end === undefined) continue
				const missing = (head?.next ?? end) - end
				lostRecords += missing > 0n ? missing : 0n
				ends.set(`${stream}/${part}`, end)
				putHead.run(stream, part, first, end)
			}
		}
		carryPositions(source, to, ends, damaged)
		to.exec('COMMIT')
	} catch (error) {
		if (to.isTransaction) to.exec('ROLLBACK')
		// Nothing of the damaged file could be opened: the log begins anew, and the caller is told.
		if (storageError(from, error).code !== 'STORAGE_CORRUPT') throw error
		return { kept: 0, lostRecords: 0n }
	} finally {
		db?.close()
	}
	return { kept, lostRecords }
}

/** Offsets behind the damage are given anew: a group that had committed beyond it goes on where the partition now ends. */
function carryPositions(from: DatabaseSync, to: DatabaseSync, ends: ReadonlyMap<string, bigint>, damaged: () => void): void {
	const put = to.prepare('INSERT INTO position VALUES (?, ?, ?, ?, ?)')
	for (const row of readable(from, 'SELECT * FROM position', [], damaged)) {
		const { grp, stream, part, next, crc } = row as { grp: unknown; stream: unknown; part: unknown; next: unknown; crc: unknown }
		const end = ends.get(`${String(stream)}/${String(part)}`)
		if (typeof grp !== 'string' || typeof stream !== 'bigint' || typeof part !== 'bigint' || typeof next !== 'bigint' || end === undefined)
			continue
		if (Number(crc) !== positionCrc(grp, stream, part, next)) continue
		const clamped = next < end ? next : end
		put.run(grp, stream, part, clamped, positionCrc(grp, stream, part, clamped))
	}
}
