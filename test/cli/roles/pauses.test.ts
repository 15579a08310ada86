// Sources pause each by itself; the role is paused while one of them is.
import { expect, it } from 'vitest'
import { createPauses } from '#cli/roles/pauses.ts'
import { createMetrics } from '#runtime/metrics.ts'

it('a source that waits does not make another one wait', () => {
	const said: (readonly [boolean, string])[] = []
	const pauses = createPauses({ metrics: createMetrics(), report: (ok, message) => void said.push([ok, message]) })
	const [logs, audit] = [pauses.one(), pauses.one()]
	logs.onPause('no room')
	expect([logs.isPaused(), audit.isPaused()]).toEqual([true, false])
	audit.onPause('none at all')
	logs.onPause(null)
	expect([logs.isPaused(), audit.isPaused()]).toEqual([false, true])
	audit.onPause(null)
	expect(said).toEqual([
		[false, 'paused: no room'],
		[false, 'paused: no room'],
		[false, 'paused: none at all'],
		[true, 'recording'],
	])
})
