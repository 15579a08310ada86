// The indexer of the store, as every role that has one runs it: its pauses are the role's state.
import { createIndexer, type Indexer } from '#processors/index/step.ts'
import type { RecordLog } from '#storage/log/port.ts'
import type { Store } from '#storage/store/port.ts'
import { storeGroup, type RoleContext } from './context.ts'

/** Told when storing pauses (a reason) and when it goes on (null); `doing` is what the role does otherwise. */
export function pausesOf(context: RoleContext, doing: string): (reason: string | null) => void {
	return (reason) => context.report(reason === null, reason === null ? doing : `paused: ${reason}`)
}

export function createStoreIndexer(context: RoleContext, log: RecordLog, store: Store, doing: string): Indexer {
	const { clock, metrics, logger } = context
	return createIndexer({ store, log, group: storeGroup, clock, metrics, logger, onPause: pausesOf(context, doing) })
}
