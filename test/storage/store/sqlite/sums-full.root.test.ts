// The disk becomes full in the middle of a day's checksums: those that were there stay, as half of the new ones would make the day a damaged one.
// Needs root, for a small file system of its own.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { PageSums } from '#storage/store/sqlite/pages.ts'
import { temporaryFolder } from '#test/support/program.ts'

const pageBytes = 4096
let folder: ReturnType<typeof temporaryFolder>
let disk = ''
beforeEach(() => {
	folder = temporaryFolder('sums-full')
	disk = join(folder.path, 'disk')
	mkdirSync(disk)
	execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk])
})
afterEach(() => {
	execFileSync('umount', [disk])
	folder.remove()
})

it('checksums that do not fit are refused, and the old ones stay', () => {
	const pages = join(folder.path, 'pages')
	const sums = join(disk, 'a.sums')
	writeFileSync(pages, Buffer.alloc(pageBytes, 1))
	PageSums.of(pages, pageBytes).save(sums, true)
	// Three pages of checksums, of which two have room.
	writeFileSync(pages, Buffer.alloc(pageBytes * 3000, 2))
	writeFileSync(join(disk, 'filler'), Buffer.alloc(64 * 1024 - pageBytes * 3))
	expect(() => PageSums.of(pages, pageBytes).save(sums, true)).toThrow('ENOSPC')
	writeFileSync(pages, Buffer.alloc(pageBytes, 1))
	expect(PageSums.load(sums).isFirstPage(pages)).toBe(true)
})
