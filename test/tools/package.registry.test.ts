// The package as its users have it: packed, installed into an empty prefix from the registry, run on a machine that has Node and nothing else.
import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, getJson, temporaryFolder } from '#test/support/program.ts'

const run = promisify(execFile)
const folder = temporaryFolder('installed')
const prefix = join(folder.path, 'prefix')
const home = join(prefix, 'lib', 'node_modules', 'kubetape')
const path = join(folder.path, 'bin')
/** No npm, no compiler, no setting of whoever runs the tests. */
const env = { PATH: `${path}:/usr/bin:/bin`, HOME: '/nonexistent' }
const kubetape = (args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> =>
	run(join(prefix, 'bin', 'kubetape'), [...args], { env, cwd: folder.path })

beforeAll(async () => {
	mkdirSync(path)
	symlinkSync(process.execPath, join(path, 'node'))
	await run(process.execPath, ['--disable-warning=ExperimentalWarning', 'tools/package.ts', '--out', folder.path])
	const tarball = readdirSync(folder.path).find((name) => name.endsWith('.tgz')) ?? ''
	await run('npm', [
		'install',
		'--global',
		'--ignore-scripts',
		'--no-audit',
		'--no-fund',
		'--fetch-retries=5',
		'--prefix',
		prefix,
		join(folder.path, tarball),
	])
})
afterAll(() => folder.remove())

describe('the installed package', () => {
	it('brings no Node, no compiler and no test', () => {
		const installed = readdirSync(join(home, 'node_modules'))
		expect(installed).toContain('fastify')
		expect(installed.filter((name) => /^(node-linux.*|typescript|vite|vitest|preact|oxlint|knip)$/.test(name))).toEqual([])
		expect(existsSync(join(home, 'test'))).toBe(false)
		expect(
			(readdirSync(home, { recursive: true }) as string[]).filter((name) => !name.includes('node_modules') && name.endsWith('.ts')),
		).toEqual([])
	})

	it('answers its command line, also where it is used wrongly', async () => {
		expect((await kubetape(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
		expect((await kubetape(['--help'])).stdout).toContain('all-in-one')
		expect((await kubetape(['setup', 'kibana', '--output', '-'])).stdout).toContain('"type":"dashboard"')
		await expect(kubetape(['all-in-one', '--prot', '1'])).rejects.toMatchObject({ code: 2 })
	})

	it('records, serves its API and its page, and ends in order', async () => {
		const child = spawn(join(prefix, 'bin', 'kubetape'), ['all-in-one', '--demo', '--port', '0', '--data-dir', 'data'], {
			env,
			cwd: folder.path,
		})
		let output = ''
		const exited = new Promise<number | null>((resolve) => {
			child.on('exit', resolve)
		})
		for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
		const said = await eventually(
			async () => output,
			(text) => /at http:\S+\n/.test(text),
		)
		const address = /at (http:\S+)\n/.exec(said)?.[1] ?? ''
		try {
			const page = await (await fetch(address)).text()
			const script = /src="([^"]+\.js)"/.exec(page)?.[1] ?? ''
			expect((await fetch(address + script)).headers.get('content-type')).toContain('javascript')
			const ask = () => getJson<{ items: readonly unknown[] }>(address, '/api/v1/timeline?limit=500&include=changes')
			expect((await eventually(ask, ({ items }) => items.length === 500)).items).toHaveLength(500)
			expect((await kubetape(['history', 'deployments.apps', 'checkout', '-n', 'shop', '--server', address])).stdout).toContain('image')
		} finally {
			child.kill('SIGTERM')
		}
		expect(await exited).toBe(0)
		expect(output).not.toContain('ExperimentalWarning')
	})
})
