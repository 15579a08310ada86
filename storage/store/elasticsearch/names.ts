// Names of indices: one a UTC day and class of record; keyframes; the registry of what is known beside the records. And where a record belongs.
import type { RecordKind, StoredRecord } from '#records/record.ts'
import { dayOf, type Micros } from '#records/time.ts'
import { elasticLimits } from './limits.ts'

export const recordClasses = ['changes', 'events', 'audit', 'logs', 'ledger'] as const
export type RecordClass = (typeof recordClasses)[number]

const classes: Readonly<Record<RecordKind, RecordClass>> = {
	change: 'changes',
	event: 'events',
	audit: 'audit',
	log: 'logs',
	gap: 'ledger',
	coverage: 'ledger',
	reject: 'ledger',
}
export const classOf = (kind: RecordKind): RecordClass => classes[kind]

const dayMicros = 86_400_000_000
let lastDay = { number: -1, day: '' }

/** As dayOf; most records are of the same day as the one before. */
function dayAt(at: Micros): string {
	const number = Math.floor(at / dayMicros)
	if (number !== lastDay.number) lastDay = { number, day: dayOf(at) }
	return lastDay.day
}

/** `2026-11-23` as it stands in an index' name. */
const dotted = (day: string): string => day.replaceAll('-', '.')

export const dayStart = (day: string): Micros => Date.parse(`${day}T00:00:00Z`) * 1000
export const dayEnd = (day: string): Micros => dayStart(day) + dayMicros - 1

export interface DayIndex {
	readonly name: string
	readonly class: RecordClass | 'keyframes'
	/** `2026-11-23` */
	readonly day: string
}

export class Names {
	readonly prefix: string
	readonly registry: string

	constructor(prefix: string) {
		this.prefix = prefix
		this.registry = `${prefix}-registry`
	}

	of(kind: RecordClass | 'keyframes', day: string): string {
		return `${this.prefix}-${kind}-${dotted(day)}`
	}

	/** All days of these classes, as an expression. */
	every(wanted: readonly (RecordClass | 'keyframes')[] = recordClasses): string {
		return wanted.map((kind) => `${this.prefix}-${kind}-*`).join(',')
	}

	/** Undefined where it is no index of a day. */
	parse(name: string): DayIndex | undefined {
		const [prefix, kind, day, ...more] = name.split('-')
		const known = kind === 'keyframes' || recordClasses.some((each) => each === kind)
		if (prefix !== this.prefix || !known || more.length > 0 || !/^\d{4}\.\d\d\.\d\d$/.test(day ?? '')) return undefined
		return { name, class: kind as DayIndex['class'], day: day?.replaceAll('.', '-') ?? '' }
	}
}

export interface Place {
	readonly day: string
	/** What it is sorted by: when it occurred, within the day where that is absurd. */
	readonly at: Micros
}

/**
 * The day is that of when it occurred. What claims to be much later than it was observed, or before 1970, goes to the day of its observation, at its end or beginning. A version that was found long after
 * it was written (a snapshot of old objects) goes there too, under its own time: else one snapshot would make an index for each day of some years.
 */
export function placeOf(record: StoredRecord, now: Micros): Place {
	const occurred = Math.floor(record.occurredAt)
	const observed = Number.isFinite(record.observedAt) && record.observedAt >= 0 ? Math.floor(record.observedAt) : now
	if (!(occurred >= 0) || occurred > observed + elasticLimits.futureMaxMs * 1000) {
		const day = dayAt(observed)
		return { day, at: occurred > observed ? dayEnd(day) : dayStart(day) }
	}
	const isVersion = record.kind === 'change' || record.kind === 'event'
	if (isVersion && occurred < observed - elasticLimits.snapshotReachMs * 1000) return { day: dayAt(observed), at: occurred }
	return { day: dayAt(occurred), at: occurred }
}
