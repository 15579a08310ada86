// Reading the head of the shared index keeps SQLite's locks: closing any handle of a file drops all locks of the process on it (fcntl(2)).
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { WalIndexHeads } from '#storage/store/sqlite/wal-index.ts'

let dir = ''
beforeEach(() => {
	dir = mkdtempSync(join(tmpdir(), 'kubetape-shm-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** Locks that this process has on the file, as the system lists them: https://man7.org/linux/man-pages/man5/proc_locks.5.html */
function locksOn(path: string): number {
	const inode = statSync(path).ino
	return readFileSync('/proc/locks', 'utf8')
		.split('\n')
		.filter((line) => new RegExp(`POSIX .* ${process.pid} [0-9a-f]+:[0-9a-f]+:${inode} `).test(line)).length
}

function open(path: string): DatabaseSync {
	const db = new DatabaseSync(path)
	db.exec('PRAGMA journal_mode=WAL; CREATE TABLE IF NOT EXISTS t(a); INSERT INTO t VALUES(1)')
	return db
}

it('the locks of a reader outlive it, also when the index was made anew in between', () => {
	const path = join(dir, 'a.db')
	using heads = new WalIndexHeads()
	let before = ''
	for (let time = 0; time < 2; time++) {
		const db = open(path)
		db.exec('BEGIN; SELECT * FROM t')
		const locks = locksOn(`${path}-shm`)
		expect(locks).toBeGreaterThan(0)
		const head = heads.of(`${path}-shm`)
		expect(head).toHaveLength(96)
		expect(head).not.toBe(before)
		before = head
		expect(locksOn(`${path}-shm`)).toBe(locks)
		db.exec('COMMIT')
		db.close()
	}
})

it('a put changes it; where nobody has the file open there is none', () => {
	const path = join(dir, 'a.db')
	using heads = new WalIndexHeads()
	const db = open(path)
	const before = heads.of(`${path}-shm`)
	expect(heads.of(`${path}-shm`)).toBe(before)
	db.exec('INSERT INTO t VALUES(2)')
	expect(heads.of(`${path}-shm`)).not.toBe(before)
	db.close()
	expect(heads.of(`${path}-shm`)).toBe('')
})
