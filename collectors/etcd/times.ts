// Times and durations as Go writes them (apimachinery pkg/apis/meta/v1: time.go, micro_time.go; Go: time.Duration.String).

const secondsOfDay = 86_400
/** Go's zero time, year 1: written as null. */
const zeroSeconds = -62_135_596_800
const two = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'))
let lastDay = Number.NaN
let lastDate = ''
let lastSeconds = Number.NaN
let lastText: string | null = null

/** RFC 3339 in UTC with so many digits of a second; null for Go's zero time. Throws RangeError beyond what a Date can hold. */
export function timeText(seconds: unknown, nanos: unknown, digits: number): string | null {
	if (typeof seconds !== 'number' || typeof nanos !== 'number') throw new RangeError('a time out of range')
	if (digits > 0) return `${secondsText(seconds)}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`
	if (seconds !== lastSeconds) {
		// The times of one object are mostly the same.
		lastText = seconds === zeroSeconds ? null : `${secondsText(seconds)}Z`
		lastSeconds = seconds
	}
	return lastText
}

function secondsText(seconds: number): string {
	const day = Math.floor(seconds / secondsOfDay)
	if (day !== lastDay) {
		lastDate = dateText(day)
		lastDay = day
	}
	const rest = seconds - day * secondsOfDay
	return `${lastDate}T${two[Math.floor(rest / 3600)]}:${two[Math.floor(rest / 60) % 60]}:${two[rest % 60]}`
}

/** `2026-11-23`: made once a day, as the making of it is slow. */
function dateText(day: number): string {
	const ms = day * secondsOfDay * 1000
	if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) throw new RangeError('a time out of range')
	const [, sign = '', year = '', rest = ''] = /^([+-]?)0*(\d{4,})(-\d\d-\d\d)T/.exec(new Date(ms).toISOString()) ?? []
	return `${sign === '-' ? sign : ''}${year}${rest}`
}

const second = 1_000_000_000n

/** `1h2m3.5s`, `0s`, of a number of nanoseconds that may be raw JSON. */
export function durationText(nanoseconds: unknown): string {
	const total = BigInt(typeof nanoseconds === 'number' ? nanoseconds : JSON.stringify(nanoseconds))
	if (total === 0n) return '0s'
	const sign = total < 0n ? '-' : ''
	const rest = total < 0n ? -total : total
	if (rest < 1000n) return `${sign}${rest}ns`
	if (rest < 1_000_000n) return `${sign}${fraction(rest, 1000n)}µs`
	if (rest < second) return `${sign}${fraction(rest, 1_000_000n)}ms`
	const minutes = rest / second / 60n
	const hours = minutes / 60n
	const shown = `${hours > 0n ? `${hours}h` : ''}${minutes > 0n ? `${minutes % 60n}m` : ''}`
	return `${sign}${shown}${fraction(rest % (60n * second), second)}s`
}

/** In units of so much, with no more digits than it has. */
function fraction(value: bigint, unit: bigint): string {
	const digits = (value % unit)
		.toString()
		.padStart(unit.toString().length - 1, '0')
		.replace(/0+$/, '')
	return `${value / unit}${digits === '' ? '' : `.${digits}`}`
}
