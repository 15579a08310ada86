// Waiting between tries: longer each time, never beyond the bound, cut short by the signal.
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Clock } from '#runtime/clock.ts'
import { createBackoff } from '#runtime/retry.ts'

function recording(): { readonly clock: Clock; readonly waits: number[] } {
	const waits: number[] = []
	return { waits, clock: { nowMicros: () => 0, sleep: async (ms) => void waits.push(ms) } }
}
const { signal } = new AbortController()

it('doubles from the first to the bound, and starts again after a success', async () => {
	const { clock, waits } = recording()
	const backoff = createBackoff({ clock, firstMs: 100, maxMs: 1000, random: () => 0.5 })
	for (let attempt = 0; attempt < 6; attempt++) await backoff.wait(signal)
	expect(waits).toEqual([75, 150, 300, 600, 750, 750])
	expect(backoff.attempts).toBe(6)
	backoff.reset()
	expect(backoff.attempts).toBe(0)
	await backoff.wait(signal)
	expect(waits.at(-1)).toBe(75)
})

it('stays between half and whole of the step for any chance and any number of tries', async () => {
	await fc.assert(
		fc.asyncProperty(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.integer({ min: 1, max: 80 }), async (chance, tries) => {
			const { clock, waits } = recording()
			const backoff = createBackoff({ clock, firstMs: 10, maxMs: 5000, random: () => chance })
			for (let attempt = 0; attempt < tries; attempt++) await backoff.wait(signal)
			for (const [attempt, wait] of waits.entries()) {
				const full = Math.min(5000, 10 * 2 ** attempt)
				expect(wait).toBeGreaterThanOrEqual(full / 2)
				expect(wait).toBeLessThanOrEqual(full)
			}
		}),
	)
})

it('hands the signal to the clock', async () => {
	const seen: unknown[] = []
	const clock: Clock = { nowMicros: () => 0, sleep: async (_ms, given) => void seen.push(given) }
	await createBackoff({ clock, firstMs: 1, maxMs: 1 }).wait(signal)
	expect(seen).toEqual([signal])
})
