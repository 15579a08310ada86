// Where the watch of one resource stands, as it is kept in the collector's state between runs.
import { gapKeysMax, type GapReason } from '#records/record.ts'
import { mainSpace, type Revision } from '#records/revision.ts'
import type { Micros } from '#records/time.ts'

/** A list that has begun, and what is known about the gap that it closes: a crash in between forgets none of it. */
export interface Pending {
	/** Null at the very start, where nothing was recorded before. */
	readonly reason: GapReason | null
	readonly from: string | null
	readonly fromAt: Micros | null
	readonly touched: readonly string[]
	readonly touchedCount: number
}

/** A gap in which no object differed: it is stated together with those of other resources. */
export interface UntoldGap {
	readonly reason: GapReason
	readonly from: string | null
	readonly to: string
	readonly fromAt: Micros | null
}

export interface Position {
	/** resourceVersion up to which everything is recorded; empty before the first list is done. */
	readonly revision: string
	readonly at: Micros
	/** Revision space that `revision` is of. */
	readonly space: string
	readonly pending: Pending | null
	readonly untold: UntoldGap | null
}

const nothingTouched = { touched: [], touchedCount: 0 }

export const cursorName = (resource: string): string => `resource ${resource}`
export const start: Position = {
	revision: '',
	at: 0,
	space: mainSpace,
	pending: { reason: null, from: null, fromAt: null, ...nothingTouched },
	untold: null,
}

/** Also those that were written before positions had a space. */
export function readPosition(cursor: string | undefined): Position {
	return cursor === undefined || cursor === '' ? start : { ...start, ...(JSON.parse(cursor) as Partial<Position>) }
}

/** From here a new list is needed. A list that had begun already goes on being the same one. */
export function relist(position: Position): Position {
	if (position.pending) return position
	const from = (BigInt(position.revision) + 1n).toString()
	return { ...position, revision: '', pending: { reason: 'relist', from, fromAt: position.at, ...nothingTouched } }
}

/** Of a resource that was not there before: what was written to it since `after` and before its first list has not been seen. */
export function startAfter(after: Revision, space: string): Position {
	return { ...start, space, pending: { reason: 'relist', from: (after + 1n).toString(), fromAt: null, ...nothingTouched } }
}

/** The revisions have begun anew: everything is listed in the new space. A first list that was not done yet begins in it. */
export function relistInSpace(position: Position, space: string): Position {
	const fromAt = position.at === 0 ? null : position.at
	return { ...position, revision: '', space, pending: { reason: 'space-changed', from: null, fromAt, ...nothingTouched } }
}

export function touch(pending: Pending, key: string): Pending {
	const touched = pending.touched.length < gapKeysMax ? [...pending.touched, key] : pending.touched
	return { ...pending, touched, touchedCount: pending.touchedCount + 1 }
}
