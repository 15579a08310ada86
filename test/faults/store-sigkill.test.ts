// SIGKILL of the store's writer at random moments, also in the middle of a put: every acknowledged batch is there, whole, once, and no batch is there in part.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { Item } from '#storage/store/port.ts'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'
import { fixedClock } from '#test/storage/store/records.ts'
import { temporaryFolder } from '#test/support/program.ts'
import { createRandom, seedOf } from '#test/support/random.ts'
import { batchOf, batchRecords } from './store-batches.ts'

const kills = 6
const batchesAtMost = 60
const seed = seedOf('store-sigkill.test.ts')
const child = join(import.meta.dirname, 'store-put-child.ts')
const folder = temporaryFolder('store-sigkill')
afterEach(() => folder.remove())

/** Runs the child and kills it some microseconds after it acknowledged `after` batches: gives those that it acknowledged. */
async function runAndKill(from: number, after: number): Promise<{ acknowledged: number[]; stderr: string }> {
	const running = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', child, folder.path, String(from)], {
		stdio: ['ignore', 'pipe', 'pipe'],
	})
	let stdout = ''
	let stderr = ''
	running.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
	running.stdout.on('data', (chunk: Buffer) => {
		stdout += chunk.toString()
		if (stdout.split('\n').length > after) running.kill('SIGKILL')
	})
	const [, signal] = (await once(running, 'close')) as [number | null, string | null]
	expect(signal, `stderr: ${stderr}`).toBe('SIGKILL')
	// The last line may be cut by the kill: it was not acknowledged in full.
	return { acknowledged: stdout.split('\n').slice(0, -1).map(Number), stderr }
}

it(`survives ${kills} kills (seed ${seed})`, async () => {
	const random = createRandom(seed)
	const acknowledged = new Set<number>()
	for (let kill = 0; kill < kills; kill++) {
		const run = await runAndKill(kill * 1_000_000, 1 + Math.floor(random() * batchesAtMost))
		expect(run.stderr).toBe('')
		for (const batch of run.acknowledged) acknowledged.add(batch)
	}
	expect(acknowledged.size).toBeGreaterThan(kills)
	await using store = await openSqliteStore({ dir: folder.path, clock: fixedClock, onDamage: (damage) => expect(damage).toBeUndefined() })
	await store.checked
	const items: Item[] = []
	let cursor: string | undefined
	do {
		const page = await store.timeline({}, { limit: 1000, ...(cursor === undefined ? {} : { cursor }) })
		items.push(...page.items)
		cursor = page.next ?? undefined
	} while (cursor !== undefined)
	expect(new Set(items.map(({ id }) => id)).size).toBe(items.length)
	const counts = Map.groupBy(items, (item) => Number(item.labels?.['batch']))
	expect([...acknowledged].filter((batch) => !counts.has(batch))).toEqual([])
	for (const [batch, found] of counts) expect(found, `batch ${batch}`).toHaveLength(batchRecords)
	for (const batch of [...acknowledged].slice(-3)) {
		for (const { record } of batchOf(batch)) {
			const version = await store.get('blue', record.id)
			expect(version?.body?.value).toEqual(record.kind === 'change' ? record.after?.value : undefined)
		}
	}
}, 120_000)
