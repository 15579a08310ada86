// Following a file through every way of rotation. Nothing waits a fixed time: each step waits for what it must bring.
import { appendFileSync, copyFileSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { follow, type Followed } from '#collectors/tail/follow.ts'
import { findListed, headHash } from '#collectors/tail/identity.ts'
import { listRotated } from '#collectors/tail/siblings.ts'
import { systemClock } from '#runtime/clock.ts'
import { temporaryFolder } from '#test/collectors/replay/support.ts'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
	for (const stop of stops.splice(0)) await stop()
})

interface Tail {
	readonly lines: string[]
	readonly gaps: string[]
	cursor: string | undefined
	/** Resolves when so many lines were given. */
	reached(count: number): Promise<void>
	stop(): Promise<void>
}

function start(path: string, cursor?: string, options: { readonly lineBytesMax?: number; readonly lastLineMs?: number } = {}): Tail {
	const stop = new AbortController()
	let wake = Promise.withResolvers<void>()
	const tail: Tail = {
		lines: [],
		gaps: [],
		cursor,
		async reached(count) {
			while (tail.lines.length < count) await wake.promise
		},
		async stop() {
			stop.abort()
			await running
		},
	}
	const take = (followed: Followed): void => {
		if ('lines' in followed)
			tail.lines.push(...followed.lines.map((line) => (line.tooLong ? `too long: ${line.tooLong.sizeBytes}` : line.bytes.toString())))
		else if ('gap' in followed) tail.gaps.push(followed.gap)
		else tail.gaps.push('damaged')
		tail.cursor = followed.cursor
		wake.resolve()
		wake = Promise.withResolvers<void>()
	}
	const all = {
		path,
		pollMs: 10,
		lineBytesMax: 1000,
		lastLineMs: 10,
		isWhole: (line: Buffer) => line.toString().endsWith('.'),
		clock: systemClock,
		onMissing: () => undefined,
		...options,
	}
	const running = (async () => {
		for await (const followed of follow(all, cursor, stop.signal)) take(followed)
	})()
	stops.push(() => tail.stop())
	return tail
}

describe('finding a file again', () => {
	const name = 'audit-2026-01-02T03-04-05.000.log'

	it('lists the packed one where the plain one went after the folder was read', async () => {
		const dir = temporaryFolder()
		writeFileSync(join(dir, 'audit.log'), '')
		// As a name that was read and cannot be looked at any more.
		symlinkSync(join(dir, 'gone'), join(dir, name))
		writeFileSync(join(dir, `${name}.gz`), gzipSync('a\n'))
		expect(await listRotated(join(dir, 'audit.log'))).toEqual([join(dir, `${name}.gz`), join(dir, 'audit.log')])
	})

	it('looks again where it was renamed or packed after names were listed', async () => {
		const dir = temporaryFolder()
		const path = join(dir, name)
		writeFileSync(`${path}.gz`, gzipSync('a\n'))
		const identity = { device: 1, inode: 2, head: headHash(Buffer.from('a\n')), headBytes: 2 }
		const lists = [[path], [`${path}.gz`]]
		expect(await findListed(identity, async () => Promise.resolve(lists.shift() ?? []))).toEqual({ paths: [`${path}.gz`], index: 0 })
		expect(await findListed(identity, async () => Promise.resolve([path]))).toMatchObject({ index: -1 })
		expect(await findListed(undefined, async () => Promise.resolve([path]))).toEqual({ paths: [path], index: -1 })
	})
})

describe('follow', () => {
	it('goes on in the new file after a rename, and reads what was still written to the old one', async () => {
		const path = join(temporaryFolder(), 'audit.log')
		writeFileSync(path, 'a\nb\n')
		const tail = start(path)
		await tail.reached(2)
		renameSync(path, path.replace('.log', '-2026-01-02T03-04-05.000.log'))
		appendFileSync(path.replace('.log', '-2026-01-02T03-04-05.000.log'), 'c\n')
		writeFileSync(path, 'd\n')
		await tail.reached(4)
		expect(tail.lines).toEqual(['a', 'b', 'c', 'd'])
		expect(tail.gaps).toEqual([])
	})

	it('finds its place after a restart though the file was renamed and packed, and more files came', async () => {
		const path = join(temporaryFolder(), 'audit.log')
		writeFileSync(path, 'a\nb\n')
		const first = start(path)
		await first.reached(2)
		await first.stop()
		writeFileSync(path.replace('.log', '-2026-01-02T03-04-05.000.log.gz'), gzipSync('a\nb\nc\n'))
		writeFileSync(path.replace('.log', '-2026-01-02T04-04-05.000.log'), 'd\n')
		rmSync(path)
		writeFileSync(path, 'e\n')
		const second = start(path, first.cursor)
		await second.reached(3)
		expect(second.lines).toEqual(['c', 'd', 'e'])
		expect(second.gaps).toEqual([])
	})

	it('states a gap where the file it stood in is gone, and reads what there is', async () => {
		const path = join(temporaryFolder(), 'audit.log')
		writeFileSync(path, 'a\nb\n')
		const first = start(path)
		await first.reached(2)
		await first.stop()
		rmSync(path)
		writeFileSync(path, 'x\n')
		const second = start(path, first.cursor)
		await second.reached(1)
		expect([second.gaps, second.lines]).toEqual([['rotated'], ['x']])
	})

	it('notices a copy and truncate, reads the copy to its end, and states the gap', async () => {
		const path = join(temporaryFolder(), 'audit.log')
		writeFileSync(path, 'a\nb\n')
		const tail = start(path)
		await tail.reached(2)
		copyFileSync(path, `${path}.1`)
		truncateSync(path)
		appendFileSync(path, 'c\n')
		await tail.reached(3)
		expect([tail.gaps, tail.lines]).toEqual([['truncated'], ['a', 'b', 'c']])
		expect(readFileSync(`${path}.1`, 'utf8')).toBe('a\nb\n')
	})

	it('joins a line that comes in pieces, gives a last one without an end once it is whole, and cuts long ones', async () => {
		const path = join(temporaryFolder(), 'audit.log')
		writeFileSync(path, 'half')
		const tail = start(path, undefined, { lineBytesMax: 10 })
		appendFileSync(path, ' line\n')
		await tail.reached(1)
		appendFileSync(path, `${'x'.repeat(50)}\nlast.`)
		await tail.reached(3)
		appendFileSync(path, '\nnext\n')
		await tail.reached(5)
		expect(tail.lines).toEqual(['half line', 'too long: 50', 'last.', '', 'next'])
	})

	it('goes on exactly behind its cursor', async () => {
		const path = join(temporaryFolder(), 'audit.log')
		writeFileSync(path, 'a\nb\nc')
		const first = start(path)
		await first.reached(2)
		await first.stop()
		appendFileSync(path, 'c\nd\n')
		const second = start(path, first.cursor)
		await second.reached(2)
		expect(second.lines).toEqual(['cc', 'd'])
	})
})

describe('listRotated', () => {
	it('orders stamps and numbers oldest first, and leaves out a packed file that is being made', async () => {
		const dir = temporaryFolder()
		for (const name of ['a.log', 'a.log.1', 'a.log.10.gz', 'a.log.2.gz', 'a.log.1.gz', 'b.log', 'a.logs'])
			writeFileSync(join(dir, name), '')
		expect(await listRotated(join(dir, 'a.log'))).toEqual(['a.log.10.gz', 'a.log.2.gz', 'a.log.1', 'a.log'].map((name) => join(dir, name)))
		for (const name of ['c-2026-01-02T03-04-05.000.log', 'c-2025-01-02T03-04-05.000.log.gz']) writeFileSync(join(dir, name), '')
		expect(await listRotated(join(dir, 'c.log'))).toEqual(
			['c-2025-01-02T03-04-05.000.log.gz', 'c-2026-01-02T03-04-05.000.log', 'c.log'].map((name) => join(dir, name)),
		)
	})
})
