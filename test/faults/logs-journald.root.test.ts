// The real collect process reads a real journal, is killed at unaligned times, and the journal is rotated meanwhile: every entry is in the record log, once for a reader. Needs root.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { linesOf } from '#records/log-block.ts'
import type { Gap, LogLine } from '#records/record.ts'
import { systemClock } from '#runtime/clock.ts'
import { openSqliteLog } from '#storage/log/sqlite/log.ts'
import { Journald } from '#test/support/journald.ts'
import { startProgram, temporaryFolder, type Program } from '#test/support/program.ts'
import { createRandom, seedOf } from '#test/support/random.ts'
import { outcomeOf, pause } from './logs-support.ts'

const seed = seedOf('logs-journald.root.test.ts')
let folder: ReturnType<typeof temporaryFolder>
let journald: Journald
let program: Program | undefined

beforeEach(async () => {
	folder = temporaryFolder('logs-journald')
	journald = await Journald.start(`kubetape-kill-${process.pid}`)
})
afterEach(async () => {
	await kill()
	await journald.stop()
	folder.remove()
})

async function kill(): Promise<void> {
	program?.process.kill('SIGKILL')
	await program?.exited
	program = undefined
}

async function readAll(count: number): Promise<{ readonly lines: readonly LogLine[]; readonly gaps: readonly Gap[] }> {
	const lines: LogLine[] = []
	const gaps: Gap[] = []
	const seen = new Set<string>()
	await using log = await openSqliteLog({ dir: join(folder.path, 'data', 'log'), clock: systemClock })
	for await (const { records } of log.read('test', ['logs', 'ledger'], AbortSignal.timeout(120_000))) {
		for (const record of records) {
			if (record.kind === 'gap') gaps.push(record)
			if (record.kind === 'block')
				for (const line of linesOf(record)) {
					lines.push(line)
					seen.add(line.text)
				}
		}
		if (seen.size >= count) break
	}
	return { lines, gaps }
}

describe(`seed ${seed}`, () => {
	it('F5 SIGKILL four times at unaligned times', async () => {
		const random = createRandom(seed)
		const config = join(folder.path, 'config.yaml')
		const logs = `logs: { journald: { directory: ${journald.directory}, units: [worker.service] } }`
		writeFileSync(config, `dataDir: ${join(folder.path, 'data')}\nlogLevel: error\nclusters: [{ name: prod, ${logs} }]\n`)
		const socket = await journald.open('worker.service', 'worker', 6)
		let count = 0
		for (let life = 0; life < 5; life += 1) {
			program = startProgram(['collect', '--config', config])
			const end = performance.now() + 700 + random() * 1300
			while (performance.now() < end) {
				const lines = Array.from({ length: 50 }, () => `line "n":${count++} ${'x'.repeat(count % 300)}\n`).join('')
				await new Promise((resolve) => socket.write(lines, resolve))
				await pause(10)
			}
			if (life < 4) await kill()
			if (life % 2 === 1) await journald.rotate()
		}
		const { lines, gaps } = await readAll(count)
		socket.destroy()
		expect(outcomeOf('F5 journald', lines, gaps, count)).toEqual({ lost: [], duplicated: [], gaps: 0 })
	})
})
