// Ids: the same thing has the same id wherever it is seen, another thing another one, and ids sort as what they name.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { auditId, logId, statementId, versionId } from '#records/id.ts'

const hex = /^[0-9a-f]{32}$/
const revision = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })
const micros = fc.integer({ min: 0, max: 4_000_000_000_000_000 })

describe('ids', () => {
	it('are 32 hex digits, and fixed: stored ids must be found by later versions', () => {
		expect(versionId('c', 'main', 'pods/shop/web', 258n)).toBe('00000000000001029411e459268b7171')
		expect(auditId('c', 'id', 'ResponseComplete', '2026-11-23T10:00:00.000001Z', 1_795_428_000_000_001)).toBe(
			'01a207d92100697fab7f2cf23dda5241',
		)
	})

	it('of versions sort by revision and depend on cluster, key and space', () => {
		fc.assert(
			fc.property(revision, revision, fc.string(), fc.string(), (a, b, cluster, key) => {
				const [first, second] = [versionId(cluster, 'main', key, a), versionId(cluster, 'main', key, b)]
				expect(first).toMatch(hex)
				expect(first < second).toBe(a < b)
				expect(first === second).toBe(a === b)
			}),
		)
		const ids = [
			versionId('a', 'main', 'k', 1n),
			versionId('b', 'main', 'k', 1n),
			versionId('a', 'main', 'l', 1n),
			versionId('a', 'restored', 'k', 1n),
			versionId('a', 'main', 'k', 2n),
		]
		expect(new Set(ids).size).toBe(ids.length)
	})

	it('of timed records sort by millisecond and tell apart what they name', () => {
		fc.assert(
			fc.property(micros, micros, (a, b) => {
				const [first, second] = [logId('c', 'f', 1, a), logId('c', 'f', 1, b)]
				expect(first).toMatch(hex)
				if (Math.floor(a / 1000) !== Math.floor(b / 1000)) expect(first < second).toBe(a < b)
			}),
		)
		const at = 1_795_428_000_000_000
		const ids = [
			logId('c', 'f', 1, at),
			logId('c', 'f', 2, at),
			logId('c', 'g', 1, at),
			auditId('c', 'x', 'Panic', 't', at),
			auditId('c', 'x', 'ResponseComplete', 't', at),
			statementId('gap', 'c', at, '1'),
			statementId('coverage', 'c', at, '1'),
		]
		expect(new Set(ids).size).toBe(ids.length)
		expect(logId('c', 'f', 1, -5), 'a time before 1970 still makes an id').toMatch(hex)
	})
})
