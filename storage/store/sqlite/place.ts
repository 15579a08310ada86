// Where a record stands in time: its day, and its row number, which is its time in the day and a slot among those of the same microsecond.
import { dayOf, type Micros } from '#records/time.ts'

const dayMicros = 86_400_000_000
/** 37 bits of time and 16 of slot stay below 2^53: row numbers are plain numbers. */
export const slots = 65_536

export function dayStart(day: string): Micros {
	return Date.parse(`${day}T00:00:00Z`) * 1000
}

export function dayEnd(day: string): Micros {
	return dayStart(day) + dayMicros - 1
}

/** First row number of a time; times outside the day are cut to it. */
export function firstRow(start: Micros, at: Micros): number {
	return Math.max(0, Math.min(at - start, dayMicros)) * slots
}

export function lastRow(start: Micros, at: Micros): number {
	return at < start ? -1 : firstRow(start, at) + slots - 1
}

export function timeOf(start: Micros, row: number): Micros {
	return start + Math.floor(row / slots)
}

let lastDay = { number: -1, day: '' }

/** As dayOf; most records are of the same day as the one before. */
function dayAt(at: Micros): string {
	const number = Math.floor(at / dayMicros)
	if (number !== lastDay.number) lastDay = { number, day: dayOf(at) }
	return lastDay.day
}

/** The day a record is kept in: by when it occurred, or by when it was observed where that lies absurdly ahead or before 1970. */
export function placeOf(occurredAt: Micros, observedAt: Micros, limit: Micros, now: Micros): string {
	const sane = (at: Micros): boolean => Number.isFinite(at) && at >= 0 && at <= limit
	return dayAt(sane(occurredAt) ? occurredAt : sane(observedAt) ? observedAt : now)
}
