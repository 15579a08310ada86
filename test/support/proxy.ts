// A TCP proxy between a client and an HTTP server of a test: requests that do not arrive, or only half, and answers that are lost, so that what was asked is done and nobody hears of it.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface Proxy extends AsyncDisposable {
	readonly url: string
	/** Of the requests that begin so, as many as this have their answers swallowed from now on: the connection ends when the answer comes. */
	swallow(requests: number, beginning: string): void
	readonly swallowed: number
	/**
	 * Asked for each request, with as much of it as came at once. `hold`: it never arrives; `cut`: a half of that arrives, and no more; `keep`: it arrives when it is delivered.
	 * The connection stays open.
	 */
	onRequest: (text: string) => 'pass' | 'hold' | 'cut' | 'keep'
	/** Told when a request that is kept has come whole. */
	onKept: () => void
	/** Sends on what was kept, though whoever sent it may be gone. Resolves when it is answered. */
	deliver(): Promise<void>
	/** Asked when the server begins to answer what began so. `hold`: the answer never arrives, and the connection stays open. */
	onAnswer: (asked: string) => 'pass' | 'hold'
}

/** What comes behind it in other pieces has no such beginning. */
const beginsRequest = /^[A-Z]+ \S+ HTTP\/1\.1\r\n/
const bodyBytes = /\r\ncontent-length: (\d+)\r\n/i
const endOfHead = '\r\n\r\n'

/** One without a length has no body. */
function isWhole(request: Buffer): boolean {
	const text = request.toString('latin1')
	const head = text.indexOf(endOfHead)
	return head >= 0 && request.length >= head + endOfHead.length + Number(bodyBytes.exec(text)?.[1] ?? 0)
}

export async function startProxy(target: string): Promise<Proxy> {
	const { hostname, port } = new URL(target)
	const sockets = new Set<Socket>()
	let left = 0
	let wanted = ''
	let swallowed = 0
	const kept: { readonly request: Buffer; readonly upstream: Socket }[] = []
	const server = createServer((client) => {
		const upstream = connect(Number(port), hostname)
		let armed = false
		let asked: string | undefined
		let isHeld = false
		let isDeaf = false
		let keeping: Buffer | undefined
		for (const socket of [client, upstream]) {
			sockets.add(socket)
			socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
		}
		client.on('data', (chunk: Buffer) => {
			const text = chunk.toString('latin1')
			if (left > 0 && text.startsWith(wanted)) {
				left -= 1
				armed = true
			}
			const verdict = beginsRequest.test(text) ? proxy.onRequest((asked = text)) : 'pass'
			if (verdict === 'keep') keeping = Buffer.alloc(0)
			if (keeping) {
				keeping = Buffer.concat([keeping, chunk])
				if (!isWhole(keeping)) return
				kept.push({ request: keeping, upstream })
				proxy.onKept()
				return
			}
			if (verdict === 'cut') upstream.write(chunk.subarray(0, Math.floor(chunk.length / 2)))
			isHeld ||= verdict !== 'pass'
			if (!isHeld) upstream.write(chunk)
		})
		upstream.on('data', (chunk: Buffer) => {
			if (armed) {
				swallowed += 1
				client.destroy()
				upstream.destroy()
				return
			}
			if (asked !== undefined) isDeaf ||= proxy.onAnswer(asked) === 'hold'
			asked = undefined
			if (!isDeaf) client.write(chunk)
		})
		client.on('close', () => {
			if (!kept.some((each) => each.upstream === upstream)) upstream.destroy()
		})
		upstream.on('close', () => client.destroy())
	})
	await once(server.listen(0, '127.0.0.1'), 'listening')
	const proxy: Proxy = {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		swallow(requests, beginning) {
			left = requests
			wanted = beginning
		},
		get swallowed() {
			return swallowed
		},
		onRequest: () => 'pass',
		onAnswer: () => 'pass',
		onKept: () => undefined,
		async deliver() {
			for (const { request, upstream } of kept.splice(0)) {
				upstream.write(request)
				await Promise.race([once(upstream, 'data'), once(upstream, 'close')])
				upstream.destroy()
			}
		},
		async [Symbol.asyncDispose]() {
			for (const socket of sockets) socket.destroy()
			await once(server.close(), 'close')
		},
	}
	return proxy
}
