// What a collector is: it reads its source from a cursor and emits records; the loop redacts and appends them.
import type { KubetapeRecord } from '#records/record.ts'
import type { Clock } from '#runtime/clock.ts'
import type { Logger } from '#runtime/log.ts'
import type { Metrics } from '#runtime/metrics.ts'

/**
 * Hands records over. Resolves when all of them are in the record log durably, rejects when they could not be. Batches are appended in the
 * order of the calls. A collector may have up to limits.batchesInFlightMax calls outstanding, and saves its cursor only after the call resolved.
 * The bytes of log blocks are the collector's again then, which writes to them: whoever keeps them longer copies them.
 */
export type Emit = (records: readonly KubetapeRecord[]) => Promise<void>

export interface CollectorContext {
	readonly cluster: string
	readonly clock: Clock
	readonly log: Logger
	readonly metrics: Metrics
	/** A folder of the collector's own, for its cursor and last-known state. */
	readonly stateDir: string
}

export interface Collector {
	readonly name: string
	/**
	 * Runs until the signal aborts (then resolves, with what was emitted settled) or the source has ended (a replay). Transient failures are
	 * retried inside, without end. Throws KubetapeError where trying again cannot help.
	 */
	run(emit: Emit, signal: AbortSignal): Promise<void>
}
