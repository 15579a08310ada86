// Container logs: a million CRI lines with JSON bodies through the real collect process (parsed, redacted, in blocks, in the durable log), beside rsyslog, syslog-ng and the OpenTelemetry Collector doing the like; the delay of single lines; what quiet files cost.
import { spawn, type ChildProcess } from 'node:child_process'
import {
	appendFileSync,
	closeSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	readSync,
	rmSync,
	statSync,
	writeFileSync,
	writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { linesOf } from '#records/log-block.ts'
import { systemClock } from '#runtime/clock.ts'
import { openSqliteLog } from '#storage/log/sqlite/log.ts'
import { createRandom } from '#test/support/random.ts'
import { allPeers } from './peers/all.ts'
import { outputOf, type Input, type Peer } from './peers/peer.ts'
import { barOf, costOf, endProcess, median, packagedMain, ranSeconds, sleep, type Cost } from './subject.ts'

export const name = 'container logs'

const lines = 1_000_000
const seed = 5
const rounds = 3
const begin = Date.UTC(2026, 10, 24, 10)
const quietFiles = 500
const idleSeconds = 15
const own = 'Kubetape: parsed, redacted, in the durable log'

/** About 342 bytes a line, as in the measurements of peers. */
function generate(path: string): number {
	const random = createRandom(seed)
	const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T
	const hex = (digits: number): string => Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('')
	const fd = openSync(path, 'w')
	let text = ''
	for (let number = 0; number < lines; number += 1) {
		const at = new Date(begin + number).toISOString().replace('Z', `${String(Math.floor(random() * 1e6)).padStart(6, '0')}Z`)
		const body = {
			level: pick(['info', 'info', 'info', 'warn', 'error', 'debug']),
			ts: at,
			caller: pick(['http/server.go:214', 'db/pool.go:88', 'cart/checkout.go:341']),
			msg: pick(['request served', 'query finished', 'order placed and queued for shipment', 'cache miss, loading from the store']),
			trace: hex(32),
			agent: pick([
				'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox',
				'Go-http-client/2.0 (linux/amd64; shop; checkout 1.4.2; pool east)',
				'kube-probe/1.36 (gateway; east; one of three replicas behind it)',
			]),
			path: `/api/v1/${pick(['orders', 'carts', 'users', 'products'])}/${Math.floor(random() * 1e6)}`,
			status: pick([200, 200, 200, 201, 404, 500]),
			ms: Math.round(random() * 1e5) / 100,
			n: number,
		}
		text += `${at} ${random() < 0.9 ? 'stdout' : 'stderr'} F ${JSON.stringify(body)}\n`
		if (text.length > 1e6) {
			writeSync(fd, text)
			text = ''
		}
	}
	writeSync(fd, text)
	closeSync(fd)
	return statSync(path).size
}

/** Waits until `isDone`, then gives what the process has used. */
async function measure(child: ChildProcess, isDone: () => boolean): Promise<Cost> {
	const deadline = performance.now() + 180_000
	while (!isDone()) {
		if (child.exitCode !== null || performance.now() > deadline) throw new Error(`${child.spawnfile} did not finish`)
		await sleep(50)
	}
	const cost = costOf(child.pid ?? 0)
	await endProcess(child)
	return cost
}

function startCollect(dir: string, root: string): ChildProcess {
	const file = join(dir, 'config.yaml')
	writeFileSync(file, `dataDir: ${join(dir, 'data')}\nlogLevel: error\nclusters: [{ name: bench, logs: { pods: { root: ${root} } } }]\n`)
	return spawn(
		process.execPath,
		['--disable-warning=ExperimentalWarning', join(dir, 'package', 'cli', 'main.js'), 'collect', '--config', file],
		{
			stdio: ['ignore', 'ignore', 'inherit'],
		},
	)
}

/** The collector's own word for how far it is durable. */
function settledOf(dir: string): number {
	const path = join(dir, 'data', 'collectors', 'bench', 'logs', 'state.db')
	if (!existsSync(path)) return 0
	try {
		const db = new DatabaseSync(path, { readOnly: true })
		const rows = db.prepare("SELECT value FROM object WHERE key LIKE 'file/%'").all() as { value: Uint8Array }[]
		db.close()
		return rows.reduce(
			(sum, { value }) => sum + Math.min(...(JSON.parse(Buffer.from(value).toString()) as { settled: number[] }).settled),
			0,
		)
	} catch {
		return 0 // not made yet
	}
}

async function ours(dir: string, root: string, bytes: number): Promise<Cost> {
	rmSync(join(dir, 'data'), { recursive: true, force: true })
	return measure(startCollect(dir, root), () => settledOf(dir) >= bytes)
}

/** The ceiling: the same lines in the same language, cut at their ends and joined, with nothing around it. */
function bareLoop(path: string): number {
	const before = process.cpuUsage()
	const fd = openSync(path, 'r')
	const out = openSync('/dev/null', 'w')
	const buffer = Buffer.allocUnsafe(1024 * 1024)
	let rest = 0
	for (;;) {
		const read = readSync(fd, buffer, rest, buffer.length - rest, null)
		if (read === 0) break
		let at = 0
		let text = ''
		for (let to = buffer.indexOf(10, at); to >= 0 && to < rest + read; to = buffer.indexOf(10, at)) {
			const line = buffer.toString('latin1', at, to)
			text += JSON.stringify({ at: line.slice(0, 30), stream: line.slice(31, 37), body: JSON.parse(line.slice(40)) as unknown })
			at = to + 1
		}
		writeSync(out, text)
		buffer.copyWithin(0, at, rest + read)
		rest = rest + read - at
	}
	closeSync(fd)
	closeSync(out)
	const { user, system } = process.cpuUsage(before)
	return (user + system) / 1e6
}

/** Waits until the last line is in the peer's output. */
async function theirs(peer: Peer, dir: string, path: string): Promise<Cost> {
	const peerDir = mkdtempSync(join(dir, 'peer-'))
	const child = startPeer(peer, peerDir, { path })
	try {
		return await measure(child, () => endsWithLast(outputOf(peerDir)))
	} finally {
		child.kill('SIGKILL')
		rmSync(peerDir, { recursive: true, force: true })
	}
}

function startPeer(peer: Peer, peerDir: string, input: Input): ChildProcess {
	const { command, args, environment } = peer.toFile(input, peerDir)
	return spawn(command, [...args], { env: { ...process.env, ...environment }, stdio: 'ignore' })
}

function endsWithLast(path: string): boolean {
	if (!existsSync(path)) return false
	const { size } = statSync(path)
	const bytes = Buffer.alloc(2048)
	const fd = openSync(path, 'r')
	const read = readSync(fd, bytes, 0, bytes.length, Math.max(0, size - bytes.length))
	closeSync(fd)
	return new RegExp(`n\\\\?":${lines - 1}\\D`).test(bytes.toString('latin1', 0, read))
}

const quietPod = 'shop_quiet-0_2f1e9a86-0000-4000-8000-000000000002'

function quietFolder(dir: string): string {
	const root = join(dir, 'quiet')
	for (let file = 0; file < quietFiles; file += 1) {
		mkdirSync(join(root, quietPod, `c${file}`), { recursive: true })
		writeFileSync(join(root, quietPod, `c${file}`, '0.log'), '2026-11-24T10:00:00.000000001Z stdout F quiet\n')
	}
	return root
}

/** Percent of a core, once it has read all. */
async function idleOf(child: ChildProcess): Promise<number> {
	// V8 gives back what the start took, once.
	await sleep(20_000)
	const before = ranSeconds(child.pid ?? 0)
	await sleep(idleSeconds * 1000)
	return ((ranSeconds(child.pid ?? 0) - before) / idleSeconds) * 100
}

async function quietPeer(print: (line: string) => void, peer: Peer, dir: string, root: string): Promise<void> {
	const peerDir = mkdtempSync(join(dir, 'peer-'))
	const child = startPeer(peer, peerDir, { root })
	try {
		print(`${quietFiles} quiet files, ${peer.name}: ${(await idleOf(child)).toFixed(2)} % of a core`)
	} finally {
		child.kill('SIGKILL')
	}
}

/** What quiet files cost; then single lines among them, 200 a second: when each was written against when it is read from the log. */
async function delays(print: (line: string) => void, dir: string, root: string): Promise<void> {
	const pod = join(root, quietPod)
	rmSync(join(dir, 'data'), { recursive: true, force: true })
	const child = startCollect(dir, root)
	const idle = await idleOf(child)
	print(`${quietFiles} quiet files, Kubetape: ${idle.toFixed(2)} % of a core ${barOf(idle, '<=', 1)}`)
	const taken: number[] = []
	const stop = new AbortController()
	const log = await openSqliteLog({ dir: join(dir, 'data', 'log'), clock: systemClock })
	const reading = (async () => {
		for await (const { records, next } of log.read('bench', ['logs'], stop.signal)) {
			const now = performance.now()
			for (const record of records)
				if (record.kind === 'block')
					for (const { text } of linesOf(record)) if (text.startsWith('at ')) taken.push(now - Number(text.slice(3)))
			await log.commit('bench', next)
		}
	})()
	for (let line = 0; line < 2000; line += 1) {
		appendFileSync(join(pod, 'c7', '0.log'), `2026-11-24T10:00:01.000000001Z stdout F at ${performance.now()}\n`)
		await sleep(5)
	}
	await sleep(500)
	stop.abort()
	await reading
	await log[Symbol.asyncDispose]()
	await endProcess(child)
	const sorted = taken.toSorted((a, b) => a - b)
	const at = (part: number): number => sorted[Math.floor(sorted.length * part)] ?? 0
	print(
		`line → read from the log, ${sorted.length} of 2000 lines, 200 a second: p50 ${at(0.5).toFixed(1)} ms, p99 ${at(0.99).toFixed(1)} ms, of that up to 15 ms the reader's own ${barOf(at(0.99), '<=', 50)}`,
	)
}

export async function run(print: (line: string) => void): Promise<void> {
	const dir = mkdtempSync(join(tmpdir(), 'kubetape-bench-logs-'))
	try {
		const root = join(dir, 'pods')
		const folder = join(root, 'shop_checkout-0_2f1e9a86-0000-4000-8000-000000000001', 'app')
		mkdirSync(folder, { recursive: true })
		const input = join(folder, '0.log')
		const bytes = generate(input)
		const megabytes = bytes / 1e6
		print(`${lines} lines, ${megabytes.toFixed(0)} MB, seed ${seed}; medians of ${rounds} rounds, the subjects in turn`)
		packagedMain(join(dir, 'package'))
		const peers = allPeers(print)
		for (const { name: peer, version } of peers) print(`- ${peer} ${version}`)
		const costs = new Map<string, Cost[]>()
		const note = (subject: string, cost: Cost): void => void costs.set(subject, [...(costs.get(subject) ?? []), cost])
		for (let round = 0; round < rounds; round += 1) {
			note(own, await ours(dir, root, bytes))
			for (const peer of peers) note(`${peer.name}: parsed, in a file`, await theirs(peer, dir, input))
			note('bare loop: bodies parsed and written anew, to nowhere', { cpuSeconds: bareLoop(input), peakMb: 0 })
		}
		const of = (subject: string, field: keyof Cost): number => median((costs.get(subject) ?? []).map((cost) => cost[field]))
		const rateOf = (subject: string): number => megabytes / of(subject, 'cpuSeconds')
		for (const subject of costs.keys()) {
			const peak = of(subject, 'peakMb')
			const ratio = subject === own ? '' : `; ours is ${(rateOf(own) / rateOf(subject)).toFixed(2)} times as fast`
			print(
				`${rateOf(subject).toFixed(1).padStart(6)} MB per CPU-second  ${subject}${peak > 0 ? `, peak ${peak.toFixed(0)} MB` : ''}${ratio}`,
			)
		}
		print(
			`ours: speed ${barOf(rateOf(own), '>=', 70)}, stretch ${barOf(rateOf(own), '>=', 130)}, peak ${barOf(of(own, 'peakMb'), '<=', 150)}`,
		)
		const quiet = quietFolder(dir)
		for (const peer of peers) await quietPeer(print, peer, dir, quiet)
		await delays(print, dir, quiet)
	} finally {
		rmSync(dir, { recursive: true, force: true })
	}
}
