// A TCP proxy between a client and a server of a test, which can swallow answers: what was asked is done, and nobody hears of it.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface Proxy extends AsyncDisposable {
	readonly url: string
	/** Of the requests that begin so, as many as this have their answers swallowed from now on: the connection ends when the answer comes. */
	swallow(requests: number, beginning: string): void
	readonly swallowed: number
}

export async function startProxy(target: string): Promise<Proxy> {
	const { hostname, port } = new URL(target)
	const sockets = new Set<Socket>()
	let left = 0
	let wanted = ''
	let swallowed = 0
	const server = createServer((client) => {
		const upstream = connect(Number(port), hostname)
		let armed = false
		for (const socket of [client, upstream]) {
			sockets.add(socket)
			socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
		}
		client.on('data', (chunk: Buffer) => {
			if (left > 0 && chunk.subarray(0, wanted.length).toString('latin1') === wanted) {
				left -= 1
				armed = true
			}
			upstream.write(chunk)
		})
		upstream.on('data', (chunk: Buffer) => {
			if (!armed) {
				client.write(chunk)
				return
			}
			swallowed += 1
			client.destroy()
			upstream.destroy()
		})
		client.on('close', () => upstream.destroy())
		upstream.on('close', () => client.destroy())
	})
	await once(server.listen(0, '127.0.0.1'), 'listening')
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		swallow(requests, beginning) {
			left = requests
			wanted = beginning
		},
		get swallowed() {
			return swallowed
		},
		async [Symbol.asyncDispose]() {
			for (const socket of sockets) socket.destroy()
			await once(server.close(), 'close')
		},
	}
}
