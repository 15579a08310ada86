// The record log: what collectors append to and processors read from. Promises hold for every engine; test/contracts/record-log.ts runs them.
import type { KubetapeRecord, Redacted } from '#records/record.ts'

/** `records`: changes, cluster events, audit · `logs`: blocks of log lines, and single lines · `ledger`: gaps and coverage, one strict order per cluster · `rejects`. */
export type Stream = 'records' | 'logs' | 'ledger' | 'rejects'
export const streams: readonly Stream[] = ['records', 'logs', 'ledger', 'rejects']

/** Where a group stands in one partition: everything before `offset` is done. */
export interface Position {
	readonly stream: Stream
	readonly partition: number
	readonly offset: bigint
}

/** Behind the records of a batch that are of one partition. */
export interface Reached extends Position {
	/** How many of the batch they are. */
	readonly records: number
}

/** What waits to be read: of one partition, or of several, about as much as is worth a put. */
export interface Batch {
	/** Those of one partition lie together, in their order. */
	readonly records: readonly Redacted[]
	/** Commit this when the whole batch is done: a position for each partition, in the order of their records. */
	readonly next: readonly Reached[]
	/** Another number than that of the batch before: partitions were given out anew, and another process may have read meanwhile. Absent where only one can read. */
	readonly given?: number
}

export interface Lag {
	readonly stream: Stream
	readonly partition: number
	/** Records appended and not yet committed by the group. */
	readonly records: bigint
	/** Where the group goes on: what it, in whatever process, has committed. */
	readonly next: bigint
}

export interface LogRetention {
	/** Remove batches older than this, even if unread by nobody; 0 keeps all. */
	readonly ageMs: number
	/** Remove the oldest batches while the log is larger; 0 keeps all. */
	readonly bytesMax: number
}

/**
 * Promises:
 * 1. Durability: when `append` resolves, the records survive SIGKILL and power loss. When it rejects, they may or may not be there.
 * 2. Order: records with the same order key (records/codec.ts) are read in the order they were appended; all records of `ledger` of one cluster too.
 *    Where several processes read for one group, records about one object (placeKey in records/codec.ts) are read by the same one, in the order they were appended.
 * 3. At least once: a record is read by a group again and again until a position behind it is committed; after a restart reading goes on at the committed position.
 *    Where several processes read for one group, a commit for a partition that another one reads by now is void, and its records are read again there.
 * 4. Groups are independent of each other.
 * 5. `read` delivers appended records without being asked again, within 50 ms where none came for a second and no partition is just moving between processes, and ends quietly when the signal aborts.
 * 6. An empty append resolves; an empty stream reads nothing and has lag 0.
 * 7. A record larger than limits.recordBytesMax rejects with STORAGE_TOO_LARGE, and nothing of that append is stored. An engine that takes less at once stores a
 *    record that is smaller, but too large for it, without its bodies, marked (`note`, `truncated`, a flag of the line): it is never lost, and never whole in silence.
 * 8. A damaged batch is never delivered: `read` throws STORAGE_CORRUPT naming the place, after everything before it was delivered. Whoever opens the log, or begins
 *    to read at that place, after that goes on behind it, and is told what is lost.
 * 9. Retention never removes what is newer than the policy says, and removal is visible as the first offset moving up.
 */
export interface RecordLog extends AsyncDisposable {
	append(stream: Stream, records: readonly Redacted[]): Promise<void>
	/** Records of all partitions of the streams, each partition in order; of those that this process is given, where several read for the group. A process reads for a group in one place at a time. */
	read(group: string, streams: readonly Stream[], signal: AbortSignal): AsyncIterable<Batch>
	commit(group: string, positions: readonly Position[]): Promise<void>
	lag(group: string, streams: readonly Stream[]): Promise<Lag[]>
	retain(policy: LogRetention): Promise<{ readonly removedRecords: bigint }>
}

/** What the collect loop does with bad input: it is a record like others, in its own stream. */
export function streamOf(record: KubetapeRecord): Stream {
	switch (record.kind) {
		case 'log':
		case 'block':
			return 'logs'
		case 'gap':
		case 'coverage':
			return 'ledger'
		case 'reject':
			return 'rejects'
		default:
			return 'records'
	}
}
