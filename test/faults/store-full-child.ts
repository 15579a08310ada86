// A process that fills the file system under a store, goes on when there is room again, and prints what it saw as JSON. Arguments: folder, `small` (a file system of its own) or `limited` (a limit for each file).
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { KubetapeError } from '#runtime/errors.ts'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'
import { fixedClock } from '#test/storage/store/records.ts'
import { batchOf, batchRecords } from './store-batches.ts'

const [root = '', mode] = process.argv.slice(2)
const ballast = join(root, 'ballast')
const dir = join(root, 'store')
const fillerBytes = 4000
const batchesMax = 2000
mkdirSync(dir, { recursive: true })
if (mode === 'small') writeFileSync(ballast, Buffer.alloc(2 * 1024 * 1024, 1))

const options = { dir, clock: fixedClock, config: { synchronous: 'normal' as const } }
const acknowledged: number[] = []
let failed: KubetapeError | undefined
let missing = 0
let inPart = 0
let after: unknown
{
	await using store = await openSqliteStore(options)
	// Of one day: even numbers.
	let batch = 0
	for (; batch < batchesMax && !failed; batch += 2) {
		try {
			await store.put(batchOf(batch, fillerBytes))
			acknowledged.push(batch)
		} catch (error) {
			if (!(error instanceof KubetapeError)) throw error
			failed = error
		}
	}
	inPart = (await store.timeline({ q: `"change ${(batch - 2) * batchRecords + 1}"` }, { limit: 1 })).items.length
	if (mode === 'small') {
		rmSync(ballast)
		after = await store.put(batchOf(batch - 2, fillerBytes))
	} else after = await store.put(batchOf(batch + 1, 200))
}
{
	await using store = await openSqliteStore({ ...options, onDamage: (damage) => process.stderr.write(`damage: ${damage.reason}\n`) })
	await store.checked
	for (const batch of acknowledged) {
		for (const { record } of batchOf(batch, fillerBytes)) {
			const version = await store.get('blue', record.id)
			if (JSON.stringify(version?.body?.value) !== (record.kind === 'change' ? record.after?.text : '')) missing += 1
		}
	}
}
process.stdout.write(
	JSON.stringify({ acknowledged: acknowledged.length, code: failed?.code, retryable: failed?.retryable, inPart, after, missing }),
)
