// Times and durations as Go writes them: the expected texts are Go's own.
import { describe, expect, it } from 'vitest'
import { durationText, timeText } from '#collectors/etcd/times.ts'

describe('timeText', () => {
	it.each([
		[0, '1970-01-01T00:00:00Z'],
		[-1, '1969-12-31T23:59:59Z'],
		[951_782_400, '2000-02-29T00:00:00Z'],
		[253_402_300_799, '9999-12-31T23:59:59Z'],
		[253_402_300_800, '10000-01-01T00:00:00Z'],
		[-62_135_596_799, '0001-01-01T00:00:01Z'],
		[-62_135_596_800, null],
	])('%d', (seconds, text) => {
		expect(timeText(seconds, 0, 0)).toBe(text)
		expect(timeText(seconds, 0, 0)).toBe(text)
	})

	it('has six digits where microseconds are written', () => {
		expect(timeText(1_700_000_000, 12_345_678, 6)).toBe('2023-11-14T22:13:20.012345Z')
		expect(timeText(1_700_000_000, 0, 6)).toBe('2023-11-14T22:13:20.000000Z')
	})

	it('refuses what no Date can hold', () => {
		expect(() => timeText(8.64e12 + 86_400, 0, 0)).toThrow(RangeError)
		expect(() => timeText({}, 0, 0)).toThrow(RangeError)
	})
})

describe('durationText', () => {
	it.each([
		[0, '0s'],
		[1, '1ns'],
		[-1500, '-1.5µs'],
		[2_000_000, '2ms'],
		[1_000_000_001, '1.000000001s'],
		[90_000_000_000, '1m30s'],
		[3_600_000_000_000, '1h0m0s'],
		[31_536_000_000_000_000, '8760h0m0s'],
	])('%d', (nanoseconds, text) => expect(durationText(nanoseconds)).toBe(text))

	it('of more than 2^53 nanoseconds keeps every digit', () => {
		const raw = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON('9223372036854775807')
		expect(durationText(raw)).toBe('2562047h47m16.854775807s')
	})
})
