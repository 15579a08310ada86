// A program that waits for its end stays alive until then, and not longer.
import { expect, it } from 'vitest'
import { aborted, atMost } from '#runtime/lifecycle.ts'

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

it('waits for the signal with something that keeps the process alive', async () => {
	const stop = new AbortController()
	const before = timers()
	const waiting = aborted(stop.signal)
	expect(timers()).toBe(before + 1)
	stop.abort()
	await waiting
	expect(timers()).toBe(before)
	await aborted(stop.signal)
	expect(timers()).toBe(before)
})

it('waits for a clean-up no longer than it may take', async () => {
	expect(await atMost(60_000, Promise.resolve(1))).toBe(1)
	expect(await atMost(1, new Promise(() => undefined))).toBeUndefined()
	await expect(atMost(60_000, Promise.reject(new Error('failed')))).rejects.toThrow('failed')
})
