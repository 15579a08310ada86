// A partition is stuck where records wait and nothing is committed; not where nothing waits, nor where it only goes slowly.
import { expect, it } from 'vitest'
import { createProgress, stuckMsMax } from '#processors/index/progress.ts'
import type { Lag, Position } from '#storage/log/port.ts'

let now = 0
const clock = { nowMicros: () => now, sleep: async () => {} }
const lag = (records: bigint, partition = 0, next = 0n): Lag => ({ stream: 'records', partition, records, next })
const position: Position = { stream: 'records', partition: 0, offset: 5n }
const later = (ms: number): void => void (now += ms * 1000)

it('is stuck after a minute without a commit, while records wait', () => {
	const progress = createProgress(clock)
	progress.lags([lag(3n), lag(0n, 1)])
	later(stuckMsMax)
	expect(progress.stuck()).toEqual([])
	later(5000)
	progress.lags([lag(7n), lag(0n, 1)])
	expect(progress.stuck()).toEqual(['records/0: 7 records, nothing committed for 65 s'])
})

it('is not stuck where it goes on, however much waits', () => {
	const progress = createProgress(clock)
	progress.lags([lag(1000n)])
	for (let minute = 0; minute < 5; minute++) {
		later(stuckMsMax)
		progress.committed([position])
		progress.lags([lag(2000n)])
	}
	expect(progress.stuck()).toEqual([])
})

it('is not stuck where another process of the group goes on', () => {
	const progress = createProgress(clock)
	for (let minute = 0; minute < 5; minute++) {
		progress.lags([lag(1000n, 0, BigInt(minute))])
		later(stuckMsMax)
	}
	expect(progress.stuck()).toEqual([])
	progress.lags([lag(1000n, 0, 4n)])
	later(5000)
	expect(progress.stuck()).toEqual(['records/0: 1000 records, nothing committed for 65 s'])
})

it('counts from when records began to wait, after an idle hour', () => {
	const progress = createProgress(clock)
	progress.lags([lag(0n)])
	later(3_600_000)
	progress.lags([lag(1n)])
	expect(progress.stuck()).toEqual([])
	later(stuckMsMax + 1000)
	expect(progress.stuck()).toHaveLength(1)
})

it('forgets partitions that are another process’s now', () => {
	const progress = createProgress(clock)
	progress.lags([lag(1n)])
	later(stuckMsMax * 2)
	progress.lags([])
	expect(progress.stuck()).toEqual([])
})
