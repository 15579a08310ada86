// The record log's promises on SQLite.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { systemClock, type Clock } from '#runtime/clock.ts'
import { openSqliteLog } from '#storage/log/sqlite/log.ts'
import { recordLogContract } from './record-log.ts'

recordLogContract({
	name: 'sqlite',
	async open({ partitions }) {
		const dir = mkdtempSync(join(tmpdir(), 'kubetape-log-'))
		let aheadMs = 0
		const clock: Clock = { nowMicros: () => systemClock.nowMicros() + aheadMs * 1000, sleep: (ms, signal) => systemClock.sleep(ms, signal) }
		let log = await openSqliteLog({ dir, partitions, clock })
		return {
			log,
			async reopen() {
				await log[Symbol.asyncDispose]()
				log = await openSqliteLog({ dir, partitions, clock })
				return log
			},
			async cleanup() {
				await log[Symbol.asyncDispose]()
				rmSync(dir, { recursive: true, force: true })
			},
			advance(ms) {
				aheadMs += ms
			},
			damageLast() {
				const db = new DatabaseSync(join(dir, 'records.db'))
				const { changes } = db
					.prepare(
						"UPDATE batch SET data = CAST(substr(data, 1, length(data) - 3) AS BLOB) || x'00ff00' WHERE stream = 0 AND part = 0 AND first = (SELECT max(first) FROM batch WHERE stream = 0 AND part = 0)",
					)
					.run()
				db.close()
				if (Number(changes) !== 1) throw new Error('there was no batch to damage')
			},
		}
	},
})
