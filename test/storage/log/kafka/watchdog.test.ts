// When a member counts as stuck: by time where nothing holds it up, by turns where it goes on.
import { describe, expect, it } from 'vitest'
import { Watchdog } from '#storage/log/kafka/watchdog.ts'

const stallMs = 30_000
const partitions = 32
const turnsMax = 8 + 2 * partitions
const free = { partitions, inHand: false }
const busy = { partitions, inHand: true }

describe('a partition whose records wait', () => {
	it('is stuck when the member fetches nothing and has nothing in hand for the time', () => {
		const watchdog = new Watchdog(stallMs, 0)
		const waiting = watchdog.waiting(1000)
		expect(watchdog.isStuck(waiting, { now: 30_999, ...free })).toBe(false)
		expect(watchdog.isStuck(waiting, { now: 31_000, ...free })).toBe(true)
	})

	it('is not stuck behind a batch that is being put, however long; the time begins when that is done', () => {
		const watchdog = new Watchdog(stallMs, 0)
		const waiting = watchdog.waiting(0)
		expect(watchdog.isStuck(waiting, { now: 3_600_000, ...busy })).toBe(false)
		watchdog.released(3_600_000)
		expect(watchdog.isStuck(waiting, { now: 3_629_999, ...free })).toBe(false)
		expect(watchdog.isStuck(waiting, { now: 3_630_000, ...free })).toBe(true)
	})

	it('is not stuck while fetches come in turn with puts, each slower than the time', () => {
		const watchdog = new Watchdog(stallMs, 0)
		const waiting = watchdog.waiting(0)
		for (let turn = 1; turn <= turnsMax; turn++) {
			const now = turn * 40_000
			watchdog.fetched(now - 10)
			expect(watchdog.isStuck(waiting, { now, ...busy }), `turn ${turn}`).toBe(false)
			watchdog.released(now)
			expect(watchdog.isStuck(waiting, { now: now + 5, ...free }), `turn ${turn}`).toBe(false)
		}
	})

	it('is stuck when the member goes on without it, turn after turn, also while it has a batch in hand', () => {
		const watchdog = new Watchdog(stallMs, 0)
		for (let turn = 0; turn < 1000; turn++) watchdog.fetched(turn)
		const waiting = watchdog.waiting(1000)
		for (let turn = 0; turn <= turnsMax; turn++) watchdog.fetched(1000 + turn * 200)
		expect(watchdog.isStuck(waiting, { now: 30_999, ...busy }), 'fetches of an idle member come fast').toBe(false)
		expect(watchdog.isStuck(waiting, { now: 31_000, ...busy })).toBe(true)
		expect(watchdog.isStuck(watchdog.waiting(31_000), { now: 61_000, ...busy }), 'of another partition').toBe(false)
	})
})
