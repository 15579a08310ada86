// Times: RFC 3339 as sources write it, refused where it is none, and date math.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dayOf, formatTime, parseTime, parseTimeExpression } from '#records/time.ts'

const at = 1_795_428_000_000_000

describe('times', () => {
	it.each([
		['2026-11-23T10:00:00Z', at],
		['2026-11-23t10:00:00z', at],
		['2026-11-23T12:30:00+02:30', at],
		['2026-11-23T05:00:00-0500', at],
		['2026-11-23T10:00:00.5Z', at + 500_000],
		['2026-11-23T10:00:00.123456789Z', at + 123_456],
		['2026-11-24T00:00:00+14:00', at],
		['1970-01-01T00:00:00Z', 0],
		['2024-02-29T00:00:00Z', 1_709_164_800_000_000],
	])('%s', (text, expected) => expect(parseTime(text)).toBe(expected))

	it.each([
		'2026-02-30T00:00:00Z',
		'2026-02-29T00:00:00Z',
		'2026-04-31T10:00:00Z',
		'2026-13-01T00:00:00Z',
		'2026-00-10T00:00:00Z',
		'2026-11-00T00:00:00Z',
		'2026-11-32T00:00:00Z',
		'2026-11-23T24:00:00Z',
		'2026-11-23T10:60:00Z',
		'2026-11-23T10:00:00',
		'2026-11-23',
		'2026-11-23T10:00:00.Z',
		'2026-11-23T10:00:00.1234567890Z',
		' 2026-11-23T10:00:00Z',
		'yesterday',
		'',
	])('refuses %j', (text) => expect(parseTime(text)).toBeUndefined())

	it('reads back what it writes, to the microsecond', () => {
		fc.assert(
			fc.property(fc.integer({ min: 0, max: 9_000_000_000_000_000 }), (micros) => {
				expect(parseTime(formatTime(micros))).toBe(micros)
			}),
		)
		expect(formatTime(at + 7)).toBe('2026-11-23T10:00:00.000007Z')
	})

	it('never throws on any text', () => {
		fc.assert(
			fc.property(fc.string(), (text) => {
				expect(['undefined', 'number']).toContain(typeof parseTimeExpression(text, at))
			}),
		)
	})

	it.each([
		['now', at],
		['now-15m', at - 900_000_000],
		['now+1h', at + 3_600_000_000],
		['now-2d', at - 172_800_000_000],
		['now-1w', at - 604_800_000_000],
		['now-30s', at - 30_000_000],
		['2026-11-23T10:00:00Z', at],
		['2026-11-23', at - 36_000_000_000],
	])('date math %s', (text, expected) => expect(parseTimeExpression(text, at)).toBe(expected))

	it.each(['now-', 'now-15', 'now-15M', 'now 15m', 'now-1.5h', '-15m', '2026-02-29', '2026-11', '20261123'])(
		'refuses date math %j',
		(text) => expect(parseTimeExpression(text, at)).toBeUndefined(),
	)

	it('knows the UTC day', () => {
		expect(dayOf(at)).toBe('2026-11-23')
		expect(dayOf(at + 14 * 3_600_000_000 - 1)).toBe('2026-11-23')
		expect(dayOf(at + 14 * 3_600_000_000)).toBe('2026-11-24')
	})
})
