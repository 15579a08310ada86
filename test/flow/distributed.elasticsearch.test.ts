// The recorded incident through roles of their own over Kafka and Elasticsearch, while a processor is killed and another joins: they answer what one process with everything embedded answers, every question, byte by byte.
import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { storeGroup } from '#cli/roles/context.ts'
import { eventually, type Program } from '#test/support/program.ts'
import { answersMs, compareAnswers, overHttp, withoutMoment, withoutSighting } from './answers.ts'
import { clustersOf, isWhole, versionsOf } from './incident.ts'
import { drained, openStage, type Stage } from './stage.ts'

const cluster = 'demo'
const storedMs = 240_000
const roles: Program[] = []
let stage: Stage
let [embedded, distributed] = ['', '']

beforeAll(async () => {
	stage = await openStage([{ name: cluster, replay: { path: resolve('demo') } }])
})
afterAll(() => stage?.[Symbol.asyncDispose]())

/** Counts, and what was seen whole. */
async function standing(address: string): Promise<string> {
	const ask = overHttp(address)
	return withoutSighting(`${await ask('/api/v1/clusters')} ${await ask(`/api/v1/coverage?cluster=${cluster}`)}`)
}

describe('the incident over Kafka and Elasticsearch', () => {
	it('is stored whole while a processor is killed and another joins', async () => {
		embedded = await stage.start('all-in-one', 'embedded', 'embedded').address
		await eventually(() => clustersOf(embedded), isWhole, storedMs)
		const start = (role: string, name: string): Program => stage.start(role, name, 'distributed')
		const [killed, serve] = [start('process', 'process-1'), start('serve', 'serve')]
		roles.push(serve, start('collect', 'collect'), start('process', 'process-2'))
		distributed = await serve.address
		await eventually(
			() => clustersOf(distributed),
			(page) => versionsOf(page) > 200,
			storedMs,
		)
		await stage.end(killed, 'SIGKILL')
		roles.push(start('process', 'process-3'))
		const expected = await standing(embedded)
		const found = await eventually(
			() => standing(distributed),
			(now) => now === expected,
			storedMs,
		).catch((error: unknown) => {
			throw new Error(`${String(error)}; the embedded ones: ${expected}; ${roles.map((role) => role.output().slice(-2000)).join('; ')}`)
		})
		expect(found).toBe(expected)
		// What was found out about Pods behind their first lines is put to these before it is committed.
		await using log = await stage.log('looking', 'distributed')
		expect(await drained(log, storeGroup)).toBe(0)
	})

	it(
		'gives the answers of one process with everything embedded',
		async () => {
			const shown = (answer: string): string => withoutSighting(withoutMoment(answer))
			const compared = await compareAnswers(overHttp(embedded), overHttp(distributed), { cluster, shown })
			expect(compared).toEqual({ differing: [], silent: ['/api/v1/rejects'] })
			const ends = await Promise.all(roles.map((role) => stage.end(role)))
			expect(ends, roles.map((role) => role.output().slice(-2000)).join('; ')).toEqual(roles.map(() => 0))
		},
		answersMs,
	)
})
