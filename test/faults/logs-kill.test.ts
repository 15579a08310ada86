// The real collect process is killed at unaligned times while container logs are written and rotated, also while its log is stalled: every line is in the record log, once for a reader.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { linesOf } from '#records/log-block.ts'
import type { Gap, LogLine } from '#records/record.ts'
import { systemClock } from '#runtime/clock.ts'
import { openSqliteLog } from '#storage/log/sqlite/log.ts'
import { podFolder } from '#test/collectors/logs/support.ts'
import { startProgram, temporaryFolder, type Program } from '#test/support/program.ts'
import { createRandom, seedOf } from '#test/support/random.ts'
import { NumberedWriter, outcomeOf, pause } from './logs-support.ts'

const seed = seedOf('logs-kill.test.ts')
let folder: ReturnType<typeof temporaryFolder>
let path: string
let program: Program | undefined

beforeEach(() => {
	folder = temporaryFolder('logs-kill')
	mkdirSync(join(folder.path, 'pods'))
	path = join(podFolder(join(folder.path, 'pods')), '0.log')
})
afterEach(async () => {
	program?.process.kill('SIGKILL')
	await program?.exited
	program = undefined
	folder.remove()
})

const dataDir = (): string => join(folder.path, 'data')

function start(): Program {
	const file = join(folder.path, 'config.yaml')
	writeFileSync(
		file,
		`dataDir: ${dataDir()}\nlogLevel: error\nclusters: [{ name: prod, logs: { pods: { root: ${join(folder.path, 'pods')} } } }]\n`,
	)
	return startProgram(['collect', '--config', file])
}

async function kill(running: Program): Promise<void> {
	running.process.kill('SIGKILL')
	await running.exited
}

/** Reads the record log until every number was seen. */
async function readAll(count: number): Promise<{ readonly lines: readonly LogLine[]; readonly gaps: readonly Gap[] }> {
	const lines: LogLine[] = []
	const gaps: Gap[] = []
	const seen = new Set<string>()
	await using log = await openSqliteLog({ dir: join(dataDir(), 'log'), clock: systemClock })
	for await (const { records } of log.read('test', ['logs', 'ledger'], AbortSignal.timeout(50_000))) {
		for (const record of records) {
			if (record.kind === 'gap') gaps.push(record)
			if (record.kind !== 'block') continue
			for (const line of linesOf(record)) {
				lines.push(line)
				seen.add(line.text)
			}
		}
		if (seen.size >= count) break
	}
	return { lines, gaps }
}

/** Bursts of lines for so long, with a rotation now and then. */
async function writeFor(writer: NumberedWriter, ms: number): Promise<void> {
	const end = performance.now() + ms
	while (performance.now() < end) {
		writer.write(200)
		if (writer.count % 6000 === 0) {
			renameSync(path, `${path}.20261124-${String(writer.count).padStart(6, '0').slice(-6)}`)
			writer.reopen()
		}
		await pause(10)
	}
}

describe(`seed ${seed}`, () => {
	it('F5 SIGKILL four times at unaligned times', async () => {
		const random = createRandom(seed)
		const writer = new NumberedWriter(path)
		for (let life = 0; life < 4; life += 1) {
			program = start()
			await writeFor(writer, 700 + random() * 1300)
			await kill(program)
		}
		program = start()
		const { lines, gaps } = await readAll(writer.count)
		writer.close()
		expect(outcomeOf('F5', lines, gaps, writer.count)).toEqual({ lost: [], duplicated: [], gaps: 0 })
	})

	it('F6 SIGKILL while the log is stalled', async () => {
		const writer = new NumberedWriter(path)
		writer.write(1000)
		program = start()
		await readAll(1000)
		const db = new DatabaseSync(join(dataDir(), 'log', 'records.db'))
		db.exec('BEGIN IMMEDIATE')
		await writeFor(writer, 1500)
		await kill(program)
		await writeFor(writer, 300)
		db.exec('ROLLBACK')
		db.close()
		program = start()
		const { lines, gaps } = await readAll(writer.count)
		writer.close()
		expect(outcomeOf('F6', lines, gaps, writer.count)).toEqual({ lost: [], duplicated: [], gaps: 0 })
	})
})
