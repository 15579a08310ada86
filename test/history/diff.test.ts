// Differences of two objects: nothing where there is none, everything where there is something, lists by their keys.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Body } from '#records/body.ts'
import { diff } from '#history/diff.ts'

const plainKey = fc.stringMatching(/^[a-z]{1,5}$/).filter((key) => key !== 'metadata')
const tree = fc.letrec((tie) => ({
	object: fc.dictionary(plainKey, fc.oneof({ depthSize: 'small' }, fc.string(), fc.integer(), fc.boolean(), tie('object')), { maxKeys: 4 }),
})).object

/** Puts the changes of an object without lists into a copy of it. */
function apply(before: Record<string, unknown>, changes: ReturnType<typeof diff>): Record<string, unknown> {
	const result = structuredClone(before)
	for (const { path, op, after } of changes) {
		const parts = path.split('.')
		let place = result
		for (const part of parts.slice(0, -1)) place = place[part] as Record<string, unknown>
		if (op === 'removed') delete place[parts.at(-1) ?? '']
		else place[parts.at(-1) ?? ''] = after
	}
	return result
}

describe('diff', () => {
	it('of an object with itself is empty', () => {
		fc.assert(
			fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
				expect(diff(value, structuredClone(value))).toEqual([])
			}),
		)
	})

	it('applied to the one gives the other', () => {
		fc.assert(
			fc.property(tree, tree, (before, after) => {
				expect(apply(before, diff(before, after))).toEqual(after)
			}),
		)
	})

	it('follows containers by name, whatever their order', () => {
		const pod = (...names: string[]) => ({
			spec: { containers: names.map((name) => ({ name, image: name === 'web' ? `web:${names.length}` : 'x' })) },
		})
		expect(
			diff(pod('web', 'proxy'), pod('proxy', 'web', 'debug'))
				.map((change) => `${change.op} ${change.path}`)
				.toSorted(),
		).toEqual(['added spec.containers[debug]', 'changed spec.containers[web].image'])
	})

	it('leaves bookkeeping out', () => {
		expect(diff({ metadata: { resourceVersion: '1', managedFields: [] } }, { metadata: { resourceVersion: '2' } })).toEqual([])
	})
})

describe('numbers beyond what JavaScript counts', () => {
	const spec = (digits: string): Record<string, unknown> => Body.ofText(`{"spec":{"big":${digits}}}`).object
	it('are values like others', () => {
		expect(diff(spec('9223372036854775807'), spec('9223372036854775807'))).toEqual([])
		expect(diff(spec('9223372036854775807'), spec('9223372036854775806')).map((change) => [change.op, change.path])).toEqual([
			['changed', 'spec.big'],
		])
		expect(diff(spec('9223372036854775807'), spec('7')).map((change) => JSON.stringify(change.before))).toEqual(['9223372036854775807'])
	})
})

describe('keys that every object inherits', () => {
	it('are keys like others', () => {
		expect(diff({ toString: [1] }, { toString: [1] })).toEqual([])
		expect(diff({ data: { constructor: 'a' } }, { data: {} }).map((change) => `${change.op} ${change.path}`)).toEqual([
			'removed data.constructor',
		])
		expect(diff({ data: {} }, { data: { valueOf: 'a' } }).map((change) => `${change.op} ${change.path}`)).toEqual(['added data.valueOf'])
		const odd = JSON.parse('{"data":{"__proto__":{}}}') as Record<string, unknown>
		expect(diff({ data: {} }, odd).map((change) => `${change.op} ${change.path}`)).toEqual(['added data.__proto__'])
		expect(diff(odd, JSON.parse('{"data":{"__proto__":{}}}') as Record<string, unknown>)).toEqual([])
	})
})
