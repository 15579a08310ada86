// SIGKILL at random moments: every acknowledged record is in the log, once, in the order it was appended.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { systemClock } from '#runtime/clock.ts'
import { openSqliteLog } from '#storage/log/sqlite/log.ts'
import { runAndKill } from '#test/support/kill.ts'
import { createRandom, seedOf } from '#test/support/random.ts'

const kills = 5
const linesAtMost = 400
const seed = seedOf('log-sigkill.test.ts')
const child = join(import.meta.dirname, 'log-append-child.ts')
const dir = mkdtempSync(join(tmpdir(), 'kubetape-sigkill-'))
afterEach(() => rmSync(dir, { recursive: true, force: true }))

it(`survives ${kills} kills (seed ${seed})`, async () => {
	const random = createRandom(seed)
	const acknowledged = new Set<number>()
	for (let kill = 0; kill < kills; kill++) {
		const run = await runAndKill(child, [dir, String(kill * 1_000_000)], 1 + Math.floor(random() * linesAtMost))
		expect(run.stderr).toBe('')
		for (const number of run.acknowledged) acknowledged.add(number)
	}
	const log = await openSqliteLog({ dir, clock: systemClock, onDamage: (damage) => expect(damage).toBeUndefined() })
	const stored: number[] = []
	const [lag] = await log.lag('g', ['records'])
	for await (const batch of log.read('g', ['records'], AbortSignal.timeout(10_000))) {
		stored.push(...batch.records.map((record) => (record.kind === 'change' ? Number(record.revision) : -1)))
		if (BigInt(stored.length) >= (lag?.records ?? 0n)) break
	}
	await log[Symbol.asyncDispose]()
	const storedSet = new Set(stored)
	expect([...acknowledged].filter((number) => !storedSet.has(number))).toEqual([])
	expect(acknowledged.size).toBeGreaterThan(kills)
	expect(storedSet.size).toBe(stored.length)
	expect(stored).toEqual(stored.toSorted((a, b) => a - b))
}, 120_000)
