// The roles as processes of their own over one data directory: restarted one after the other in mid-work, they end with 0, and nothing is missing or twice.
import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, getJson, startProgram, temporaryFolder, type Program } from '#test/support/program.ts'
import { clustersOf, incident, isWhole, versionsOf } from './incident.ts'

const folder = temporaryFolder('apart')
const config = join(folder.path, 'kubetape.yaml')
const running = new Set<Program>()
const statuses: (number | null)[] = []

function start(role: 'collect' | 'process' | 'serve'): Program {
	const program = startProgram([role, '--config', config])
	running.add(program)
	return program
}

/** SIGTERM, as every orchestrator sends it. */
async function end(program: Program): Promise<void> {
	program.process.kill('SIGTERM')
	statuses.push(await program.exited)
	running.delete(program)
}

/** Where it answers for itself. */
async function operationsOf(program: Program): Promise<string> {
	const said = await eventually(
		async () => program.output(),
		(text) => text.includes('answers for itself'),
	)
	return /"address":"(http:[^"]+)"/.exec(said)?.[1] ?? ''
}

beforeAll(() => {
	const clusterLine = `clusters: [{ name: demo, replay: { path: ${JSON.stringify(resolve('demo'))} } }]`
	writeFileSync(config, `dataDir: ${join(folder.path, 'data')}\nserver: { port: 0 }\noperations: { port: 0 }\n${clusterLine}\n`)
})
afterAll(async () => {
	for (const { process } of running) process.kill('SIGKILL')
	await Promise.all([...running].map(({ exited }) => exited))
	folder.remove()
})

const asked = ['/api/v1/timeline?limit=1000', '/api/v1/clusters', '/api/v1/coverage?cluster=demo', '/api/v1/audit/top?by=user']

/** What a server answers, without its cursors: they are bound to the moment in which the first page was asked for. */
function answers(address: string): Promise<readonly string[]> {
	return Promise.all(asked.map(async (path) => JSON.stringify({ ...(await getJson<object>(address, path)), next: undefined })))
}

describe('roles apart', () => {
	let whole: readonly string[] = []

	it('survive a rolling restart in mid-work, and lose nothing', async () => {
		let [collect, processing] = [start('collect'), start('process')]
		const serving = start('serve')
		const address = await serving.address
		const stored = eventually(
			() => clustersOf(address),
			(answer) => versionsOf(answer) > 200,
		)
		await stored
		await end(processing)
		processing = start('process')
		await end(collect)
		collect = start('collect')
		await operationsOf(processing)
		await end(processing)
		processing = start('process')
		const answer = await eventually(() => clustersOf(address), isWhole)
		expect([versionsOf(answer), answer.items[0]?.counts.audit, answer.items[0]?.counts.reject ?? 0]).toEqual([
			incident.versions,
			incident.audit,
			0,
		])
		for (const program of [collect, processing, serving]) {
			const ready = await eventually(
				async () => (await fetch(`${await operationsOf(program)}/readyz`)).status,
				(status) => status === 200,
			)
			expect(ready).toBe(200)
		}
	})

	it('answer the same from every server, also from one that was restarted', async () => {
		const [first] = [...running].filter(({ process }) => process.spawnargs.includes('serve'))
		const second = start('serve')
		const [one, other] = [await first?.address, await second.address]
		whole = await answers(one ?? '')
		expect(whole.every((text) => text.length > 100)).toBe(true)
		expect((await answers(other ?? '')).map((text, index) => text === whole[index])).toEqual(asked.map(() => true))
	})

	it('tell each its own metrics', async () => {
		const expected = {
			collect: ['kubetape_collect_records_total', 'kubetape_collect_append_seconds', 'kubetape_collect_last_append_timestamp_seconds'],
			process: [
				'kubetape_process_lag_records',
				'kubetape_process_put_seconds',
				'kubetape_process_freshness_seconds',
				'kubetape_data_bytes',
			],
			serve: ['kubetape_api_request_seconds'],
		}
		for (const [role, names] of Object.entries(expected)) {
			const program = [...running].find(({ process }) => process.spawnargs.includes(role))
			const text = program ? await (await fetch(`${await operationsOf(program)}/metrics`)).text() : ''
			for (const name of [...names, 'kubetape_build_info', 'process_cpu_seconds_total']) expect(text).toContain(`# TYPE ${name} `)
		}
	})

	it('all end with 0', async () => {
		await Promise.all([...running].map(end))
		expect(statuses).toHaveLength(7)
		expect(new Set(statuses)).toEqual(new Set([0]))
	})

	it('leave a data directory that can be copied, removed and put back', async () => {
		const [data, copy] = [join(folder.path, 'data'), join(folder.path, 'backup')]
		cpSync(data, copy, { recursive: true })
		rmSync(data, { recursive: true })
		cpSync(copy, data, { recursive: true })
		for (const dir of [data, copy]) {
			const server = startProgram(['serve', '--config', config, '--data-dir', dir])
			running.add(server)
			const now = await answers(await server.address)
			expect(now.map((text, index) => text === whole[index])).toEqual(asked.map(() => true))
			await end(server)
		}
	})
})
