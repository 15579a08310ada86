// Role all-in-one: collect, process and serve in one process, each on its own worker thread, over the same code as apart.
import { Worker } from 'node:worker_threads'
import type { Config } from '#cli/config.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { createHealth } from '#runtime/health.ts'
import { aborted, atMost } from '#runtime/lifecycle.ts'
import { roleNames, type RoleName } from './context.ts'
import { keepHeapsSmall } from './heap.ts'
import type { FromWorker, MetricsJson, ToWorker, WorkerInput } from './worker.ts'

const stopMs = 10_000
const metricsMs = 2000
/** Young generation of a worker: large enough for a batch, small enough for the memory budget of the whole. */
const youngMegabytes: Readonly<Record<RoleName, number>> = { collect: 16, process: 16, serve: 8 }

export async function allInOne(
	config: Config,
	options: { readonly webRoot?: string; readonly onReady: (address: string) => void },
	signal: AbortSignal,
): Promise<void> {
	const health = createHealth()
	const workers = new Map<RoleName, Worker>()
	const ends: Promise<void>[] = []
	const gatherers = new Map<number, (part: MetricsJson) => void>()
	let asked = 0
	let failure: KubetapeError | undefined
	/** Roles that have not said yet how they are. */
	const starting = new Set<RoleName>(roleNames)
	let listening: string | undefined
	const stop = new AbortController()
	const both = AbortSignal.any([signal, stop.signal])
	const tell = (role: RoleName, message: ToWorker): void => workers.get(role)?.postMessage(message)

	/** What each worker that still answers counts, gathered within metricsMs. */
	const gather = async (): Promise<readonly MetricsJson[]> => {
		const parts: MetricsJson[] = []
		const answers = [...workers.keys()].map((role) => {
			const id = ++asked
			return new Promise<void>((resolve) => {
				gatherers.set(id, (part) => {
					parts.push(part)
					resolve()
				})
				tell(role, { type: 'metrics-wanted', id })
			})
		})
		await atMost(metricsMs, Promise.all(answers))
		return parts
	}

	/** Told once, when the page is there and no role has failed to start: what is refused is never announced. */
	const announce = (): void => {
		if (listening === undefined || starting.size > 0 || failure) return
		options.onReady(listening)
		listening = undefined
	}

	const hear = (role: RoleName, message: FromWorker): void => {
		if (message.type === 'report') {
			health.set(message.name, message.ok, message.message)
			if (message.name === role) starting.delete(role)
			announce()
		} else if (message.type === 'listening') {
			listening = message.address
			announce()
		} else if (message.type === 'metrics') {
			gatherers.get(message.id)?.(message.json)
			gatherers.delete(message.id)
		} else if (message.type === 'all-metrics-wanted')
			void gather().then((parts) => tell(role, { type: 'all-metrics', id: message.id, parts }))
		else if (message.type === 'health-wanted') tell(role, { type: 'health', id: message.id, report: health.report() })
		else failure ??= new KubetapeError(message.code, message.message, { details: { role, stack: message.stack } })
	}

	// Three roles share one process.
	keepHeapsSmall()
	for (const role of roleNames) {
		health.set(role, false, 'starting')
		const input: WorkerInput = { role, config, ...(options.webRoot === undefined ? {} : { webRoot: options.webRoot }) }
		const worker = new Worker(new URL('./worker.ts', import.meta.url), {
			workerData: input,
			resourceLimits: { maxYoungGenerationSizeMb: youngMegabytes[role] },
		})
		workers.set(role, worker)
		worker.on('message', (message: FromWorker) => hear(role, message))
		ends.push(
			new Promise((resolve) => {
				worker.on('error', (error) => {
					failure ??= new KubetapeError('INTERNAL', `role ${role}: ${error.message}`, { cause: error })
				})
				worker.on('exit', () => {
					workers.delete(role)
					stop.abort()
					resolve()
				})
			}),
		)
	}
	await aborted(both)
	// In reverse: first nobody asks, then nothing new is read, then what was read is stored.
	for (const role of roleNames.toReversed()) tell(role, { type: 'stop' })
	await atMost(stopMs, Promise.all(ends))
	await Promise.all([...workers.values()].map((worker) => worker.terminate()))
	if (failure) throw failure
}
