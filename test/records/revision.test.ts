// Revisions: decimals up to 2^63-1 and nothing else.
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseRevision } from '#records/revision.ts'

it('reads back every revision', () => {
	fc.assert(
		fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), (revision) => {
			expect(parseRevision(revision.toString())).toBe(revision)
		}),
	)
})

it.each(['', '01', '-1', '+1', '1.0', '1e3', ' 1', '9223372036854775808', '99999999999999999999', '0x10', 12, 12n, null, undefined])(
	'refuses %s',
	(text) => {
		expect(parseRevision(text)).toBeUndefined()
	},
)
