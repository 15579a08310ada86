// Bodies read for their description are what they are, but for metadata.managedFields.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { labelsOf, readForDescription } from '#processors/describe/read.ts'
import { Body } from '#records/body.ts'
import { demoVersions } from '#test/history/demo.ts'

type Fields = Record<string, unknown>

function without(body: Fields): Fields {
	const { managedFields: _left, ...metadata } = (body['metadata'] ?? {}) as Fields
	return 'metadata' in body ? { ...body, metadata } : body
}

describe('bodies for a description', () => {
	it('of the recorded incident lack the fields of the managers, and nothing else', () => {
		let shorter = 0
		for (const { after } of demoVersions()) {
			if (!after) continue
			const read = readForDescription(Body.ofBytes(after.bytes))
			expect(read).toEqual(without(after.object as Fields))
			if (!('managedFields' in ((read['metadata'] ?? {}) as Fields)) && after.text.includes('"managedFields"')) shorter += 1
		}
		expect(shorter).toBeGreaterThan(1000)
	})

	it.each([
		['in a specification', { kind: 'X', spec: { a: 1, managedFields: [{ b: 2 }] }, metadata: { name: 'x' } }],
		['in front of the metadata', { data: { a: 1, managedFields: ['x'] }, metadata: { name: 'x', managedFields: [1] } }],
		['in metadata of a template', { spec: { template: { metadata: { name: 'y', managedFields: [] } } }, metadata: { name: 'x' } }],
		['in a list named so', { metadata: [{ name: 'x', managedFields: [] }] }],
		['in a string', { metadata: { name: ',"managedFields":[', annotations: { a: '\\' } } }],
	])('keep what only has the name: %s', (_where, object) => {
		const read = readForDescription(Body.ofText(JSON.stringify(object)))
		expect([object, without(object)]).toContainEqual(read)
		expect(read).toHaveProperty('metadata')
		if ('spec' in object || 'data' in object) expect({ ...read, metadata: 0 }).toEqual({ ...object, metadata: 0 })
	})

	it('any JSON, with managers or without, is what it was', () => {
		const managed = fc.record({ name: fc.string(), managedFields: fc.array(fc.jsonValue()), finalizers: fc.array(fc.string()) })
		fc.assert(
			fc.property(fc.record({ spec: fc.jsonValue(), metadata: managed, status: fc.jsonValue() }), (object) => {
				const text = JSON.stringify(object)
				const plain = JSON.parse(text) as Fields
				expect([plain, without(plain)]).toContainEqual(readForDescription(Body.ofText(text)))
			}),
		)
	})

	it.each([
		['none', { metadata: { name: 'x' } }, {}],
		['some', { metadata: { labels: { a: 'b', c: 'd' } } }, { a: 'b', c: 'd' }],
		['only those of others', { metadata: { name: 'x' }, spec: { labels: { a: 'b' } }, note: '"labels":' }, {}],
		['what is no text', { metadata: { labels: { a: 1, b: 'c' } } }, { b: 'c' }],
	])('labels alone: %s', (_what, object, labels) => {
		expect(labelsOf(Body.ofText(JSON.stringify(object)))).toEqual(labels)
		expect(labelsOf(Body.ofText(JSON.stringify(object, null, 1).replaceAll('":', '" :')))).toEqual(labels)
	})

	it('no body has no labels', () => {
		expect(labelsOf(null)).toEqual({})
	})
})
