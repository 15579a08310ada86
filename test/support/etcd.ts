// A lone etcd for tests: on free ports, in a folder of its own, to be killed, started again, set back and stopped.
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Etcd3 } from 'etcd3'
import { etcdPorts, etcdProcess, type EtcdTls } from './etcd-process.ts'

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
	/** After kill: the data as they are, to be given to `restore`. */
	backup(): string
	/** After kill: the data of a backup in the place of its own, as a restore of an older snapshot does. The cluster id stays. */
	restore(backup: string): void
	stop(): Promise<void>
}

export interface EtcdOptions {
	/** It then wants client certificates; its own client uses the server's. */
	readonly tls?: EtcdTls
	readonly auth?: { readonly username: string; readonly password: string }
}

const startTries = 3
const answerTries = 200
const answerPauseMs = 50
const endOfKeys = Buffer.from([0])

/** Another program may take a port between finding and using it: then it is tried on others. */
export async function startEtcd(args: readonly string[] = [], options: EtcdOptions = {}): Promise<EtcdServer> {
	for (let tries = startTries; ; tries -= 1) {
		try {
			return await startOnce(args, options)
		} catch (error) {
			if (tries <= 1) throw error
		}
	}
}

/** A client of tests: it tells what is wrong at once. */
export function etcdClient(endpoints: readonly string[], { tls, auth }: EtcdOptions = {}): Etcd3 {
	const read = (path: string): Buffer => readFileSync(path)
	return new Etcd3({
		hosts: [...endpoints],
		faultHandling: {},
		...(auth ? { auth } : {}),
		...(tls ? { credentials: { rootCertificate: read(tls.caFile), privateKey: read(tls.keyFile), certChain: read(tls.certFile) } } : {}),
	})
}

/** The call's answer, once the connection has noticed that etcd is there. */
export async function untilAnswered<T>(call: () => Promise<T>): Promise<T> {
	for (let tries = answerTries; ; tries -= 1) {
		try {
			return await call()
		} catch (error) {
			if (tries === 0 || !(error instanceof Error) || !/UNAVAILABLE|circuit/i.test(error.message)) throw error
			await new Promise((resolve) => setTimeout(resolve, answerPauseMs))
		}
	}
}

async function startOnce(args: readonly string[], options: EtcdOptions): Promise<EtcdServer> {
	const dir = mkdtempSync(join(tmpdir(), 'kubetape-etcd-'))
	const process = etcdProcess({ dir, name: 'lone', members: { lone: await etcdPorts() }, args, tls: options.tls })
	let generation = 0
	let backups = 0
	const dataDir = (): string => join(dir, `data-${generation}`)
	const launch = (): Promise<void> => process.start({ dataDir: dataDir(), token: `generation-${generation}`, untilHealthy: true })
	const { endpoint } = process
	const client = etcdClient([endpoint], options)
	const stop = async (): Promise<void> => {
		client.close()
		await process.end('SIGKILL')
		rmSync(dir, { recursive: true, force: true })
	}
	try {
		await launch()
	} catch (error) {
		await stop()
		throw error
	}
	return {
		endpoint,
		client,
		put: async (key, value) =>
			BigInt((await untilAnswered(() => client.kv.put({ key: Buffer.from(key), value: Buffer.from(value) }))).header.revision),
		delete: async (key) => BigInt((await client.kv.deleteRange({ key: Buffer.from(key) })).header.revision),
		putTogether: async (entries) => {
			const success = Object.entries(entries).map(([key, value]) => ({ request_put: { key: Buffer.from(key), value: Buffer.from(value) } }))
			return BigInt((await client.kv.txn({ compare: [], success, failure: [] })).header.revision)
		},
		compact: async (revision) => void (await client.kv.compact({ revision: revision.toString(), physical: true })),
		revision: async () =>
			BigInt((await client.kv.range({ key: endOfKeys, range_end: endOfKeys, limit: 1, keys_only: true })).header.revision),
		kill: () => process.end('SIGKILL'),
		restart: async ({ fresh = false } = {}) => {
			if (fresh) generation += 1
			await launch()
		},
		backup: () => {
			const copy = join(dir, `backup-${++backups}`)
			cpSync(dataDir(), copy, { recursive: true })
			return copy
		},
		restore: (backup) => {
			rmSync(dataDir(), { recursive: true })
			cpSync(backup, dataDir(), { recursive: true })
		},
		stop,
		[Symbol.asyncDispose]: stop,
	}
}
