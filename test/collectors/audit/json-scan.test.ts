// The scan of JSON bytes against JSON.parse: it takes and refuses the same texts, and finds the same members.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonScan, prepare, type Member } from '#collectors/audit/json-scan.ts'
import { parseAuditLine } from '#collectors/audit/parse.ts'
import { limits } from '#runtime/limits.ts'

function parsed(text: string): { readonly value: unknown } | undefined {
	try {
		return { value: JSON.parse(text) }
	} catch {
		return undefined
	}
}
const isJson = (text: string): boolean => new JsonScan(Buffer.from(text)).check() === undefined

/** Pieces of JSON, right and wrong, so put together that about one text in some is JSON. */
const pieces =
	'{ } [ ] , : "a" "" " \\ \\" \\u0041 \\uD800 \\u00g1 \\x 0 -0 -1 01 1.5 1. .5 1e5 1E+5 1e -  + true false null tru nul \t \n \r \v é \u00a0 \ufeff 12 "b":1 {"a":1} [1,2] []'.split(
		' ',
	)

describe('the scan of JSON', () => {
	it('takes what JSON.parse takes, and nothing else', () => {
		let taken = 0
		fc.assert(
			fc.property(
				fc.oneof(
					fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => parts.join('')),
					fc.json({ maxDepth: 5 }),
					fc.tuple(fc.json(), fc.nat(), fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 1 })).map(([text, at, char]) => {
						const place = at % (text.length + 1)
						return text.slice(0, place) + char + text.slice(place + 1)
					}),
				),
				(text) => {
					const isValid = parsed(text) !== undefined
					if (isValid) taken += 1
					expect(isJson(text)).toBe(isValid)
				},
			),
			{ numRuns: 10_000 },
		)
		expect(taken).toBeGreaterThan(1000)
	})

	it('takes brackets as deep as the limit, and not deeper', () => {
		for (const [open, close] of [
			['[', ']'],
			['{"a":', '}'],
		] as const) {
			const nested = (depth: number): Buffer => Buffer.from(`${open.repeat(depth)}1${close.repeat(depth)}`)
			expect(new JsonScan(nested(limits.jsonDepthMax)).check()).toBeUndefined()
			expect(new JsonScan(nested(limits.jsonDepthMax + 1)).check()).toBe('nested too deeply')
			expect(new JsonScan(nested(1_000_000)).members(prepare({ a: { a: 'value' } }))).toBe('nested too deeply')
		}
	})

	it('finds the members that were asked for, where a parser does', () => {
		const plan = prepare({ a: 'value', list: 'elements', o: { a: 'value', p: { a: 'value' } } })
		const key = fc.constantFrom('a', 'list', 'o', 'p', 'aa', '', 'é')
		const value = fc.letrec<{ any: unknown }>((tie) => ({
			any: fc.oneof({ maxDepth: 4 }, fc.jsonValue({ maxDepth: 0 }), fc.dictionary(key, tie('any')), fc.array(tie('any'), { maxLength: 3 })),
		})).any
		fc.assert(
			fc.property(fc.dictionary(key, value), fc.constantFrom(undefined, 1, '\t'), (object, indent) => {
				const bytes = Buffer.from(JSON.stringify(object, null, indent))
				const json = JSON.parse(bytes.toString()) as Record<string, unknown>
				const members = new JsonScan(bytes).members(plan)
				if (typeof members === 'string') throw new Error(members)
				expect(members.map(({ name }) => name)).toEqual(Object.keys(json).filter((name) => ['a', 'list', 'o'].includes(name)))
				for (const member of members) expectMember(bytes, member, json[member.name])
			}),
		)
	})

	it('leaves names with escapes to a parser, where they might be meant', () => {
		const plan = prepare({ kind: 'value' })
		expect(new JsonScan(Buffer.from('{"\\u006bind":1}')).members(plan)).toBe('escaped name')
		expect(new JsonScan(Buffer.from('{"other":{"\\u006bind":1}}')).members(plan)).toEqual([])
	})
})

function expectMember(bytes: Buffer, { from, to, found, elements }: Member, value: unknown): void {
	expect(JSON.parse(bytes.toString('utf8', from, to))).toEqual(value)
	if (elements) expect(elements.map((span) => JSON.parse(bytes.toString('utf8', span.from, span.to)) as unknown)).toEqual(value)
	if (!found) return
	const { a, p } = value as { readonly a?: unknown; readonly p?: unknown }
	const inner = typeof p === 'object' && p !== null && !Array.isArray(p) ? pick(p as Record<string, unknown>, ['a']) : p
	expect(found).toEqual(pick({ a, p: inner }, Object.keys(value as object)))
}

const pick = (object: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> =>
	Object.fromEntries(names.filter((name) => ['a', 'p'].includes(name) && name in object).map((name) => [name, object[name]]))

describe('an audit line', () => {
	const context = { cluster: 'c', source: 'audit', observedAt: 0, where: 'x:0' }
	const lines = gunzipSync(readFileSync(fileURLToPath(new URL('../../../demo/audit.jsonl.gz', import.meta.url))))
		.toString('utf8')
		.split('\n')
		.filter((line, index) => line !== '' && index % 10 === 0)
	/** The same entry with a name that is written with an escape: it is parsed as a whole. */
	const escaped = (line: string): string => line.replace('"kind"', '"\\u006bind"')

	it('is read by its members as it is read by a parser', () => {
		for (const line of lines) {
			const { body: one, ...scanned } = parseAuditLine(line, context) as { readonly body: unknown }
			const { body: other, ...whole } = parseAuditLine(escaped(line), context) as { readonly body: unknown }
			expect([one, other]).not.toContain(undefined)
			expect(scanned).toEqual(whole)
		}
		expect(lines.length).toBeGreaterThan(300)
	})

	it('is read so with members that come twice, in another order, or of other types', () => {
		const meta = fc.constantFrom<unknown>({ name: 'n', uid: 'u', resourceVersion: '7' }, { name: 1, uid: null }, null, 'x', [], {
			name: { a: 1 },
		})
		const object = fc.oneof(
			fc.constantFrom<unknown>(null, 'text', 1, [], [{ metadata: { name: 'x' } }]),
			fc.record(
				{
					kind: fc.constantFrom<unknown>('DeleteOptions', 'Pod', 1),
					dryRun: fc.constantFrom<unknown>(['All'], 'All', null),
					metadata: meta,
					details: meta,
				},
				{ requiredKeys: [] },
			),
		)
		const member = fc
			.tuple(fc.constantFrom('requestObject', 'responseObject', 'verb', 'objectRef'), object)
			.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
		fc.assert(
			fc.property(fc.array(member, { maxLength: 5 }), fc.boolean(), (members, first) => {
				const base = (lines[0] ?? '').slice(1, -1)
				const line = `{${(first ? [...members, base] : [base, ...members]).join(',')}}`
				const { body: _, ...scanned } = parseAuditLine(line, context) as { readonly body: unknown }
				const { body: __, ...whole } = parseAuditLine(escaped(line), context) as { readonly body: unknown }
				expect(scanned).toEqual(whole)
			}),
			{ numRuns: 500 },
		)
	})
})
