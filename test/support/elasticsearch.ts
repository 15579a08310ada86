// A real Elasticsearch of a test: on a free port, in a folder of its own, to be killed and started again; stopped by its own process id.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { serversDir } from './cluster.ts'
import { armStop } from './guard.ts'

const run = promisify(execFile)
const scripts = resolve('test/servers/elasticsearch')

export interface ElasticsearchServer extends AsyncDisposable {
	readonly url: string
	readonly dir: string
	/** SIGKILL; what was not durable is gone. */
	kill(): Promise<void>
	/** SIGTERM. */
	end(): Promise<void>
	/** After kill or end: the same data on the same port. */
	restart(): Promise<void>
	/** SIGSTOP: it hangs, with its connections open, until SIGCONT. */
	halt(): void
	resume(): void
}

export interface ElasticsearchOptions {
	readonly heap?: string
	/** Node settings, as `indexing_pressure.memory.limit=200kb`. */
	readonly settings?: readonly string[]
}

/** Rejects with what start.sh says where the server is not installed or does not start. */
export async function startElasticsearch(options: ElasticsearchOptions = {}): Promise<ElasticsearchServer> {
	const dir = mkdtempSync(join(tmpdir(), 'kubetape-elasticsearch-'))
	const env = { ...process.env, ES_SERVER: join(serversDir, 'elasticsearch') }
	const stop = armStop(dir, [join(scripts, 'stop.sh'), dir, '--kill'], env)
	const start = async (port: string): Promise<string> => {
		const args = [join(scripts, 'start.sh'), dir, port, options.heap ?? '512m', ...(options.settings ?? [])]
		return (await run('bash', args, { env })).stdout.trim()
	}
	const finish = async (...args: readonly string[]): Promise<void> =>
		void (await run('bash', [join(scripts, 'stop.sh'), dir, ...args], { env }))
	const signal = (of: NodeJS.Signals): void => void process.kill(Number(readFileSync(join(dir, 'pid'), 'utf8')), of)
	try {
		const url = await start('0')
		return {
			url,
			dir,
			kill: () => finish('--kill'),
			end: () => finish(),
			halt: () => signal('SIGSTOP'),
			resume: () => signal('SIGCONT'),
			restart: async () => void (await start(new URL(url).port)),
			[Symbol.asyncDispose]: stop,
		}
	} catch (error) {
		await stop()
		throw error
	}
}
