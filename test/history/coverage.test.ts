// Statements of what was seen whole, joined into ranges; holes stay.
import { describe, expect, it } from 'vitest'
import { joinCoverage } from '#history/coverage.ts'
import { aCoverage } from '#test/support/records.ts'

const seen = (from: number, to: number, scope = '/registry/') =>
	aCoverage({ fromRevision: BigInt(from), toRevision: BigInt(to), versions: to - from + 1, chain: `chain ${to}`, scope })
const ranges = (...statements: ReturnType<typeof seen>[]) =>
	joinCoverage(statements).map((range) => `${range.scope} ${range.from}-${range.to} ${range.chain}`)

describe('coverage', () => {
	it('joins neighbours in any order, with the chain of the last', () => {
		expect(ranges(seen(11, 20), seen(1, 10))).toEqual(['/registry/ 1-20 chain 20'])
		expect(joinCoverage([seen(11, 20), seen(1, 10)])[0]?.versions).toBe(20)
	})

	it('keeps holes and scopes apart', () => {
		expect(ranges(seen(1, 10), seen(12, 20), seen(11, 11, '/other/'))).toEqual([
			'/other/ 11-11 chain 11',
			'/registry/ 1-10 chain 10',
			'/registry/ 12-20 chain 20',
		])
	})

	it('takes in what lies inside', () => {
		expect(ranges(seen(1, 20), seen(5, 7), seen(1, 20))).toEqual(['/registry/ 1-20 chain 20'])
	})

	it('of nothing is nothing', () => {
		expect(joinCoverage([])).toEqual([])
	})
})
