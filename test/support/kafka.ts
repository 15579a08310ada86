// A real Kafka for tests: one node or three, on free ports, in a folder of its own; its nodes are killed, halted and started again by number.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import kafkajs, { type Admin } from 'kafkajs'
import { freePorts } from './etcd-process.ts'
import { armStop } from './guard.ts'

export interface KafkaServer extends AsyncDisposable {
	/** Addresses of the nodes for clients. */
	readonly brokers: readonly string[]
	readonly dir: string
	/** Where TLS is on. */
	readonly caFile: string
	/** SIGKILL; nodes count from 1. */
	kill(node?: number): Promise<void>
	/** In order. */
	stop(node?: number): Promise<void>
	/** After kill or stop: the same data on the same ports. */
	start(node?: number): Promise<void>
	/** SIGSTOP: it hangs, with its connections open, until SIGCONT. */
	halt(node?: number): void
	resume(node?: number): void
	/** The folders of the node that hold the segments of a partition. */
	segments(topic: string, partition: number, node?: number): string
}

export interface KafkaOptions {
	readonly nodes?: 1 | 3
	readonly sasl?: 'plain' | 'scram'
	readonly tls?: boolean
	/** Lines of the brokers' configuration. */
	readonly conf?: readonly string[]
	/** Ports that the brokers advertise to clients in place of their own: a proxy in front of each. */
	readonly advertised?: readonly number[]
}

export const kafkaUser = { username: 'kubetape', password: 'kubetape-secret' } as const

const run = promisify(execFile)
const scripts = resolve('test/servers/kafka')
const portsOfNode = 3
const startTries = 3

/** Rejects where Kafka is not installed: npm run test:servers installs it. */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaServer> {
	const nodes = options.nodes ?? 1
	// Another program may take a port between finding and using it: then it is tried on others.
	for (let tries = 1; ; tries++) {
		const dir = mkdtempSync(join(tmpdir(), 'kubetape-kafka-'))
		const ports = await freePorts(nodes * portsOfNode)
		const server = kafkaIn(dir, ports, options)
		try {
			await server.start()
			return server
		} catch (error) {
			await server[Symbol.asyncDispose]()
			if (tries === startTries) throw error
		}
	}
}

function kafkaIn(dir: string, ports: readonly number[], options: KafkaOptions): KafkaServer {
	const clients = ports.filter((_, index) => index % portsOfNode === 0)
	const conf = [...(options.conf ?? [])]
	if (options.advertised) {
		if (clients.length > 1) throw new Error('a proxy stands in front of a single node')
		conf.push(`advertised.listeners=CLIENT://127.0.0.1:${options.advertised[0]},INTERNAL://127.0.0.1:${ports[2]}`)
	}
	const env = {
		...process.env,
		DIR: dir,
		PORTS: ports.join(' '),
		CONF: conf.join(' '),
		SASL: options.sasl ?? '',
		TLS: options.tls === true ? '1' : '',
	}
	const stop = armStop(dir, ['bash', join(scripts, 'stop.sh')], { ...env, KILL: '1' })
	const script = async (name: string, extra: Readonly<Record<string, string>>): Promise<void> => {
		await run('bash', [join(scripts, name)], { env: { ...env, ...extra } })
	}
	const of = (node: number | undefined): Record<string, string> => (node === undefined ? {} : { BROKER: String(node) })
	const signal = (node: number, name: NodeJS.Signals): void => {
		process.kill(Number(readFileSync(join(dir, `n${node}`, 'pid'), 'utf8')), name)
	}
	return {
		brokers: clients.map((port) => `127.0.0.1:${port}`),
		dir,
		caFile: join(dir, 'tls', 'ca.pem'),
		kill: (node) => script('stop.sh', { ...of(node), KILL: '1' }),
		stop: (node) => script('stop.sh', of(node)),
		async start(node) {
			for (let tries = 1; ; tries++) {
				try {
					return await script('start.sh', of(node))
				} catch (error) {
					if (tries === startTries) throw error
				}
			}
		},
		halt: (node = 1) => signal(node, 'SIGSTOP'),
		resume: (node = 1) => signal(node, 'SIGCONT'),
		segments: (topic, partition, node = 1) => join(dir, `n${node}`, 'data', `${topic}-${partition}`),
		[Symbol.asyncDispose]: stop,
	}
}

/** Asks the brokers as an operator would; closed when `question` is answered. */
export async function askKafka<T>(brokers: readonly string[], question: (admin: Admin) => Promise<T>): Promise<T> {
	const client = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 10 } })
	const admin = client.admin()
	await admin.connect()
	try {
		return await question(admin)
	} finally {
		await admin.disconnect()
	}
}
