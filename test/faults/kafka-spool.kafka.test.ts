// The spool under kills: what was acknowledged while no broker was there outlives the process; and when it is full, appending pauses, audit entries last.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Redacted } from '#records/record.ts'
import { systemClock } from '#runtime/clock.ts'
import type { KubetapeError } from '#runtime/errors.ts'
import { openKafkaLog } from '#storage/log/kafka/log.ts'
import { startKafka, type KafkaServer } from '#test/support/kafka.ts'
import { kafkaConfig } from '#test/support/kafka-log.ts'
import { tellFault } from '#test/support/fault-line.ts'
import { eventually, temporaryFolder } from '#test/support/program.ts'
import { createRandom, seedOf } from '#test/support/random.ts'
import { aLogLine, anAuditEntry, asRedacted, numberedRecord } from '#test/support/records.ts'
import { count, numberOf, pause, readEverything } from './kafka-support.ts'
import type { AppendChild } from './kafka-append-child.ts'

const seed = seedOf('kafka-spool.kafka.test.ts')
const random = createRandom(seed)
let server: KafkaServer
let folder: ReturnType<typeof temporaryFolder>
let prefixes = 0
beforeAll(async () => {
	server = await startKafka()
})
afterAll(() => server?.[Symbol.asyncDispose]())
beforeEach(() => {
	folder = temporaryFolder('kafka-spool')
})
afterEach(() => folder.remove())

/** Appends as a process of its own; `kill` gives everything that it acknowledged. */
async function startChild(options: AppendChild): Promise<{ readonly said: () => number; kill(): Promise<readonly number[]> }> {
	const args = [
		'--disable-warning=ExperimentalWarning',
		'--disable-warning=TimeoutNegativeWarning',
		join(import.meta.dirname, 'kafka-append-child.ts'),
	]
	const child = spawn(process.execPath, [...args, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] })
	let said = ''
	child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
	await once(child.stdout, 'data')
	return {
		said: () => said.split('\n').length - 2,
		async kill() {
			const ended = once(child, 'close')
			child.kill('SIGKILL')
			await ended
			// The last line may be cut by the kill: it was not acknowledged in full.
			return said.split('\n').slice(1, -1).map(Number)
		},
	}
}

it('a process is killed while its records wait on the disk, again and again', async () => {
	const settings = { topicPrefix: `spool${++prefixes}`, partitions: 2, spool: { afterMs: 300 } }
	const acknowledged = new Set<number>()
	let spooled = 0
	for (let kill = 0; kill < 3; kill++) {
		const child = await startChild({ brokers: server.brokers, config: settings, dir: folder.path, from: kill * 10_000_000 })
		await eventually(
			async () => child.said(),
			(numbers) => numbers > 100,
		)
		await server.kill()
		const before = child.said()
		await pause(1000 + random() * 1500)
		spooled += child.said() - before
		for (const number of await child.kill()) acknowledged.add(number)
		await server.start()
	}
	expect(readdirSync(join(folder.path, 'spool')).length).toBeGreaterThan(0)
	const options = { config: kafkaConfig(server.brokers, settings), dir: folder.path, clock: systemClock }
	const counted = count(acknowledged, await readEverything(options))
	const outcome = { acknowledged: counted.acknowledged, lost: counted.lost, readAgain: counted.doubled, gaps: 0, rejects: 0 }
	tellFault('F12 producing: the process killed while records wait on the disk', outcome, { spooled, kills: 3, seed })
	expect(spooled).toBeGreaterThan(100)
	expect(counted).toMatchObject({ lost: 0, disordered: 0 })
})

it('when it is full, log lines wait first and audit entries last, and all of them come in the end', async () => {
	const settings = { topicPrefix: `spool${++prefixes}`, spool: { afterMs: 100, bytesMax: 200_000 } }
	const options = { config: kafkaConfig(server.brokers, settings), dir: folder.path, clock: systemClock }
	await using log = await openKafkaLog(options)
	await server.stop()
	const noise = (): string => Array.from({ length: 4000 }, () => Math.floor(random() * 2 ** 32).toString(36)).join('')
	const codes: string[] = []
	const taken: { readonly lines: string[]; readonly audits: string[] } = { lines: [], audits: [] }
	const put = async (stream: 'logs' | 'records', record: Redacted, to: string[]): Promise<boolean> => {
		try {
			await log.append(stream, [record])
			to.push(record.id)
			return true
		} catch (error) {
			codes.push((error as KubetapeError).code)
			return false
		}
	}
	let offset = 0
	while (await put('logs', asRedacted(aLogLine({ offset: ++offset, text: noise() })), taken.lines));
	expect(codes).toEqual(['STORAGE_BUSY'])
	let audits = 0
	while (await put('records', asRedacted(anAuditEntry({ auditID: `audit-${++audits}`, requestURI: `/${noise()}` })), taken.audits));
	expect(codes).toEqual(['STORAGE_BUSY', 'STORAGE_BUSY'])
	expect(taken.lines.length).toBeGreaterThan(3)
	expect(taken.audits.length).toBeGreaterThan(0)
	await server.start()
	const read = new Set<string>()
	for await (const { records } of log.read('g', ['records', 'logs'], AbortSignal.timeout(60_000))) {
		for (const { id } of records) read.add(id)
		if (read.size >= taken.lines.length + taken.audits.length) break
	}
	const all = [...taken.lines, ...taken.audits]
	tellFault(
		'F12 producing: the disk space for waiting records is used up',
		{ acknowledged: all.length, lost: all.filter((id) => !read.has(id)).length, gaps: 0, rejects: 0 },
		{ lines: taken.lines.length, 'audit entries': taken.audits.length, 'appends made again': codes.length, seed },
	)
	expect([...read].toSorted()).toEqual(all.toSorted())
	await eventually(
		async () => put('logs', asRedacted(aLogLine({ offset: ++offset })), taken.lines),
		(isTaken) => isTaken,
	)
})

it('a process that starts while the brokers are away records at once, where it knows the topics', async () => {
	const settings = { topicPrefix: `spool${++prefixes}`, spool: { afterMs: 300 } }
	const options = { config: kafkaConfig(server.brokers, settings), dir: folder.path, clock: systemClock }
	const first = await openKafkaLog(options)
	await first.append('records', [numberedRecord(1)])
	await first[Symbol.asyncDispose]()
	await server.kill()
	const other = { ...options, config: kafkaConfig(server.brokers, { ...settings, partitions: 2 }) }
	await expect(openKafkaLog(other), 'of other topics nothing is known').rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
	await using again = await openKafkaLog(options)
	await again.append('records', [numberedRecord(2)])
	await server.start()
	const read: number[] = []
	for await (const { records } of again.read('g', ['records'], AbortSignal.timeout(60_000))) {
		read.push(...records.map(numberOf))
		if (read.length >= 2) break
	}
	expect(read).toEqual([1, 2])
})
