// Questions as data, and how they are said in KQL.
import { describe, expect, it } from 'vitest'
import { all, either, atLeast, exists, fieldsOf, is, kqlOf, not, startsWith, type Query } from '#dashboards/kibana/query.ts'

const said: readonly (readonly [query: Query | undefined, kql: string])[] = [
	[undefined, ''],
	[is('a', 'b'), 'a: "b"'],
	[is('a', 'b', 'c d'), 'a: ("b" or "c d")'],
	[is('a', 403), 'a: 403'],
	[is('a', false), 'a: false'],
	[is('a', String.raw`q"\*`), String.raw`a: "q\"\\*"`],
	[atLeast('a', 500), 'a >= 500'],
	[startsWith('a', 'system:'), 'a >= "system:" and a < "system;"'],
	[not(startsWith('a', 'system:')), 'not (a >= "system:" and a < "system;")'],
	[exists('a'), 'a: *'],
	[not(is('a', 1)), 'not a: 1'],
	[not(either(is('a', 1), exists('b'))), 'not (a: 1 or b: *)'],
	[all(is('a', 1), either(is('b', 2), all(is('c', 3), is('d', 4)))), 'a: 1 and (b: 2 or (c: 3 and d: 4))'],
]

describe('KQL', () => {
	it.each(said)('%j is %s', (query, kql) => {
		expect(kqlOf(query)).toBe(kql)
	})

	it('names its fields', () => {
		expect(fieldsOf(all(is('a', 1), not(either(exists('b'), atLeast('c', 3))), startsWith('d', 'x')))).toEqual([
			{ field: 'a', ordered: false },
			{ field: 'b', ordered: false },
			{ field: 'c', ordered: true },
			{ field: 'd', ordered: false },
		])
	})
})
