// Runs a program of the project on the project's own Node 24, whatever Node started this; installs the npm packages that are missing first.
// usage: node tools/run.mjs FILE [ARGUMENTS…]
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const node = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')

/** npm writes node_modules/.package-lock.json last: older than package-lock.json, or missing, means an installation is due. */
function installed() {
	const marker = join(root, 'node_modules', '.package-lock.json')
	const lock = join(root, 'package-lock.json')
	if (!existsSync(marker)) return false
	if (statSync(marker).mtimeMs >= statSync(lock).mtimeMs) return true
	const versions = (file) =>
		JSON.stringify(
			Object.entries(JSON.parse(readFileSync(file, 'utf8')).packages)
				.filter(([path, entry]) => path !== '' && !entry.optional)
				.map(([path, entry]) => [path, entry.version]),
		)
	return versions(marker) === versions(lock)
}

/** What runs now, and the first signal that came. */
let child
let stopped
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
	process.on(signal, () => {
		stopped ??= signal
		child?.kill(signal)
	})

/** The exit status, as a shell tells it: 128 and the signal's number where one ended it. */
function run(command, args, options) {
	return new Promise((resolve) => {
		child = spawn(command, args, options)
		child.on('error', (error) => {
			console.error(`kubetape: ${command} cannot be run: ${error.message}`)
			resolve(3)
		})
		child.on('exit', (code, signal) => resolve(signal ? 128 + (constants.signals[signal] ?? 1) : (code ?? 1)))
	})
}

if (!installed()) {
	console.error('installing npm packages …')
	const status = await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
		cwd: root,
		stdio: ['ignore', 2, 2],
		shell: process.platform === 'win32',
	})
	if (stopped) process.exit(128 + constants.signals[stopped])
	if (status !== 0) process.exit(3)
}
const runtime = existsSync(node) ? node : Number(process.versions.node.split('.')[0]) >= 24 ? process.execPath : undefined
if (runtime === undefined) {
	console.error('Node 24 is needed: its npm package exists for Linux on x64 and arm64; elsewhere, run this with Node 24 or newer')
	process.exit(3)
}
const status = await run(
	runtime,
	[
		'--disable-warning=ExperimentalWarning',
		'--disable-warning=TimeoutNegativeWarning',
		join(root, process.argv[2]),
		...process.argv.slice(3),
	],
	{
		cwd: process.cwd(),
		// The channel carries no messages: its end tells the program that this one is gone, however it went.
		stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
		// Worker threads share two arenas of the C library instead of eight a core: what one thread frees, another one uses.
		env: { MALLOC_ARENA_MAX: '2', ...process.env },
	},
)
process.exit(status)
