// RFC 3339 times out of bytes, without a string, a Date or a regular expression: one is read for every log line.
import type { Micros } from '#records/time.ts'

const dayMicros = 86_400_000_000
const monthDays = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

let knownDay = -1
let knownMicros = 0

/** Days since 1970 of a date of the Gregorian calendar. */
export function daysOf(year: number, month: number, day: number): number {
	const shifted = month <= 2 ? year - 1 : year
	const era = Math.floor(shifted / 400)
	const yearOfEra = shifted - era * 400
	const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
	return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
}

export function isDate(year: number, month: number, day: number): boolean {
	if (month < 1 || month > 12 || day < 1 || day > (monthDays[month - 1] ?? 0)) return false
	return month !== 2 || day < 29 || (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0))
}

/** Two digits as a number; negative or above 99 where they are none. */
export function twoDigits(bytes: Uint8Array, at: number): number {
	const tens = (bytes[at] as number) - 0x30
	const ones = (bytes[at + 1] as number) - 0x30
	return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : 1000
}

/** The time that is written in `bytes[from, to)`, with up to nine digits of fraction and any offset; NaN where it is none. It agrees with parseTime (records/time.ts). */
export function readTime(bytes: Uint8Array, from: number, to: number): Micros {
	if (to - from < 20 || bytes[from + 4] !== 0x2d || bytes[from + 7] !== 0x2d || bytes[from + 13] !== 0x3a || bytes[from + 16] !== 0x3a)
		return Number.NaN
	const separator = bytes[from + 10]
	if (separator !== 0x54 && separator !== 0x74 && separator !== 0x20) return Number.NaN
	const year = twoDigits(bytes, from) * 100 + twoDigits(bytes, from + 2)
	const month = twoDigits(bytes, from + 5)
	const day = twoDigits(bytes, from + 8)
	const hour = twoDigits(bytes, from + 11)
	const minute = twoDigits(bytes, from + 14)
	const second = twoDigits(bytes, from + 17)
	if (hour > 23 || minute > 59 || second > 59 || year > 9999) return Number.NaN
	const key = (year * 13 + month) * 32 + day
	if (key !== knownDay) {
		if (!isDate(year, month, day)) return Number.NaN
		knownDay = key
		knownMicros = daysOf(year, month, day) * dayMicros
	}
	let at = from + 19
	let fraction = 0
	if (bytes[at] === 0x2e || bytes[at] === 0x2c) {
		const begin = at + 1
		let scale = 100_000
		for (at = begin; at < to; at += 1) {
			const digit = (bytes[at] as number) - 0x30
			if (digit < 0 || digit > 9) break
			if (scale >= 1) fraction += digit * scale
			scale = scale === 1 ? 0 : scale / 10
		}
		if (at === begin || at - begin > 9) return Number.NaN
	}
	const offset = offsetOf(bytes, at, to)
	return knownMicros + ((hour * 60 + minute - offset) * 60 + second) * 1_000_000 + fraction
}

/** Minutes east of UTC; NaN where it is no offset. */
function offsetOf(bytes: Uint8Array, at: number, to: number): number {
	const sign = bytes[at]
	if (sign === 0x5a || sign === 0x7a) return at + 1 === to ? 0 : Number.NaN
	if (sign !== 0x2b && sign !== 0x2d) return Number.NaN
	const colon = bytes[at + 3] === 0x3a ? 1 : 0
	if (at + 5 + colon !== to) return Number.NaN
	const hours = twoDigits(bytes, at + 1)
	const minutes = twoDigits(bytes, at + 3 + colon)
	if (hours > 23 || minutes > 59) return Number.NaN
	return sign === 0x2d ? -(hours * 60 + minutes) : hours * 60 + minutes
}
