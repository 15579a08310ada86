// What the command line says and ends with when it is used wrongly, or cannot run.
import { mkdirSync, writeFileSync } from 'node:fs'
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
})
