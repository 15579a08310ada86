// A process that puts batches of numbered records into a store, into two days in turn, and prints the number of each batch once it is acknowledged, until it is killed. Arguments: folder, first batch.
import { writeSync } from 'node:fs'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'
import { fixedClock } from '#test/storage/store/records.ts'
import { batchOf } from './store-batches.ts'

const [dir, from] = process.argv.slice(2)
const store = await openSqliteStore({
	dir: dir ?? '',
	clock: fixedClock,
	config: { synchronous: 'normal' },
	onDamage: (damage) => writeSync(2, `damage: ${damage.reason}\n`),
})
for (let batch = Number(from); ; batch++) {
	await store.put(batchOf(batch))
	writeSync(1, `${batch}\n`)
}
