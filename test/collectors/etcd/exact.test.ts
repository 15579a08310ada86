// Numbers and keys come out as they were written.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { integerOf, readJson, readShared, writeJson } from '#collectors/etcd/exact.ts'

describe('numbers', () => {
	it.each(['9007199254740993', '-12345678901234567890', '1.0', '1e21', '1E3', '-0', '0.1', '0', '-7', '1.5e-9'])('%s stays', (number) => {
		const text = `{"a":${number},"b":[${number}]}`
		expect(writeJson(readJson(text).value)).toBe(text)
		expect(JSON.stringify(readJson(text).value)).toBe(text)
	})

	it('of 64 bits keep every digit', () => {
		expect(JSON.stringify([integerOf(2n ** 63n - 1n), integerOf(-(2n ** 63n)), integerOf(5n)])).toBe(
			'[9223372036854775807,-9223372036854775808,5]',
		)
	})
})

describe('keys', () => {
	it('that look like numbers are told, and written in the order of their bytes', () => {
		const { value, inOrder } = readJson('{"10":1,"9":2,"a":{"b":1}}')
		expect(inOrder).toBe(false)
		expect(writeJson(value)).toBe('{"10":1,"9":2,"a":{"b":1}}')
		expect(readJson('{"09":1,"b":2}').inOrder).toBe(true)
	})

	it('of other objects stay where they stood', () => {
		expect(writeJson(readJson('{"b":1,"a":{"z":1,"__proto__":2}}').value)).toBe('{"b":1,"a":{"z":1,"__proto__":2}}')
	})

	it('any JSON means the same when it is written again', () => {
		fc.assert(
			fc.property(fc.json(), (text) => {
				expect(JSON.parse(writeJson(readJson(text).value))).toEqual(JSON.parse(text))
			}),
		)
	})
})

describe('shared values', () => {
	it('are those of the same bytes only', () => {
		// So long that not every byte is sampled.
		const texts = Array.from({ length: 400 }, (_, index) => `{"a":"${'x'.repeat(40)}${String(index).padStart(3, '0')}${'x'.repeat(40)}"}`)
		for (let round = 0; round < 2; round += 1)
			for (const text of texts) {
				const bytes = Buffer.from(`--${text}--`)
				expect(readShared(bytes, 2, bytes.length - 2).value).toEqual(JSON.parse(text))
			}
	})
})
