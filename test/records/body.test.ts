// Bodies: one document in three forms, converted when asked and kept.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Body } from '#records/body.ts'

const forms = (value: unknown): readonly Body[] => [
	Body.ofValue(value),
	Body.ofText(JSON.stringify(value)),
	Body.ofBytes(Buffer.from(JSON.stringify(value))),
]

describe('body', () => {
	it('gives the same value, text and bytes in whichever form it came', () => {
		fc.assert(
			fc.property(fc.jsonValue(), (value) => {
				const text = JSON.stringify(value)
				for (const body of forms(value)) {
					expect(body.text).toBe(text)
					expect(Buffer.from(body.bytes).toString()).toBe(text)
					expect(JSON.stringify(body.value)).toBe(text)
				}
			}),
		)
	})

	it('writes its bytes where it is told, within the size it announced', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'binary' }), fc.nat({ max: 9 }), (value, at) => {
				for (const body of forms(value)) {
					const target = Buffer.alloc(at + body.bytesAtMost)
					const written = body.writeTo(target, at)
					expect(target.subarray(at, at + written).toString()).toBe(JSON.stringify(value))
				}
			}),
		)
	})

	it('converts once', () => {
		const body = Body.ofText('{"a":[1]}')
		expect(body.value).toBe(body.value)
		expect(body.bytes).toBe(body.bytes)
		expect(Body.ofText('null').value).toBeNull()
	})

	it('is read without keeping the value, unless it has one', () => {
		for (const body of [Body.ofText('{"a":[1]}'), Body.ofBytes(Buffer.from('{"a":[1]}'))]) {
			expect(body.read()).toEqual({ a: [1] })
			expect(body.read()).not.toBe(body.read())
			expect(body.readObject()).toEqual({ a: [1] })
		}
		const kept = Body.ofValue({ a: 1 })
		expect(kept.read()).toBe(kept.value)
		expect(Body.ofText('[1]').readObject()).toEqual({})
	})

	it('keeps every digit of a number, through its value and back', () => {
		const text = '{"spec":{"big":9223372036854775807,"list":[9007199254740993,1.0,-0,1e3]},"image":"web:1.4, 1.5"}'
		expect(JSON.stringify(Body.ofText(text).value)).toBe(text)
		expect(JSON.stringify(Body.ofBytes(Buffer.from(text)).read())).toBe(text)
	})

	it('keeps the digits of long whole numbers, behind a key and in a list', () => {
		const digits = fc
			.tuple(fc.constantFrom('', '-'), fc.constantFrom(1, 8, 9), fc.stringMatching(/^[0-9]{13,17}$/))
			.map((parts) => parts.join(''))
		fc.assert(
			fc.property(digits, (number) => {
				for (const text of [`{"a":${number}}`, `[0,${number}]`, number]) expect(JSON.stringify(Body.ofText(text).value)).toBe(text)
			}),
			{ numRuns: 1000 },
		)
	})

	it('settles into its text, and makes the value again', () => {
		const body = Body.ofValue({ a: [1] })
		const before = body.value
		body.settle()
		expect(body.text).toBe('{"a":[1]}')
		expect(body.value).toEqual(before)
		expect(body.value).not.toBe(before)
	})

	it('reads bytes in the middle of a larger buffer', () => {
		expect(Body.ofBytes(Buffer.from('xx{"a":1}yy').subarray(2, 9)).value).toEqual({ a: 1 })
	})

	it('is an empty object where it is none', () => {
		for (const value of [null, 1, 'a', [1], true]) expect(Body.ofValue(value).object).toEqual({})
		expect(Body.ofText('{"a":1}').object).toEqual({ a: 1 })
	})

	it('throws SyntaxError when text that is no JSON is asked for its value, not before', () => {
		const body = Body.ofText('{')
		expect(body.text).toBe('{')
		expect(() => body.value).toThrow(SyntaxError)
	})
})
