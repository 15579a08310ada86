// Times: microseconds since 1970 inside (a number: exact until the year 2255), RFC 3339 in UTC outside.

/** Microseconds since 1970-01-01T00:00:00Z. */
export type Micros = number

const pattern = /^(\d{4}-\d{2}-\d{2})[Tt ]((?:[01]\d|2[0-3]):\d{2}:\d{2})(?:[.,](\d{1,9}))?(?:([Zz])|([+-]\d{2}:?\d{2}))$/

/** A day that the month does not have would otherwise be read as one of the next month. */
function isDay(date: string): boolean {
	const day = Number(date.slice(8))
	return day <= 28 || new Date(`${date}T00:00:00Z`).getUTCDate() === day
}

/** Reads RFC 3339 with up to nine fraction digits (cut to microseconds) and any offset; undefined if it is none. */
export function parseTime(text: string): Micros | undefined {
	const match = pattern.exec(text)
	if (!match || !isDay(match[1] ?? '')) return undefined
	const ms = Date.parse(`${match[1]}T${match[2]}${match[4] ? 'Z' : (match[5] ?? 'Z').replace(/^([+-]\d{2})(\d{2})$/, '$1:$2')}`)
	if (Number.isNaN(ms)) return undefined
	return ms * 1000 + Number((match[3] ?? '').padEnd(6, '0').slice(0, 6))
}

/** RFC 3339 in UTC with six fraction digits. */
export function formatTime(micros: Micros): string {
	const seconds = Math.floor(micros / 1_000_000)
	const fraction = Math.floor(micros - seconds * 1_000_000)
	return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(fraction).padStart(6, '0')}Z`
}

const units: Readonly<Record<string, number>> = { s: 1e6, m: 60e6, h: 3600e6, d: 86_400e6, w: 7 * 86_400e6 }

/** What parseTimeExpression reads, for error messages. */
export const timeForms = 'RFC 3339 (2026-11-23T10:00:00Z), a date (2026-11-23), or date math (now-15m; units s, m, h, d, w)'

/** A time as people write it: RFC 3339, a date (the beginning of that UTC day), or date math (`now`, `now-15m`, `now+1h`); undefined if it is none of them. */
export function parseTimeExpression(text: string, now: Micros): Micros | undefined {
	if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return parseTime(`${text}T00:00:00Z`)
	const math = /^now(?:([+-])(\d{1,9})([smhdw]))?$/.exec(text)
	if (!math) return parseTime(text)
	if (!math[1]) return now
	const delta = Number(math[2]) * (units[math[3] ?? 's'] ?? 0)
	return math[1] === '-' ? now - delta : now + delta
}

/** The UTC day of a time, as `2026-11-23`. */
export function dayOf(micros: Micros): string {
	return new Date(Math.floor(micros / 1000)).toISOString().slice(0, 10)
}
