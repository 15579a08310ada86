// Requests to the API server: address, TLS and credentials of a kubeconfig, or of the Pod's service account.
import { KubeConfig } from '@kubernetes/client-node'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import type { KubernetesConfig } from './config.ts'

export interface Answer {
	readonly status: number
	/** Seconds of Retry-After; 0 where there is none. */
	readonly retryAfterSeconds: number
	readonly stream: IncomingMessage
}

export interface Client {
	/** The answer's head; its body is a stream. Rejects with KUBERNETES_UNAVAILABLE. */
	open(path: string, accept: string, signal: AbortSignal): Promise<Answer>
	/** A whole JSON answer; rejects with the registry's error for its status. */
	get(path: string, accept: string, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>>
}

const answerBytesMax = 256 * 1024 * 1024
const headMs = 60_000

/** Throws KUBERNETES_AUTH where the kubeconfig cannot be used. */
export function createClient(config: KubernetesConfig): Client {
	const kube = new KubeConfig()
	try {
		if (config.kubeconfig === undefined) kube.loadFromCluster()
		else kube.loadFromFile(config.kubeconfig)
		if (config.context !== undefined) kube.setCurrentContext(config.context)
	} catch (error) {
		throw new KubetapeError('KUBERNETES_AUTH', `${config.kubeconfig ?? 'service account'}: ${messageOf(error)}`, { cause: error })
	}
	const server = kube.getCurrentCluster()?.server
	if (server === undefined) throw new KubetapeError('KUBERNETES_AUTH', `${config.kubeconfig ?? 'service account'}: no cluster in the current context`)

	const open: Client['open'] = async (path, accept, signal) => {
		const options: RequestOptions = { method: 'GET', headers: { accept }, signal, timeout: headMs }
		await kube.applyToHTTPSOptions(options)
		const url = new URL(server.replace(/\/$/, '') + path)
		return new Promise((resolve, reject) => {
			const request = (url.protocol === 'http:' ? httpRequest : httpsRequest)(url, options, (stream) => {
				request.setTimeout(0)
				resolve({ status: stream.statusCode ?? 0, retryAfterSeconds: Number(stream.headers['retry-after'] ?? 0) || 0, stream })
			})
			request.on('timeout', () => request.destroy(new Error(`no answer within ${headMs} ms`)))
			request.on('error', (error) => reject(new KubetapeError('KUBERNETES_UNAVAILABLE', `${url.origin}: ${error.message}`, { cause: error })))
			request.end()
		})
	}

	return {
		open,
		async get(path, accept, signal) {
			const answer = await open(path, accept, signal)
			const text = await readAll(answer.stream)
			if (answer.status === 200) return JSON.parse(text) as Record<string, unknown>
			throw statusError(answer.status, `${path.split('?')[0]} answered ${answer.status}: ${text.slice(0, 300)}`, answer.retryAfterSeconds)
		},
	}
}

export function statusError(status: number, message: string, retryAfterSeconds: number): KubetapeError {
	const details = { status, retryAfterSeconds }
	if (status === 410) return new KubetapeError('KUBERNETES_GONE', message, { details })
	if (status === 401 || status === 403) return new KubetapeError('KUBERNETES_AUTH', message, { details })
	return new KubetapeError('KUBERNETES_UNAVAILABLE', message, { details })
}

async function readAll(stream: IncomingMessage): Promise<string> {
	const parts: Buffer[] = []
	let bytes = 0
	try {
		for await (const part of stream as AsyncIterable<Buffer>) {
			bytes += part.length
			if (bytes > answerBytesMax) throw new Error(`more than ${answerBytesMax} bytes`)
			parts.push(part)
		}
	} catch (error) {
		throw new KubetapeError('KUBERNETES_UNAVAILABLE', `the answer broke off: ${messageOf(error)}`, { cause: error })
	}
	return Buffer.concat(parts).toString('utf8')
}
