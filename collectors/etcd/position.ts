// Where the collector stands, as it is kept in its state between runs.
import { hash } from 'node:crypto'
import type { LocalState } from '#collectors/local-state.ts'
import type { GapReason } from '#records/record.ts'
import type { Revision } from '#records/revision.ts'
import type { Micros } from '#records/time.ts'
import type { OpenRange } from './ledger.ts'

export interface Position {
	readonly space: string
	readonly clusterId: string
	/** Everything up to here is recorded. */
	readonly revision: Revision
	readonly at: Micros
	readonly open: OpenRange
	/** The key that was written last: its known value tells whether an etcd still has this history (history.ts). */
	readonly witness: string | undefined
}

/** A snapshot that has begun: what is known about the gap that it closes, so that a crash in between forgets none of it. */
export interface PendingSnapshot {
	/** Null at the very start, where nothing was recorded before. */
	readonly reason: GapReason | null
	/** The etcd that it is of, and how far that one was: it is not gone on with in another. */
	readonly clusterId: string
	readonly headRevision: string
	readonly space: string
	readonly from: string | null
	readonly fromAt: Micros | null
	readonly touched: readonly string[]
	readonly touchedCount: number
}

const followedHexDigits = 8
const positionName = 'position'
const snapshotName = 'snapshot'

function parse(text: string | undefined): Record<string, unknown> | undefined {
	if (text === undefined || text === '') return undefined
	return JSON.parse(text) as Record<string, unknown>
}

export function readPosition(state: LocalState): Position | undefined {
	const stored = parse(state.cursor(positionName))
	return stored && ({ ...stored, revision: BigInt(String(stored['revision'])) } as Position)
}

export function readPending(state: LocalState): PendingSnapshot | undefined {
	return parse(state.cursor(snapshotName)) as PendingSnapshot | undefined
}

export function positionCursor(position: Position): Record<string, string> {
	return { [positionName]: JSON.stringify({ ...position, revision: position.revision.toString() }), [snapshotName]: '' }
}

export function pendingCursor(pending: PendingSnapshot): Record<string, string> {
	return { [snapshotName]: JSON.stringify(pending) }
}

/** The space after `position`'s: named by the etcd that it is in, by how far that one was when it was met, and by what it follows, so that none comes twice. */
export function nextSpace(position: Position, clusterId: string, revision: Revision): string {
	const followed = hash('sha256', `${position.space}\0${position.revision}\0${position.clusterId}`, 'hex').slice(0, followedHexDigits)
	return `etcd-${clusterId}-${revision}-${followed}`
}
