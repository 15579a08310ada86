// What peers send to: lines over TCP, or OTLP as JSON over HTTP. Both can be stalled: nothing is read then, and nothing answered.
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage } from 'node:http'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Peer } from '#bench/peers/peer.ts'
import type { Tally } from './tally.ts'

export interface Receiver {
	readonly port: number
	stall(): void
	resume(): void
	close(): Promise<void>
}

export const receive = (peer: Peer, tally: Tally): Promise<Receiver> => (peer.sends === 'lines' ? receiveLines(tally) : receiveOtlp(tally))

async function listening(server: Server): Promise<number> {
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	return (server.address() as AddressInfo).port
}

async function receiveLines(tally: Tally): Promise<Receiver> {
	const sockets = new Set<Socket>()
	let isStalled = false
	const server = createServer((socket) => {
		sockets.add(socket)
		if (isStalled) socket.pause()
		let parts: Buffer[] = []
		socket.on('data', (chunk: Buffer) => {
			let at = 0
			for (let to = chunk.indexOf(10); to >= 0; to = chunk.indexOf(10, at)) {
				parts.push(chunk.subarray(at, to))
				tally.add(Buffer.concat(parts).toString('latin1'))
				parts = []
				at = to + 1
			}
			parts.push(chunk.subarray(at))
		})
		// A line that was cut by the sender's end stays what it is.
		socket.on('close', () => {
			tally.add(Buffer.concat(parts).toString('latin1'))
			sockets.delete(socket)
		})
		socket.on('error', () => undefined) // the sender was killed
	})
	return {
		port: await listening(server),
		stall() {
			isStalled = true
			for (const socket of sockets) socket.pause()
		},
		resume() {
			isStalled = false
			for (const socket of sockets) socket.resume()
		},
		async close() {
			const closed = once(server, 'close')
			server.close()
			for (const socket of sockets) socket.destroy()
			await closed
		},
	}
}

interface Logs {
	readonly resourceLogs: readonly {
		readonly scopeLogs: readonly { readonly logRecords: readonly { readonly body: { readonly stringValue?: string } }[] }[]
	}[]
}

async function receiveOtlp(tally: Tally): Promise<Receiver> {
	let waiting: (() => void)[] | undefined
	const bodyOf = async (request: IncomingMessage): Promise<string> => {
		const parts: Buffer[] = []
		for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
		return Buffer.concat(parts).toString()
	}
	const server = createHttpServer((request, response) => {
		const take = async (): Promise<void> => {
			const { resourceLogs } = JSON.parse(await bodyOf(request)) as Logs
			for (const { scopeLogs } of resourceLogs)
				for (const { logRecords } of scopeLogs) for (const { body } of logRecords) tally.add(body.stringValue ?? '')
			response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
		}
		// One that ends in the middle of a body has sent nothing.
		const begin = (): void => void take().catch(() => response.destroy())
		if (waiting) waiting.push(begin)
		else begin()
	})
	return {
		port: await listening(server),
		stall() {
			waiting = []
		},
		resume() {
			const held = waiting ?? []
			waiting = undefined
			for (const begin of held) begin()
		},
		async close() {
			const closed = once(server, 'close')
			server.close()
			server.closeAllConnections()
			await closed
		},
	}
}
