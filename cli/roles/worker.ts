// One role on its own worker thread of all-in-one: runs it, and answers for its metrics and state.
import { parentPort, workerData } from 'node:worker_threads'
import { AggregatorRegistry, type MetricObjectWithValues, type MetricValue } from 'prom-client'
import type { Config } from '#cli/config.ts'
import { isRetryable, KubetapeError, messageOf, type ErrorCode } from '#runtime/errors.ts'
import type { HealthReport } from '#runtime/health.ts'
import { addProcessMetrics } from '#runtime/metrics.ts'
import { createRoleContext, type RoleName } from './context.ts'

export interface WorkerInput {
	readonly role: RoleName
	readonly config: Config
	readonly webRoot?: string
}

export type MetricsJson = MetricObjectWithValues<MetricValue<string>>[]

/** Main to worker. */
export type ToWorker =
	| { readonly type: 'stop' }
	| { readonly type: 'metrics-wanted'; readonly id: number }
	| { readonly type: 'all-metrics'; readonly id: number; readonly parts: readonly MetricsJson[] }
	| { readonly type: 'health'; readonly id: number; readonly report: HealthReport }
/** Worker to main. */
export type FromWorker =
	| { readonly type: 'report'; readonly name: string; readonly ok: boolean; readonly message: string }
	| { readonly type: 'listening'; readonly address: string }
	| { readonly type: 'metrics'; readonly id: number; readonly json: MetricsJson }
	| { readonly type: 'all-metrics-wanted'; readonly id: number }
	| { readonly type: 'health-wanted'; readonly id: number }
	| { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string; readonly stack: string }

const port = parentPort
if (!port) throw new Error('cli/roles/worker.ts runs as a worker thread only')
const input = workerData as WorkerInput
const say = (message: FromWorker): void => port.postMessage(message)
const stop = new AbortController()
const waiting = new Map<number, (parts: readonly MetricsJson[]) => void>()
const waitingForHealth = new Map<number, (report: HealthReport) => void>()
let asked = 0

const context = createRoleContext(input.role, input.config, (name, ok, message) => say({ type: 'report', name, ok, message }))
// CPU, memory and the event loop of this process; the loop is that of the thread that answers.
if (input.role === 'serve') addProcessMetrics(context.metrics)

port.on('message', (message: ToWorker) => {
	if (message.type === 'stop') stop.abort()
	else if (message.type === 'health') {
		waitingForHealth.get(message.id)?.(message.report)
		waitingForHealth.delete(message.id)
	} else if (message.type === 'metrics-wanted') void answerMetrics(message.id)
	else {
		waiting.get(message.id)?.(message.parts)
		waiting.delete(message.id)
	}
})

async function answerMetrics(id: number): Promise<void> {
	say({ type: 'metrics', id, json: await context.metrics.registry.getMetricsAsJSON() })
}

function allMetrics(): Promise<string> {
	const id = ++asked
	return new Promise<readonly MetricsJson[]>((resolve) => {
		waiting.set(id, resolve)
		say({ type: 'all-metrics-wanted', id })
	}).then((parts) => AggregatorRegistry.aggregate([...parts]).metrics())
}

/** Asked of the main thread each time: it knows how long each role has said nothing. */
function allHealth(): Promise<HealthReport> {
	const id = ++asked
	return new Promise((resolve) => {
		waitingForHealth.set(id, resolve)
		say({ type: 'health-wanted', id })
	})
}

try {
	// Each thread loads its own role only: the others' libraries would cost it as much memory again.
	if (input.role === 'collect') await (await import('./collect.ts')).collect(context, stop.signal)
	else if (input.role === 'process') await (await import('./process.ts')).process_(context, stop.signal)
	else {
		const { serve } = await import('./serve.ts')
		const options = { metrics: allMetrics, health: allHealth, onListening: (address: string) => say({ type: 'listening', address }) }
		await serve(context, input.webRoot === undefined ? options : { ...options, webRoot: input.webRoot }, stop.signal)
	}
} catch (error) {
	// What was handed over is durable, and what was not is read again: told to end, a role need not wait for a storage that is away.
	if (!(stop.signal.aborted && isRetryable(error)))
		say({
			type: 'failed',
			code: error instanceof KubetapeError ? error.code : 'INTERNAL',
			message: messageOf(error),
			stack: error instanceof Error ? (error.stack ?? '') : '',
		})
} finally {
	port.close()
}
