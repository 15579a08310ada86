// An etcd of three members for tests, each to be killed and started again.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { etcdPorts, etcdProcess, type EtcdPorts, type EtcdProcess } from './etcd-process.ts'

export interface EtcdMember {
	readonly endpoint: string
	/** SIGKILL. */
	kill(): Promise<void>
	/** After kill; does not wait for a leader. */
	restart(): Promise<void>
}

export interface EtcdCluster extends AsyncDisposable {
	readonly members: readonly EtcdMember[]
	/** Until every member says that it is healthy. */
	healthy(): Promise<void>
}

const names = ['one', 'two', 'three']
/** Short elections, so that a lost leader is noticed within a second or two. */
const elections = ['--heartbeat-interval=50', '--election-timeout=500']

export async function startEtcdCluster(): Promise<EtcdCluster> {
	const dir = mkdtempSync(join(tmpdir(), 'kubetape-etcds-'))
	const ports: Record<string, EtcdPorts> = {}
	for (const name of names) ports[name] = await etcdPorts()
	const processes = names.map((name) => etcdProcess({ dir, name, members: ports, args: elections }))
	const launch = (process: EtcdProcess, index: number): Promise<void> =>
		process.start({ dataDir: join(dir, names[index] ?? ''), token: 'three', untilHealthy: false })
	const healthy = async (): Promise<void> => void (await Promise.all(processes.map((process) => process.healthy())))
	await Promise.all(processes.map(launch))
	await healthy()
	return {
		healthy,
		members: processes.map((process, index) => ({
			endpoint: process.endpoint,
			kill: () => process.end('SIGKILL'),
			restart: () => launch(process, index),
		})),
		async [Symbol.asyncDispose]() {
			await Promise.all(processes.map((process) => process.end('SIGKILL')))
			rmSync(dir, { recursive: true, force: true })
		},
	}
}
