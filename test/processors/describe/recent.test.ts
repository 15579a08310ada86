// A body before that was just read as the body after is not read again; one in other words is.
import { describe, expect, it } from 'vitest'
import { createRecent, type Recent } from '#processors/describe/recent.ts'
import { Body } from '#records/body.ts'

type Given = Parameters<Recent['read']>[0]
const body = (text: string): Body => Body.ofBytes(Buffer.from(text))

const version = (revision: bigint, before: Body | null, after: Body | null, changes: Partial<Given> = {}): Given => ({
	cluster: 'c',
	space: 's',
	uid: 'u',
	revision,
	before,
	beforeRevision: before ? revision - 1n : null,
	after,
	...changes,
})

describe('recently read bodies', () => {
	it('the body before is the very one that was read as the body after', () => {
		const recent = createRecent()
		const first = recent.read(version(1n, null, body('{"a":1}')))
		const second = recent.read(version(2n, body('{"a":1}'), body('{"a":2}')))
		expect(second).toEqual({ before: { a: 1 }, after: { a: 2 } })
		expect(second.before).toBe(first.after)
		expect(recent.read(version(3n, body('{"a":2}'), null)).before).toBe(second.after)
	})

	it.each<[string, Partial<Given>]>([
		['of other words', { before: body('{"a":3}') }],
		['of another length', { before: body('{"a":10}') }],
		['of another revision', { beforeRevision: 7n }],
		['of another cluster', { cluster: 'd' }],
		['of another space', { space: 't' }],
		['of another object', { uid: 'v' }],
	])('a body before %s is read', (_, changes) => {
		const recent = createRecent()
		const first = recent.read(version(1n, null, body('{"a":1}')))
		const second = recent.read(version(2n, body('{"a":1}'), body('{"a":2}'), changes))
		expect(second.before).not.toBe(first.after)
		expect(second.before).toEqual((changes.before ?? body('{"a":1}')).value)
	})

	it('keeps few, and none of objects without a uid', () => {
		const recent = createRecent()
		const kept = (uid: string): boolean => {
			const first = recent.read(version(1n, null, body('{"a":1}'), { uid }))
			for (let other = 0; other < 100; other++)
				if (uid === 'old') recent.read(version(1n, null, body('{"a":1}'), { uid: `other-${other}` }))
			return recent.read(version(2n, body('{"a":1}'), null, { uid })).before === first.after
		}
		expect([kept('u'), kept('old'), kept('')]).toEqual([true, false, false])
	})

	it('throws what is no JSON', () => {
		expect(() => createRecent().read(version(1n, null, body('{"a":')))).toThrow(SyntaxError)
	})
})
