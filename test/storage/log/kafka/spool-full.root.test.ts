// The spool's disk becomes full in the middle of an entry: the system then takes a part of a write and says so only by its length.
// Needs root, for a small file system of its own.
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Spool } from '#storage/log/kafka/spool.ts'
import { temporaryFolder } from '#test/support/program.ts'

let folder: ReturnType<typeof temporaryFolder>
let spool: Spool
beforeEach(() => {
	folder = temporaryFolder('spool-full')
	execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder.path])
})
afterEach(async () => {
	try {
		await spool.close()
	} finally {
		execFileSync('umount', [folder.path])
		folder.remove()
	}
})

/** Leaves `bytes` of room. */
function fill(bytes: number): string {
	const path = join(folder.path, 'filler')
	writeFileSync(path, Buffer.alloc(1024 * 1024 - 4096 * 4 - bytes))
	return path
}

const entry = (number: number, bytes: number): Buffer => Buffer.alloc(bytes, number)

it('an entry of which a part went in is refused; what was taken before and what comes after is read whole', async () => {
	const losses: unknown[] = []
	const open = (): Spool => new Spool({ dir: join(folder.path, 'spool'), bytesMax: 1e9, onLoss: (loss) => void losses.push(loss) })
	spool = open()
	await spool.add('records', entry(1, 1000), true)
	const filler = fill(64 * 1024)
	await expect(spool.add('records', entry(2, 300_000), true)).rejects.toMatchObject({ code: 'STORAGE_DISK_FULL' })
	rmSync(filler)
	await spool.add('records', entry(3, 200_000), true)
	await spool.close()
	spool = open()
	const found: Buffer[] = []
	for (;;) {
		const next = await spool.next()
		if (!next) break
		found.push(next.data)
	}
	expect(found.map((data) => [data[0], data.length])).toEqual([
		[1, 1000],
		[3, 200_000],
	])
	expect(losses).toEqual([])
})
