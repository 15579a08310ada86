// The collector of the journal and a journalctl that is missing, dies, prints rubbish or never ends: a small program takes its place. The real one is in collector.root.test.ts.
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock, type Clock } from '#runtime/clock.ts'
import { collect, type Collecting, type CollectingOptions } from '#test/collectors/logs/support.ts'
import { temporaryFolder } from '#test/support/program.ts'

let folder: ReturnType<typeof temporaryFolder>
let program: string
const running: Collecting[] = []
const said: { error?: string; msg: string }[] = []

beforeEach(() => {
	folder = temporaryFolder('journalctl')
	program = join(folder.path, 'journalctl')
	said.splice(0)
})
afterEach(async () => {
	for (const collecting of running.splice(0)) await collecting.stop()
	folder.remove()
})

/** Waits for the next try are short. */
const clock: Clock = { nowMicros: systemClock.nowMicros, sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 20), signal) }
const log = pino({ level: 'warn' }, { write: (line) => void said.push(JSON.parse(line) as { msg: string }) })

function start(options: CollectingOptions = {}): Collecting {
	const config = { journald: { program, units: ['a.service'], directory: '/nowhere' } }
	const collecting = collect(join(folder.path, 'state'), config, { journal: true, clock, log, ...options })
	running.push(collecting)
	return collecting
}

const cursorOf = (n: number): string =>
	`s=${'1'.repeat(32)};i=${n.toString(16)};b=${'a'.repeat(32)};m=1;t=${(1_795_514_400_000_000 + n).toString(16)};x=1`
const entry = (n: number, text = `line ${n}`): string =>
	JSON.stringify({ __CURSOR: cursorOf(n), MESSAGE: text, _SYSTEMD_UNIT: 'a.service' })

/** Whatever `script` does with the arguments. */
function install(script: string): void {
	writeFileSync(program, `#!/bin/sh\necho "$*" >> ${folder.path}/calls\n${script}\n`)
	chmodSync(program, 0o755)
}
const calls = (): readonly string[] => readFileSync(join(folder.path, 'calls'), 'utf8').trimEnd().split('\n')

it('that is missing is told with what to do, once, and tried again', async () => {
	const collecting = start()
	await collecting.until(() => said.length > 0)
	expect(said[0]?.error).toContain(`${program} is not there: install it`)
	expect(said[0]?.error).toContain('logs.journald.program')
	install(`echo '${entry(1)}'; exec sleep 60`)
	await collecting.lineCount(1)
	expect(said).toHaveLength(1)
	expect(calls()[0]).toContain('--all --merge')
})

it('that dies is started again behind the last entry, and what it said is told', async () => {
	install(`case "$*" in
*"--cursor=${cursorOf(2)}"*) echo '${entry(2)}'; echo '${entry(3)}'; exec sleep 60;;
*) echo '${entry(1)}'; echo '${entry(2)}'; printf '%s' '{"__CURSOR":"s='; echo 'Bad message' >&2; exit 1;;
esac`)
	const collecting = start()
	await collecting.lineCount(3)
	expect(collecting.texts()).toEqual(['line 1', 'line 2', 'line 3'])
	expect(said.map(({ error }) => error)).toEqual(['journalctl has ended with status 1: Bad message'])
	expect([collecting.gaps, collecting.rejects]).toEqual([[], []])
	expect(calls()[1]).toContain(`--cursor=${cursorOf(2)} --follow --no-tail --unit=a.service`)
})

it('that prints what is no entry does not stop the others; of what is too long, the size is told', async () => {
	const long = JSON.stringify({ __CURSOR: cursorOf(2), MESSAGE: 'x'.repeat(20_000_000) })
	writeFileSync(join(folder.path, 'long'), `rubbish\n${entry(1)}\n${long}\n${entry(3)}\n`)
	install(`case "$*" in *--lines=1*) echo '${entry(1)}';; *) cat ${folder.path}/long; exec sleep 60;; esac`)
	const collecting = start()
	await collecting.lineCount(2)
	expect(collecting.texts()).toEqual(['line 1', 'line 3'])
	await collecting.until(() => collecting.rejects.length === 2)
	expect(collecting.rejects).toMatchObject([
		{ sizeBytes: 7, reason: 'not an entry of the journal: not JSON', where: 'the journal, at its beginning' },
		{ sizeBytes: long.length, where: `the journal, behind ${cursorOf(1)}` },
	])
})

it('is asked whether an entry is there, where numbers are missing and the reader is behind; removed ones are a gap with its bounds', async () => {
	writeFileSync(join(folder.path, 'gone'), '')
	install(`case "$*" in
*--lines=1*) exec cat ${folder.path}/gone;;
*) echo '${entry(1)}'; echo '${entry(2)}'; echo '${entry(10)}'; exec sleep 60;;
esac`)
	const behind: Clock = { ...clock, nowMicros: () => 1_795_514_400_000_000 + 3_600_000_000 }
	const first = start({ clock: behind })
	await first.lineCount(3)
	expect(first.gaps).toMatchObject([{ reason: 'rotated', fromAt: 1_795_514_400_000_002, toAt: 1_795_514_400_000_010 }])
	expect(first.gaps[0]?.detail).toContain('numbers 3 to 9')
	expect(first.gaps[0]?.detail).toContain('at most 7 entries')
	await running.pop()?.stop()
	// It is there still: what is missing is of other units.
	writeFileSync(join(folder.path, 'gone'), `${entry(10)}\n`)
	install(`case "$*" in
*--lines=1*) exec cat ${folder.path}/gone;;
*) echo '${entry(20)}'; exec sleep 60;;
esac`)
	const second = start({ clock: behind })
	await second.lineCount(1)
	expect([second.texts(), second.gaps]).toEqual([['line 20'], []])
})

it('that never stops is not read while the log takes nothing: it waits, and memory is bounded', async () => {
	const lines = Array.from({ length: 100 }, (_, n) => `${entry(n + 1, 'x'.repeat(1000))}\n`).join('')
	writeFileSync(join(folder.path, 'lines'), lines)
	install(`while :; do cat ${folder.path}/lines; printf x >> ${folder.path}/rounds; done`)
	const rounds = (): number => (existsSync(join(folder.path, 'rounds')) ? statSync(join(folder.path, 'rounds')).size : 0)
	let release = (): void => {}
	const stalled = new Promise<void>((resolve) => (release = resolve))
	const collecting = start({ beforeAppend: () => stalled })
	let [before, unchanged] = [-1, 0]
	await collecting.until(() => {
		const now = rounds()
		unchanged = now > 0 && now === before ? unchanged + 1 : 0
		before = now
		return unchanged >= 15
	})
	// Four batches of half a megabyte, the one that waits, and what pipes hold.
	expect(rounds() * lines.length).toBeLessThan(6 * 1024 * 1024)
	const then = rounds()
	release()
	await collecting.until(() => rounds() > then + 50)
})

it('where reading stopped is garbled: it is read from the beginning', async () => {
	install(`echo '${entry(1)}'; exec sleep 60`)
	const first = start()
	await first.lineCount(1)
	await running.pop()?.stop()
	const { DatabaseSync } = await import('node:sqlite')
	const db = new DatabaseSync(join(folder.path, 'state', 'state.db'))
	db.exec("UPDATE cursor SET value = 'rubbish'")
	db.close()
	const second = start()
	await second.lineCount(1)
	expect(second.lines.map(({ id }) => id)).toEqual(first.lines.map(({ id }) => id))
	expect(said.some(({ msg }) => msg.includes('garbled'))).toBe(true)
	expect(calls().at(-1)).not.toContain('--cursor')
})
