// The log collector under load and trouble: nobody starves, nothing grows without end, and what breaks one file breaks no other.
import {
	appendFileSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readlinkSync,
	renameSync,
	rmSync,
	symlinkSync,
	truncateSync,
	writeFileSync,
} from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openAs } from '#collectors/logs/file.ts'
import { eventually, temporaryFolder } from '#test/support/program.ts'
import { collect, criLine, podFolder, type Collecting, type CollectingOptions } from './support.ts'

let folder: ReturnType<typeof temporaryFolder>
let root: string
const running: Collecting[] = []

beforeEach(() => {
	folder = temporaryFolder('logs-limits')
	root = join(folder.path, 'pods')
	mkdirSync(root)
})
afterEach(async () => {
	for (const collecting of running.splice(0)) await collecting.stop()
	folder.remove()
})

function start(config: Readonly<Record<string, unknown>> = { pods: { root } }, options: CollectingOptions = {}): Collecting {
	const collecting = collect(join(folder.path, 'state'), config, options)
	running.push(collecting)
	return collecting
}
async function stop(collecting: Collecting): Promise<void> {
	running.splice(running.indexOf(collecting), 1)
	await collecting.stop()
}

/** A log that takes nothing until it is let go. */
function stalling(): { readonly options: CollectingOptions; readonly release: () => void } {
	let isStalled = true
	let release = (): void => {}
	const released = new Promise<void>((resolve) => {
		release = () => {
			isStalled = false
			resolve()
		}
	})
	return { options: { beforeAppend: async () => (isStalled ? released : undefined) }, release: () => release() }
}

/** Resolves when as much of a large file was read as may wait for the log: a megabyte at least. */
async function isHeldUp(collecting: Collecting): Promise<void> {
	await eventually(
		() => collecting.metric('kubetape_logs_read_bytes_total'),
		(bytes) => bytes >= 1024 * 1024,
	)
}

const bulk = (lines: number): string => criLine(1, 'x'.repeat(950)).repeat(lines)

describe('fairness', () => {
	it('one container that writes without end does not starve the others', async () => {
		const mad = join(podFolder(root, 'mad'), '0.log')
		const quiet = Array.from({ length: 20 }, (_, number) => join(podFolder(root, `quiet-${number}`), '0.log'))
		writeFileSync(mad, bulk(20_000))
		for (const path of quiet) writeFileSync(path, criLine(2, 'first'))
		let later = false
		const collecting = start(undefined, {
			beforeAppend: async () => {
				// What is written while the mad one is far from its end.
				if (!later) for (const path of quiet) appendFileSync(path, criLine(3, 'second'))
				later = true
			},
		})
		await collecting.lineCount(20_040)
		const places = (text: string): number => collecting.lines.findLastIndex((line) => line.text === text)
		// Of 20 MB, a turn of a quarter of one for each that waits, and what is on its way.
		expect(places('first')).toBeLessThan(1500)
		expect(places('second')).toBeLessThan(8000)
	})

	it('a limit on one log says what it left out, and leaves the others alone', async () => {
		const [a, b] = ['a', 'b'].map((name) => join(podFolder(root, name), '0.log'))
		const size = Buffer.byteLength(bulk(1))
		for (const path of [a, b]) writeFileSync(String(path), '')
		const collecting = start({ pods: { root, bytesPerSecondMax: 100 * size } })
		appendFileSync(String(a), bulk(2000))
		appendFileSync(String(b), bulk(50))
		await collecting.until(() => collecting.gaps.length > 0 && collecting.lines.at(-1)?.offset === 1999 * size)
		const of = (container: string): number => collecting.lines.filter((line) => line.container === container).length
		expect(of('b')).toBe(50)
		const missing = collecting.gaps.reduce((sum, { detail }) => sum + Number(/\((\d+) bytes\)/.exec(detail)?.[1]), 0)
		expect(collecting.gaps.every(({ reason, scope }) => reason === 'lost' && scope.startsWith(String(a)))).toBe(true)
		expect(of('a') * size + missing).toBe(2000 * size)
	})
})

describe('bounds', () => {
	/** Of files below the root that this process has open. */
	const openFiles = (): number =>
		readdirSync('/proc/self/fd').filter((fd) => {
			try {
				return readlinkSync(`/proc/self/fd/${fd}`).endsWith('.log')
			} catch {
				return false // closed meanwhile
			}
		}).length

	it('filesOpenMax: no more files are open, and all are read, also later and when they are renamed', async () => {
		const paths = Array.from({ length: 60 }, (_, number) => join(podFolder(root, `c-${number}`), '0.log'))
		for (const path of paths) writeFileSync(path, criLine(1))
		const collecting = start({ pods: { root }, filesOpenMax: 16 })
		await collecting.lineCount(60)
		expect(openFiles()).toBeLessThanOrEqual(16)
		for (const path of paths) appendFileSync(path, criLine(2))
		await collecting.lineCount(120)
		for (const path of paths) {
			appendFileSync(path, criLine(3))
			renameSync(path, `${path}.20261124-100000`)
			writeFileSync(path, criLine(4))
		}
		await collecting.lineCount(240)
		expect(openFiles()).toBeLessThanOrEqual(16)
		expect(new Set(collecting.lines.map(({ id }) => id)).size).toBe(240)
		for (const container of ['c-0', 'c-59'])
			expect(collecting.lines.filter((line) => line.container === container).map(({ text }) => text)).toEqual([
				'line 1',
				'line 2',
				'line 3',
				'line 4',
			])
		expect(collecting.gaps).toEqual([])
	})

	it('thousands of files are each read, and go on after a restart', async () => {
		const dir = join(folder.path, 'many')
		mkdirSync(dir)
		for (let number = 0; number < 2000; number += 1) writeFileSync(join(dir, `${number}.log`), `${number}\n`)
		const config = { files: [{ paths: [join(dir, '*.log')] }] }
		const first = start(config)
		await first.lineCount(2000)
		expect(new Set(first.texts()).size).toBe(2000)
		await stop(first)
		for (const number of [0, 1500, 1999]) appendFileSync(join(dir, `${number}.log`), 'more\n')
		const second = start(config)
		await second.lineCount(3)
		expect(second.lines.map(({ component }) => component).toSorted()).toEqual(['0', '1500', '1999'])
		expect(await second.metric('kubetape_logs_files')).toBe(2000)
	})

	it('a log that takes nothing: little is read, whatever is written, and then all of it', async () => {
		const path = join(podFolder(root), '0.log')
		const { options, release } = stalling()
		const collecting = start(undefined, options)
		for (let round = 0; round < 30; round += 1) {
			appendFileSync(path, bulk(1000))
			await new Promise((resolve) => setTimeout(resolve, 10))
		}
		expect(collecting.lines).toEqual([])
		// Four batches of half a megabyte, the one that waits, and a turn each.
		expect(await collecting.metric('kubetape_logs_read_bytes_total')).toBeLessThan(5 * 1024 * 1024)
		release()
		await collecting.lineCount(30_000)
		expect(new Set(collecting.lines.map(({ id }) => id)).size).toBe(30_000)
	})
})

describe('trouble', () => {
	it('a packed file that is cut off: what stands before the damage is read, the rest is told, and the next files are read', async () => {
		const dir = podFolder(root)
		const text = Array.from({ length: 20_000 }, (_, number) => criLine(number, `line ${number} ${(number * 7919) % 1000}`)).join('')
		const packed = gzipSync(text)
		writeFileSync(join(dir, '0.log.20261124-100000.gz'), packed.subarray(0, Math.floor(packed.length / 2)))
		writeFileSync(join(dir, '0.log.20261124-100001.gz'), 'no gzip')
		writeFileSync(join(dir, '0.log'), criLine(30_000))
		const collecting = start()
		await collecting.until(() => collecting.texts().includes('line 30000') && collecting.gaps.length > 0)
		const read = collecting.texts().filter((line) => line !== 'line 30000')
		expect(read.length).toBeGreaterThan(5000)
		expect(read.length).toBeLessThan(20_000)
		expect(read.every((line, number) => line.startsWith(`line ${number} `))).toBe(true)
		expect(collecting.gaps).toMatchObject([{ reason: 'corrupt' }])
		const next = collecting.lines[read.length - 1]
		const end = (next?.offset ?? 0) + Buffer.byteLength(criLine(read.length - 1, next?.text))
		expect(collecting.gaps[0]?.detail).toContain(`from byte ${end} on`)
		expect(collecting.rejects.map(({ reason }) => reason)).toEqual([
			expect.stringContaining('the file cannot be read on'),
			'not a container log line: no time, stream and tag',
		])
		// It is not read again and again, nor after a restart.
		await stop(collecting)
		const again = start()
		appendFileSync(join(dir, '0.log'), criLine(30_001))
		await again.lineCount(1)
		expect([again.texts(), again.gaps, again.rejects]).toEqual([['line 30001'], [], []])
	})

	it.each(['the container’s', 'the root'])('%s folder vanishes and is there again', async (which) => {
		const path = join(podFolder(root), '0.log')
		writeFileSync(path, criLine(1))
		const collecting = start()
		await collecting.lineCount(1)
		rmSync(which === 'the root' ? root : join(path, '..'), { recursive: true })
		await eventually(
			() => collecting.metric('kubetape_logs_files'),
			(files) => files === 0,
		)
		podFolder(root)
		writeFileSync(path, criLine(2))
		await collecting.lineCount(2)
		appendFileSync(path, criLine(3))
		await collecting.lineCount(3)
		expect(collecting.texts()).toEqual(['line 1', 'line 2', 'line 3'])
		expect(collecting.gaps).toEqual([])
	})

	it('a file that is removed while much of it is unread is read to its end', async () => {
		const path = join(podFolder(root), '0.log')
		writeFileSync(path, criLine(0, 'begin'))
		const { options, release } = stalling()
		const collecting = start(undefined, options)
		await collecting.until(() => existsSync(join(folder.path, 'state', 'state.db')))
		writeFileSync(path, bulk(10_000), { flag: 'a' })
		await isHeldUp(collecting)
		rmSync(path)
		release()
		await collecting.lineCount(10_001)
		expect(new Set(collecting.lines.map(({ offset }) => offset)).size).toBe(10_001)
		expect(collecting.gaps).toEqual([])
	})

	it('links in a circle, a pipe with the name of a log, a folder with the name of a file: nobody waits for them, the others are read', async () => {
		const dir = podFolder(root, 'odd')
		symlinkSync(join(dir, '1.log'), join(dir, '2.log'))
		symlinkSync(join(dir, '2.log'), join(dir, '1.log'))
		symlinkSync(join(root, 'circle_a_1'), join(root, 'circle_b_2'))
		symlinkSync(join(root, 'circle_b_2'), join(root, 'circle_a_1'))
		execFileSync('mkfifo', [join(dir, '3.log')])
		mkdirSync(join(dir, '4.log'))
		writeFileSync(join(root, 'no_folder_3'), '')
		writeFileSync(join(podFolder(root), '0.log'), criLine(1))
		const collecting = start()
		await collecting.lineCount(1)
		writeFileSync(join(dir, '0.log'), criLine(2))
		await collecting.lineCount(2)
		expect(collecting.texts()).toEqual(['line 1', 'line 2'])
		// A file may become a pipe between the listing and the opening: that does not wait for a writer either.
		expect(() => openAs(join(dir, '3.log'), { device: 1, inode: 1 })).toThrow(expect.objectContaining({ code: 'ENOENT' }))
	})

	it('rotated more often than files are kept, while the log takes nothing: what was never seen is told', async () => {
		const path = join(podFolder(root), '0.log')
		const { options, release } = stalling()
		const collecting = start({ pods: { root }, pollMs: 1000 }, options)
		writeFileSync(path, bulk(10_000))
		// For longer than the one look that is always between two.
		await isHeldUp(collecting)
		await new Promise((resolve) => setTimeout(resolve, 1500))
		for (let round = 0; round < 3; round += 1) {
			renameSync(path, `${path}.20261124-10000${round}`)
			writeFileSync(path, criLine(round, `file ${round}`))
		}
		for (const round of [0, 1]) rmSync(`${path}.20261124-10000${round}`)
		release()
		await collecting.until(() => collecting.gaps.length > 0 && collecting.texts().includes('file 2'))
		expect(collecting.lines.filter(({ text }) => text.startsWith('x'))).toHaveLength(10_000)
		expect(collecting.texts().filter((text) => text.startsWith('file'))).toEqual(['file 1', 'file 2'])
		expect(collecting.gaps).toMatchObject([{ reason: 'rotated' }])
		expect(collecting.gaps[0]?.detail).toContain('perhaps others behind it')
	})

	it('a file that was removed while nobody ran is a gap from its first unread byte on', async () => {
		const path = join(podFolder(root), '0.log')
		writeFileSync(path, criLine(1))
		const first = start()
		await first.lineCount(1)
		await stop(first)
		appendFileSync(path, criLine(2))
		rmSync(path)
		const second = start()
		await second.until(() => second.gaps.length > 0)
		expect(second.gaps).toMatchObject([
			{ reason: 'rotated', detail: expect.stringContaining(`from byte ${Buffer.byteLength(criLine(1))} on`) },
		])
	})

	it('the same inode again, with another content: it is another file', async () => {
		const path = join(podFolder(root), '0.log')
		writeFileSync(path, criLine(1) + criLine(2))
		const first = start()
		await first.lineCount(2)
		await stop(first)
		// As if the file had been removed and its inode given out again: longer than what was read.
		truncateSync(path)
		appendFileSync(path, criLine(3) + criLine(4) + criLine(5))
		const second = start()
		await second.lineCount(3)
		expect(second.texts()).toEqual(['line 3', 'line 4', 'line 5'])
		expect(second.lines[0]?.file).not.toBe(first.lines[0]?.file)
	})
})
