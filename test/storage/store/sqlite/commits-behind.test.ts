// What stands in a write-ahead log behind what readers are told of: of a writer that was killed in the middle of a commit it is no loss, behind a damaged frame it is.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, expect, it } from 'vitest'
import { commitsBehind } from '#storage/store/sqlite/pages.ts'
import { temporaryFolder } from '#test/support/program.ts'

const folder = temporaryFolder('commits-behind')
afterAll(() => folder.remove())

it('tells a commit that nobody was told of from one that is damaged', () => {
	const path = join(folder.path, 'day.db')
	using db = new DatabaseSync(path)
	db.exec('PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE a (b TEXT)')
	const frames = Math.floor((readFileSync(`${path}-wal`).length - 32) / (24 + 4096))
	db.exec("INSERT INTO a VALUES ('one')")
	db.exec("INSERT INTO a VALUES ('two')")
	const copy = join(folder.path, 'copy-wal')
	const bytes = readFileSync(`${path}-wal`)
	writeFileSync(copy, bytes)
	expect(commitsBehind(copy, frames), 'whole, and nobody was told of them').toBe(0)
	const damaged = Buffer.from(bytes)
	const at = 32 + frames * (24 + 4096) + 24 + 100
	damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at)
	writeFileSync(copy, damaged)
	expect(commitsBehind(copy, frames), 'the first of them is damaged').toBe(2)
})
