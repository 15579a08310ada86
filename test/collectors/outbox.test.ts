// What was handed over and cannot be saved: where the disk is full it is saved later, and meanwhile there is no room for more.
import { expect, it } from 'vitest'
import { openLocalState, type LocalState } from '#collectors/local-state.ts'
import { Outbox } from '#collectors/outbox.ts'
import { limits } from '#runtime/limits.ts'
import { temporaryFolder } from '#test/support/program.ts'

/** SQLITE_FULL, SQLITE_CORRUPT. */
const [full, corrupt] = [13, 11]

function stateThatFails(state: LocalState, errcode: () => number | undefined): LocalState {
	return {
		...state,
		apply(changes, cursors) {
			const code = errcode()
			if (code !== undefined) throw Object.assign(new Error(`result ${code}`), { errcode: code })
			state.apply(changes, cursors)
		},
	}
}

it('waits for the disk: cursors are saved in order when there is room, and nothing more is taken meanwhile', async () => {
	const folder = temporaryFolder('outbox')
	using state = openLocalState(folder.path)
	let isFull = true
	const wanted = Promise.withResolvers<void>()
	const held: unknown[] = []
	const outbox = new Outbox(
		async () => {},
		stateThatFails(state, () => (isFull ? full : undefined)),
		undefined,
		(error) => {
			held.push(error)
			wanted.resolve()
		},
	)
	for (let batch = 0; batch < limits.batchesInFlightMax; batch += 1) await outbox.send([], { at: String(batch) })
	await wanted.promise
	expect([outbox.isFull, outbox.failure, state.cursor('at')]).toEqual([true, undefined, undefined])
	isFull = false
	await outbox.send([], { at: 'last' })
	await outbox.drain()
	expect([state.cursor('at'), held.length]).toEqual(['last', 1])
	folder.remove()
})

it.each([
	['it is damaged', corrupt, false],
	['the disk is full and it is to end', full, true],
])('fails where %s', async (_what, code, isEnd) => {
	const folder = temporaryFolder('outbox')
	using state = openLocalState(folder.path)
	const outbox = new Outbox(
		async () => {},
		stateThatFails(state, () => code),
	)
	await outbox.send([], { at: '1' })
	if (!isEnd) await new Promise((resolve) => outbox.failed.addEventListener('abort', resolve))
	await expect(outbox.drain()).rejects.toThrow(`result ${code}`)
	expect(state.cursor('at')).toBeUndefined()
	folder.remove()
})
