// An append is durable when it resolves, and readable before: the write-ahead log is forced to the disk in the background, once for all that wait.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '#runtime/clock.ts'
import { openSqliteLog } from '#storage/log/sqlite/log.ts'
import { WalSync } from '#storage/log/sqlite/wal-sync.ts'
import { numberedRecord } from '#test/support/records.ts'

/** A disk that takes as long as the test wants. */
class Disk {
	readonly calls: PromiseWithResolvers<void>[] = []
	readonly force = (): Promise<void> => {
		const call = Promise.withResolvers<void>()
		this.calls.push(call)
		return call.promise
	}
}

/** `settled`: in which order the promises did. */
function watch(settled: string[], name: string, promise: Promise<void>): Promise<void> {
	return promise.then(
		() => void settled.push(name),
		(error: unknown) => void settled.push(`${name} ${error instanceof Error ? error.message : ''}`),
	)
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
let dir = ''

describe('write-ahead log to disk', () => {
	beforeEach(() => {
		dir = mkdtempSync(join(tmpdir(), 'kubetape-sync-'))
		writeFileSync(join(dir, 'a.db-wal'), '')
	})
	afterEach(() => rmSync(dir, { recursive: true, force: true }))

	it('who asks while it runs waits for the next one, which is for all of them', async () => {
		const disk = new Disk()
		const wal = new WalSync(join(dir, 'a.db'), () => undefined, disk.force)
		const settled: string[] = []
		const all = [watch(settled, 'one', wal.sync()), watch(settled, 'two', wal.sync()), watch(settled, 'three', wal.sync())]
		await turn()
		expect(disk.calls).toHaveLength(1)
		disk.calls[0]?.resolve()
		await turn()
		expect([settled, disk.calls.length]).toEqual([['one'], 2])
		disk.calls[1]?.resolve()
		await Promise.all(all)
		expect(settled).toEqual(['one', 'two', 'three'])
		await wal.close()
	})

	it('a failure is told to those it was for, and the next one is not believed before a checkpoint', async () => {
		const disk = new Disk()
		const settled: string[] = []
		const checkpoints = [new Error('in the way'), undefined]
		const checkpoint = (): void => {
			settled.push('checkpoint')
			const failure = checkpoints.shift()
			if (failure) throw failure
		}
		const wal = new WalSync(join(dir, 'a.db'), checkpoint, disk.force)
		const all = [watch(settled, 'one', wal.sync()), watch(settled, 'two', wal.sync())]
		await turn()
		disk.calls[0]?.reject(new Error('EIO'))
		await Promise.all(all)
		expect(settled).toEqual(['one EIO', 'checkpoint', 'two in the way'])
		const three = watch(settled, 'three', wal.sync())
		await turn()
		disk.calls[1]?.resolve()
		await three
		expect(settled.slice(3)).toEqual(['checkpoint', 'three'])
		await wal.close()
	})

	it('after a failure everything is moved into the file before an append resolves', async () => {
		const disk = new Disk()
		const log = await openSqliteLog({ dir, clock: systemClock, force: disk.force })
		const settled: string[] = []
		const one = watch(settled, 'one', log.append('records', [numberedRecord(1)]))
		await turn()
		disk.calls[0]?.reject(new Error('EIO'))
		await one
		const wal = join(dir, 'records.db-wal')
		expect(statSync(wal).size).toBeGreaterThan(0)
		const two = watch(settled, 'two', log.append('records', [numberedRecord(2)]))
		while (disk.calls.length < 2) await turn()
		expect(statSync(wal).size).toBe(0)
		disk.calls[1]?.resolve()
		await two
		expect(settled).toEqual([expect.stringContaining('EIO'), 'two'])
		await log[Symbol.asyncDispose]()
	})

	it('an append is read at once, resolves when it is on the disk, and rejects when it cannot be there', async () => {
		const disk = new Disk()
		const log = await openSqliteLog({ dir, clock: systemClock, force: disk.force })
		const settled: string[] = []
		const one = watch(settled, 'one', log.append('records', [numberedRecord(1)]))
		const reader = log.read('g', ['records'], AbortSignal.timeout(10_000))[Symbol.asyncIterator]()
		expect((await reader.next()).value?.records).toHaveLength(1)
		const two = watch(settled, 'two', log.append('records', [numberedRecord(2)]))
		expect((await reader.next()).value?.records).toHaveLength(1)
		await reader.return?.()
		expect(settled).toEqual([])
		disk.calls[0]?.resolve()
		await one
		expect(settled).toEqual(['one'])
		disk.calls[1]?.reject(new Error('EIO'))
		await two
		expect(settled[1]).toContain('EIO')
		await log[Symbol.asyncDispose]()
	})

	it('closing waits for the disk', async () => {
		const disk = new Disk()
		const log = await openSqliteLog({ dir, clock: systemClock, force: disk.force })
		const settled: string[] = []
		const all = [watch(settled, 'append', log.append('records', [numberedRecord(1)]))]
		all.push(watch(settled, 'close', Promise.resolve(log[Symbol.asyncDispose]())))
		await turn()
		expect(settled).toEqual([])
		disk.calls[0]?.resolve()
		await Promise.all(all)
		expect(settled).toEqual(['append', 'close'])
	})
})
