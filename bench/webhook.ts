// The audit webhook: the real collect process on one core, beside the least that a webhook can be (parse, sync, answer): entries a second, the delay of answers at 12,000 a second, the largest body, and what a reader finds after SIGKILLs.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readEntries } from '#test/faults/webhook-support.ts'
import { createRandom, seedOf } from '#test/support/random.ts'
import { barOf, costOf, endProcess, median, sleep, waitedSeconds } from './subject.ts'

export const name = 'audit webhook'

const apiServers = 3
const entriesPerBatch = 400
const batches = 300
const rounds = 3
const kills = 4
const largestBody = 32 * 1024 * 1024
const node = [process.execPath, '--disable-warning=ExperimentalWarning'] as const

interface Sent {
	readonly acknowledged: readonly number[]
	/** Milliseconds from when a batch was due to its answer. */
	readonly taken: readonly number[]
	readonly refused: number
	readonly seconds: number
	/** Of one body. */
	readonly bytes: number
}

async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1')
	await once(server, 'listening')
	const { port } = server.address() as AddressInfo
	server.close()
	await once(server, 'close')
	return port
}

/** On the first core, so that the client has the other. */
function onOneCore(args: readonly string[]): ChildProcess {
	return spawn('taskset', ['-c', '0', ...node, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
}

function startOurs(dir: string, port: number): ChildProcess {
	const file = join(dir, 'config.yaml')
	writeFileSync(file, `dataDir: ${join(dir, 'data')}\nlogLevel: error\nwebhook: { port: ${port} }\nclusters: [{ name: bench }]\n`)
	return onOneCore(['cli/main.ts', 'collect', '--config', file])
}

/** Resolves when all is acknowledged. */
async function send(port: number, total: number, entries: number, rateHz: number, connections = apiServers): Promise<Sent> {
	const args = ['bench/children/audit-client.ts', ...[port, connections, total, entries, rateHz].map(String)]
	const child = spawn('taskset', ['-c', '1', ...node, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
	let text = ''
	child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
	const [code] = (await once(child, 'close')) as [number]
	if (code !== 0) throw new Error(`the client ended with ${code}`)
	return JSON.parse(text) as Sent
}

interface Speed {
	readonly perSecond: number
	readonly perCpuSecond: number
	readonly bytes: number
}

async function speedOf(port: number, child: ChildProcess): Promise<Speed> {
	await send(port, apiServers * 2, entriesPerBatch, 0)
	const before = costOf(child.pid ?? 0).cpuSeconds
	const { seconds, bytes } = await send(port, batches, entriesPerBatch, 0)
	const cpu = costOf(child.pid ?? 0).cpuSeconds - before
	await endProcess(child)
	return { perSecond: (batches * entriesPerBatch) / seconds, perCpuSecond: (batches * entriesPerBatch) / cpu, bytes }
}

async function speeds(print: (line: string) => void, dir: string): Promise<void> {
	const [ours, bare]: [Speed[], Speed[]] = [[], []]
	for (let round = 0; round < rounds; round += 1) {
		rmSync(join(dir, 'data'), { recursive: true, force: true })
		const port = await freePort()
		ours.push(await speedOf(port, startOurs(dir, port)))
		bare.push(await speedOf(port, onOneCore(['bench/children/bare-webhook.ts', String(port), join(dir, 'bare')])))
	}
	const of = (speed: readonly Speed[], field: 'perSecond' | 'perCpuSecond'): number => median(speed.map((one) => one[field]))
	const text = (speed: readonly Speed[]): string =>
		`${Math.round(of(speed, 'perSecond'))} entries/s, ${Math.round(of(speed, 'perCpuSecond'))} per CPU-second`
	const size = ((ours[0]?.bytes ?? 0) / entriesPerBatch).toFixed(0)
	print(
		`${entriesPerBatch} entries of ${size} bytes a batch, ${apiServers} API servers, the receiver on one core; medians of ${rounds} rounds`,
	)
	print(`Kubetape, read, redacted, durable: ${text(ours)} ${barOf(of(ours, 'perSecond'), '>=', 12_000)}`)
	const ratio = of(bare, 'perCpuSecond') / of(ours, 'perCpuSecond')
	print(`bare loop, parsed and synced:      ${text(bare)}; it costs 1/${ratio.toFixed(1)} of ours`)
}

interface Delay {
	readonly p50: number
	readonly p99: number
	readonly refused: number
	/** Part of the time for which the receiver was ready and another process had its core. */
	readonly waited: number
}

async function delayOf(port: number, child: ChildProcess): Promise<Delay> {
	await send(port, apiServers * 2, entriesPerBatch, 0)
	const before = waitedSeconds(child.pid ?? 0)
	const { taken, refused, seconds } = await send(port, batches, entriesPerBatch, 10)
	const waited = (waitedSeconds(child.pid ?? 0) - before) / seconds
	const sorted = taken.toSorted((a, b) => a - b)
	const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
	return { p50: at(0.5), p99: at(0.99), refused, waited }
}

async function delays(print: (line: string) => void, dir: string): Promise<void> {
	const [ours, bare]: [Delay[], Delay[]] = [[], []]
	for (let round = 0; round < rounds; round += 1) {
		rmSync(join(dir, 'data'), { recursive: true, force: true })
		const port = await freePort()
		const child = startOurs(dir, port)
		ours.push(await delayOf(port, child))
		if (round === 0) await largest(print, port, child)
		await endProcess(child)
		const other = onOneCore(['bench/children/bare-webhook.ts', String(port), join(dir, 'bare')])
		bare.push(await delayOf(port, other))
		await endProcess(other)
	}
	const of = (delay: readonly Delay[], field: keyof Delay): number => median(delay.map((one) => one[field]))
	const text = (delay: readonly Delay[]): string =>
		`p50 ${of(delay, 'p50').toFixed(0)} ms, p99 ${of(delay, 'p99').toFixed(0)} ms, ${of(delay, 'refused')} refused; its core was another’s for ${(of(delay, 'waited') * 100).toFixed(0)} % of the time`
	print('12,000 entries/s offered (each API server’s most: 10 batches/s), from due to 200:')
	print(`Kubetape:  ${text(ours)} ${barOf(of(ours, 'p99'), '<=', 100)}`)
	print(`bare loop: ${text(bare)}`)
}

async function largest(print: (line: string) => void, port: number, child: ChildProcess): Promise<void> {
	const entries = Math.floor(largestBody / ((await send(port, 1, entriesPerBatch, 0, 1)).bytes / entriesPerBatch)) - 1
	const large = await send(port, 1, entries, 0, 1)
	const { peakMb } = costOf(child.pid ?? 0)
	print(
		`a body of ${(large.bytes / 2 ** 20).toFixed(2)} MiB, ${entries} entries: answered 200 after ${(large.taken[0] ?? 0).toFixed(0)} ms; peak ${peakMb.toFixed(0)} MB`,
	)
}

/** Whoever got no 200 sends again; whoever got one does not: each entry must be there, under one id. */
async function killed(print: (line: string) => void, dir: string): Promise<void> {
	const seed = seedOf('bench webhook')
	const random = createRandom(seed)
	rmSync(join(dir, 'data'), { recursive: true, force: true })
	const port = await freePort()
	let child = startOurs(dir, port)
	const client = { isDone: false }
	const sending = send(port, batches, entriesPerBatch, 10).finally(() => (client.isDone = true))
	let killedTimes = 0
	for (; killedTimes < kills && !client.isDone; killedTimes += 1) {
		await sleep(1000 + random() * 1000)
		child.kill('SIGKILL')
		await once(child, 'exit')
		child = startOurs(dir, port)
	}
	const { acknowledged } = await sending
	child.kill('SIGKILL')
	await once(child, 'exit')
	const { ids: entries, records } = await readEntries(join(dir, 'data'))
	let lost = 0
	for (const batch of acknowledged)
		for (let index = 0; index < entriesPerBatch; index += 1)
			if (!entries.has(`${String(batch).padStart(8, '0')}-0000-4000-8000-${String(index).padStart(12, '0')}`)) lost += 1
	const doubled = [...entries.values()].filter((ids) => ids.size > 1).length
	const count = acknowledged.length * entriesPerBatch
	print(
		`SIGKILL ×${killedTimes + 1} (seed ${seed}): ${count} entries acknowledged, ${lost} lost, ${doubled} duplicated, ${records - entries.size} repeated under the same id ${barOf(lost + doubled, '<=', 0)}`,
	)
}

export async function run(print: (line: string) => void): Promise<void> {
	const dir = mkdtempSync(join(tmpdir(), 'kubetape-bench-webhook-'))
	try {
		await speeds(print, dir)
		await delays(print, dir)
		await killed(print, dir)
	} finally {
		rmSync(dir, { recursive: true, force: true })
	}
}
