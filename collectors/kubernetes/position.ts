// Where the watch of one resource stands, as it is kept in the collector's state between runs.
import { gapKeysMax, type GapReason } from '#records/record.ts'
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

export interface Position {
	/** resourceVersion up to which everything is recorded; empty before the first list is done. */
	readonly revision: string
	readonly at: Micros
	readonly pending: Pending | null
}

export const cursorName = (resource: string): string => `resource ${resource}`
export const start: Position = { revision: '', at: 0, pending: { reason: null, from: null, fromAt: null, touched: [], touchedCount: 0 } }

export function readPosition(cursor: string | undefined): Position {
	return cursor === undefined || cursor === '' ? start : (JSON.parse(cursor) as Position)
}

/** From here a new list is needed. A list that had begun already goes on being the same one. */
export function relist(position: Position): Position {
	if (position.pending) return position
	return {
		revision: '',
		at: position.at,
		pending: { reason: 'relist', from: (BigInt(position.revision) + 1n).toString(), fromAt: position.at, touched: [], touchedCount: 0 },
	}
}

export function touch(pending: Pending, key: string): Pending {
	const touched = pending.touched.length < gapKeysMax ? [...pending.touched, key] : pending.touched
	return { ...pending, touched, touchedCount: pending.touchedCount + 1 }
}
