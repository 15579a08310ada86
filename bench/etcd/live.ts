// One way, measured as one: a put is acknowledged by etcd → the record comes out of the record log, through the collect role as it is run, in another thread than its own.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { configSchema } from '#cli/config.ts'
import type { ToWorker, WorkerInput } from '#cli/roles/worker.ts'
import { connect } from '#collectors/etcd/client.ts'
import type { EtcdConfig } from '#collectors/etcd/config.ts'
import { systemClock } from '#runtime/clock.ts'
import { resolveConfig } from '#runtime/config.ts'
import { openSqliteLog } from '#storage/log/sqlite/log.ts'

export interface Pace {
	readonly perSecond: number
	readonly ms: number
}

const now = (): number => performance.timeOrigin + performance.now()

async function pause(ms: number): Promise<void> {
	await new Promise((resolve) => setTimeout(resolve, ms))
}

/** When etcd acknowledged each revision, put by a process of its own. */
async function put(config: EtcdConfig, { perSecond, ms }: Pace): Promise<readonly (readonly [revision: string, at: number])[]> {
	const puts = fork(join(import.meta.dirname, '../children/etcd-puts.ts'), [config.endpoints[0] ?? '', String(perSecond), String(ms)])
	const ended = once(puts, 'exit').then(([status]) => Promise.reject(new Error(`the puts ended with ${String(status)}`)))
	ended.catch(() => undefined) // it ends after its message, too
	const [acknowledged] = (await Promise.race([once(puts, 'message'), ended])) as [readonly (readonly [string, number])[]]
	return acknowledged
}

/** Milliseconds from the acknowledgement to `at`, in ascending order; the first second is not counted. */
async function waitsOf(config: EtcdConfig, pace: Pace, at: ReadonlyMap<string, number>): Promise<readonly number[]> {
	const acknowledged = await put(config, pace)
	while (acknowledged.some(([revision]) => !at.has(revision))) await pause(10)
	return acknowledged
		.slice(pace.perSecond)
		.map(([revision, from]) => (at.get(revision) ?? 0) - from)
		.toSorted((a, b) => a - b)
}

/** Out of a bare watch of the same etcd. */
export async function measureWatch(config: EtcdConfig, pace: Pace): Promise<readonly number[]> {
	using client = connect(config, config.endpoints[0] ?? '')
	const { revision } = await client.head('')
	const stream = await client.watch()
	const at = new Map<string, number>()
	stream.on('error', () => undefined)
	stream.on('data', (response) => {
		for (const { kv } of response.events) at.set(kv.mod_revision, now())
	})
	const key = Buffer.from([0])
	stream.write({
		create_request: { key, range_end: key, start_revision: (revision + 1n).toString(), prev_kv: true, fragment: true },
	})
	try {
		return await waitsOf(config, pace, at)
	} finally {
		stream.cancel()
	}
}

/** Out of the record log, by a reader in another thread than the collect role's, as the process role of all-in-one is. `dir`: an empty folder. */
export async function measureRead(etcd: EtcdConfig, dir: string, pace: Pace): Promise<readonly number[]> {
	const dataDir = join(dir, 'data')
	const tree = { dataDir, logLevel: 'error', clusters: [{ name: 'bench', etcd }] }
	const config = resolveConfig(configSchema, { file: { path: 'bench', tree } })
	const workerData: WorkerInput = { role: 'collect', config }
	const role = new Worker(new URL('../../cli/roles/worker.ts', import.meta.url), { workerData })
	const ended = once(role, 'exit')
	const stop = new AbortController()
	const at = new Map<string, number>()
	await using log = await openSqliteLog({ dir: join(dataDir, 'log'), clock: systemClock, partitions: 1 })
	const read = async (): Promise<void> => {
		for await (const batch of log.read('bench', ['records'], stop.signal)) {
			const when = now()
			for (const record of batch.records) if (record.kind === 'change') at.set(record.revision.toString(), when)
			await log.commit('bench', batch.next)
		}
	}
	const reading = read()
	try {
		while (at.size === 0) await pause(10)
		return await waitsOf(etcd, pace, at)
	} finally {
		stop.abort()
		await reading
		const message: ToWorker = { type: 'stop' }
		role.postMessage(message, [])
		await ended
	}
}
