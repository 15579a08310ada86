// The cache of a day: what is used stays, and the whole stays within its bytes.
import { expect, it } from 'vitest'
import { Cache } from '#storage/store/sqlite/cache.ts'

it('forgets what is not used, and keeps what is', () => {
	const cache = new Cache<number, string>(100)
	cache.set(0, 'used', 1)
	cache.set(1, 'left', 1)
	for (let key = 2; key < 1000; key++) {
		cache.set(key, `value ${key}`, 1)
		expect(cache.use(0, 1)).toBe('used')
	}
	expect(cache.get(1)).toBeUndefined()
	const kept = Array.from({ length: 1000 }, (_, key) => cache.get(key)).filter((value) => value !== undefined)
	expect(kept.length).toBeGreaterThan(50)
	expect(kept.length).toBeLessThanOrEqual(104)
	cache.clear()
	expect(cache.get(0)).toBeUndefined()
})
