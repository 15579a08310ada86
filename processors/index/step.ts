// Index: batches from the record log, described and enriched, into the store; the position is committed after the put, never before. While one batch is being stored the next one is made ready.
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { createDescribe } from '#processors/describe/step.ts'
import { createEnrich } from '#processors/enrich/step.ts'
import { statementId } from '#records/id.ts'
import type { Indexed } from '#records/indexed.ts'
import { linesOf } from '#records/log-block.ts'
import type { Redacted, Reject, StoredRecord } from '#records/record.ts'
import type { Clock } from '#runtime/clock.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import type { Logger } from '#runtime/log.ts'
import type { Metrics } from '#runtime/metrics.ts'
import { createBackoff } from '#runtime/retry.ts'
import { streams, type Batch, type RecordLog } from '#storage/log/port.ts'
import type { Store } from '#storage/store/port.ts'
import { createIndexMeters } from './meters.ts'
import { createPipe, type Pipe } from './pipe.ts'
import { createProgress } from './progress.ts'

export interface IndexerOptions {
	readonly store: Store
	readonly log: RecordLog
	readonly group: string
	readonly clock: Clock
	readonly metrics: Metrics
	readonly logger: Logger
	readonly onPause?: (reason: string | null) => void
}

const lagEveryMs = 5000
/** Batches that are being stored at the same time: one is sent, the other made ready for it. */
export const batchesUnderWay = 2
/** Records described without a pause, in which answers of the store are heard. */
const recordsAtOnce = 200

/** What travelled as one record and is stored as several. The lines of a redacted block are redacted. */
function* singlesOf(record: Redacted): Generator<Redacted<StoredRecord>> {
	if (record.kind !== 'block') yield record
	else for (const line of linesOf(record)) yield line as Redacted<StoredRecord>
}

export interface Indexer {
	run(signal: AbortSignal): Promise<void>
	/** Whether the record log told its lag when it was last asked, and which partitions are stuck (progress.ts). */
	state(): { readonly lagFailure: string | undefined; readonly stuck: readonly string[] }
}

export function createIndexer(options: IndexerOptions): Indexer {
	const { log, group, clock, metrics, logger } = options
	const describe = createDescribe()
	let enricher = createEnrich({ store: options.store, metrics, logger })
	let given: number | undefined
	const meters = createIndexMeters(metrics, clock)
	const progress = createProgress(clock)
	let lagFailure: string | undefined

	const rejectOf = (record: Redacted, reason: string): Reject => ({
		kind: 'reject',
		id: statementId('reject', record.cluster, record.observedAt, 'describe', record.id),
		cluster: record.cluster,
		source: record.source,
		occurredAt: record.occurredAt,
		occurredBound: record.occurredBound,
		observedAt: clock.nowMicros(),
		step: 'describe',
		reason,
		where: `${record.kind} ${record.id}`,
		sha256: createHash('sha256').update(record.id).digest('hex'),
		sizeBytes: 0,
	})

	/** One record that cannot be described never stops the others: its rejection takes its place, in the rejects stream and in the store. */
	const prepare = async (batch: Batch): Promise<{ readonly ready: readonly Indexed[]; readonly rejects: readonly Redacted[] }> => {
		const ready: Indexed[] = []
		const rejects: Redacted[] = []
		const refuse = (record: Redacted, reason: string): void => {
			meters.rejected(reason)
			rejects.push(rejectOf(record, reason) as Redacted)
		}
		for (const [index, record] of batch.records.entries()) {
			if (index > 0 && index % recordsAtOnce === 0) await setImmediate()
			try {
				for (const single of singlesOf(record)) {
					const result = describe(single)
					if ('ok' in result) ready.push(result.ok)
					else if ('reject' in result) refuse(single, result.reject)
				}
			} catch (error) {
				if (!(error instanceof RangeError)) throw error
				refuse(record, messageOf(error)) // a block whose parts do not fit together
			}
		}
		return { ready, rejects }
	}

	/** Under the record log: other failures of it, such as a partition that another member has now, are not for this loop to repeat. */
	const isFull = ({ code }: KubetapeError): boolean => code === 'STORAGE_DISK_FULL'

	const isRetryable = ({ retryable }: KubetapeError): boolean => retryable

	/** What waits for the store or the log: several batches can. */
	let waiting = 0

	/** Does it again for as long as its failure is one that passes: `passes` tells. */
	const patiently = async <T>(work: () => Promise<T>, passes: (error: KubetapeError) => boolean, signal: AbortSignal): Promise<T> => {
		const backoff = createBackoff({ clock, firstMs: 200, maxMs: 10_000 })
		try {
			for (;;) {
				try {
					return await work()
				} catch (error) {
					if (!(error instanceof KubetapeError) || !passes(error) || signal.aborted) throw error
					if (backoff.attempts === 0) waiting += 1
					meters.paused(true)
					options.onPause?.(`${error.code}: ${messageOf(error)}`)
					logger.warn({ code: error.code, error: messageOf(error) }, 'storing paused; it is tried again')
					await backoff.wait(signal)
				}
			}
		} finally {
			if (backoff.attempts > 0 && --waiting === 0) {
				meters.paused(false)
				options.onPause?.(null)
			}
		}
	}

	/** From what is described to what is committed. Each part of it may be repeated. */
	const store = async ({ next }: Batch, ready: readonly Indexed[], pipe: Pipe, signal: AbortSignal): Promise<void> => {
		const beganAt = clock.nowMicros()
		const enriching = enricher
		const enriched = await patiently(() => enriching.enrich(ready), isRetryable, signal)
		await pipe.begin(async (before) => {
			const result = await patiently(() => options.store.put(enriched), isRetryable, signal)
			meters.stored(enriched, result, beganAt)
			await before
			await patiently(() => enriching.repair(ready), isRetryable, signal)
			await patiently(() => log.commit(group, next), isFull, signal)
			progress.committed(next)
		})
	}

	/** By the clock, not by the batches: an idle indexer has no lag, and a paused one has more and more. */
	const reportLag = async (signal: AbortSignal): Promise<void> => {
		while (!signal.aborted) {
			try {
				const lags = await log.lag(group, streams)
				progress.lags(lags)
				meters.lags(lags, progress.stuck().length)
				lagFailure = undefined
			} catch (error) {
				lagFailure = messageOf(error)
				// A number for operators: reading the log itself says, and decides, what its failure means.
				logger.warn({ error: messageOf(error) }, 'the lag could not be told; it is tried again')
			}
			await clock.sleep(lagEveryMs, signal)
		}
	}

	return {
		state: () => ({ lagFailure, stuck: progress.stuck() }),
		async run(signal) {
			const stop = new AbortController()
			const until = AbortSignal.any([signal, stop.signal])
			const reporting = reportLag(until)
			const pipe = createPipe(batchesUnderWay, () => stop.abort())
			// Reading goes on until what was read is committed: a log that is not read any more takes no commit.
			const end = async (): Promise<void> => {
				await pipe.done().catch(() => undefined) // told below
				stop.abort()
			}
			const ending = (): void => void end()
			signal.addEventListener('abort', ending, { once: true })
			if (signal.aborted) stop.abort()
			try {
				for await (const batch of log.read(group, streams, stop.signal)) {
					if (until.aborted) {
						await end()
						break
					}
					// What is remembered of objects may have gone on in another process: it is read from the store anew.
					if (given !== undefined && batch.given !== given) {
						await pipe.done()
						enricher = createEnrich({ store: options.store, metrics, logger })
					}
					given = batch.given
					const { ready, rejects } = await prepare(batch)
					if (rejects.length > 0) await patiently(() => log.append('rejects', rejects), isFull, until)
					await store(batch, ready, pipe, until)
				}
				await pipe.done()
			} finally {
				signal.removeEventListener('abort', ending)
				stop.abort()
				await reporting
				await pipe.done()
			}
		},
	}
}
