// How soon the program is there: the installed package beside the source, from the command to the address on the recorded incident. CPU of the process and its threads until then.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { buildPage } from '#dashboards/web/build.ts'
import { compileTree } from '#tools/package-code.ts'

export const name = 'start: package beside source'

const pairs = 7
const ticksPerSecond = 100

interface Start {
	readonly wallMs: number
	readonly cpuMs: number
}

/** Field 14 and 15 of /proc/PID/stat: user and system time in clock ticks, of all threads. */
function cpuOf(pid: number): number {
	const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
	return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1000
}

async function start(main: string, data: string): Promise<Start> {
	const began = performance.now()
	const child = spawn(
		process.execPath,
		['--disable-warning=ExperimentalWarning', main, 'all-in-one', '--demo', '--port', '0', '--data-dir', data],
		{
			stdio: ['ignore', 'pipe', 'ignore'],
			env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent', MALLOC_ARENA_MAX: '2' },
		},
	)
	const exited = new Promise((done) => {
		child.on('exit', done)
	})
	await new Promise((done) => {
		child.stdout.once('data', done)
	})
	const result = { wallMs: performance.now() - began, cpuMs: cpuOf(child.pid ?? 0) }
	child.kill('SIGTERM')
	await exited
	rmSync(data, { recursive: true, force: true })
	return result
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

export async function run(print: (line: string) => void): Promise<void> {
	const dir = mkdtempSync(join(tmpdir(), 'kubetape-start-'))
	try {
		const dist = await buildPage()
		const packaged = join(dir, 'package')
		compileTree('.', packaged)
		mkdirSync(join(packaged, 'dashboards/web'), { recursive: true })
		writeFileSync(join(packaged, 'package.json'), readFileSync('package.json'))
		for (const [target, path] of [
			['node_modules', 'node_modules'],
			['demo', 'demo'],
			[dist, 'dashboards/web/dist'],
		] as const)
			symlinkSync(resolve(target), join(packaged, path))
		const [source, ours]: [Start[], Start[]] = [[], []]
		for (let pair = 0; pair < pairs; pair++) {
			source.push(await start(resolve('cli/main.ts'), join(dir, 'data')))
			ours.push(await start(join(packaged, 'cli/main.js'), join(dir, 'data')))
		}
		for (const [label, runs] of [
			['source', source],
			['package', ours],
		] as const)
			print(
				`${label}: ${median(runs.map(({ wallMs }) => wallMs)).toFixed(0)} ms to the address, ${median(runs.map(({ cpuMs }) => cpuMs)).toFixed(0)} ms of CPU`,
			)
		print(
			`package / source: ${(median(ours.map(({ wallMs }) => wallMs)) / median(source.map(({ wallMs }) => wallMs))).toFixed(2)} by wall (at most 1.00)`,
		)
	} finally {
		rmSync(dir, { recursive: true, force: true })
	}
}
