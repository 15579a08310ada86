// F11: webhook peers that trickle, break off, close, send twice, send too much or garbage, many at once, and a receiver that is killed: what was answered with 200 is in the record log, once.
import { writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import { systemClock } from '#runtime/clock.ts'
import { streams } from '#storage/log/port.ts'
import { openSqliteLog } from '#storage/log/sqlite/log.ts'
import { listOf, send } from '#test/collectors/audit/receiving.ts'
import { auditLine } from '#test/collectors/replay/support.ts'
import { startProgram, temporaryFolder, type Program } from '#test/support/program.ts'
import { createRandom, seedOf } from '#test/support/random.ts'

const slowPeers = 24
const senders = 4
const batchesEach = 30
const manyConnections = 300
const kills = 2
const seed = seedOf('faults/audit-peers')
const random = createRandom(seed)
const below = (count: number): number => Math.floor(random() * count)
const folder = temporaryFolder('audit-peers')
const data = join(folder.path, 'data')
const sockets: Socket[] = []
let program: Program | undefined
let port = 0
afterAll(async () => {
	for (const socket of sockets) socket.destroy()
	program?.process.kill('SIGKILL')
	await program?.exited
	folder.remove()
})

let number = 0
const acknowledged = new Set<string>()
const answers = new Map<number, number>()

function entries(count: number): readonly string[] {
	return Array.from({ length: count }, () => {
		number += 1
		return `entry-${number}`
	})
}

const bodyOf = (ids: readonly string[], padding = 0): string =>
	listOf(ids.map((id, at) => auditLine(id, at).replace(/\}$/, padding === 0 ? '}' : `,"requestObject":{"x":"${'y'.repeat(padding)}"}}`)))

/** 0 where no answer came. */
async function post(parts: readonly (string | Buffer)[], headers: Record<string, string> = {}): Promise<number> {
	const status = await send(parts, { port, headers, path: '/audit/prod' }).then(
		(answer) => answer.status,
		() => 0,
	)
	answers.set(status, (answers.get(status) ?? 0) + 1)
	return status
}

/** As the API server does, but without giving up. */
async function deliver(ids: readonly string[], padding = 0): Promise<void> {
	const body = bodyOf(ids, padding)
	for (;;) {
		if ((await post([body])) === 200) break
		await wait(20 + below(60))
	}
	for (const id of ids) acknowledged.add(id)
}

function open(): Socket {
	const socket = connect(port, '127.0.0.1')
	socket.on('error', () => undefined) // it is killed, or closed on
	sockets.push(socket)
	return socket
}

/** Headers or a body that come byte by byte and never end. */
function trickle(begin: string, rest: string): void {
	const socket = open()
	socket.write(begin)
	let at = 0
	const timer = setInterval(() => {
		if (socket.destroyed) return clearInterval(timer)
		socket.write(rest[at % rest.length] ?? ' ')
		at += 1
	}, 100)
	socket.on('close', () => clearInterval(timer))
}

const head = (length: number): string =>
	`POST /audit/prod HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`

/** Breaks off in the midst of a body, or goes before the answer. */
async function breakOff(): Promise<void> {
	const body = bodyOf(entries(10))
	const cut = below(3) === 0 ? body.length : below(body.length)
	const socket = open()
	socket.write(head(Buffer.byteLength(body)) + body.slice(0, cut))
	await wait(below(20))
	if (below(2) === 0) socket.destroy()
	else socket.resetAndDestroy()
}

async function freePort(): Promise<number> {
	const server = createServer()
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	const address = server.address()
	await new Promise((resolve) => server.close(resolve))
	return typeof address === 'object' ? (address?.port ?? 0) : 0
}

interface Stored {
	/** Of each entry its ids. */
	readonly ids: ReadonlyMap<string, ReadonlySet<string>>
	readonly rejects: number
	readonly gaps: number
}

async function stored(): Promise<Stored> {
	await using log = await openSqliteLog({ dir: join(data, 'log'), clock: systemClock })
	const ids = new Map<string, Set<string>>()
	const [rejects, gaps] = [new Set<string>(), new Set<string>()]
	const stop = new AbortController()
	for await (const batch of log.read('test', streams, stop.signal)) {
		for (const record of batch.records) {
			if (record.kind === 'reject') rejects.add(record.id)
			if (record.kind === 'gap') gaps.add(record.id)
			if (record.kind === 'audit') ids.set(record.auditID, (ids.get(record.auditID) ?? new Set()).add(record.id))
		}
		await log.commit('test', batch.next)
		if ((await log.lag('test', streams)).every(({ records }) => records === 0n)) stop.abort()
	}
	return { ids, rejects: rejects.size, gaps: gaps.size }
}

it(`keeps what it acknowledged, whatever its peers do (seed ${seed})`, async () => {
	port = await freePort()
	const config = join(folder.path, 'kubetape.yaml')
	writeFileSync(config, `dataDir: ${data}\nwebhook: { port: ${port} }\nclusters: [{ name: prod }]\n`)
	const start = (): void => void (program = startProgram(['collect', '--config', config], { KUBETAPE_LOG_LEVEL: 'warn' }))
	const kill = async (): Promise<void> => {
		program?.process.kill('SIGKILL')
		await program?.exited
	}
	const slow = (): void => {
		for (let peer = 0; peer < slowPeers; peer += 1) {
			trickle('POST /audit/prod HTTP/1.1\r\nhost: x\r\nx-slow: ', 'a')
			trickle(head(100_000), '{"kind":')
		}
	}
	start()
	await deliver(entries(1))
	slow()
	const killing = (async () => {
		for (let turn = 0; turn < kills; turn += 1) {
			await wait(300 + below(700))
			await kill()
			await wait(below(300))
			start()
			await deliver(entries(1))
			slow()
		}
	})()
	const sending = Array.from({ length: senders }, async () => {
		for (let batch = 0; batch < batchesEach; batch += 1) {
			await deliver(entries(20))
			await breakOff()
		}
	})
	await Promise.all([killing, ...sending])

	// Many at once, each of which gets an answer at last.
	await Promise.all(Array.from({ length: manyConnections }, () => deliver(entries(2))))
	const twice = entries(50)
	await deliver(twice)
	await deliver(twice)
	await deliver(entries(160), 100_000)
	const mebibyte = Buffer.alloc(1024 * 1024, ' ')
	expect(await post(Array.from({ length: 33 }, () => mebibyte))).toBe(413)
	expect(await post(['{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{]}'])).toBe(400)
	expect(await post(['{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{]}'])).toBe(400)
	program?.process.kill('SIGTERM')
	expect(await program?.exited).toBe(0)

	const { ids, rejects, gaps } = await stored()
	const lost = [...acknowledged].filter((id) => !ids.has(id))
	const doubled = [...ids.values()].filter((known) => known.size !== 1)
	const told = [...answers].map(([status, count]) => `${status === 0 ? 'none' : status}: ${count}`).join(', ')
	process.stdout.write(
		`peers: acknowledged ${acknowledged.size}, lost ${lost.length}, duplicated ${doubled.length}, gaps ${gaps}, answers ${told}, seed ${seed}\n`,
	)
	expect([lost, doubled]).toEqual([[], []])
	expect([rejects, gaps]).toEqual([1, 0])
})
