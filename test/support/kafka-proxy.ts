// A proxy in front of a broker that knows requests from answers, to lose one of them: swallowed answers, requests that never arrive.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** Kafka's protocol guide, "Api Keys". */
export const apiKeys = { produce: 0, fetch: 1, offsetCommit: 8, joinGroup: 11, heartbeat: 12, syncGroup: 14 } as const

export interface KafkaProxy extends AsyncDisposable {
	readonly port: number
	/** The broker's address; known only after the proxy's port, which the broker advertises. */
	forwardTo(address: string): void
	/** Connections that clients have made so far; they are numbered from 1. */
	readonly connections: number
	/** Asked for each whole answer of a broker. `swallow`: it is lost, and the connection with it, after the broker has done what was asked. */
	onAnswer: (apiKey: number, to: { readonly connection: number; readonly bytes: number }) => 'pass' | 'swallow'
	/** Asked for each whole request. `hold`: it never arrives, and the connection stays open. */
	onRequest: (apiKey: number, from: { readonly connection: number }) => 'pass' | 'hold'
}

/** Splits a stream into frames of u32 length and content, the length included in what is handed on. */
function frames(take: (frame: Buffer) => void): (chunk: Buffer) => void {
	let rest: Buffer = Buffer.alloc(0)
	return (chunk) => {
		rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
		while (rest.length >= 4) {
			const end = 4 + rest.readUInt32BE(0)
			if (rest.length < end) return
			take(rest.subarray(0, end))
			rest = rest.subarray(end)
		}
	}
}

export async function startKafkaProxy(): Promise<KafkaProxy> {
	let target = ''
	const open = new Set<Socket>()
	let connections = 0
	const server = createServer((client) => {
		const connection = ++connections
		const [host = '', port] = target.split(':')
		const broker = connect(Number(port), host)
		/** What was asked, by correlation id: answers do not say it. */
		const asked = new Map<number, number>()
		const end = (): void => {
			client.destroy()
			broker.destroy()
		}
		for (const socket of [client, broker]) {
			open.add(socket)
			socket.setNoDelay(true)
			socket.on('error', end)
			socket.on('close', () => {
				open.delete(socket)
				end()
			})
		}
		client.on(
			'data',
			frames((frame) => {
				const apiKey = frame.readInt16BE(4)
				asked.set(frame.readInt32BE(8), apiKey)
				if (proxy.onRequest(apiKey, { connection }) === 'pass') broker.write(frame)
			}),
		)
		broker.on(
			'data',
			frames((frame) => {
				const id = frame.readInt32BE(4)
				const apiKey = asked.get(id) ?? -1
				asked.delete(id)
				if (proxy.onAnswer(apiKey, { connection, bytes: frame.length }) === 'pass') client.write(frame)
				else end()
			}),
		)
	})
	await once(server.listen(0, '127.0.0.1'), 'listening')
	const proxy: KafkaProxy = {
		port: (server.address() as AddressInfo).port,
		get connections() {
			return connections
		},
		forwardTo: (address) => (target = address),
		onAnswer: () => 'pass',
		onRequest: () => 'pass',
		async [Symbol.asyncDispose]() {
			for (const socket of open) socket.destroy()
			server.close()
			await once(server, 'close')
		},
	}
	return proxy
}
