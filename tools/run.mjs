// Runs a program of the project on the project's own Node 24, whatever Node started this; installs the npm packages that are missing first.
// usage: node tools/run.mjs FILE [ARGUMENTS…]
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
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

if (!installed()) {
	console.error('installing npm packages …')
	const result = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
		cwd: root,
		stdio: ['ignore', 2, 2],
		shell: process.platform === 'win32',
	})
	if (result.status !== 0) process.exit(3)
}
const runtime = existsSync(node) ? node : Number(process.versions.node.split('.')[0]) >= 24 ? process.execPath : undefined
if (runtime === undefined) {
	console.error('Node 24 is needed: its npm package exists for Linux on x64 and arm64; elsewhere, run this with Node 24 or newer')
	process.exit(3)
}
// Worker threads share two arenas of the C library instead of eight a core: what one thread frees, another one uses.
const env = { MALLOC_ARENA_MAX: '2', ...process.env }
const child = spawn(runtime, ['--disable-warning=ExperimentalWarning', join(root, process.argv[2]), ...process.argv.slice(3)], {
	cwd: process.cwd(),
	stdio: 'inherit',
	env,
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(signal ? 128 + ({ SIGINT: 2, SIGTERM: 15, SIGKILL: 9 }[signal] ?? 1) : (code ?? 1)))
