// A program that waits for its end stays alive until then, and not longer.
import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import { aborted, after, atMost, unlessAborted } from '#runtime/lifecycle.ts'

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

it('aborts so long after a signal, and keeps no process alive until then', async () => {
	const stop = new AbortController()
	const late = after(stop.signal, 20)
	const before = timers()
	stop.abort()
	expect(late.aborted).toBe(false)
	expect(timers()).toBe(before)
	await aborted(late)
	expect(late.reason).toMatchObject({ code: 'STORAGE_UNAVAILABLE', retryable: true })
	await aborted(after(stop.signal, 1))
})

it('waits for what takes no signal until the signal, and leaves nothing at it', async () => {
	const stop = new AbortController()
	expect(await unlessAborted(Promise.resolve(1), undefined)).toBe(1)
	expect(await unlessAborted(Promise.resolve(1), stop.signal)).toBe(1)
	await expect(unlessAborted(Promise.reject(new Error('failed')), stop.signal)).rejects.toThrow('failed')
	expect(getEventListeners(stop.signal, 'abort')).toEqual([])
	const waiting = unlessAborted(new Promise(() => undefined), stop.signal)
	stop.abort(new Error('enough'))
	await expect(waiting).rejects.toThrow('enough')
	await expect(unlessAborted(new Promise(() => undefined), stop.signal)).rejects.toThrow('enough')
})
