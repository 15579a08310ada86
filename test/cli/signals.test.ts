// The program ends when it is told to, however it was started, and leaves nothing behind: no process, no lock.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { eventually, startProgram, temporaryFolder } from '#test/support/program.ts'

const folder = temporaryFolder('signals')
afterAll(() => folder.remove())

/** Locks of roles that are held in this data directory. */
const locks = (dir: string): readonly string[] =>
	existsSync(dir)
		? (readdirSync(dir, { recursive: true }) as string[]).filter((name) => /(all-in-one|collect|process|serve)\.lock$/.test(name))
		: []

/** Processes with this text among their arguments. */
function processes(text: string): readonly number[] {
	return readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.filter((pid) => {
			try {
				return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text)
			} catch {
				return false // it is gone
			}
		})
		.map(Number)
}

/** When every process that has this data directory is gone: those, and the locks in it. */
async function leftIn(dir: string): Promise<{ readonly processes: readonly number[]; readonly locks: readonly string[] }> {
	const left = await eventually(
		async () => processes(dir),
		(found) => found.length === 0,
	)
	return { processes: left, locks: locks(dir) }
}

async function start(
	command: string,
	args: readonly string[],
): Promise<{ readonly child: ChildProcess; readonly ended: Promise<unknown[]> }> {
	const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(KUBETAPE_|KUBECONFIG$|npm_)/i.test(name)))
	const child = spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...environment, HOME: '/nonexistent' } })
	let text = ''
	const ended = once(child, 'exit')
	child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
	child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()))
	await eventually(
		async () => text,
		(seen) => /^Kubetape shows .* at http:/m.test(seen),
	)
	return { child, ended }
}

describe.each([
	['npm start', 'npm', ['start', '--']],
	['tools/run.mjs', process.execPath, ['tools/run.mjs', 'cli/main.ts', 'all-in-one']],
] as const)('%s', (_name, command, before) => {
	it.each(['SIGTERM', 'SIGINT'] as const)('ends on %s, whole', async (signal) => {
		const dir = join(folder.path, `${before[0]}-${signal}`.replace('/', '-'))
		const { child, ended } = await start(command, [...before, '--demo', '--port', '0', '--data-dir', dir])
		expect(locks(dir)).toHaveLength(3)
		child.kill(signal)
		await ended
		expect(await leftIn(dir)).toEqual({ processes: [], locks: [] })
	})
})

/** What a test does that starts a program, in a process that can be killed. */
const asTest = `
	import { startProgram } from '#test/support/program.ts'
	const program = startProgram(['all-in-one', '--demo', '--port', '0', '--data-dir', process.argv[1]])
	await program.address
	console.log(program.output())
`

describe('a program that a test started', () => {
	it('ends in order when the test is killed', async () => {
		const dir = join(folder.path, 'test-killed')
		const { child, ended } = await start(process.execPath, [
			'--disable-warning=ExperimentalWarning',
			'--input-type=module',
			'-e',
			asTest,
			dir,
		])
		expect(locks(dir)).toHaveLength(3)
		child.kill('SIGKILL')
		await ended
		expect(await leftIn(dir)).toEqual({ processes: [], locks: [] })
	})
})

describe('the program behind tools/run.mjs', () => {
	const run = (dir: string) =>
		start(process.execPath, ['tools/run.mjs', 'cli/main.ts', 'all-in-one', '--demo', '--port', '0', '--data-dir', dir])

	it('ends in order when tools/run.mjs is killed', async () => {
		const dir = join(folder.path, 'killed')
		const { child, ended } = await run(dir)
		child.kill('SIGKILL')
		await ended
		expect(await leftIn(dir)).toEqual({ processes: [], locks: [] })
	})

	it('is killed: tools/run.mjs ends too, with the status of a shell', async () => {
		const dir = join(folder.path, 'child-killed')
		const { child, ended } = await run(dir)
		const inner = processes(dir).find((pid) => pid !== child.pid)
		process.kill(inner ?? 0, 'SIGKILL')
		expect(await ended).toEqual([137, null])
	})

	it('ends in order when the same signal arrives twice, as a terminal and npm both send it', async () => {
		const dir = join(folder.path, 'twice')
		const { child, ended } = await run(dir)
		const inner = processes(dir).find((pid) => pid !== child.pid)
		process.kill(inner ?? 0, 'SIGINT')
		child.kill('SIGINT')
		expect(await ended).toEqual([0, null])
		expect(locks(dir)).toEqual([])
	})
})

describe('a role alone', () => {
	it.each(['collect', 'process', 'serve'] as const)('%s stays without any source, and ends with 0 when told', async (role) => {
		const dir = join(folder.path, role)
		const file = join(folder.path, `${role}.yaml`)
		writeFileSync(file, `dataDir: ${dir}\nserver: { port: 0 }\n`)
		const program = startProgram([role, '--config', file])
		await eventually(
			async () => program.output(),
			(text) => /nothing to record|processing|listening on/.test(text),
		)
		program.process.kill('SIGTERM')
		expect(await program.exited).toBe(0)
		expect(locks(dir)).toEqual([])
	})
})
