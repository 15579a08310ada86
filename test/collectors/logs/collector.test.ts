// The log collector on real files: what is found, how lines are read, and where reading goes on. Nothing waits a fixed time.
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { temporaryFolder } from '#test/support/program.ts'
import { collect, criLine, podFolder, type Collecting, type CollectingOptions } from './support.ts'

let folder: ReturnType<typeof temporaryFolder>
let root: string
const running: Collecting[] = []

beforeEach(() => {
	folder = temporaryFolder('logs')
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

describe('containers', () => {
	it('are found with their coordinates, also those that come later', async () => {
		writeFileSync(join(podFolder(root), '0.log'), criLine(1) + criLine(2, 'oops', 'F', 'stderr'))
		const collecting = start({ pods: { root }, node: 'node-a' })
		await collecting.lineCount(2)
		expect(collecting.lines[0]).toMatchObject({
			namespace: 'shop',
			pod: 'checkout-0',
			podUid: '2f1e9a86-0000-4000-8000-000000000001',
			container: 'app',
			restart: 0,
			node: 'node-a',
			stream: 'stdout',
			text: 'line 1',
			occurredAt: Date.UTC(2026, 10, 24, 10, 0, 0, 1) * 1000,
			flags: [],
		})
		expect(collecting.lines[1]).toMatchObject({ stream: 'stderr', text: 'oops' })
		writeFileSync(join(podFolder(root, 'sidecar'), '3.log'), criLine(3, 'other'))
		await collecting.lineCount(3)
		expect(collecting.lines[2]).toMatchObject({ container: 'sidecar', restart: 3, text: 'other' })
		appendFileSync(join(podFolder(root), '0.log'), criLine(4))
		await collecting.lineCount(4)
		expect(collecting.lines[3]).toMatchObject({ container: 'app', text: 'line 4' })
	})

	it('are found though the folder of all pods comes later', async () => {
		rmSync(root, { recursive: true })
		const collecting = start()
		await new Promise((resolve) => setImmediate(resolve))
		writeFileSync(join(podFolder(root), '0.log'), criLine(1))
		await collecting.lineCount(1)
		expect(collecting.texts()).toEqual(['line 1'])
	})

	it('reads CRI lines as the kubelet does: tags behind the first, offsets of time, empty lines', async () => {
		const lines = [
			'2026-11-24T11:00:00.123456789+01:00 stdout F:X:Y tagged',
			'2026-11-24T10:00:00Z stdout F ',
			'2026-11-24T10:00:00.5Z stderr F',
			'2026-11-24T10:00:00.5Z stdout F  two  blanks ',
		]
		writeFileSync(join(podFolder(root), '0.log'), `${lines.join('\n')}\n`)
		const collecting = start()
		await collecting.lineCount(4)
		expect(collecting.texts()).toEqual(['tagged', '', '', ' two  blanks '])
		expect(collecting.lines[0]?.occurredAt).toBe(Date.UTC(2026, 10, 24, 10) * 1000 + 123_456)
	})

	it('joins the parts of a line, stream by stream, and from one file to the next', async () => {
		const dir = podFolder(root)
		writeFileSync(join(dir, '0.log.20261124-100000'), criLine(1, 'one ', 'P') + criLine(2, 'err ', 'P', 'stderr') + criLine(3, 'two ', 'P'))
		writeFileSync(join(dir, '0.log'), criLine(4, 'three') + criLine(5, 'or', 'F', 'stderr') + criLine(6))
		const collecting = start()
		await collecting.lineCount(3)
		expect(collecting.texts().toSorted()).toEqual(['err or', 'line 6', 'one two three'])
		expect(collecting.lines.find(({ text }) => text.startsWith('one'))).toMatchObject({ offset: 0, stream: 'stdout' })
	})

	it('goes on with parts that were read before a restart', async () => {
		const path = join(podFolder(root), '0.log')
		writeFileSync(path, criLine(1, 'begin ', 'P') + criLine(2, 'between', 'F', 'stderr'))
		const first = start()
		await first.lineCount(1)
		await stop(first)
		appendFileSync(path, criLine(3, 'end'))
		const second = start()
		await second.lineCount(1)
		expect(second.texts()).toEqual(['begin end'])
	})

	it('reads Docker’s lines', async () => {
		const line = (log: string): string => `${JSON.stringify({ log, stream: 'stdout', time: '2026-11-24T10:00:00.000000001Z' })}\n`
		writeFileSync(join(podFolder(root), '0.log'), line('whole\n') + line('first ') + line('second\n'))
		const collecting = start()
		await collecting.lineCount(2)
		expect(collecting.texts()).toEqual(['whole', 'first second'])
	})

	it('sets aside what is no line, keeps bytes that are no text, and never stops', async () => {
		const path = join(podFolder(root), '0.log')
		writeFileSync(path, `garbage\n${criLine(1)}`)
		appendFileSync(path, Buffer.from([...Buffer.from(criLine(2).trimEnd()), 0xff, 0xfe, 0x00, 0x0a]))
		appendFileSync(path, criLine(3))
		const collecting = start()
		await collecting.lineCount(3)
		expect(collecting.rejects).toMatchObject([{ step: 'logs.parse', sizeBytes: 7 }])
		expect(collecting.lines[1]?.flags).toEqual(['invalid-utf8', 'nul'])
		expect(collecting.texts()[2]).toBe('line 3')
	})

	it('passes lines of 2 MB whole, and says of longer ones how long they were', async () => {
		const dir = podFolder(root)
		const parts = (size: number, number: number): string =>
			criLine(number, 'x'.repeat(16_384), 'P').repeat(Math.floor(size / 16_384)) + criLine(number, 'end')
		writeFileSync(
			join(dir, '0.log'),
			parts(2_000_000, 1) + parts(3_000_000, 2) + criLine(3, 'y'.repeat(2_000_000)) + criLine(4, 'z'.repeat(3_000_000)) + criLine(5),
		)
		const collecting = start()
		await collecting.lineCount(5)
		const [joined, joinedCut, raw, rawCut, last] = collecting.lines
		expect(joined?.text).toHaveLength(122 * 16_384 + 3)
		expect(raw?.text).toHaveLength(2_000_000)
		expect([joined?.flags, raw?.flags]).toEqual([[], []])
		expect(joinedCut).toMatchObject({ flags: ['truncated'], originalBytes: 183 * 16_384 + 3 })
		expect(joinedCut?.text).toMatch(/^x{2097152}$/)
		expect(rawCut).toMatchObject({ flags: ['truncated'], originalBytes: 3_000_000 })
		expect(rawCut?.text).toMatch(/^z{2097152}$/)
		expect(last?.text).toBe('line 5')
	})

	it('gives out a last line without its end after a pause, and its end is no line', async () => {
		const path = join(podFolder(root), '0.log')
		writeFileSync(path, criLine(1) + criLine(2).trimEnd())
		const collecting = start()
		await collecting.lineCount(2)
		appendFileSync(path, `\n${criLine(3)}`)
		await collecting.lineCount(3)
		expect(collecting.texts()).toEqual(['line 1', 'line 2', 'line 3'])
		expect(collecting.rejects).toEqual([])
	})
})

describe('where reading goes on', () => {
	it('is behind what was durable: nothing twice, nothing missing', async () => {
		const path = join(podFolder(root), '0.log')
		writeFileSync(path, criLine(1) + criLine(2))
		const first = start()
		await first.lineCount(2)
		await stop(first)
		appendFileSync(path, criLine(3))
		const second = start()
		await second.lineCount(1)
		expect(second.texts()).toEqual(['line 3'])
	})

	it('is in the packed file, where the file was packed meanwhile', async () => {
		const dir = podFolder(root)
		const path = join(dir, '0.log')
		writeFileSync(path, criLine(1) + criLine(2))
		const first = start()
		await first.lineCount(2)
		await stop(first)
		writeFileSync(join(dir, '0.log.20261124-100000.gz'), gzipSync(criLine(1) + criLine(2) + criLine(3)))
		rmSync(path)
		writeFileSync(path, criLine(4))
		const second = start()
		await second.lineCount(2)
		expect(second.texts()).toEqual(['line 3', 'line 4'])
		expect(second.gaps).toEqual([])
		await stop(second)
		const third = start()
		appendFileSync(path, criLine(5))
		await third.lineCount(1)
		expect(third.texts()).toEqual(['line 5'])
	})

	it('is told with each line: the file before, also of one that was met before a restart', async () => {
		const dir = podFolder(root)
		const path = join(dir, '0.log')
		writeFileSync(join(dir, '0.log.20261124-100000'), criLine(1))
		writeFileSync(path, criLine(2))
		const first = start()
		await first.lineCount(2)
		const [one, two] = first.lines
		expect([one?.follows, two?.follows]).toEqual([undefined, one?.file])
		renameSync(path, join(dir, '0.log.20261124-100001'))
		writeFileSync(path, criLine(3))
		await first.lineCount(3)
		expect(first.lines[2]?.follows).toBe(two?.file)
		await stop(first)
		appendFileSync(path, criLine(4))
		const second = start()
		await second.lineCount(1)
		expect(second.lines[0]).toMatchObject({ text: 'line 4', file: first.lines[2]?.file, follows: two?.file })
	})

	it('is the file itself, also where all files of a log begin alike', async () => {
		const banner = criLine(0, 'b'.repeat(2000))
		const dir = podFolder(root)
		const path = join(dir, '0.log')
		for (const [number, name] of ['0.log.20261124-100000', '0.log.20261124-100001', '0.log'].entries())
			writeFileSync(join(dir, name), banner + criLine(number + 1))
		const first = start()
		await first.lineCount(6)
		renameSync(path, join(dir, '0.log.20261124-100002'))
		writeFileSync(path, banner + criLine(4))
		await first.lineCount(8)
		await stop(first)
		appendFileSync(path, criLine(5))
		renameSync(path, join(dir, '0.log.20261124-100003'))
		writeFileSync(path, banner + criLine(6))
		const second = start()
		await second.lineCount(3)
		const texts = [...first.texts(), ...second.texts()].filter((text) => text.startsWith('line'))
		expect(texts).toEqual(['line 1', 'line 2', 'line 3', 'line 4', 'line 5', 'line 6'])
		expect([first.gaps, second.gaps]).toEqual([[], []])
	})

	it('is behind the hole that a writer left which does not append, and the hole says how long the file was', async () => {
		const path = join(podFolder(root), '0.log')
		const size = Buffer.byteLength(criLine(1))
		writeFileSync(path, Buffer.concat([Buffer.alloc(700_000), Buffer.from(criLine(2))]))
		const first = start()
		await first.lineCount(1)
		await stop(first)
		expect(first.lines[0]).toMatchObject({ text: 'line 2', offset: 700_000 })
		expect(first.gaps).toMatchObject([{ reason: 'truncated', detail: expect.stringContaining('bytes 0 to 700000 (700000 bytes)') }])
		expect(first.rejects).toEqual([])
		appendFileSync(path, criLine(3))
		const second = start()
		await second.lineCount(1)
		expect(second.lines[0]).toMatchObject({ text: 'line 3', offset: 700_000 + size })
	})

	it('is nowhere where the file was cut off: what is missing is said, and the new one is read', async () => {
		const path = join(podFolder(root), '0.log')
		writeFileSync(path, criLine(1) + criLine(2))
		const first = start()
		await first.lineCount(2)
		await stop(first)
		writeFileSync(path, criLine(3))
		const second = start()
		await second.until(() => second.gaps.length > 0)
		expect(second.texts()).toEqual(['line 3'])
		expect(second.gaps).toMatchObject([{ reason: 'rotated', touchedCount: 0 }])
		expect(second.gaps[0]?.detail).toContain(`from byte ${Buffer.byteLength(criLine(1) + criLine(2))} on`)
	})

	it('is told of a file that was cut off under us, without a copy', async () => {
		const path = join(podFolder(root), '0.log')
		writeFileSync(path, criLine(1) + criLine(2))
		const collecting = start()
		await collecting.lineCount(2)
		truncateSync(path)
		appendFileSync(path, criLine(3))
		await collecting.lineCount(3)
		expect(collecting.gaps).toMatchObject([{ reason: 'truncated' }])
		expect(collecting.gaps[0]?.detail).toContain(`from byte ${Buffer.byteLength(criLine(1) + criLine(2))} on`)
		const ids = new Set(collecting.lines.map(({ id }) => id))
		expect(ids.size).toBe(3)
	})
})

describe('files of components', () => {
	const file = (name: string): string => join(folder.path, name)

	it('tell their times: klog, JSON, RFC 3339, and none', async () => {
		writeFileSync(
			file('etcd.log'),
			[
				'starting',
				'I1124 10:00:00.000001       1 server.go:12] "Starting" port=1',
				'{"level":"warn","ts":"2026-11-24T10:00:01.000002Z","msg":"slow"}',
				'2026-11-24 10:00:02.000003Z plain',
				'\tat the time of the one before',
			].join('\n') + '\n',
		)
		const collecting = start({ files: [{ paths: [file('*.log')] }] })
		await collecting.lineCount(5)
		const at = (second: number): number => Date.UTC(2026, 10, 24, 10, 0, second) * 1000 + second + 1
		expect(collecting.lines.slice(1).map(({ occurredAt }) => occurredAt)).toEqual([at(0), at(1), at(2), at(2)])
		expect(collecting.lines.map(({ flags }) => flags.includes('no-time'))).toEqual([true, false, false, false, true])
		expect(collecting.lines.map(({ level }) => level)).toEqual(['', 'info', 'warning', '', ''])
		expect(collecting.lines[1]).toMatchObject({ component: 'etcd', container: '', text: 'server.go:12] "Starting" port=1' })
	})

	it('have a declared form of time', async () => {
		writeFileSync(file('a.log'), '24/Nov/2026:10:00:00,5 +0100 hello\n')
		const collecting = start({ files: [{ paths: [file('a.log')], component: 'proxy', time: '%d/%b/%Y:%H:%M:%S,%f %z' }] })
		await collecting.lineCount(1)
		expect(collecting.lines[0]).toMatchObject({ component: 'proxy', occurredAt: Date.UTC(2026, 10, 24, 9) * 1000 + 500_000, flags: [] })
	})

	it('whose lines tell no time have the same ids when they are read again', async () => {
		writeFileSync(file('a.log'), 'one\ntwo\n')
		const config = { files: [{ paths: [file('a.log')] }] }
		const first = collect(join(folder.path, 'state'), config, { fails: true })
		await expect(first.until(() => false)).rejects.toThrow('the disk is gone')
		const ids = first.lines.map(({ id }) => id)
		expect(ids).toHaveLength(2)
		const again = start(config)
		await again.lineCount(2)
		expect(again.lines.map(({ id }) => id)).toEqual(ids)
	})

	it('are found through links, once', async () => {
		const real = podFolder(root)
		writeFileSync(join(real, '0.log'), criLine(1))
		mkdirSync(file('links'))
		symlinkSync(join(real, '0.log'), file('links/x.log'))
		const collecting = start({ pods: { root }, files: [{ paths: [file('links/*.log')] }] })
		await collecting.lineCount(1)
		appendFileSync(join(real, '0.log'), criLine(2))
		await collecting.lineCount(2)
		expect(collecting.texts()).toEqual(['line 1', 'line 2'])
	})
})

describe('options', () => {
	it('multiline stack: a trace is one line; what comes after it is another', async () => {
		const trace = [
			'java.lang.IllegalStateException: no',
			'\tat shop.Cart.add(Cart.java:12)',
			'Caused by: java.io.IOException: gone',
			'\t... 3 more',
			'served',
			'panic: oops',
			'goroutine 1 [running]:',
			'main.main()',
			'\t/app/main.go:7 +0x1d',
			'done',
		]
		writeFileSync(join(podFolder(root), '0.log'), trace.map((text, number) => criLine(number, text)).join(''))
		const collecting = start({ pods: { root, multiline: 'stack' } })
		await collecting.lineCount(4)
		expect(collecting.texts()).toEqual([trace.slice(0, 4).join('\n'), 'served', trace.slice(5, 9).join('\n'), 'done'])
	})

	it('bytesPerSecondMax: what is left out is named to the byte', async () => {
		const path = join(podFolder(root), '0.log')
		const size = Buffer.byteLength(criLine(1000, 'x'.repeat(50)))
		writeFileSync(path, criLine(1000, 'x'.repeat(50)).repeat(1000))
		const collecting = start({ pods: { root, bytesPerSecondMax: 800 * size } })
		await collecting.lineCount(1000)
		appendFileSync(path, criLine(2000, 'y'.repeat(50)).repeat(3000))
		await collecting.until(() => collecting.gaps.length > 0)
		const [, from, to] = /bytes (\d+) to (\d+)/.exec(collecting.gaps[0]?.detail ?? '') ?? []
		expect(collecting.gaps[0]?.reason).toBe('lost')
		expect([Number(from), Number(to)].every((offset) => offset % size === 0)).toBe(true)
		await collecting.until(() => collecting.lines.at(-1)?.offset === 3999 * size)
		const missing = (Number(to) - Number(from)) / size
		expect(collecting.lines).toHaveLength(4000 - missing)
	})
})
