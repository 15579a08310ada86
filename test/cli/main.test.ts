// What the command line says and ends with when it is used wrongly, or cannot run.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { startProgram, temporaryFolder } from '#test/support/program.ts'

const folder = temporaryFolder('main')
afterAll(() => folder.remove())

async function run(
	args: readonly string[],
	environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number | null; readonly output: string }> {
	const program = startProgram(args, environment)
	return { status: await program.exited, output: program.output() }
}

describe('kubetape', () => {
	it('names the nearest known option, with exit 2 and one line', async () => {
		const file = join(folder.path, 'wrong.yaml')
		writeFileSync(file, 'server: { prot: 1 }\n')
		const { status, output } = await run(['check-config', file])
		expect(status).toBe(2)
		expect(output.trim().split('\n')).toHaveLength(1)
		expect(output).toContain('server.prot is no option: did you mean server.port?')
	})

	it('accepts a right configuration without a network', async () => {
		const file = join(folder.path, 'right.yaml')
		writeFileSync(file, 'clusters: [{ name: prod, etcd: { endpoints: ["https://10.0.0.1:2379"] }, audit: { path: /var/log/audit.log } }]\n')
		expect(await run(['check-config', file])).toEqual({ status: 0, output: `${file}: right\n` })
	})

	it('names a wrong environment variable', async () => {
		const { status, output } = await run(['all-in-one', '--demo'], { KUBETAPE_SERVER_PROT: '1' })
		expect(status).toBe(2)
		expect(output).toContain('did you mean KUBETAPE_SERVER_PORT?')
	})

	it('ends with 2 for an unknown command and for flags that exclude each other', async () => {
		expect((await run(['reccord'])).status).toBe(2)
		expect((await run(['all-in-one', '--demo', '--replay', 'x', '--data-dir', folder.path])).status).toBe(2)
	})

	it('ends with 3 where the port is taken, and leaves the data intact', async () => {
		const server = createServer().listen(0, '127.0.0.1')
		await new Promise((resolve) => {
			server.once('listening', resolve)
		})
		const { port } = server.address() as { port: number }
		const { status, output } = await run(['all-in-one', '--demo', '--port', String(port), '--data-dir', join(folder.path, 'taken')])
		server.close()
		expect(status).toBe(3)
		expect(output).toContain('RUNTIME_PORT_TAKEN')
	})

	it('ends with 3 where the recording is none', async () => {
		const empty = join(folder.path, 'empty')
		mkdirSync(empty)
		const { status, output } = await run(['all-in-one', '--replay', empty, '--port', '0', '--data-dir', join(folder.path, 'none')])
		expect(status).toBe(3)
		expect(output).toContain('RECORDING_INVALID')
	})

	const kubeconfig = (name: string, server: string): string => {
		const file = join(folder.path, name)
		const contexts = [{ name: 'here', context: { cluster: 'c', user: 'u' } }]
		writeFileSync(file, JSON.stringify({ 'current-context': 'here', contexts, clusters: [{ name: 'c', cluster: { server } }], users: [] }))
		return file
	}
	const never = join(folder.path, 'never')

	it.each([
		[['--replay', ''], 2],
		[['--replay', join(folder.path, 'nowhere')], 3],
		[['--kubeconfig', join(folder.path, 'nowhere')], 2],
		[['--kubeconfig', kubeconfig('contexts', 'http://127.0.0.1:1'), '--context', 'there'], 2],
		[['--kubeconfig', kubeconfig('with-speed', 'http://127.0.0.1:1'), '--speed', '2'], 2],
		[['--context', 'there'], 2],
		[['--demo', '--kubeconfig', 'x'], 2],
		[['--demo', '--speed', '0x10'], 2],
		[['--demo', '--port', ''], 2],
		[['--demo', '--port', '0x50'], 2],
		[['--demo', '--port', '65536'], 2],
		[['--prot', '1'], 2],
	] as const)('refuses %j before anything is announced or made', async (args, expected) => {
		const { status, output } = await run(['all-in-one', '--port', '0', '--data-dir', never, ...args])
		expect([status, output.trim().split('\n').length], output).toEqual([expected, 1])
		expect(output).not.toContain('shows')
		expect(existsSync(never)).toBe(false)
	})

	it('refuses a KUBECONFIG that names nothing, in one line that says what to do', async () => {
		const { status, output } = await run(['all-in-one', '--port', '0', '--data-dir', never], { KUBECONFIG: '/nonexist' })
		expect([status, existsSync(never)]).toEqual([2, false])
		expect(output).toBe(
			'kubetape: KUBECONFIG: /nonexist does not exist: name a kubeconfig that does, unset KUBECONFIG, or take the recorded incident with --demo [CONFIG_UNREADABLE]\n',
		)
	})

	it('says in one line that a kubeconfig is no YAML', async () => {
		const file = join(folder.path, 'no.yaml')
		writeFileSync(file, 'a: b: c\n  - d\n')
		const { status, output } = await run(['all-in-one', '--kubeconfig', file, '--port', '0', '--data-dir', never])
		expect([status, output.trim().split('\n').length, existsSync(never)]).toEqual([2, 1, false])
	})

	it('says that a data directory cannot be made, and does not hang', async () => {
		const { status, output } = await run(['all-in-one', '--demo', '--port', '0', '--data-dir', '/proc/kubetape/data'])
		expect([status, output.trim().split('\n').length]).toEqual([3, 1])
		expect(output).toContain('RUNTIME_NO_PERMISSION')
	})

	it.each([
		['clusters: [{ name: a }, { name: b }, { name: a }]', 'two clusters are named a'],
		['server: { host: 0.0.0.0 }', 'beyond loopback'],
		['dataDir: ""', 'dataDir must not be empty'],
		['clusters: [{ name: a, etcd: { endpoints: [foo] } }]', 'clusters.0.etcd.endpoints.0 must be host:2379 or https://host:2379'],
		['clusters: [{ name: a, etcd: { endpoints: ["a:1"], certFile: x } }]', 'etcd.certFile needs etcd.caFile'],
		['clusters: [{ name: a, etcd: { endpoints: ["a:1"], caFile: /nonexist } }]', 'etcd.caFile: ENOENT'],
		['clusters: [{ name: a, kubernetes: { kubeconfig: /nonexist } }]', '/nonexist does not exist'],
		['clusters: [{ name: a, replay: { path: /nonexist } }]', '/nonexist'],
		['server: { port: 8481 }\nwebhook: {}', 'webhook.port and server.port are both 8481'],
		['server: { port: 8482 }\noperations: {}', 'operations.port and server.port are both 8482'],
		['redaction: { keyFile: /nonexist }', 'redaction.keyFile: ENOENT'],
		['webhook: { keyFile: x }', 'webhook.certFile and webhook.keyFile go together'],
		['webhook: { certFile: /nonexist, keyFile: /nonexist }', 'webhook.certFile: ENOENT'],
	])('refuses %s, checked and started, with the same words', async (text, message) => {
		const file = join(folder.path, 'refused.yaml')
		const dir = text.startsWith('dataDir') ? '' : `dataDir: ${never}\n`
		writeFileSync(file, `${dir}${text}\n`)
		const checked = await run(['check-config', file])
		expect(checked.output).toContain(message)
		expect(checked.output).toMatch(new RegExp(`^kubetape: ${file}: .*\n$`))
		const demo = text.includes('clusters') ? [] : ['--demo']
		expect(await run(['all-in-one', '--config', file, ...demo])).toEqual(checked)
		expect(existsSync(never)).toBe(false)
	})

	it('names the variable that is wrong, not the file', async () => {
		const file = join(folder.path, 'fine.yaml')
		writeFileSync(file, 'server: { port: 1 }\n')
		expect(await run(['check-config', file], { KUBETAPE_SERVER_PORT: 'abc' })).toEqual({
			status: 2,
			output: 'kubetape: KUBETAPE_SERVER_PORT must be integer (it is "abc") [CONFIG_INVALID]\n',
		})
	})
})
