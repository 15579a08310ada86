// The time at the beginning of a line: in a declared form, or found out from what the line looks like.
import { daysOf, isDate, readTime, twoDigits } from '#collectors/tail/fast-time.ts'
import { readLogText } from '#records/log-text.ts'
import type { Micros } from '#records/time.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import type { LogsConfig } from './config.ts'

/** The time that a line tells, NaN where it tells none. `near`: a time close by, for forms without a year. */
export type TimeOf = (bytes: Buffer, from: number, to: number, near: Micros) => Micros

const dayMicros = 86_400_000_000
const halfYear = 183 * dayMicros
const timeBytesMax = 40
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39

/** In the year that brings it closest to `near`. */
function withYear(month: number, day: number, micros: number, near: Micros): Micros {
	// The civil year of `near`: an average year is close enough, as its neighbours are tried too.
	const year = 1970 + Math.floor(near / (365.2425 * dayMicros))
	let best = Number.NaN
	for (const guess of [year - 1, year, year + 1]) {
		if (!isDate(guess, month, day)) continue
		const at = daysOf(guess, month, day) * dayMicros + micros
		if (Number.isNaN(best) || Math.abs(at - near) < Math.abs(best - near)) best = at
	}
	return Math.abs(best - near) <= halfYear + dayMicros ? best : Number.NaN
}

/** klog.go, formatHeader: Lmmdd hh:mm:ss.uuuuuu threadid file:line] */
function klogTime(bytes: Buffer, from: number, to: number, near: Micros): Micros {
	if (to - from < 21 || bytes[from + 5] !== 0x20 || bytes[from + 8] !== 0x3a || bytes[from + 11] !== 0x3a || bytes[from + 14] !== 0x2e)
		return Number.NaN
	const seconds = (twoDigits(bytes, from + 6) * 60 + twoDigits(bytes, from + 9)) * 60 + twoDigits(bytes, from + 12)
	const fraction = twoDigits(bytes, from + 15) * 10_000 + twoDigits(bytes, from + 17) * 100 + twoDigits(bytes, from + 19)
	if (seconds >= 86_400 || fraction >= 1_000_000) return Number.NaN
	return withYear(twoDigits(bytes, from + 1), twoDigits(bytes, from + 3), seconds * 1_000_000 + fraction, near)
}

const autoTime: TimeOf = (bytes, from, to, near) => {
	const first = bytes[from]
	if (first === 0x7b) return readLogText(bytes.toString('utf8', from, to), near).at ?? Number.NaN
	if (isDigit(first)) {
		let end = from
		const last = Math.min(to, from + timeBytesMax)
		// `2026-11-24 10:00:00` has a blank inside.
		while (end < last && ((bytes[end] !== 0x20 && bytes[end] !== 0x5d) || end === from + 10)) end += 1
		return readTime(bytes, from, end)
	}
	const isKlog = (first === 0x49 || first === 0x57 || first === 0x45 || first === 0x46) && isDigit(bytes[from + 1])
	return isKlog ? klogTime(bytes, from, to, near) : Number.NaN
}

interface Parts {
	year: number
	month: number
	day: number
	seconds: number
	fraction: number
	offset: number
}

/** Reads a part of the form at `at`; gives where it ends, or -1. */
type Step = (bytes: Buffer, at: number, to: number, parts: Parts) => number

const pair = (put: (parts: Parts, value: number) => void): Step => {
	return (bytes, at, to, parts) => {
		const value = at + 2 <= to ? twoDigits(bytes, at) : 1000
		if (value > 99) return -1
		put(parts, value)
		return at + 2
	}
}

const steps: Readonly<Record<string, Step>> = {
	Y: (bytes, at, to, parts) => {
		parts.year = at + 4 <= to ? twoDigits(bytes, at) * 100 + twoDigits(bytes, at + 2) : 100_000
		return parts.year > 9999 ? -1 : at + 4
	},
	m: pair((parts, value) => (parts.month = value)),
	d: pair((parts, value) => (parts.day = value)),
	/** A day that may be written with a blank before it. */
	e: (bytes, at, _to, parts) => {
		const isShort = bytes[at] === 0x20
		parts.day = isShort && isDigit(bytes[at + 1]) ? (bytes[at + 1] ?? 0) - 0x30 : twoDigits(bytes, at)
		return parts.day > 31 ? -1 : at + 2
	},
	b: (bytes, at, _to, parts) => {
		parts.month = months.indexOf(bytes.toString('latin1', at, at + 3).toLowerCase()) + 1
		return parts.month === 0 ? -1 : at + 3
	},
	H: pair((parts, value) => (parts.seconds += value * 3600)),
	M: pair((parts, value) => (parts.seconds += value * 60)),
	S: pair((parts, value) => (parts.seconds += value)),
	f: (bytes, at, to, parts) => {
		let end = at
		let scale = 100_000
		for (; end < to && isDigit(bytes[end]) && end - at < 9; end += 1) {
			if (scale >= 1) parts.fraction += ((bytes[end] ?? 0) - 0x30) * scale
			scale = scale === 1 ? 0 : scale / 10
		}
		return end === at ? -1 : end
	},
	z: (bytes, at, _to, parts) => {
		if (bytes[at] === 0x5a) return at + 1
		const sign = bytes[at] === 0x2b ? 1 : bytes[at] === 0x2d ? -1 : 0
		const colon = bytes[at + 3] === 0x3a ? 1 : 0
		const minutes = twoDigits(bytes, at + 1) * 60 + twoDigits(bytes, at + 3 + colon)
		if (sign === 0 || minutes > 24 * 60) return -1
		parts.offset = sign * minutes
		return at + 5 + colon
	},
}

const literal = (byte: number): Step => {
	return (bytes, at, to) => (at < to && bytes[at] === byte ? at + 1 : -1)
}

/** `auto`, `none`, or a form as config.ts describes it. Without %z it is UTC. Throws RangeError for a form that is none. */
export function timeReader(form: string): TimeOf {
	if (form === 'auto') return autoTime
	if (form === 'none') return () => Number.NaN
	const compiled: Step[] = []
	for (let index = 0; index < form.length; index += 1) {
		const letter = form[index] === '%' ? form[index + 1] : undefined
		const step = letter === undefined ? literal(form.charCodeAt(index)) : steps[letter]
		if (!step) throw new RangeError(`%${letter} is not known`)
		if (letter !== undefined) index += 1
		compiled.push(step)
	}
	for (const [what, letters] of Object.entries({
		'a day (%d or %e)': ['%d', '%e'],
		'a month (%m or %b)': ['%m', '%b'],
		'an hour (%H)': ['%H'],
	}))
		if (!letters.some((letter) => form.includes(letter))) throw new RangeError(`${what} is missing`)
	return (bytes, from, to, near) => {
		const parts: Parts = { year: -1, month: 0, day: 0, seconds: 0, fraction: 0, offset: 0 }
		let at = from
		for (const step of compiled) {
			at = step(bytes, at, to, parts)
			if (at < 0 || at > to) return Number.NaN
		}
		const micros = (parts.seconds - parts.offset * 60) * 1_000_000 + parts.fraction
		if (parts.seconds >= 86_400 || (parts.year >= 0 && !isDate(parts.year, parts.month, parts.day))) return Number.NaN
		return parts.year < 0 ? withYear(parts.month, parts.day, micros, near) : daysOf(parts.year, parts.month, parts.day) * dayMicros + micros
	}
}

/** Throws CONFIG_INVALID for a form of time that is none. */
export function checkTimeForms(config: LogsConfig): void {
	for (const [index, { time }] of config.files.entries()) {
		try {
			timeReader(time)
		} catch (error) {
			throw new KubetapeError('CONFIG_INVALID', `logs.files[${index}].time ${time}: ${messageOf(error)}`, { cause: error })
		}
	}
}
