// Ready is who has said so, and lately.
import { expect, it } from 'vitest'
import { createHealth, silentMsMax } from '#runtime/health.ts'

it('is not ready before anybody has said anything', () => {
	expect(createHealth().report()).toEqual({ ok: false, parts: {} })
})

it('is ready where every part is', () => {
	const health = createHealth()
	health.set('collect', true, 'recording')
	health.set('collect: record log', false, 'does not answer')
	expect(health.report()).toEqual({
		ok: false,
		parts: { collect: { ok: true, message: 'recording' }, 'collect: record log': { ok: false, message: 'does not answer' } },
	})
	health.set('collect: record log', true, 'answers')
	expect(health.report().ok).toBe(true)
})

it('does not believe a part that has said nothing for long', () => {
	let now = 0
	const health = createHealth({ nowMicros: () => now, sleep: async () => {} })
	health.set('process', true, 'processing')
	now = silentMsMax * 1000
	expect(health.report().ok).toBe(true)
	now += 1_000_000
	expect(health.report()).toEqual({
		ok: false,
		parts: { process: { ok: false, message: 'has said nothing for 31 s; before: processing' } },
	})
	health.set('process', true, 'processing')
	expect(health.report().ok).toBe(true)
})
