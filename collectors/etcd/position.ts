// Where the collector stands, as it is kept in its state between runs.
import type { LocalState } from '#collectors/local-state.ts'
import type { GapReason } from '#records/record.ts'
import type { Revision } from '#records/revision.ts'
import { mainSpace } from '#records/revision.ts'
import type { Micros } from '#records/time.ts'
import type { OpenRange } from './ledger.ts'

export interface Position {
	readonly space: string
	readonly clusterId: string
	/** Everything up to here is recorded. */
	readonly revision: Revision
	readonly at: Micros
	readonly open: OpenRange
}

/** A snapshot that has begun: what is known about the gap that it closes, so that a crash in between forgets none of it. */
export interface PendingSnapshot {
	/** Null at the very start, where nothing was recorded before. */
	readonly reason: GapReason | null
	readonly space: string
	readonly from: string | null
	readonly fromAt: Micros | null
	readonly touched: readonly string[]
	readonly touchedCount: number
}

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

/** The space after `position`'s: named by the etcd that it is in, and by how far that one was when it was met. */
export function nextSpace(position: Position | undefined, clusterId: string, revision: Revision): string {
	return position === undefined ? mainSpace : `etcd-${clusterId}-${revision}`
}
