// A server that answers as Kibana does, for tests of what is sent to it: it keeps every request, and can be told what to answer.
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

export interface KibanaRequest {
	readonly method: string
	readonly url: string
	readonly headers: IncomingHttpHeaders
	readonly body: Buffer
}

export interface Reply {
	readonly status: number
	readonly body: unknown
	/** In place of the one that tells Kibana. */
	readonly headers?: Readonly<Record<string, string>>
}

export interface KibanaServer extends AsyncDisposable {
	readonly url: string
	readonly requests: readonly KibanaRequest[]
}

/** As /api/status answers somebody who is signed in. */
export const ready = (version = '9.1.4'): Reply => ({
	status: 200,
	body: {
		name: 'kibana',
		version: { number: version },
		status: { overall: { level: 'available', summary: 'All services are available' } },
	},
})

/** What the import route checks, and answers (src/core/packages/saved-objects/server-internal/src/routes/import.ts in Kibana's source). */
export function imports(request: KibanaRequest): Reply {
	if (request.headers['kbn-xsrf'] === undefined) return refusal(400, 'Request must contain a kbn-xsrf header.')
	const boundary = /^multipart\/form-data; boundary=(\S+)$/.exec(request.headers['content-type'] ?? '')?.[1]
	if (boundary === undefined) return refusal(415, 'Unsupported Media Type')
	const text = request.body.toString()
	const part = new RegExp(
		`^--${boundary}\\r\\nContent-Disposition: form-data; name="file"; filename="([^"]+)"\\r\\nContent-Type: [^\\r]+\\r\\n\\r\\n([^]*)\\r\\n--${boundary}--\\r\\n$`,
	).exec(text)
	if (!part) return refusal(400, '[request body.file]: expected value of type [Stream] but got [undefined]')
	if (!part[1]?.endsWith('.ndjson')) return refusal(400, 'Invalid file extension')
	const objects = lines(part[2] ?? '').filter((line) => !('exportedCount' in line))
	const successResults = objects.map(({ type, id }) => ({ type, id, overwrite: true }))
	return { status: 200, body: { success: true, successCount: objects.length, successResults, warnings: [] } }
}

export const refusal = (statusCode: number, message: string): Reply => ({
	status: statusCode,
	body: { statusCode, error: 'Refused', message },
})

export const lines = (text: string): readonly Readonly<Record<string, unknown>>[] =>
	text
		.split('\n')
		.filter((line) => line !== '')
		.map((line) => JSON.parse(line) as Record<string, unknown>)

/** `answer` is asked for the reply to each request, and given how many there were before. */
export async function startKibana(
	answer: (request: KibanaRequest, before: number) => Reply,
	tls?: { readonly key: Buffer; readonly cert: Buffer },
): Promise<KibanaServer> {
	const requests: KibanaRequest[] = []
	const listener: Parameters<typeof createServer>[1] = (incoming, outgoing) => {
		void buffer(incoming).then((body) => {
			const request = { method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers, body }
			const { status, body: text, headers } = answer(request, requests.length)
			requests.push(request)
			outgoing.writeHead(status, headers ?? { 'kbn-name': 'kibana' })
			outgoing.end(typeof text === 'string' ? text : JSON.stringify(text))
		})
	}
	const server: Server = tls ? createSecureServer(tls, listener) : createServer(listener)
	await new Promise<void>((resolve) => {
		server.listen(0, '127.0.0.1', resolve)
	})
	return {
		url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
		requests,
		[Symbol.asyncDispose]: () =>
			new Promise((resolve) => {
				server.close(() => resolve())
				server.closeAllConnections()
			}),
	}
}
