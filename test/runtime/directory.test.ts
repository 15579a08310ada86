// Directories are made in as many steps as their path has.
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { makeDirectory } from '#runtime/directory.ts'

const refused = expect.objectContaining({ code: 'RUNTIME_NO_PERMISSION' })
let dir = ''
beforeEach(() => {
	dir = mkdtempSync(join(tmpdir(), 'kubetape-directory-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

it('makes what is missing, readable by owner and group, and is content with what is there', () => {
	makeDirectory(join(dir, 'a', 'b', 'c'))
	makeDirectory(join(dir, 'a', 'b', 'c'))
	expect(statSync(join(dir, 'a', 'b', 'c')).mode & 0o777).toBe(0o750)
	mkdirSync(join(dir, 'real'))
	symlinkSync('real', join(dir, 'link'))
	makeDirectory(join(dir, 'link', 'd'))
	expect(statSync(join(dir, 'real', 'd')).isDirectory()).toBe(true)
})

it('refuses where the system does, at once', () => {
	writeFileSync(join(dir, 'file'), '')
	symlinkSync('nowhere', join(dir, 'dangling'))
	for (const path of [join(dir, 'file'), join(dir, 'file', 'a'), join(dir, 'dangling'), join(dir, 'dangling', 'a'), '/proc/none/a'])
		expect(() => makeDirectory(path), path).toThrow(refused)
})
