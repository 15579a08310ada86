// The way to the API server: address, TLS and credentials from a kubeconfig or the pod's service account; GET only.
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { KubeConfig } from '@kubernetes/client-node'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import type { KubernetesConfig } from './config.ts'
import { failureOf } from './failure.ts'
import { isInCluster, kubeconfigFiles, readKubeconfig } from './kubeconfig.ts'

const errorBytesMax = 64 * 1024

export interface RequestOptions {
	readonly accept: string
	readonly signal: AbortSignal
	/** The answer is given up after so long without a byte, while one is waited for. */
	readonly silenceMs: number
}

export interface Connection {
	/** Its address. */
	readonly server: string
	/** The answer, status 200. Everything else throws KubetapeError by what it means (failure.ts). */
	get(path: string, options: RequestOptions): Promise<IncomingMessage>
}

type Access = Pick<KubernetesConfig, 'kubeconfig' | 'context'>

/** `address`: instead of the kubeconfig's, with its credentials. Throws CONFIG_UNREADABLE where the kubeconfig or its context is not there. */
export function connect(config: Access, address?: string): Connection {
	const kubeConfig = load(config)
	const cluster = kubeConfig.getCurrentCluster()
	if (!cluster)
		throw new KubetapeError('CONFIG_UNREADABLE', `the kubeconfig has no context "${kubeConfig.getCurrentContext()}" with a cluster`)
	const server = (address ?? cluster.server).replace(/\/+$/, '')
	return {
		server,
		async get(path, options) {
			const request: https.RequestOptions = { method: 'GET', headers: { Accept: options.accept, 'User-Agent': 'kubetape' } }
			if (!server.startsWith('http:') || cluster.skipTLSVerify) await authenticate(kubeConfig, request)
			return send(`${server}${path}`, request, options)
		},
	}
}

/** Runs exec plugins and reads token files as they are now: client-node keeps what is still valid. */
async function authenticate(kubeConfig: KubeConfig, request: https.RequestOptions): Promise<void> {
	try {
		await kubeConfig.applyToHTTPSOptions(request)
	} catch (error) {
		throw new KubetapeError('KUBERNETES_UNAVAILABLE', `no credentials: ${messageOf(error)}`, { cause: error })
	}
}

function load(config: Access): KubeConfig {
	const kubeConfig = new KubeConfig()
	const files = config.kubeconfig === undefined ? [] : kubeconfigFiles(config.kubeconfig, {})
	try {
		if (files.length === 0 && isInCluster()) kubeConfig.loadFromCluster()
		else if (files.length === 0) kubeConfig.loadFromDefault()
		else kubeConfig.loadFromString(JSON.stringify(readKubeconfig(files, config.context).tree))
	} catch (error) {
		if (error instanceof KubetapeError) throw error
		const [line = ''] = messageOf(error).split('\n')
		throw new KubetapeError('CONFIG_UNREADABLE', `the kubeconfig cannot be read: ${line}`, { cause: error })
	}
	if (config.context !== undefined) kubeConfig.setCurrentContext(config.context)
	return kubeConfig
}

async function send(url: string, request: https.RequestOptions, options: RequestOptions): Promise<IncomingMessage> {
	const response = await new Promise<IncomingMessage>((resolve, reject) => {
		const client = url.startsWith('http:') ? http : https
		let answer: IncomingMessage | undefined
		const sent = client.request(url, { ...request, signal: options.signal }, (received) => {
			answer = received
			resolve(received)
		})
		sent.setTimeout(options.silenceMs)
		sent.on('timeout', () => {
			// With bytes unread it is this side that is slow.
			if (answer && answer.readableLength > 0) sent.setTimeout(options.silenceMs)
			else sent.destroy(new Error(`nothing came for ${options.silenceMs} ms`))
		})
		// Stays for the life of the request: an error after the answer began is given by reading it.
		sent.on('error', (error) =>
			reject(new KubetapeError('KUBERNETES_UNAVAILABLE', `the API server does not answer: ${error.message}`, { cause: error })),
		)
		sent.end()
	})
	if (response.statusCode === 200) return response
	const text = await startOf(response)
	throw failureOf(response.statusCode ?? 0, text, response.headers['retry-after'])
}

async function startOf(response: IncomingMessage): Promise<string> {
	let text = ''
	try {
		for await (const chunk of response) {
			text += String(chunk)
			if (text.length > errorBytesMax) break
		}
	} catch {
		// The status says enough where the text was cut off.
	}
	return text
}
