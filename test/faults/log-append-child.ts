// A process that appends numbered records to a log and prints each number once it is acknowledged, until it is killed. Arguments: folder, first number.
import { writeSync } from 'node:fs'
import { systemClock } from '#runtime/clock.ts'
import { openSqliteLog } from '#storage/log/sqlite/log.ts'
import { numberedRecord } from '#test/support/records.ts'

const [dir, from] = process.argv.slice(2)
const log = await openSqliteLog({ dir: dir ?? '', clock: systemClock, onDamage: (damage) => writeSync(2, `damage: ${damage.reason}\n`) })
const inFlight = 3
let number = Number(from)

async function append(): Promise<void> {
	for (;;) {
		const mine = [number++, number++]
		await log.append(
			'records',
			mine.map((each) => numberedRecord(each)),
		)
		writeSync(1, `${mine.join('\n')}\n`)
	}
}
await Promise.all(Array.from({ length: inFlight }, append))
