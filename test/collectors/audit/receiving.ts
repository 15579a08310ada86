// A webhook receiver that listens, and what API servers send to it.
import { request as plainRequest } from 'node:http'
import { request as tlsRequest, type RequestOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { AuditWebhookConfig } from '#collectors/audit/config.ts'
import { createAuditWebhook, type AuditWebhookContext } from '#collectors/audit/webhook.ts'
import type { Emit } from '#collectors/port.ts'
import { systemClock } from '#runtime/clock.ts'
import { silentLogger } from '#runtime/log.ts'
import { createMetrics } from '#runtime/metrics.ts'

export interface Receiving {
	readonly port: number
	readonly stop: () => Promise<void>
}

export async function startReceiving(
	emit: Emit,
	config: Partial<AuditWebhookConfig> = {},
	context: Partial<AuditWebhookContext> = {},
): Promise<Receiving> {
	const stop = new AbortController()
	const listening = Promise.withResolvers<AddressInfo>()
	const webhook = createAuditWebhook(
		{ host: '127.0.0.1', port: 0, ...config },
		{ clock: systemClock, log: silentLogger, metrics: createMetrics(), clusters: ['prod'], onListening: listening.resolve, ...context },
	)
	const running = webhook.run(emit, stop.signal)
	running.catch(listening.reject)
	const { port } = await listening.promise
	return {
		port,
		async stop() {
			stop.abort()
			await running
		},
	}
}

export interface Answer {
	readonly status: number
	readonly headers: Readonly<Record<string, unknown>>
}

/** Sends the parts one after another, without telling their length unless a header does. Rejects where the connection ends before an answer. */
export function send(parts: Iterable<string | Buffer>, options: RequestOptions & { readonly tls?: boolean }): Promise<Answer> {
	return new Promise((resolve, reject) => {
		const make = options.tls === true ? tlsRequest : plainRequest
		const request = make({ host: '127.0.0.1', method: 'POST', path: '/audit/prod', agent: false, ...options }, (response) => {
			response.resume()
			resolve({ status: response.statusCode ?? 0, headers: response.headers })
		})
		request.on('error', reject)
		for (const part of parts) request.write(part)
		request.end()
	})
}

export const listOf = (items: readonly string[]): string =>
	`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[${items.join(',')}]}`
