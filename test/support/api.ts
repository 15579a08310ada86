// The API server asked directly, as a user of the test cluster: nothing of the product's own code is in the way.
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { parse } from 'yaml'
import type { Cluster } from './cluster.ts'

export interface ApiAnswer {
	readonly status: number
	readonly text: string
}

export interface Api extends Disposable {
	/** The answer as soon as it begins; whatever its status. */
	open(path: string): Promise<IncomingMessage>
	/** `type` is the content type of the body; a patch's kind. */
	send(method: string, path: string, body?: unknown, type?: string): Promise<ApiAnswer>
	/** The answer's JSON; throws with what the API server said where it refuses. */
	json(method: string, path: string, body?: unknown, type?: string): Promise<Readonly<Record<string, unknown>>>
}

interface KubeconfigFile {
	readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[]
	readonly users: readonly { readonly user: Readonly<Record<string, string>> }[]
}

export function openApi(cluster: Cluster, user = 'admin'): Api {
	const file = parse(readFileSync(cluster.kubeconfig(user), 'utf8')) as KubeconfigFile
	const decoded = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64')
	const { 'client-certificate-data': cert, 'client-key-data': key } = file.users[0]?.user ?? {}
	const agent = new Agent({
		keepAlive: true,
		ca: decoded(file.clusters[0]?.cluster['certificate-authority-data']),
		cert: decoded(cert),
		key: decoded(key),
	})
	const start = (method: string, path: string, body: unknown, type: string): Promise<IncomingMessage> =>
		new Promise((resolve, reject) => {
			const headers = { Accept: 'application/json', ...(body === undefined ? {} : { 'Content-Type': type }) }
			const sent = request(`${cluster.api}${path}`, { method, agent, headers }, resolve)
			sent.on('error', reject)
			sent.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body))
		})
	const send: Api['send'] = async (method, path, body, type = 'application/json') => {
		const answer = await start(method, path, body, type)
		const chunks: Buffer[] = []
		for await (const chunk of answer) chunks.push(chunk as Buffer)
		return { status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }
	}
	return {
		open: (path) => start('GET', path, undefined, ''),
		send,
		async json(method, path, body, type) {
			const { status, text } = await send(method, path, body, type)
			if (status < 200 || status > 299) throw new Error(`${method} ${path}: ${status} ${text.slice(0, 300)}`)
			return JSON.parse(text) as Readonly<Record<string, unknown>>
		},
		[Symbol.dispose]: () => agent.destroy(),
	}
}
