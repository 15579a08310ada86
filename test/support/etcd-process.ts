// One etcd process of a test: on free ports, in a folder of its own, to be killed and started again.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, openSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { serversDir } from './cluster.ts'

export interface EtcdTls {
	readonly caFile: string
	readonly certFile: string
	readonly keyFile: string
}

export interface EtcdPorts {
	readonly client: number
	readonly peer: number
	/** Its health is asked in the clear, whatever the clients' side is. */
	readonly health: number
}

export interface EtcdProcess {
	readonly endpoint: string
	/** Starts, and resolves when it is healthy (`untilHealthy`), or at once. */
	start(options: { readonly dataDir: string; readonly token: string; readonly untilHealthy: boolean }): Promise<void>
	healthy(): Promise<void>
	end(signal: NodeJS.Signals): Promise<void>
}

const readyTries = 400
const readyPauseMs = 50

/** All are held until all are found, so that they differ. */
export async function freePorts(count: number): Promise<readonly number[]> {
	const servers = Array.from({ length: count }, () => createServer())
	for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening')
	const ports = servers.map((server) => (server.address() as AddressInfo).port)
	for (const server of servers) await once(server.close(), 'close')
	return ports
}

export async function etcdPorts(): Promise<EtcdPorts> {
	const [client = 0, peer = 0, health = 0] = await freePorts(3)
	return { client, peer, health }
}

const peerOf = (ports: EtcdPorts): string => `http://127.0.0.1:${ports.peer}`

/** `members`: the ports of all by name; `name` is one of them. */
export function etcdProcess(options: {
	readonly dir: string
	readonly name: string
	readonly members: Readonly<Record<string, EtcdPorts>>
	readonly args: readonly string[]
	readonly tls?: EtcdTls | undefined
}): EtcdProcess {
	const { dir, name, members, tls } = options
	const ports = members[name]
	if (!ports) throw new Error(`${name} is no member`)
	const program = join(serversDir, 'etcd')
	if (!existsSync(program)) throw new Error(`${program} is missing: npm run test:servers builds it`)
	const endpoint = `${tls ? 'https' : 'http'}://127.0.0.1:${ports.client}`
	let child: ChildProcess | undefined

	const healthy = async (): Promise<void> => {
		for (let tries = 0; tries < readyTries; tries += 1) {
			if (child?.exitCode !== null) throw new Error(`etcd ended with ${child?.exitCode}`)
			const answer = await fetch(`http://127.0.0.1:${ports.health}/health`).catch(() => undefined)
			if (answer?.ok && ((await answer.json()) as { health?: string }).health === 'true') return
			await new Promise((resolve) => setTimeout(resolve, readyPauseMs))
		}
		throw new Error('etcd did not become healthy')
	}

	return {
		endpoint,
		healthy,
		async start({ dataDir, token, untilHealthy }) {
			const log = openSync(join(dir, `${name}.log`), 'a')
			const flags = {
				name,
				'data-dir': dataDir,
				'listen-client-urls': endpoint,
				'advertise-client-urls': endpoint,
				'listen-metrics-urls': `http://127.0.0.1:${ports.health}`,
				'listen-peer-urls': peerOf(ports),
				'initial-advertise-peer-urls': peerOf(ports),
				'initial-cluster': Object.entries(members)
					.map(([member, its]) => `${member}=${peerOf(its)}`)
					.join(','),
				'initial-cluster-token': token,
				'log-level': 'error',
				...(tls ? { 'cert-file': tls.certFile, 'key-file': tls.keyFile, 'trusted-ca-file': tls.caFile, 'client-cert-auth': 'true' } : {}),
			}
			const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`)
			child = spawn(program, [...args, '--unsafe-no-fsync', ...options.args], { stdio: ['ignore', log, log] })
			if (untilHealthy) await healthy()
		},
		async end(signal) {
			if (!child || child.exitCode !== null || child.signalCode !== null) return
			const gone = once(child, 'exit')
			child.kill(signal)
			await gone
		},
	}
}
