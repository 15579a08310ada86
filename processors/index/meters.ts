// What the indexer counts, for those who operate it.
import type { Indexed } from '#records/indexed.ts'
import type { Clock } from '#runtime/clock.ts'
import { reasonLabels, secondsBuckets, type Metrics } from '#runtime/metrics.ts'
import type { Lag } from '#storage/log/port.ts'

export interface IndexMeters {
	/** A put that worked, and when it began. */
	stored(records: readonly Indexed[], result: { readonly stored: number; readonly duplicates: number }, beganAt: number): void
	rejected(reason: string): void
	paused(is: boolean): void
	lags(lags: readonly Lag[], stuck: number): void
}

export function createIndexMeters(metrics: Metrics, clock: Clock): IndexMeters {
	const records = metrics.counter('kubetape_process_records_total', 'Records put into the store', ['result'])
	const rejects = metrics.counter('kubetape_process_rejects_total', 'Records set aside as bad', ['step', 'reason'])
	const paused = metrics.gauge('kubetape_process_paused', '1 while the store cannot take records')
	const lag = metrics.gauge('kubetape_process_lag_records', 'Records appended and not yet stored', ['stream', 'partition'])
	const stuck = metrics.gauge(
		'kubetape_process_stuck_partitions',
		'Partitions in which records wait and nothing was committed for a minute',
	)
	const put = metrics.histogram('kubetape_process_put_seconds', 'A batch: enriched, and durable in the store', secondsBuckets)
	const fresh = metrics.histogram(
		'kubetape_process_freshness_seconds',
		'From when a collector saw the first record of a batch until the batch is in the store',
		secondsBuckets,
	)
	const last = metrics.gauge(
		'kubetape_process_last_put_timestamp_seconds',
		'When records were last put into the store, in seconds since 1970',
		[],
		'max',
	)
	const reasonOf = reasonLabels()
	paused.set(0)
	stuck.set(0)
	return {
		stored(batch, result, beganAt) {
			const now = clock.nowMicros()
			records.inc({ result: 'stored' }, result.stored)
			records.inc({ result: 'duplicate' }, result.duplicates)
			put.observe(Math.max(0, now - beganAt) / 1e6)
			last.set(now / 1e6)
			// What is played was seen when it was recorded: it says nothing of how soon records are found.
			const live = batch.filter(({ record }) => record.source !== 'replay')
			if (live.length > 0) fresh.observe(Math.max(0, now - Math.min(...live.map(({ record }) => record.observedAt))) / 1e6)
		},
		rejected: (reason) => rejects.inc({ step: 'describe', reason: reasonOf(reason) }),
		paused: (is) => paused.set(is ? 1 : 0),
		lags(lags, stuckPartitions) {
			// Partitions that are another process's now are told by that one alone.
			lag.reset()
			for (const { stream, partition, records: behind } of lags) lag.set({ stream, partition: String(partition) }, Number(behind))
			stuck.set(stuckPartitions)
		},
	}
}
