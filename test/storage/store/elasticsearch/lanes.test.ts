// Showing what was put, where the server refuses that for a while.
import { expect, it } from 'vitest'
import { systemClock } from '#runtime/clock.ts'
import { silentLogger } from '#runtime/log.ts'
import { Lanes } from '#storage/store/elasticsearch/lanes.ts'
import type { Searcher } from '#storage/store/elasticsearch/search.ts'
import { eventually } from '#test/support/program.ts'

it('what was put is shown in the end, though showing fails and nothing more is put; that is said once', async () => {
	const shown: string[] = []
	const said: string[] = []
	let failures = 3
	const searcher: Pick<Searcher, 'refresh'> = {
		refresh: async (index) => {
			if (failures-- > 0) throw new Error('the server is away')
			shown.push(index)
		},
	}
	const log = Object.assign(Object.create(silentLogger) as typeof silentLogger, { warn: (_: object, text: string) => void said.push(text) })
	const lanes = new Lanes({ searcher: searcher as Searcher, clock: systemClock, log, refreshMs: 10 })
	await lanes.send('changes', async () => undefined)
	await eventually(
		async () => lanes.unshown(),
		(unshown) => unshown.length === 0,
	)
	expect(shown).toEqual(['changes'])
	expect(said).toEqual(['what was put is seen later'])
	await lanes.close()
})
