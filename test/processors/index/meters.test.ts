// What the indexer counts: how long records waited, but for what is played; whose partitions they are now.
import { expect, it } from 'vitest'
import { createIndexMeters } from '#processors/index/meters.ts'
import type { Indexed } from '#records/indexed.ts'
import { createMetrics } from '#runtime/metrics.ts'

const now = 100_000_000
const metrics = createMetrics()
const meters = createIndexMeters(metrics, { nowMicros: () => now, sleep: async () => {} })
const seen = (source: string, secondsAgo: number) => ({ record: { source, observedAt: now - secondsAgo * 1e6 } }) as unknown as Indexed
const text = () => metrics.registry.metrics()

it('a batch is as fresh as the record that waited longest, and what is played says nothing', async () => {
	meters.stored([seen('etcd', 2), seen('audit', 7), seen('replay', 90)], { stored: 3, duplicates: 0 }, now - 500_000)
	meters.stored([seen('replay', 80)], { stored: 1, duplicates: 1 }, now)
	expect(await text()).toMatch(/^kubetape_process_freshness_seconds_count 1$/m)
	expect(await text()).toMatch(/^kubetape_process_freshness_seconds_sum 7$/m)
	expect(await text()).toMatch(/^kubetape_process_put_seconds_count 2$/m)
	expect(await text()).toMatch(/^kubetape_process_last_put_timestamp_seconds 100$/m)
})

it('tells no lag of partitions that are another process’s now', async () => {
	const lag = (partition: number) => ({ stream: 'records', partition, records: 5n, next: 5n }) as const
	meters.lags([lag(0), lag(1)], 1)
	meters.lags([lag(1)], 0)
	expect((await text()).match(/^kubetape_process_lag_records\{.*$/gm)).toEqual([
		'kubetape_process_lag_records{stream="records",partition="1"} 5',
	])
	expect(await text()).toMatch(/^kubetape_process_stuck_partitions 0$/m)
})
