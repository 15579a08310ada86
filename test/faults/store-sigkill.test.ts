// SIGKILL of the store's writer at random moments, also in the middle of a put: every acknowledged batch is there, whole, once, and no batch is there in part.
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { Item } from '#storage/store/port.ts'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'
import { fixedClock } from '#test/storage/store/records.ts'
import { temporaryFolder } from '#test/support/program.ts'
import { runAndKill } from '#test/support/kill.ts'
import { createRandom, seedOf } from '#test/support/random.ts'
import { batchOf, batchRecords } from './store-batches.ts'

const kills = 6
const batchesAtMost = 60
const seed = seedOf('store-sigkill.test.ts')
const child = join(import.meta.dirname, 'store-put-child.ts')
const folder = temporaryFolder('store-sigkill')
afterEach(() => folder.remove())

it(`survives ${kills} kills (seed ${seed})`, async () => {
	const random = createRandom(seed)
	const acknowledged = new Set<number>()
	for (let kill = 0; kill < kills; kill++) {
		const run = await runAndKill(child, [folder.path, String(kill * 1_000_000)], 1 + Math.floor(random() * batchesAtMost))
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
