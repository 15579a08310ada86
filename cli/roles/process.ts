// Role process: reads the record log, describes, enriches, stores; keeps log and store within their retention.
import type { Indexer } from '#processors/index/step.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import { keepChecking, storeCheck, type Check } from './checks.ts'
import { logRetention, openLog, openStore } from './engines.ts'
import type { Role, RoleContext } from './context.ts'
import { createStoreIndexer } from './indexing.ts'
import type { RecordLog } from '#storage/log/port.ts'
import type { Store } from '#storage/store/port.ts'

const retentionEveryMs = 60_000
const doing = 'processing'

export const process_: Role = async (context, signal) => {
	await using log = await openLog(context, signal)
	await using store = await openStore(context, { readOnly: false }, signal)
	const stop = new AbortController()
	const both = AbortSignal.any([signal, stop.signal])
	const indexer = createStoreIndexer(context, log, store, doing)
	const retaining = retain(context, log, store, both)
	context.report(true, doing)
	const checking = keepChecking(context, [storeCheck(store), ...indexerChecks(indexer)], both)
	try {
		await indexer.run(both)
	} catch (error) {
		context.report(false, messageOf(error))
		throw error
	} finally {
		stop.abort()
		await Promise.all([retaining, checking])
	}
}

/** The indexer asks the log for its lag anyway: its answer is taken, instead of asking again. */
function indexerChecks(indexer: Indexer): readonly Check[] {
	const logAnswers = async (): Promise<string> => {
		const { lagFailure } = indexer.state()
		if (lagFailure !== undefined) throw new KubetapeError('STORAGE_UNAVAILABLE', lagFailure)
		return 'answers'
	}
	const positionsMove = async (): Promise<string> => {
		const { stuck } = indexer.state()
		if (stuck.length > 0) throw new KubetapeError('STORAGE_UNAVAILABLE', stuck.join('; '))
		return 'move, or nothing waits'
	}
	return [
		{ part: 'record log', run: logAnswers },
		{ part: 'positions', run: positionsMove },
	]
}

async function retain(context: RoleContext, log: RecordLog, store: Store, signal: AbortSignal): Promise<void> {
	const { store: storeConfig } = context.config
	const failed = context.metrics.counter('kubetape_process_retention_failures_total', 'Retention runs that failed; they are tried again')
	while (!signal.aborted) {
		try {
			await log.retain(logRetention(context.config))
			const { removedPartitions } = await store.retain(storeConfig.retention)
			if (removedPartitions.length > 0) context.logger.info({ removedPartitions }, 'store partitions removed by retention')
		} catch (error) {
			failed.inc() // retention is housekeeping: a failure must not stop recording
			context.logger.warn({ error: messageOf(error) }, 'retention failed; it is tried again')
		}
		await context.clock.sleep(retentionEveryMs, signal)
	}
}
