// The collect role killed at random moments while API servers post audit batches: what was answered 200 is stored, what was sent again is stored under one id.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { listOf, send } from '#test/collectors/audit/receiving.ts'
import { auditLine } from '#test/collectors/replay/support.ts'
import { eventually, startProgram, temporaryFolder, type Program } from '#test/support/program.ts'
import { createRandom, seedOf } from '#test/support/random.ts'
import { pause } from './logs-support.ts'
import { readEntries } from './webhook-support.ts'

const apiServers = 3
const entriesPerBatch = 40
const kills = 4
const seed = seedOf('webhook-sigkill.test.ts')
const random = createRandom(seed)
const folder = temporaryFolder('webhook-sigkill')
const data = join(folder.path, 'data')
const config = join(folder.path, 'kubetape.yaml')
let program: Program
let port = 0
afterAll(async () => {
	program.process.kill('SIGKILL')
	await program.exited
	folder.remove()
})

async function start(): Promise<void> {
	program = startProgram(['collect', '--config', config], { KUBETAPE_LOG_LEVEL: 'info' })
	const portIn = (text: string): string | undefined => /"port":(\d+),"msg":"audit batches/.exec(text)?.[1]
	const output = await eventually(
		() => Promise.resolve(program.output()),
		(text) => portIn(text) !== undefined,
	)
	port = Number(portIn(output))
}

const sent = { batches: 0, again: 0, acknowledged: [] as string[], isOver: false }

/** One batch after the other, each until it is answered 200. */
async function apiServer(): Promise<void> {
	while (!sent.isOver) {
		const batch = sent.batches++
		const names = Array.from({ length: entriesPerBatch }, (_, index) => `${batch}-${index}`)
		const body = listOf(names.map((name, index) => auditLine(name, index)))
		for (;;) {
			const status = await send([body], { port }).then(
				(answer) => answer.status,
				() => 0,
			)
			if (status === 200) break
			sent.again += 1
			await pause(20)
		}
		sent.acknowledged.push(...names)
	}
}

it(`survives ${kills} kills (seed ${seed})`, async () => {
	writeFileSync(config, `dataDir: ${data}\nwebhook: { port: 0 }\nclusters: [{ name: prod }]\n`)
	await start()
	const sending = Promise.all(Array.from({ length: apiServers }, apiServer))
	for (let kill = 0; kill < kills; kill += 1) {
		const wanted = sent.acknowledged.length + 1 + Math.floor(random() * 2000)
		while (sent.acknowledged.length < wanted) await pause(1)
		program.process.kill('SIGKILL')
		await program.exited
		await start()
	}
	sent.isOver = true
	await sending
	program.process.kill('SIGKILL')
	await program.exited
	const { ids, records } = await readEntries(data)
	const lost = sent.acknowledged.filter((name) => !ids.has(name))
	const duplicated = [...ids].filter(([, each]) => each.size > 1).map(([name]) => name)
	process.stdout.write(
		`webhook: ${sent.acknowledged.length} acknowledged, ${lost.length} lost, ${duplicated.length} duplicated, ${records - ids.size} repeated with the same id, ${sent.again} batches sent again\n`,
	)
	expect([lost, duplicated]).toEqual([[], []])
	expect(sent.again).toBeGreaterThanOrEqual(kills)
	expect(ids.size).toBe(sent.acknowledged.length)
})
