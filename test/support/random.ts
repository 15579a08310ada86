// Chance with a seed, for tests that must be repeatable: the seed is printed, and KUBETAPE_TEST_SEED sets it.
import { hash } from 'node:crypto'

/** A seed for this run, printed, so that a failure can be repeated: a new one each time; at the gate always that of the name, so that one commit gets one answer. */
export function seedOf(name: string): number {
	const given = process.env['KUBETAPE_TEST_SEED']
	const ofName = Number.parseInt(hash('sha256', name, 'hex').slice(0, 7), 16)
	const seed = given !== undefined ? Number(given) : process.env['CI'] === 'true' ? ofName : Math.floor(Math.random() * 2 ** 31)
	process.stdout.write(`${name}: seed ${seed} (repeat with KUBETAPE_TEST_SEED=${seed})\n`)
	return seed
}

/** Numbers in [0, 1): mulberry32. */
export function createRandom(seed: number): () => number {
	let state = seed >>> 0
	return () => {
		state = (state + 0x6d2b79f5) >>> 0
		let mixed = Math.imul(state ^ (state >>> 15), state | 1)
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
	}
}
