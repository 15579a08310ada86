// Damage to a write-ahead log that its processes left behind: told wherever it is; a healthy log, at any stage, is never called damaged.
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { walDamage } from '#runtime/sqlite-wal.ts'
import { createRandom, seedOf } from '#test/support/random.ts'

const random = createRandom(seedOf('runtime/sqlite-wal'))
const rows = 120
let dir = ''
let path = ''
let copy = ''
let db: DatabaseSync

/** The files as a SIGKILL would leave them. */
function leave(): void {
	for (const suffix of ['', '-wal', '-shm']) {
		if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix)
		else rmSync(copy + suffix, { force: true })
	}
}

function rowsLeft(): number {
	const opened = new DatabaseSync(copy)
	try {
		return Number(opened.prepare('SELECT count(*) AS n FROM t').get()?.['n'])
	} finally {
		opened.close()
	}
}

beforeAll(() => {
	dir = mkdtempSync(join(tmpdir(), 'kubetape-wal-'))
	path = join(dir, 'whole.db')
	copy = join(dir, 'left.db')
	db = new DatabaseSync(path)
	db.exec('PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t(a)')
	const insert = db.prepare('INSERT INTO t VALUES(?)')
	for (let row = 0; row < rows; row++) insert.run(`${row} ${'x'.repeat(900)}`)
})
afterAll(() => {
	db.close()
	rmSync(dir, { recursive: true, force: true })
})

describe('the write-ahead log', () => {
	it('is whole while it is written, and as it is left', () => {
		expect(walDamage(path)).toBeUndefined()
		leave()
		expect(walDamage(copy)).toBeUndefined()
		expect(rowsLeft()).toBe(rows)
	})

	it('a flipped bit is told wherever it costs a row, with and without what the processes had agreed on', () => {
		const whole = readFileSync(`${path}-wal`)
		let lossy = 0
		for (let trial = 0; trial < 60; trial++) {
			leave()
			const damaged = Buffer.from(whole)
			const at = trial < 32 ? trial : Math.floor(random() * (whole.length - 5000))
			damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << Math.floor(random() * 8)), at)
			writeFileSync(`${copy}-wal`, damaged)
			const told = walDamage(copy)
			rmSync(`${copy}-shm`)
			const toldAlone = walDamage(copy)
			const left = (() => {
				try {
					return rowsLeft()
				} catch {
					return -1 // not even the table is left
				}
			})()
			if (left === rows) continue
			lossy += 1
			expect(told, `bit of byte ${at}`).toContain('write-ahead log is damaged')
			expect(toldAlone, `bit of byte ${at}, alone`).toContain('write-ahead log is damaged')
		}
		expect(lossy).toBeGreaterThan(40)
	})

	it('a file that was cut off, emptied or removed is told', () => {
		const { length } = readFileSync(`${path}-wal`)
		for (const size of [0, 10, 32, 5000, length - 1]) {
			leave()
			truncateSync(`${copy}-wal`, size)
			expect(walDamage(copy), `cut at ${size}`).toContain('its write-ahead log is')
		}
		leave()
		rmSync(`${copy}-wal`)
		expect(walDamage(copy)).toContain('missing')
	})

	it('a transaction that was not written to its end is no damage', () => {
		leave()
		const whole = readFileSync(`${copy}-wal`)
		const agreed = readFileSync(`${copy}-shm`)
		db.exec(`BEGIN; INSERT INTO t VALUES('${'y'.repeat(30_000)}'); COMMIT`)
		const longer = readFileSync(`${path}-wal`)
		db.exec("DELETE FROM t WHERE a LIKE 'y%'")
		writeFileSync(`${copy}-wal`, longer.subarray(0, whole.length + 9000))
		writeFileSync(`${copy}-shm`, agreed)
		expect(walDamage(copy)).toBeUndefined()
	})

	it('a transaction that was not written to its end, and partly written over by a shorter one, is no damage', () => {
		const whole = readFileSync(`${path}-wal`)
		db.exec(`INSERT INTO t VALUES('${'y'.repeat(60_000)}')`)
		leave()
		const longer = readFileSync(`${path}-wal`)
		db.exec("DELETE FROM t WHERE a LIKE 'y%'")
		rmSync(`${copy}-shm`)
		// Its last page, which would have made it count, was not written any more.
		const lastFrame = 4096 + 24
		expect(longer.length - whole.length).toBeGreaterThan(10 * lastFrame)
		truncateSync(`${copy}-wal`, longer.length - lastFrame)
		const next = new DatabaseSync(copy)
		try {
			next.exec("PRAGMA wal_autocheckpoint=0; INSERT INTO t VALUES('short')")
			expect(walDamage(copy)).toBeUndefined()
			const left = { wal: readFileSync(`${copy}-wal`), shm: readFileSync(`${copy}-shm`) }
			const killed = join(dir, 'killed.db')
			copyFileSync(copy, killed)
			writeFileSync(`${killed}-wal`, left.wal)
			expect(walDamage(killed)).toBeUndefined()
			writeFileSync(`${killed}-shm`, left.shm)
			expect(walDamage(killed)).toBeUndefined()
		} finally {
			next.close()
		}
	})

	it('is whole behind every kind of checkpoint, and when it begins anew', () => {
		for (const kind of ['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE']) {
			db.exec(`PRAGMA wal_checkpoint(${kind})`)
			leave()
			expect([walDamage(path), walDamage(copy)], kind).toEqual([undefined, undefined])
			db.exec("INSERT INTO t VALUES('z')")
			leave()
			expect([walDamage(path), walDamage(copy)], `${kind}, then a row`).toEqual([undefined, undefined])
		}
	})
})
