// The known word that was probably meant.
import { describe, expect, it } from 'vitest'
import { nearest } from '#runtime/nearest.ts'

describe('nearest', () => {
	it('finds a near word and nothing where none is near', () => {
		expect(nearest('prot', ['port', 'host'])).toBe('port')
		expect(nearest('PORT', ['port'])).toBe('port')
		expect(nearest('elephant', ['port', 'host'])).toBeUndefined()
		expect(nearest('x', [])).toBeUndefined()
	})
})
