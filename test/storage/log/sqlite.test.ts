// What is particular to the record log on SQLite: several handles on one file, closing, clocks that jump, damaged bookkeeping.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock, type Clock } from '#runtime/clock.ts'
import type { RecordLog } from '#storage/log/port.ts'
import { openSqliteLog } from '#storage/log/sqlite/log.ts'
import type { Damage } from '#storage/log/sqlite/repair.ts'
import { numberedRecord } from '#test/support/records.ts'

const minute = 60_000_000
let dir = ''
let now = 1_795_428_000_000_000
const clock: Clock = { nowMicros: () => now, sleep: (ms, signal) => systemClock.sleep(ms, signal) }

async function numbers(log: RecordLog, group: string, count: number): Promise<number[]> {
	const got: number[] = []
	for await (const { records } of log.read(group, ['records'], AbortSignal.timeout(10_000))) {
		got.push(...records.map((record) => (record.kind === 'change' ? Number(record.revision) : -1)))
		if (got.length >= count) break
	}
	return got
}

function tamper(sql: string): void {
	const db = new DatabaseSync(join(dir, 'records.db'))
	db.exec(sql)
	db.close()
}

describe('record log on SQLite', () => {
	beforeEach(() => {
		dir = mkdtempSync(join(tmpdir(), 'kubetape-log-'))
	})
	afterEach(() => rmSync(dir, { recursive: true, force: true }))

	it('a reader of another handle gets what is appended, and both append to one order', async () => {
		await using one = await openSqliteLog({ dir, clock })
		await using two = await openSqliteLog({ dir, clock })
		const reading = numbers(two, 'g', 3)
		await one.append('records', [numberedRecord(1)])
		await two.append('records', [numberedRecord(2)])
		await one.append('records', [numberedRecord(3)])
		expect(await reading).toEqual([1, 2, 3])
	})

	it('gives what waits from many small appends together, and each new one at once', async () => {
		await using log = await openSqliteLog({ dir, clock })
		for (let n = 1; n <= 40; n++) await log.append('records', [numberedRecord(n)])
		const sizes: number[] = []
		for await (const batch of log.read('g', ['records'], AbortSignal.timeout(10_000))) {
			sizes.push(batch.records.length)
			await log.commit('g', batch.next)
			if (sizes.length === 1) await log.append('records', [numberedRecord(41)])
			else break
		}
		expect(sizes).toEqual([40, 1])
	})

	it('partitions that another handle brings are read while reading', async () => {
		await using one = await openSqliteLog({ dir, clock, partitions: 1 })
		await using many = await openSqliteLog({ dir, clock, partitions: 16 })
		await one.append('records', [numberedRecord(1)])
		const reading = numbers(one, 'g', 41)
		await many.append(
			'records',
			Array.from({ length: 40 }, (_, index) => numberedRecord(index + 2, `pod-${index}`)),
		)
		expect((await reading).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 41 }, (_, index) => index + 1))
	})

	it('closing finishes what was appended before, and refuses what comes after', async () => {
		const log = await openSqliteLog({ dir, clock })
		const before = log.append('records', [numberedRecord(1)])
		await log[Symbol.asyncDispose]()
		await before
		await expect(log.append('records', [numberedRecord(2)])).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
		await log[Symbol.asyncDispose]()
		await using again = await openSqliteLog({ dir, clock })
		expect(await numbers(again, 'g', 1)).toEqual([1])
		expect((await again.lag('g', ['records']))[0]?.records).toBe(1n)
	})

	it('a clock that was set back does not make retention take what is newer', async () => {
		await using log = await openSqliteLog({ dir, clock })
		await log.append('records', [numberedRecord(1)])
		now -= 120 * minute
		await log.append('records', [numberedRecord(2)])
		now += 120 * minute
		await log.commit('g', [{ stream: 'records', partition: 0, offset: 2n }])
		expect(await log.retain({ ageMs: 3_600_000, bytesMax: 0 })).toEqual({ removedRecords: 0n })
		expect(await numbers(log, 'late', 2)).toEqual([1, 2])
	})

	it('retention by age keeps what a group has not read; by size it takes the oldest, and tells the reader', async () => {
		await using log = await openSqliteLog({ dir, clock })
		// More than a reader is given at once: some are left when the first batch is there.
		for (let part = 0; part < 4; part++) {
			await log.append(
				'records',
				Array.from({ length: 1000 }, (_, index) => numberedRecord(part * 1000 + index + 1)),
			)
		}
		await log.commit('g', [{ stream: 'records', partition: 0, offset: 1000n }])
		const reader = log.read('g', ['records'], AbortSignal.timeout(10_000))[Symbol.asyncIterator]()
		const first = await reader.next()
		expect(first.done === true ? 0 : first.value.records.length).toBe(2000)
		now += 600 * minute
		expect(await log.retain({ ageMs: 60_000, bytesMax: 0 })).toEqual({ removedRecords: 1000n })
		expect((await log.lag('g', ['records']))[0]?.records).toBe(3000n)
		expect(await log.retain({ ageMs: 0, bytesMax: 1 })).toEqual({ removedRecords: 3000n })
		await expect(reader.next()).rejects.toMatchObject({ code: 'LOG_POSITION_UNKNOWN' })
		await log.append('records', [numberedRecord(4001)])
		expect(await numbers(log, 'g', 1)).toEqual([4001])
	})

	it.each([
		['a batch that claims another place', 'UPDATE batch SET part = 1 WHERE first = 2', [1, 2]],
		['a batch that is gone', 'DELETE FROM batch WHERE first = 1', [1]],
		['the last batch gone', 'DELETE FROM batch WHERE first = 2', [1, 2]],
		['a first offset that moved', 'UPDATE head SET first = 1', [1, 2, 3]],
		['an end that moved back', 'UPDATE head SET next = 2', [1, 2, 3]],
		['no heads', 'DELETE FROM head', [1, 2, 3]],
	])('%s is told on opening, and the log goes on', async (_what, sql, expected) => {
		{
			await using log = await openSqliteLog({ dir, clock })
			for (const number of [1, 2, 3]) await log.append('records', [numberedRecord(number)])
		}
		tamper(sql)
		const told: Damage[] = []
		await using log = await openSqliteLog({ dir, clock, onDamage: (damage) => told.push(damage) })
		expect(told.length).toBe(1)
		await log.append('records', [numberedRecord(9)])
		expect(await numbers(log, 'g', expected.length + 1)).toEqual([...expected, 9])
	})

	it('a handle whose file another one set aside says so, to who appends and who reads', async () => {
		await using log = await openSqliteLog({ dir, clock })
		await log.append('records', [numberedRecord(1)])
		// It may fail before the append does.
		const reading = numbers(log, 'g', 2).catch((error: unknown) => error)
		tamper('DELETE FROM batch')
		const told: Damage[] = []
		await using fresh = await openSqliteLog({ dir, clock, onDamage: (damage) => told.push(damage) })
		expect(told).toMatchObject([{ kept: 0, lostRecords: 1n }])
		await expect(log.append('records', [numberedRecord(2)])).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
		expect(await reading).toMatchObject({ code: 'STORAGE_CORRUPT' })
		await fresh.append('records', [numberedRecord(3)])
		expect(await numbers(fresh, 'g', 1)).toEqual([3])
	})

	it('a damaged position reads again rather than passing over', async () => {
		await using log = await openSqliteLog({ dir, clock })
		for (const number of [1, 2, 3]) await log.append('records', [numberedRecord(number)])
		await log.commit('g', [{ stream: 'records', partition: 0, offset: 1n }])
		expect(await numbers(log, 'g', 2)).toEqual([2, 3])
		tamper('UPDATE position SET next = 3')
		expect(await numbers(log, 'g', 3)).toEqual([1, 2, 3])
	})

	it('a group that had committed behind the damage gets what is appended afterwards', async () => {
		{
			await using log = await openSqliteLog({ dir, clock })
			for (const number of [1, 2, 3]) await log.append('records', [numberedRecord(number)])
			await log.commit('g', [{ stream: 'records', partition: 0, offset: 3n }])
		}
		tamper("UPDATE batch SET data = x'00' WHERE first = 1")
		const told: Damage[] = []
		await using log = await openSqliteLog({ dir, clock, onDamage: (damage) => told.push(damage) })
		expect(told).toMatchObject([{ kept: 1, lostRecords: 2n }])
		await log.append('records', [numberedRecord(9)])
		expect(await numbers(log, 'g', 1)).toEqual([9])
	})
})
