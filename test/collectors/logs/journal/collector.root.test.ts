// The collector of the journal on real journals: those of a systemd-journald of its own, and files with every kind of entry. Needs root.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { collect, type Collecting, type CollectingOptions } from '#test/collectors/logs/support.ts'
import { appendEntries, installJournald, Journald, type JournalEntryFields } from '#test/support/journald.ts'
import { temporaryFolder } from '#test/support/program.ts'

const begin = Date.UTC(2026, 10, 24, 10) * 1000
let folder: ReturnType<typeof temporaryFolder>
let directory: string
let journald: Journald | undefined
const running: Collecting[] = []

beforeEach(() => {
	installJournald()
	folder = temporaryFolder('journal')
	directory = join(folder.path, 'journal')
	mkdirSync(directory)
})
afterEach(async () => {
	for (const collecting of running.splice(0)) await collecting.stop()
	await journald?.stop()
	journald = undefined
	folder.remove()
})

function start(journal: Readonly<Record<string, unknown>> = {}, options: CollectingOptions = {}, state = 'state'): Collecting {
	const config = { journald: { directory, ...journal }, lineBytesMax: 100_000 }
	const collecting = collect(join(folder.path, state), config, { journal: true, ...options })
	running.push(collecting)
	return collecting
}
async function stop(collecting: Collecting): Promise<void> {
	running.splice(running.indexOf(collecting), 1)
	await collecting.stop()
}

const boots = ['a', 'b', 'c'].map((letter) => letter.repeat(32))
function entry(n: number, message: string | Buffer | undefined, more: Readonly<Record<string, string>> = {}, boot = 0): JournalEntryFields {
	const fields = Object.entries({
		_SYSTEMD_UNIT: 'kubelet.service',
		SYSLOG_IDENTIFIER: 'kubelet',
		_PID: '12',
		PRIORITY: '6',
		_HOSTNAME: 'n1',
		...more,
	})
	return {
		at: begin + n * 1000,
		boot: boots[boot] ?? '',
		fields: [...(message === undefined ? [] : [['MESSAGE', message] as const]), ...fields],
	}
}
const file = (name: string): string => join(directory, `${name}.journal`)

describe('files of a journal', () => {
	it('every boot, large and binary and repeated fields; what is no message is set aside', async () => {
		const klog = 'E1124 10:00:00.000001       1 server.go:12] "No" err="x"'
		appendEntries(file('one'), [
			entry(0, 'first boot'),
			entry(1, klog, { PRIORITY: '6' }, 1),
			entry(2, 'x'.repeat(60_000), {}, 1),
			entry(3, 'y'.repeat(150_000), {}, 1),
			entry(4, Buffer.from([0x62, 0xff, 0x00, 0x1b]), { PRIORITY: '3' }, 1),
			entry(5, 'two\nlines', { _SYSTEMD_UNIT: 'init.scope', UNIT: 'kubelet.service', _PID: '1' }, 1),
			entry(6, undefined, {}, 1),
		])
		const repeated = entry(7, 'one value', { _SYSTEMD_UNIT: '', _TRANSPORT: 'kernel', _PID: '' }, 2)
		appendEntries(file('two'), [
			{ ...repeated, fields: [...repeated.fields, ['MESSAGE', 'and another'], ['MESSAGE', Buffer.from([0xff])]] },
		])
		const collecting = start()
		await collecting.lineCount(7)
		const { lines } = collecting
		expect(lines.map(({ text }) => text.slice(0, 20))).toEqual([
			'first boot',
			'server.go:12] "No" e',
			'x'.repeat(20),
			'y'.repeat(20),
			'b\ufffd\0\u001b',
			'two\nlines',
			'one value\nand anothe',
		])
		expect(lines[0]).toMatchObject({
			source: 'journald',
			component: 'kubelet.service',
			node: 'n1',
			level: 'info',
			occurredAt: begin,
			offset: 1,
			journal: { pid: 12, priority: 6, bootId: boots[0], hostname: 'n1', identifier: 'kubelet' },
		})
		expect(lines.map(({ level }) => level)).toEqual(['info', 'error', 'info', 'info', 'error', 'info', 'info'])
		expect([lines[2]?.text.length, lines[3]?.text.length, lines[3]?.originalBytes, lines[3]?.flags]).toEqual([
			60_000,
			100_000,
			150_000,
			['truncated'],
		])
		expect(lines[4]?.flags).toEqual(['invalid-utf8', 'nul'])
		expect(lines[5]).toMatchObject({ component: 'kubelet.service', journal: { pid: 1, bootId: boots[1] } })
		expect(lines[6]).toMatchObject({ component: 'kernel', journal: { pid: null, bootId: boots[2] } })
		expect(collecting.rejects).toMatchObject([{ step: 'logs.journal', reason: 'not an entry of the journal: no MESSAGE' }])
		// Read again from nothing, they are the same.
		const again = start({}, {}, 'other')
		await again.lineCount(7)
		expect(again.lines.map(({ id }) => id)).toEqual(lines.map(({ id }) => id))
		expect([collecting.gaps, again.gaps]).toEqual([[], []])
	})

	it('goes on behind what was durable, also of a unit, and says when that is not there any more', async () => {
		const units = (from: number, to: number): JournalEntryFields[] =>
			Array.from({ length: to - from }, (_, n) =>
				entry(from + n, `m ${from + n}`, (from + n) % 2 ? { _SYSTEMD_UNIT: 'other.service' } : {}),
			)
		appendEntries(file('one'), units(0, 6))
		const first = start({ units: ['kubelet.service'] })
		await first.lineCount(3)
		await stop(first)
		appendEntries(file('one'), units(6, 10))
		const second = start({ units: ['kubelet.service'] })
		await second.lineCount(2)
		await stop(second)
		expect([...first.texts(), ...second.texts()]).toEqual(['m 0', 'm 2', 'm 4', 'm 6', 'm 8'])
		// Of all units now: where it stopped is there still.
		const third = start()
		await third.lineCount(1)
		await stop(third)
		expect([third.texts(), third.gaps]).toEqual([['m 9'], []])
		appendEntries(file('two'), units(12, 14))
		rmSync(file('one'))
		const fourth = start()
		await fourth.lineCount(2)
		expect(fourth.texts()).toEqual(['m 12', 'm 13'])
		expect(fourth.gaps).toMatchObject([{ reason: 'rotated', source: 'journald', fromAt: begin + 9000, toAt: begin + 12_000 }])
		expect(fourth.gaps[0]?.detail).toContain('behind number 10 of sequence')
	})
})

describe('a journal that is written', () => {
	const numbers = (from: number, to: number): string => Array.from({ length: to - from }, (_, n) => `line ${from + n}\n`).join('')

	it('is followed over rotation; what is removed before it was read is a gap that says how many at most', async () => {
		journald = await Journald.start(`kubetape-${process.pid}`)
		directory = journald.directory
		const socket = await journald.open('worker.service', 'worker', 4)
		const own = { units: ['worker.service'] }
		socket.write(numbers(0, 10))
		const first = start(own)
		await first.lineCount(10)
		await journald.rotate()
		socket.write(numbers(10, 20))
		await first.lineCount(20)
		await stop(first)
		expect(first.texts()).toEqual(numbers(0, 20).trimEnd().split('\n'))
		expect(first.lines[0]).toMatchObject({
			component: 'worker.service',
			level: 'warning',
			journal: { pid: process.pid, identifier: 'worker' },
		})
		// All of one sequence, whatever file they are in: an entry's number is its place.
		expect(new Set(first.lines.map(({ file: name }) => name)).size).toBe(1)
		socket.write(numbers(20, 320))
		const whole = start(own, {}, 'other')
		await whole.lineCount(320)
		await stop(whole)
		await journald.rotate()
		socket.write(numbers(320, 330))
		const third = start(own, {}, 'third')
		await third.lineCount(330)
		await stop(third)
		journald.vacuum()
		const second = start(own)
		await second.lineCount(10)
		expect(second.texts()).toEqual(numbers(320, 330).trimEnd().split('\n'))
		const [, atMost] = /at most (\d+) entries/.exec(second.gaps[0]?.detail ?? '') ?? []
		expect(second.gaps).toHaveLength(1)
		expect(Number(atMost)).toBeGreaterThanOrEqual(300)
		expect(Number(atMost)).toBeLessThan(320)
		socket.destroy()
	})

	it('waits while the log takes nothing, and then goes on: nothing lost', async () => {
		journald = await Journald.start(`kubetape-${process.pid}`)
		directory = journald.directory
		const socket = await journald.open('worker.service', 'worker', 6)
		let release = (): void => {}
		const stalled = new Promise<void>((resolve) => (release = resolve))
		const collecting = start({ units: ['worker.service'] }, { beforeAppend: () => stalled })
		for (let round = 0; round < 20; round += 1) {
			await new Promise((resolve) => socket.write(numbers(round * 1000, round * 1000 + 1000), resolve))
			if (round % 5 === 4) await journald.rotate()
		}
		expect(collecting.lines).toEqual([])
		release()
		await collecting.lineCount(20_000)
		expect(collecting.texts()).toEqual(numbers(0, 20_000).trimEnd().split('\n'))
		expect(collecting.gaps).toEqual([])
		socket.destroy()
	})
})
