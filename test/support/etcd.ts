// A lone etcd for tests: on free ports, in a folder of its own, to be killed, started again and stopped.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Etcd3 } from 'etcd3'

export interface EtcdServer extends AsyncDisposable {
	readonly endpoint: string
	readonly client: Etcd3
	/** Revision of a put. */
	put(key: string, value: string | Buffer): Promise<bigint>
	delete(key: string): Promise<bigint>
	/** Several puts in one revision. */
	putTogether(entries: Readonly<Record<string, string | Buffer>>): Promise<bigint>
	compact(revision: bigint): Promise<void>
	revision(): Promise<bigint>
	/** SIGKILL. */
	kill(): Promise<void>
	/** After kill: the same data on the same ports. `fresh` begins with no data, as another cluster. */
	restart(options?: { readonly fresh?: boolean }): Promise<void>
	stop(): Promise<void>
}

const startTries = 3
const readyTries = 200
const readyPauseMs = 50

/** Both are held until both are found, so that they differ. */
async function freePorts(): Promise<readonly [number, number]> {
	const servers = [createServer(), createServer()] as const
	for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening')
	const [one, two] = servers.map((server) => (server.address() as AddressInfo).port)
	for (const server of servers) await once(server.close(), 'close')
	return [one ?? 0, two ?? 0]
}

async function untilHealthy(endpoint: string, child: ChildProcess): Promise<void> {
	for (let tries = 0; tries < readyTries; tries += 1) {
		if (child.exitCode !== null) throw new Error(`etcd ended with ${child.exitCode}`)
		const answer = await fetch(`${endpoint}/health`).catch(() => undefined)
		if (answer?.ok && ((await answer.json()) as { health?: string }).health === 'true') return
		await new Promise((resolve) => setTimeout(resolve, readyPauseMs))
	}
	throw new Error('etcd did not become healthy')
}

const endOfKeys = Buffer.from([0])

/** Another program may take a port between finding and using it: then it is tried on others. */
export async function startEtcd(args: readonly string[] = []): Promise<EtcdServer> {
	for (let tries = startTries; ; tries -= 1) {
		try {
			return await startOnce(args)
		} catch (error) {
			if (tries <= 1) throw error
		}
	}
}

async function startOnce(args: readonly string[]): Promise<EtcdServer> {
	const program = join(homedir(), '.cache/kubetape/servers/etcd')
	if (!existsSync(program)) throw new Error(`${program} is missing: npm run test:servers builds it`)
	const dir = mkdtempSync(join(tmpdir(), 'kubetape-etcd-'))
	const [port, peerPort] = await freePorts()
	const endpoint = `http://127.0.0.1:${port}`
	const peer = `http://127.0.0.1:${peerPort}`
	let generation = 0
	let child: ChildProcess

	const launch = async (): Promise<void> => {
		const log = openSync(join(dir, 'etcd.log'), 'a')
		child = spawn(
			program,
			[
				'--name',
				'lone',
				'--data-dir',
				join(dir, `data-${generation}`),
				'--listen-client-urls',
				endpoint,
				'--advertise-client-urls',
				endpoint,
				'--listen-peer-urls',
				peer,
				'--initial-advertise-peer-urls',
				peer,
				'--initial-cluster',
				`lone=${peer}`,
				'--initial-cluster-token',
				`generation-${generation}`,
				'--unsafe-no-fsync',
				'--log-level',
				'error',
				...args,
			],
			{ stdio: ['ignore', log, log] },
		)
		await untilHealthy(endpoint, child)
	}
	await launch()
	const client = new Etcd3({ hosts: endpoint, faultHandling: {} })
	const end = async (signal: NodeJS.Signals): Promise<void> => {
		if (child.exitCode !== null || child.signalCode !== null) return
		const gone = once(child, 'exit')
		child.kill(signal)
		await gone
	}
	const stop = async (): Promise<void> => {
		client.close()
		await end('SIGKILL')
		rmSync(dir, { recursive: true, force: true })
	}
	return {
		endpoint,
		client,
		put: async (key, value) => BigInt((await client.kv.put({ key: Buffer.from(key), value: Buffer.from(value) })).header.revision),
		delete: async (key) => BigInt((await client.kv.deleteRange({ key: Buffer.from(key) })).header.revision),
		putTogether: async (entries) => {
			const success = Object.entries(entries).map(([key, value]) => ({ request_put: { key: Buffer.from(key), value: Buffer.from(value) } }))
			return BigInt((await client.kv.txn({ compare: [], success, failure: [] })).header.revision)
		},
		compact: async (revision) => void (await client.kv.compact({ revision: revision.toString(), physical: true })),
		revision: async () =>
			BigInt((await client.kv.range({ key: endOfKeys, range_end: endOfKeys, limit: 1, keys_only: true })).header.revision),
		kill: () => end('SIGKILL'),
		restart: async ({ fresh = false } = {}) => {
			if (fresh) generation += 1
			await launch()
		},
		stop,
		[Symbol.asyncDispose]: stop,
	}
}
