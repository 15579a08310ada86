// Checksums of rows: one value that differs makes another sum; texts and numbers as SQLite gives them back.
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { isSoundNarrow, objectSum, rowSum, textSum } from '#storage/store/sqlite/check.ts'
import type { StoredRow } from '#storage/store/sqlite/schema.ts'

const number = fc.oneof(fc.integer(), fc.double({ noNaN: true }), fc.maxSafeInteger())
const nullable = fc.option(fc.maxSafeNat())
const rows: fc.Arbitrary<StoredRow> = fc.record({
	kind: fc.nat(6),
	id: fc.uint8Array({ minLength: 16, maxLength: 16 }),
	obj: nullable,
	own: nullable,
	space: nullable,
	rev: fc.option(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })),
	op: nullable,
	flags: fc.nat(255),
	traits: nullable,
	paths: nullable,
	summary: fc.string({ unit: 'grapheme' }),
	rest: fc.option(fc.string()),
	observed: number,
	bound: number,
	source: fc.nat(),
	body: nullable,
	at: fc.option(number),
})
const others: readonly unknown[] = [null, -1, 'text', new Uint8Array(3), 2 ** 40 + 0.5, '']

it('one column that differs makes another sum, whatever stands in it instead', () => {
	fc.assert(
		fc.property(rows, fc.maxSafeNat(), fc.nat(), fc.constantFrom(...others), (row, at, which, other) => {
			const columns = Object.keys(row) as (keyof StoredRow)[]
			const column = columns[which % columns.length] ?? 'kind'
			const isSame = Object.is(row[column], other) || (row[column] === 0 && other === 0)
			const changed = { ...row, [column]: other } as StoredRow
			if (!isSame) expect(rowSum(at, changed), column).not.toBe(rowSum(at, row))
			expect(rowSum(at + 1, row)).not.toBe(rowSum(at, row))
		}),
	)
})

it('a revision that is no number differs from every one that is', () => {
	const [row] = fc.sample(rows, { numRuns: 1, seed: 1 })
	if (!row) throw new Error('no row')
	for (const rev of ['', ' ', '1e3', 'text'])
		for (const real of [0n, 1n, 1000n]) expect(rowSum(5, { ...row, rev })).not.toBe(rowSum(5, { ...row, rev: real }))
})

it('a revision has the same sum as it is bound and as it is read', () => {
	fc.assert(
		fc.property(rows, fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), (row, rev) => {
			const read = rowSum(5, { ...row, rev: rev.toString() })
			expect(rowSum(5, { ...row, rev })).toBe(read)
			if (rev <= BigInt(Number.MAX_SAFE_INTEGER)) expect(rowSum(5, { ...row, rev: Number(rev) })).toBe(read)
		}),
	)
})

it('what a search reads of a row is checked by itself', () => {
	fc.assert(
		fc.property(rows, fc.maxSafeNat(), fc.nat(255), (row, at, flags) => {
			const sum = rowSum(at, row)
			expect(Number.isSafeInteger(sum)).toBe(true)
			expect(isSoundNarrow({ ...row, row: at, sum })).toBe(true)
			expect(isSoundNarrow({ ...row, row: at, sum, flags })).toBe(flags === row.flags)
		}),
	)
})

it('texts and objects that trade places do not pass', () => {
	expect(textSum(1, 'a')).not.toBe(textSum(2, 'a'))
	const object = { id: 1, cluster: 'blue', resource: 'pods', group: '', namespace: 'a', name: 'b', kind: 'Pod', uid: 'u' }
	expect(objectSum({ ...object, namespace: 'b', name: 'a' })).not.toBe(objectSum(object))
})
