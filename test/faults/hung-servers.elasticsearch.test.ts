// Kafka, and then Elasticsearch, hangs with its connections open, and the roles are told to end: each ends in order, and what was not stored then is stored later.
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { overHttp } from '#test/flow/answers.ts'
import { clustersOf, isWhole, versionsOf } from '#test/flow/incident.ts'
import { openStage } from '#test/flow/stage.ts'
import { eventually, type Program } from '#test/support/program.ts'

const storedMs = 240_000

it('every role ends within its time while a server hangs', { timeout: 600_000 }, async () => {
	await using stage = await openStage([{ name: 'demo', replay: { path: resolve('demo') } }])
	const start = (role: string, name: string): Program => stage.start(role, name, 'distributed')
	const startAll = (): readonly [Program, ...Program[]] => [
		start('serve', 'serve'),
		start('collect', 'collect'),
		start('process', 'process-1'),
		start('process', 'process-2'),
	]
	// In the middle of storing.
	for (const [hung, versions] of [
		['kafka', 200],
		['elasticsearch', 1000],
	] as const) {
		const roles = startAll()
		const address = await roles[0].address
		await eventually(
			() => clustersOf(address),
			(page) => versionsOf(page) > versions,
			storedMs,
		)
		stage[hung].halt()
		// Somebody waits for an answer as well.
		const asked = overHttp(address)('/api/v1/timeline').catch(String)
		const ends = await Promise.all(roles.map((role) => stage.end(role)))
		expect(ends, `${hung}: ${roles.map((role) => role.output()).join('; ')}`).toEqual([0, 0, 0, 0])
		await asked
		stage[hung].resume()
	}
	const address = await startAll()[0].address
	expect(isWhole(await eventually(() => clustersOf(address), isWhole, storedMs))).toBe(true)
})
