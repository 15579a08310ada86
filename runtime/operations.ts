// A port for those who operate the program: /livez, /readyz, /metrics of one process, and nothing that was recorded. For probes and Prometheus, which come from elsewhere.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { KubetapeError, messageOf } from './errors.ts'
import type { HealthReport } from './health.ts'
import { isLoopbackAddress, isLoopbackHost } from './listen.ts'

export interface Operations {
	readonly metrics: () => Promise<string>
	readonly health: () => HealthReport | Promise<HealthReport>
}

/** Prometheus' text format, as prom-client writes it. */
export const metricsType = 'text/plain; version=0.0.4; charset=utf-8'
const requestMs = 10_000

function answer(response: ServerResponse, status: number, type: string, body: string): void {
	response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }).end(body)
}

async function route(path: string, { metrics, health }: Operations, response: ServerResponse): Promise<void> {
	if (path === '/metrics') return answer(response, 200, metricsType, await metrics())
	// Alive is who answers: a process that cannot go on ends by itself, and one that waits for another is not helped by a restart.
	const report = path === '/livez' ? { ok: true, parts: {} } : path === '/readyz' ? await health() : undefined
	if (report) return answer(response, report.ok ? 200 : 503, 'application/json; charset=utf-8', JSON.stringify(report))
	answer(response, 404, 'text/plain; charset=utf-8', 'there are /livez, /readyz and /metrics\n')
}

/** Resolves with its address when it listens. Throws RUNTIME_PORT_TAKEN or RUNTIME_NO_PERMISSION. */
export async function openOperations(
	{ host, port }: { readonly host: string; readonly port: number },
	operations: Operations,
): Promise<{ readonly address: string } & AsyncDisposable> {
	const server = createServer({ requestTimeout: requestMs, headersTimeout: requestMs }, (request, response) => {
		request.resume()
		if (request.method !== 'GET' && request.method !== 'HEAD') return answer(response, 405, 'text/plain', 'GET only\n')
		// A page of another origin that has rebound its name cannot send this machine's.
		if (isLoopbackAddress(request.socket.localAddress) && !isLoopbackHost(request.headers.host ?? ''))
			return answer(response, 403, 'text/plain', 'this host is not this machine\n')
		route((request.url ?? '').split('?')[0] ?? '', operations, response).catch((error: unknown) =>
			answer(response, 500, 'text/plain', `${messageOf(error)}\n`),
		)
	})
	try {
		server.listen(port, host)
		await once(server, 'listening')
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException
		const known = code === 'EADDRINUSE' ? 'RUNTIME_PORT_TAKEN' : code === 'EACCES' ? 'RUNTIME_NO_PERMISSION' : undefined
		throw known ? new KubetapeError(known, `operations: ${host}:${port}: ${messageOf(error)}`, { cause: error }) : error
	}
	const bound = server.address()
	const boundPort = typeof bound === 'object' && bound !== null ? bound.port : port
	return {
		address: `http://${host.includes(':') ? `[${host}]` : host}:${boundPort}`,
		[Symbol.asyncDispose]: async () => {
			server.close()
			server.closeAllConnections()
		},
	}
}
