// A file is opened as itself or not at all.
import { closeSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { headOf, newRow, openAs, readRow } from '#collectors/logs/file.ts'
import { temporaryFolder } from '#test/support/program.ts'

const folder = temporaryFolder('log-file')
afterAll(() => folder.remove())

it('is not opened under a name that has gone to another file since it was listed', () => {
	const path = join(folder.path, '0.log')
	writeFileSync(path, 'one\n')
	const { dev, ino } = statSync(path)
	const entry = { path, device: dev, inode: ino }
	expect(headOf(entry).head.toString()).toBe('one\n')
	renameSync(path, `${path}.1`)
	writeFileSync(path, 'two\n')
	expect(() => openAs(path, entry)).toThrow(expect.objectContaining({ code: 'ENOENT' }))
	expect(() => headOf(entry)).toThrow(expect.objectContaining({ code: 'ENOENT' }))
	closeSync(openAs(`${path}.1`, entry))
})

it('has the same name whenever it is met, once its first line is there; another one where the name is taken', () => {
	const entry = { device: 1, inode: 2 }
	const name = (head: string, isTaken: boolean, now: number): string => newRow('/a', entry, Buffer.from(head), () => isTaken, now).name
	expect(name('one\ntw', false, 1)).toBe(name('one\ntwo\n', false, 2))
	expect(name('one\n', true, 1)).not.toBe(name('one\n', false, 1))
	expect(name('on', false, 1)).not.toBe(name('on', false, 2))
})

it('is read anew where what was kept of it is garbled', () => {
	const row = newRow('/a', { device: 1, inode: 2 }, Buffer.from('x\n'), () => false, 1)
	expect(readRow(Buffer.from(JSON.stringify(row)))).toEqual(row)
	for (const garbled of ['', '{', '[]', '{"settled":[1]}', JSON.stringify({ ...row, settled: [0, 0, 'x'] })])
		expect(readRow(Buffer.from(garbled))).toBeUndefined()
})
