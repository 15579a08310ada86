// Times read out of bytes are those that records/time.ts reads out of texts.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readTime } from '#collectors/tail/fast-time.ts'
import { parseTime } from '#records/time.ts'

const read = (text: string): number | undefined => {
	const bytes = Buffer.from(`ab${text}cd`)
	const at = readTime(bytes, 2, bytes.length - 2)
	return Number.isNaN(at) ? undefined : at
}

const twoDigits = fc.integer({ min: 0, max: 99 }).map((value) => String(value).padStart(2, '0'))
const valid = fc
	.tuple(
		fc.date({ min: new Date('1970-01-01'), max: new Date('2199-12-31'), noInvalidDate: true }),
		fc.stringMatching(/^(?:[.,]\d{1,9})?$/),
		fc.constantFrom('Z', 'z', '+01:00', '-0330', '+23:59'),
		fc.constantFrom('T', 't', ' '),
	)
	.map(([date, fraction, zone, separator]) => date.toISOString().slice(0, 19).replace('T', separator) + fraction + zone)
const close = fc
	.tuple(
		fc.constantFrom('1999', '2000', '2026', '2100'),
		twoDigits,
		twoDigits,
		twoDigits,
		twoDigits,
		twoDigits,
		fc.constantFrom('Z', '', '+1:00', '.Z', '.1234567890Z', '+01:00x'),
	)
	.map(([year, month, day, hour, minute, second, rest]) => `${year}-${month}-${day}T${hour}:${minute}:${second}${rest}`)

it('reads what is a time', () => {
	fc.assert(fc.property(valid, (text) => read(text) === parseTime(text)))
})

it('refuses what is none', () => {
	fc.assert(
		fc.property(fc.oneof(close, fc.string()), (text) => read(text) === parseTime(text)),
		{ numRuns: 2000 },
	)
	expect(read('2026-02-29T00:00:00Z')).toBeUndefined()
	expect(read('2024-02-29T00:00:00Z')).toBe(Date.UTC(2024, 1, 29) * 1000)
})
