// Times for reading: all of them UTC, with the bound within which they are right.

const dayMs = 86_400_000

/** `2026-11-23T16:19:52.744031Z` as `16:19:52`; with the day before it where the range is longer than a day. */
export function clock(time: string, spanMs = 0, digits: 0 | 3 = 0): string {
	const end = digits === 0 ? 19 : 23
	return spanMs > dayMs ? `${time.slice(5, 10)} ${time.slice(11, end)}` : time.slice(11, end)
}

/** The days of a range in milliseconds: `2026-11-23`, or the first and the last one; empty where there is no range. */
export function daysOf(from: number, to: number): string {
	if (!(from <= to)) return ''
	const [first, last] = [from, to].map((at) => new Date(at).toISOString().slice(0, 10))
	return first === last ? `${first}` : `${first} to ${last}`
}

/** The bound, as `±1.3 s`; empty where the time is exact. */
export function bound(seconds: number): string {
	if (seconds === 0) return ''
	if (seconds < 0.001) return '±<1 ms'
	if (seconds < 1) return `±${Math.round(seconds * 1000)} ms`
	return seconds < 120 ? `±${seconds.toFixed(1)} s` : `±${Math.round(seconds / 60)} min`
}

/** `12345` as `12,345`. */
export function count(value: number): string {
	return value.toLocaleString('en-US')
}

/** `1 gap`, `2 gaps`, `1,200 gaps`. */
export function plural(value: number, word: string, many = `${word}s`): string {
	return `${count(value)} ${value === 1 ? word : many}`
}
