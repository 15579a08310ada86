// So many requests a second to an API server, over connections that stay: reads and writes of ConfigMaps, some refused, some large.
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Cluster } from '#test/support/cluster.ts'

const tickMs = 20
const connections = 64
const names = 40
const largeBytes = 40_000
const answerMsMax = 60_000

export interface Load {
	/** By status; 0 where no answer came. */
	readonly answers: ReadonlyMap<number, number>
	/** Resolves when the last answer is there. */
	stop(): Promise<void>
}

interface Call {
	readonly method: string
	readonly path: string
	readonly body?: object
	readonly type?: string
}

const base = '/api/v1/namespaces/default/configmaps'
const object = (name: string, data: object): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data })

function call(number: number): Call {
	const name = `load-${number % names}`
	const kind = number % 10
	if (number % 500 === 7) return { method: 'POST', path: base, body: object(`large-${number}`, { text: 'x'.repeat(largeBytes) }) }
	if (kind < 4) return { method: 'GET', path: `${base}/${name}` }
	if (kind === 4) return { method: 'GET', path: `${base}?limit=2` }
	if (kind === 5) return { method: 'GET', path: `/api/v1/namespaces/default/pods/none-${number}` }
	if (kind < 8)
		return { method: 'PATCH', path: `${base}/${name}`, body: { data: { n: String(number) } }, type: 'application/merge-patch+json' }
	if (kind === 8) return { method: 'POST', path: base, body: object(name, { n: '0' }) }
	return { method: 'DELETE', path: `${base}/load-${(number * 7) % names}` }
}

export function startLoad(cluster: Cluster, perSecond: number, first = 0): Load {
	const read = (file: string): Buffer => readFileSync(join(cluster.dir, 'pki', file))
	const agent = new Agent({ keepAlive: true, maxSockets: connections, ca: read('ca.crt'), cert: read('admin.crt'), key: read('admin.key') })
	const answers = new Map<number, number>()
	const open = new Set<Promise<void>>()
	let number = first
	const stopping = new AbortController()
	const send = ({ method, path, body, type = 'application/json' }: Call): Promise<void> =>
		new Promise((resolve) => {
			const done = (status: number): void => {
				answers.set(status, (answers.get(status) ?? 0) + 1)
				resolve()
			}
			const headers = { 'user-agent': 'load', ...(body ? { 'content-type': type } : {}) }
			const asked = request(cluster.api + path, { method, agent, headers, timeout: answerMsMax }, (response) => {
				response.resume()
				response.on('close', () => done(response.statusCode ?? 0))
			})
			asked.on('timeout', () => asked.destroy())
			asked.on('error', () => done(0))
			asked.end(body ? JSON.stringify(body) : undefined)
		})
	const running = (async () => {
		const begun = performance.now()
		let sent = 0
		while (!stopping.signal.aborted) {
			const due = Math.floor(((performance.now() - begun) / 1000) * perSecond)
			// What could not be sent in time is sent late, and not piled up without end.
			for (; sent < due && open.size < perSecond; sent += 1) {
				const answered = send(call(number))
				number += 1
				open.add(answered)
				void answered.then(() => open.delete(answered))
			}
			sent = Math.max(sent, due - perSecond)
			await wait(tickMs)
		}
	})()
	return {
		answers,
		async stop() {
			stopping.abort()
			await running
			await Promise.all(open)
			agent.destroy()
		},
	}
}
