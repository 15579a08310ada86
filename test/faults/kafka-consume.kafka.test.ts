// Reading while members of the group come, go and are killed, and brokers fail: everything that was acknowledged is read, and stored before it is committed.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '#runtime/clock.ts'
import { openKafkaLog } from '#storage/log/kafka/log.ts'
import type { RecordLog } from '#storage/log/port.ts'
import { startKafka, type KafkaServer } from '#test/support/kafka.ts'
import { kafkaConfig } from '#test/support/kafka-log.ts'
import { apiKeys, startKafkaProxy } from '#test/support/kafka-proxy.ts'
import { tellFault } from '#test/support/fault-line.ts'
import { eventually, temporaryFolder } from '#test/support/program.ts'
import { createRandom, seedOf } from '#test/support/random.ts'
import { count, pause, startAppending, type Appending } from './kafka-support.ts'
import type { ReadChild } from './kafka-read-child.ts'

const seed = seedOf('kafka-consume.kafka.test.ts')
const random = createRandom(seed)
const settings = { partitions: 8, sessionTimeoutMs: 6000, spool: { afterMs: 5000, bytesMax: 0 } }
const recoveryMs = 120_000
let stack: AsyncDisposableStack
let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
	folder = temporaryFolder('kafka-consume')
	stack = new AsyncDisposableStack()
	stack.defer(() => folder.remove())
})
afterEach(() => stack.disposeAsync())

/** Members of one group, as processes; each writes to the same file. */
class Members {
	readonly #options: Omit<ReadChild, 'dir'>
	readonly #running: ChildProcess[] = []
	/** Members that ended by themselves, and what they said. */
	readonly failures: string[] = []
	#made = 0

	constructor(brokers: readonly string[], more: Partial<ReadChild> = {}) {
		this.#options = { brokers, config: settings, file: join(folder.path, 'stored'), batchMs: 5, ...more }
	}

	get file(): string {
		return this.#options.file
	}

	/** Resolves when it has the topics; it joins the group after that. */
	async start(): Promise<void> {
		const dir = join(folder.path, `member-${++this.#made}`)
		mkdirSync(dir)
		const args = [
			'--disable-warning=ExperimentalWarning',
			'--disable-warning=TimeoutNegativeWarning',
			join(import.meta.dirname, 'kafka-read-child.ts'),
		]
		const child = spawn(process.execPath, [...args, JSON.stringify({ ...this.#options, dir })], { stdio: ['ignore', 'pipe', 'pipe'] })
		let said = ''
		child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
		child.on('exit', (code) => {
			if (code !== null && code !== 0) this.failures.push(`a member ended with ${code}: ${said.slice(-2000)}`)
		})
		this.#running.push(child)
		await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
	}

	/** The one that has been there for the longest. */
	async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
		const child = this.#running.shift()
		if (!child || child.exitCode !== null || child.signalCode !== null) return
		const ended = once(child, 'exit')
		child.kill(signal)
		await ended
	}

	async [Symbol.asyncDispose](): Promise<void> {
		while (this.#running.length > 0) await this.end('SIGKILL')
	}

	stored(): readonly number[] {
		return existsSync(this.file)
			? readFileSync(this.file, 'utf8')
					.split('\n')
					.slice(0, -1)
					.filter((line) => line !== '')
					.map(Number)
			: []
	}

	losses(): readonly string[] {
		return existsSync(`${this.file}.losses`) ? readFileSync(`${this.file}.losses`, 'utf8').split('\n').slice(0, -1) : []
	}
}

const lagOf = async (log: RecordLog): Promise<number> =>
	(await log.lag('store', ['records']).catch(() => [{ records: -1n }])).reduce((sum, { records }) => sum + Number(records), 0)

/** Appends and reads while `fault` runs, then waits until everything is committed, and counts. */
async function underFault(
	name: string,
	brokers: readonly string[],
	members: Members,
	fault: (appending: Appending) => Promise<object>,
): Promise<void> {
	const log = stack.use(await openKafkaLog({ config: kafkaConfig(brokers, settings), dir: folder.path, clock: systemClock }))
	const appending = startAppending(log, random)
	const told = await fault(appending)
	await appending.stop()
	const begun = performance.now()
	await eventually(
		() => lagOf(log),
		(lag) => lag === 0,
		recoveryMs,
	).catch((error: unknown) => {
		throw new Error(`${String(error)}; ${members.failures.join('\n')}`)
	})
	const counted = count(appending.acknowledged, members.stored())
	const { acknowledged, lost, doubled } = counted
	const outcome = { acknowledged, lost, readAgain: doubled, gaps: members.losses().length, rejects: 0 }
	tellFault(`F12 consuming: ${name}`, outcome, { ...told, recoveredMs: Math.round(performance.now() - begun), seed })
	expect(members.failures).toEqual([])
	expect(counted.lost).toBe(0)
	expect(members.losses()).toEqual([])
	expect(counted.acknowledged).toBeGreaterThan(1000)
}

const startServer = async (nodes: 1 | 3): Promise<KafkaServer> => stack.use(await startKafka({ nodes }))

it('members come, go and are killed all the time', async () => {
	const server = await startServer(1)
	const members = stack.use(new Members(server.brokers))
	await Promise.all([members.start(), members.start(), members.start()])
	await underFault('rebalance storm', server.brokers, members, async () => {
		let churn = 0
		for (; churn < 8; churn++) {
			await pause(1000 + random() * 2500)
			await members.end(random() < 0.5 ? 'SIGKILL' : 'SIGTERM')
			await members.start()
		}
		return { churn }
	})
})

it('a broker is killed while it is read from', async () => {
	const server = await startServer(1)
	const members = stack.use(new Members(server.brokers))
	await Promise.all([members.start(), members.start()])
	await underFault('a broker killed and started again', server.brokers, members, async () => {
		for (let kills = 0; kills < 2; kills++) {
			await pause(3000 + random() * 2000)
			await server.kill()
			await server.start()
		}
		return { kills: 2 }
	})
})

it('three brokers are killed in turn, and members at the same time', async () => {
	const server = await startServer(3)
	const members = stack.use(new Members(server.brokers))
	await Promise.all([members.start(), members.start()])
	await underFault('three brokers killed in turn, and members', server.brokers, members, async () => {
		for (const node of [1, 2, 3]) {
			await pause(2000 + random() * 2000)
			await server.kill(node)
			await members.end('SIGKILL')
			await members.start()
			await server.start(node)
		}
		return { kills: 6 }
	})
})

it('a partition with records that are not read is noticed, and read by another member', async () => {
	const proxy = stack.use(await startKafkaProxy())
	const server = stack.use(await startKafka({ advertised: [proxy.port] }))
	proxy.forwardTo(server.brokers[0] ?? '')
	const through = [`127.0.0.1:${proxy.port}`]
	const members = stack.use(new Members(through, { stallMs: 4000, batchMs: 0 }))
	let held = 0
	await underFault('a member whose fetches hang', through, members, async (appending) => {
		await members.start()
		await eventually(
			async () => members.stored().length,
			(stored) => stored > 500,
		)
		// Heartbeats go on, and nothing is fetched: nobody but the watchdog would notice.
		let holding = true
		proxy.onRequest = (apiKey) => {
			if (apiKey === apiKeys.joinGroup) holding = false
			if (!holding || apiKey !== apiKeys.fetch) return 'pass'
			held += 1
			return 'hold'
		}
		await eventually(
			async () => holding,
			(still) => !still,
			60_000,
		)
		await appending.stop()
		return { held }
	})
	await members.end('SIGTERM')
	expect(readFileSync(`${members.file}.rejoins`, 'utf8')).toMatch(/^stall [1-9]\d*$/m)
	expect(held).toBeGreaterThan(0)
})
