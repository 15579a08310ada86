// Texts of the page: YAML that a parser reads back, line diffs that rebuild both sides, filter words and links that survive the way there and back.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { sameSecrets } from '#dashboards/web/src/diff-view.tsx'
import { emptyView, filterWords, includes, queryOf, readView, wholeQueryOf, writeView, type View } from '#dashboards/web/src/filter.ts'
import { rangeBy } from '#dashboards/web/src/keys.ts'
import { coverageText, statement } from '#dashboards/web/src/ledger.tsx'
import { folded, lineDiff, middleOf } from '#dashboards/web/src/line-diff.ts'
import { merge } from '#dashboards/web/src/load.ts'
import { bound, clock } from '#dashboards/web/src/time.ts'
import { yamlLines } from '#dashboards/web/src/yaml.ts'
import { changeAt } from './items.ts'

const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.stringMatching(/^[a-z :#|>\n-]{0,30}$/))
const value = fc.letrec((tie) => ({
	any: fc.oneof(
		{ maxDepth: 4 },
		text,
		fc.integer(),
		fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (Object.is(number, -0) ? 0 : number)),
		fc.boolean(),
		fc.constant(null),
		fc.array(tie('any'), { maxLength: 4 }),
		fc.dictionary(text, tie('any'), { maxKeys: 4, noNullPrototype: true }),
	),
})).any

describe('YAML', () => {
	it('reads back as the object it was, whatever is in it', () => {
		fc.assert(
			fc.property(fc.dictionary(text, value, { maxKeys: 5, noNullPrototype: true }), (object) => {
				const lines = yamlLines(object)
				expect(lines.every((line) => !line.includes('\n'))).toBe(true)
				expect(parse(lines.join('\n'), { maxAliasCount: 0, uniqueKeys: false, merge: false })).toEqual(object)
			}),
			{ numRuns: 1000 },
		)
	})

	it('is written the way people write it', () => {
		const object = {
			kind: 'ConfigMap',
			metadata: { name: 'a', labels: {}, 'kubernetes.io/x': 'true' },
			data: { 'app.yaml': 'a: 1\nb:\n  - c\n' },
			'.0': '.5',
			list: [{ name: 'web', ports: [80, 443] }, 'x'],
		}
		expect(yamlLines(object).join('\n')).toBe(
			`kind: ConfigMap
metadata:
  name: a
  labels: {}
  kubernetes.io/x: "true"
data:
  app.yaml: |
    a: 1
    b:
      - c
".0": ".5"
list:
  - name: web
    ports:
      - 80
      - 443
  - x`,
		)
	})
})

describe('line diffs', () => {
	const lines = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 }).map((list) => list.join('\n'))

	it('hold both texts, and change nothing where they are the same', () => {
		fc.assert(
			fc.property(lines, lines, (before, after) => {
				const found = lineDiff(before, after)
				const side = (other: string): string =>
					found
						.filter(({ op }) => op !== other)
						.map((line) => line.text)
						.join('\n')
				expect([side('added'), side('removed')]).toEqual([before, after])
				if (before === after) expect(found.every(({ op }) => op === 'same')).toBe(true)
			}),
		)
	})

	it('find the one line that changed, and fold the rest', () => {
		const before = Array.from({ length: 50 }, (_, index) => `line ${index}`)
		const after = before.with(20, 'other')
		expect(
			folded(lineDiff(before.join('\n'), after.join('\n'))).map((line) => (line.op === 'folded' ? line.count : `${line.op} ${line.text}`)),
		).toEqual([18, 'same line 18', 'same line 19', 'removed line 20', 'added other', 'same line 21', 'same line 22', 27])
	})

	it('do not try every pair of very long texts', () => {
		const long = (seed: string): string => Array.from({ length: 20_000 }, (_, index) => `${seed} ${index}`).join('\n')
		const found = lineDiff(long('a'), long('b'))
		expect([found.length, found[0]?.op, found.at(-1)?.op]).toEqual([40_000, 'removed', 'added'])
	})

	it('name the middle of two values', () => {
		expect(middleOf('shop/checkout:v2.0.0', 'shop/checkout:v2.0.1')).toEqual({ head: 19, tail: 0 })
		expect(middleOf('aa', 'aaa')).toEqual({ head: 2, tail: 0 })
	})
})

describe('the view', () => {
	const word = fc.string({ maxLength: 20 })
	const view: fc.Arbitrary<View> = fc.record({
		cluster: word,
		from: word,
		to: word,
		words: word,
		include: fc.subarray([...includes]),
		table: fc.boolean(),
		live: fc.boolean(),
		object: word,
		revision: word,
		base: word,
		whole: fc.boolean(),
		ledger: fc.boolean(),
		folded: fc.boolean(),
	})

	it('is the same after the way through a link', () => {
		fc.assert(
			fc.property(view, (before) => {
				// Nothing new comes before the end of a range.
				expect(readView(writeView(before))).toEqual({ ...before, live: before.live && before.to === '' })
			}),
		)
	})

	it('survives links that nobody made: kinds that do not exist are left out', () => {
		expect(readView('#/include=changes,nonsense&view=x&live=yes')).toMatchObject({ include: ['changes'], table: false, live: false })
		expect(readView('%%%')).toEqual(emptyView)
	})

	it('reads filter words: fields, severity, quoted values, free text', () => {
		const query = queryOf({ ...emptyView, cluster: 'c', words: 'ns:shop kind:Deployment is:warning owned user:"a b" "two words" http://x' })
		expect(query).toEqual({
			cluster: 'c',
			include: 'changes,events,audit',
			namespace: 'shop',
			kind: 'Deployment',
			severity: 'warning',
			owner: 'true',
			user: 'a b',
			q: '"two words" http://x',
		})
		expect(queryOf({ ...emptyView, words: 'toString:x' })['q']).toBe('toString:x')
		expect(Object.keys(filterWords)).toContain('ns')
	})

	it('asks for the whole whatever the filter, and for nothing where no kind is chosen', () => {
		const filtered: View = { ...emptyView, cluster: 'c', from: 'now-1h', words: 'ns:shop', include: ['logs'] }
		expect(wholeQueryOf(filtered)).toEqual({ cluster: 'c', include: 'changes,events,audit', from: 'now-1h' })
		expect(queryOf({ ...emptyView, include: [] })['include']).toBe('alerts')
	})

	it('moves and scales the range by keys', () => {
		expect(rangeBy(0, 1000, 'ArrowRight')).toEqual({ from: '1970-01-01T00:00:00.500Z', to: '1970-01-01T00:00:01.500Z' })
		expect(rangeBy(1000, 2000, '+')).toEqual({ from: '1970-01-01T00:00:01.250Z', to: '1970-01-01T00:00:01.750Z' })
		expect(rangeBy(1000, 2000, '-')).toEqual({ from: '1970-01-01T00:00:00.500Z', to: '1970-01-01T00:00:02.500Z' })
		expect([rangeBy(Number.NaN, 1, '+'), rangeBy(0, 1, 'x')]).toEqual([undefined, undefined])
	})
})

describe('a Secret', () => {
	it('has the same values where none of them changed, also under names with dots', () => {
		const hash = 'kubetape:hmac:0123456789abcdef'
		const change = { facet: 'data', op: 'changed' } as const
		const body = { data: { 'tls.crt': hash, 'tls.key': hash, user: hash, token: hash } }
		const changes = [
			{ ...change, path: 'data["tls.crt"]' },
			{ ...change, path: 'data.token' },
		]
		expect(sameSecrets({ from: '1', changes }, body)).toEqual(['tls.key', 'user'])
		expect(sameSecrets({ from: '1', changes: [{ ...change, path: 'data' }] }, body)).toEqual([])
		expect(sameSecrets({ from: null, changes }, body)).toEqual([])
	})
})

describe('small words', () => {
	it('say times with their bound', () => {
		expect(clock('2026-11-23T16:19:52.744031Z')).toBe('16:19:52')
		expect(clock('2026-11-23T16:19:52.744031Z', 2 * 86_400_000, 3)).toBe('11-23 16:19:52.744')
		expect([0, 0.0001, 0.443, 1.26, 600].map(bound)).toEqual(['', '±<1 ms', '±443 ms', '±1.3 s', '±10 min'])
	})

	it('state coverage, or what is missing', () => {
		const range = { space: 'main', scope: '', from: '2', to: '2683', versions: 2817, chain: 'x' }
		const whole = { cluster: 'c', ranges: [range], audit: [], gaps: [], rejects: 0 }
		expect(statement(whole)).toEqual(['revisions 2..2683: all 2,682 present'])
		expect(coverageText(whole)).toEqual({ text: 'complete: revisions 2..2683', state: 'good' })
		expect(coverageText({ ...whole, rejects: 2 })).toEqual({ text: '2 rejects', state: 'bad' })
		expect(coverageText({ ...whole, ranges: [] })).toEqual({ text: 'coverage not known', state: '' })
	})

	it('keep each record once, newest first', () => {
		const [a, b, c] = [changeAt(1, 'pods/a/a'), changeAt(2, 'pods/a/a'), changeAt(3, 'pods/a/a')]
		expect(merge([b], [a, c, b, c])).toEqual([c, b, a])
		const held = [b]
		expect(merge(held, [b])).toBe(held)
	})
})
