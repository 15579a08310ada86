// Retention: whole days go, the oldest first, never the last one.
import { statSync } from 'node:fs'
import type { StoreRetention } from '#storage/store/port.ts'
import { suffixes } from './partition.ts'
import { dayEnd } from './place.ts'

export function sizeOf(path: string): number {
	return suffixes(path).reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0)
}

export interface Day {
	readonly day: string
	readonly path: string
}

/** The days a policy removes. `today` and later stay. */
export function daysToRemove(days: readonly Day[], policy: StoreRetention, nowMicros: number, today: string): Day[] {
	const sizes = days.map(({ path }) => sizeOf(path))
	let total = sizes.reduce((sum, size) => sum + size, 0)
	const removed: Day[] = []
	for (const [index, day] of days.entries()) {
		if (day.day >= today) break
		const old = policy.ageMs > 0 && dayEnd(day.day) < nowMicros - policy.ageMs * 1000
		const large = policy.bytesMax > 0 && total > policy.bytesMax
		if (!old && !large) break
		total -= sizes[index] ?? 0
		removed.push(day)
	}
	return removed
}
