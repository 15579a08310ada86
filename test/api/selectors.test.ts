// Selectors in Kubernetes' syntax: each operator, wrong ones, and any text at all.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseFieldSelector, parseLabelSelector } from '#api/selectors.ts'
import { KubetapeError } from '#runtime/errors.ts'

const labels = { app: 'web', 'example.com/tier': 'front', empty: '' }
const body = { metadata: { name: 'a' }, spec: { replicas: 3, paused: false } }

describe('label selectors', () => {
	it.each([
		['', true],
		['app=web', true],
		['app==web', true],
		['app = web', true],
		['app=db', false],
		['app!=db', true],
		['none!=x', true],
		['app!=web', false],
		['app in (web, db)', true],
		['app in (db)', false],
		['none in (x)', false],
		['app notin (db,x)', true],
		['none notin (x)', true],
		['app notin (web)', false],
		['app', true],
		['none', false],
		['!none', true],
		['!app', false],
		['example.com/tier=front,app', true],
		['app=web,none', false],
		['empty=', true],
		['none=', false],
		['toString', false],
	])('%s is %s', (selector, expected) => {
		expect(parseLabelSelector(selector)(labels)).toBe(expected)
	})

	it.each(['a in (b', 'a)', ',', 'a=b,,c', '-a', 'a=b c', 'a in ((b))', 'a > 3', `${'a,'.repeat(60)}a`])('refuses %s', (selector) => {
		expect(() => parseLabelSelector(selector)).toThrow(KubetapeError)
	})
})

describe('field selectors', () => {
	it.each([
		['metadata.name=a', true],
		['metadata.name==b', false],
		['metadata.name!=b,spec.replicas=3', true],
		['spec.paused=false', true],
		['spec.none=', true],
		['constructor.name!=', false],
	])('%s is %s', (selector, expected) => {
		expect(parseFieldSelector(selector)(body)).toBe(expected)
	})

	it('refuses what is no comparison', () => {
		expect(() => parseFieldSelector('metadata.name')).toThrow(/is not path=value/)
	})
})

it('reads any text or refuses it by name', () => {
	const grammar = fc.array(fc.constantFrom('a', '=', '!', ' in ', '(', ')', ',', ' notin ', '.', '/', '\0')).map((parts) => parts.join(''))
	fc.assert(
		fc.property(fc.oneof(fc.string(), grammar), (text) => {
			for (const parse of [
				(selector: string) => parseLabelSelector(selector)(labels),
				(selector: string) => parseFieldSelector(selector)(body),
			]) {
				try {
					expect(typeof parse(text)).toBe('boolean')
				} catch (error) {
					expect((error as KubetapeError).code).toBe('QUERY_INVALID')
				}
			}
		}),
	)
})
