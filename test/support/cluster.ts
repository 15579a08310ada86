// A real control plane for one test file: built if needed, started on free ports in a folder of its own, stopped by its own process ids.
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { eventually } from './program.ts'
import { armStop } from './guard.ts'

const run = promisify(execFile)
const scripts = resolve('test/servers/kubernetes')
const outputBytesMax = 256 * 1024 * 1024
const readyMsMax = 180_000
const shownOfLog = 2000

/** Where the servers are built. */
export const serversDir = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'kubetape', 'servers')

export interface Cluster {
	readonly dir: string
	/** Address of the API server. */
	readonly api: string
	readonly etcd: string
	kubeconfig(user?: string): string
	/** Standard output; rejects with what kubectl said when it fails. */
	readonly kubectl: (args: readonly string[], options?: { readonly input?: string; readonly user?: string }) => Promise<string>
	/** Resolves when these custom resources are served. A definition of a moment ago has no conditions yet, and `kubectl wait` fails on it at once (kubernetes/kubernetes#66439). */
	established(...definitions: readonly string[]): Promise<void>
	/** SIGKILL of one of its programs (`kube-apiserver`, `etcd`); resolves when it is gone, with what starts the same again, further arguments behind its own. */
	kill(program: string): Promise<(...further: readonly string[]) => Promise<void>>
	/** Resolves when the API server says that it is ready. */
	ready(): Promise<void>
	stop(): Promise<void>
}

/** `env`: parameters of test/servers/kubernetes/up.sh. */
export async function startCluster(options: { readonly env?: Readonly<Record<string, string>> } = {}): Promise<Cluster> {
	const dir = mkdtempSync(join(tmpdir(), 'kubetape-cluster-'))
	const env = { ...process.env, DIR: dir, BASE: '0', RECORD: '0', SERVERS: serversDir, ...options.env }
	const stop = armStop(dir, [join(scripts, 'down.sh')], env)
	try {
		await run('bash', [join(scripts, 'up.sh')], { env, maxBuffer: outputBytesMax })
	} catch (error) {
		await stop()
		throw error
	}
	const settings = readFileSync(join(dir, 'rig.env'), 'utf8')
	const setting = (name: string): string => new RegExp(`(?:^|\\s)${name}=(\\S+)`).exec(settings)?.[1] ?? ''
	const kubeconfig = (user = 'admin'): string => join(dir, 'kubeconfig', user)
	const kubectl: Cluster['kubectl'] = async (args, how = {}) => {
		const child = run(
			join(serversDir, 'kubectl'),
			['--kubeconfig', kubeconfig(how.user), '--cache-dir', join(dir, 'home', 'cache'), ...args],
			{ maxBuffer: outputBytesMax, env: { ...env, HOME: join(dir, 'home') } },
		)
		child.child.stdin?.end(how.input ?? '')
		return (await child).stdout
	}
	return {
		dir,
		api: setting('api'),
		etcd: setting('etcd'),
		kubeconfig,
		stop,
		kubectl,
		async established(...definitions) {
			const conditions = `{range .status.conditions[?(@.type=="Established")]}{.status}{end}`
			for (const definition of definitions)
				await eventually(
					() => kubectl(['get', 'crd', definition, '-o', `jsonpath=${conditions}`]),
					(status) => status === 'True',
				)
		},
		kill: (program) => killProgram(dir, program),
		ready: async () => {
			const isReady = (): Promise<boolean> =>
				kubectl(['get', '--raw', '/readyz']).then(
					() => true,
					() => false, // not yet
				)
			await eventually(isReady, (ready) => ready, readyMsMax).catch((error: unknown) => {
				const log = readFileSync(join(dir, 'logs', 'kube-apiserver.log'), 'utf8').slice(-shownOfLog)
				throw new Error(`the API server does not become ready; it says: ${log}`, { cause: error })
			})
		},
	}
}

/** A process that has ended and that nobody has asked for is gone too, but not before all its threads: until then its ports are taken. */
function isRunning(pid: string): boolean {
	try {
		return readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[2] !== 'Z' || readdirSync(`/proc/${pid}/task`).length > 1
	} catch {
		return false
	}
}

async function killProgram(dir: string, program: string): Promise<(...further: readonly string[]) => Promise<void>> {
	const pid = readFileSync(join(dir, 'run', `${program}.pid`), 'utf8').trim()
	const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
	process.kill(Number(pid), 'SIGKILL')
	await eventually(
		async () => isRunning(pid),
		(running) => !running,
	)
	const script = `export DIR="$0"; setsid nohup "$@" >>"$DIR/logs/${program}.log" 2>&1 </dev/null & echo $! >"$DIR/run/${program}.pid"`
	return async (...further) => void (await run('bash', ['-c', script, dir, ...command, ...further]))
}
