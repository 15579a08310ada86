// Role serve: the API and the page over the store.
import { createApi } from '#api/app.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import type { HealthReport } from '#runtime/health.ts'
import { atMost } from '#runtime/lifecycle.ts'
import { refuseBeyondLoopback } from '#runtime/listen.ts'
import { secondsBuckets } from '#runtime/metrics.ts'
import { version } from '#cli/version.ts'
import { keepChecking, storeCheck } from './checks.ts'
import type { RoleContext } from './context.ts'
import { openStore } from './engines.ts'
import { openRoleOperations } from './operations.ts'

export interface ServeOptions {
	/** The built page; none: the API alone. */
	readonly webRoot?: string
	/** Metrics and state of the other roles of this process, where there are any. */
	readonly metrics: () => Promise<string>
	readonly health: () => HealthReport | Promise<HealthReport>
	readonly onListening: (address: string) => void
}

const closeMs = 5000

function answersOf({ metrics }: RoleContext): (route: string, status: number, seconds: number) => void {
	const requests = metrics.histogram('kubetape_api_request_seconds', 'Answers of the API, live streams aside', secondsBuckets, [
		'route',
		'status',
	])
	return (route, status, seconds) => requests.observe({ route, status: String(status) }, seconds)
}

export async function serve(context: RoleContext, options: ServeOptions, signal: AbortSignal): Promise<void> {
	const { host, port } = context.config.server
	refuseBeyondLoopback(host)
	await using store = await openStore(context, { readOnly: true }, signal)
	await using _operations = await openRoleOperations(context, options)
	const api = await createApi({
		store,
		clock: context.clock,
		metrics: { render: options.metrics, answered: answersOf(context) },
		health: { live: () => ({ ok: true, parts: {} }), ready: async () => options.health() },
		clusters: context.config.clusters.map((cluster) => ({ name: cluster.name, replay: cluster.replay !== undefined })),
		logger: context.logger,
		version,
		...(options.webRoot === undefined ? {} : { webRoot: options.webRoot }),
	})
	try {
		const address = await api.listen({ host, port })
		context.report(true, `listening on ${address}`)
		options.onListening(address)
		await keepChecking(context, [storeCheck(store)], signal)
	} catch (error) {
		const code = (error as NodeJS.ErrnoException).code
		if (code === 'EADDRINUSE')
			throw new KubetapeError('RUNTIME_PORT_TAKEN', `${host}:${port} is taken: stop what listens there, or choose another with --port`, {
				cause: error,
			})
		if (code === 'EACCES') throw new KubetapeError('RUNTIME_NO_PERMISSION', `${host}:${port}: ${messageOf(error)}`, { cause: error })
		throw error
	} finally {
		await atMost(closeMs, api.close())
	}
}
