// The questions on the command line, asked of a listening server.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Command } from 'commander'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse } from 'yaml'
import { createClient } from '#cli/queries/client.ts'
import { registerQueries } from '#cli/queries/register.ts'
import { errorRegistry, KubetapeError } from '#runtime/errors.ts'
import type { Store } from '#storage/store/port.ts'
import { change, checkout, forget, openApi, story } from '#test/api/support.ts'

let store: Store
let api: FastifyInstance
let address: string

beforeAll(async () => {
	store = await story()
	api = await openApi(store)
	address = await api.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
	await api.close()
	await forget()
})

async function run(args: readonly string[], columns = 0, onText: (text: string) => void = () => undefined): Promise<string> {
	let out = ''
	const program = new Command().exitOverride()
	const stdout = (text: string): void => {
		out += text
		onText(text)
	}
	registerQueries(program, { stdout, stderr: stdout, columns })
	await program.parseAsync(['node', 'kubetape', ...args, '--server', address])
	return out
}

async function failure(args: readonly string[]): Promise<string> {
	const error = await run(args).then(
		() => undefined,
		(thrown: unknown) => thrown,
	)
	expect(error).toBeInstanceOf(KubetapeError)
	const { code } = error as KubetapeError
	return `${code} ${errorRegistry[code].exit}`
}

it('prints the timeline oldest first, fitted to the terminal', async () => {
	const lines = (await run(['timeline', '--include', 'changes,audit', '-n', 'shop'], 80)).trimEnd().split('\n')
	expect(lines[0]).toMatch(/^TIME +± +KIND +WHAT +WHO +SUMMARY$/)
	expect(lines).toHaveLength(6)
	expect(lines[1]).toContain('2026-11-23 10:00:02.000  0.002s')
	expect(lines.every((line) => Array.from(line).length <= 120)).toBe(true)
	expect((await run(['timeline', '--kind', 'Deployment', '--limit', '1'])).split('\n')[1]).toContain('deleted')
})

it.each([
	['deployment/checkout'],
	['deployments.apps/checkout'],
	['Deployment.apps/checkout'],
	['deploy/checkout'],
	['deployment checkout'],
])('knows the object %s', async (words) => {
	const lines = (await run(['history', ...words.split(' '), '-n', 'shop'])).trimEnd().split('\n')
	expect(lines.slice(1).map((line) => line.split(/ {2,}/).filter((cell) => /^\d+$|alice|bob|exact|unresolved/.test(cell)))).toEqual([
		['2', 'alice', 'exact'],
		['5', 'bob', 'exact'],
		['8', 'unresolved'],
	])
})

it('tells what differs, what was, what is covered', async () => {
	expect(await run(['diff', 'deployment/checkout', '-n', 'shop', '--to', '5'])).toMatch(
		/2 → 5 by bob \(patch\)\n.*\n {2}~ spec\.template\.spec\.containers\[web\]\.image: web:1 → web:2\n$/,
	)
	expect(parse(await run(['state', 'deployment/checkout', '-n', 'shop', '--at', '5']))).toMatchObject({ metadata: { name: 'checkout' } })
	expect(await run(['coverage'])).toMatch(/1\.\.9 [^]*10\.\.12 [^]*1 rejected\n$/)
	expect(await run(['audit', '--user', 'bob'])).toMatch(/bob +patch +shop\/deployments\/checkout +200 +10\.0\.0\.1 +kubectl\n$/)
	expect(JSON.parse(await run(['audit', '--source-ip', '10.0.0.1', '-o', 'json']))).toMatchObject({
		items: [{ kind: 'audit' }, { kind: 'audit' }],
		next: null,
	})
	expect(parse(await run(['logs', '-o', 'yaml']))).toEqual({ items: [], next: null })
})

it('lists clusters, objects as of a time, and the most frequent values', async () => {
	expect(await run(['clusters'])).toMatch(
		/^NAME +FIRST +LAST +REVISIONS +RECORDS\ndemo +2026-11-23 10:00:0\d\.000 +2026-11-23 10:00:08\.000 +2\.\.8 +.*change 4/,
	)
	expect(JSON.parse(await run(['clusters', '-o', 'json']))).toMatchObject({ items: [{ name: 'demo' }], next: null })
	const objects = (await run(['objects', 'deploy', '--at', '5', '-n', 'shop'])).trimEnd().split('\n')
	expect(objects).toHaveLength(2)
	expect(objects[1]).toMatch(/^shop +checkout +5 +2026-11-23 10:00:05\.000 +image web:2$/)
	expect(await run(['objects', 'deploy', 'checkout', '--at', '2'])).toContain('image web:1')
	expect((await run(['objects', 'deploy', '--at', '5', '--label-selector', 'app=other'])).trimEnd().split('\n')).toHaveLength(1)
	expect((await run(['objects', 'Deployment.apps'])).trimEnd().split('\n')).toHaveLength(1)
	expect(await run(['audit', 'top', '--by', 'user'])).toBe('USER   COUNT\nalice  1\nbob    1\n')
	expect(await run(['audit', 'top', '--by', 'verb', '--user', 'bob', '--limit', '1', '-o', 'json'])).toBe(
		`${JSON.stringify({ items: [{ value: 'patch', count: 1 }], next: null }, null, 2)}\n`,
	)
	expect(await failure(['objects', 'deploys'])).toBe('NOT_FOUND 1')
})

it('follows', async () => {
	const seen = new Promise<string>((resolve) => void run(['timeline', '-f', '-o', 'json'], 0, resolve).catch(() => undefined))
	let revision = 100n
	const feeding = setInterval(() => void store.put([change(checkout, revision++, 'updated', 'web:9')]), 50)
	try {
		expect(JSON.parse(await seen)).toMatchObject({ kind: 'change', object: { name: 'checkout' } })
	} finally {
		clearInterval(feeding)
	}
})

it('asks a server below a path of its host', async () => {
	const behind = createServer((request, response) => {
		response.setHeader('content-type', 'application/json')
		response.end(JSON.stringify({ items: [], next: null, asked: request.url }))
	}).listen(0, '127.0.0.1')
	await once(behind, 'listening')
	const { port } = behind.address() as AddressInfo
	for (const server of [`http://127.0.0.1:${port}/prefix`, `http://127.0.0.1:${port}/prefix/?a=b`])
		expect(await createClient(server).get('/api/v1/x', { q: 'é' })).toMatchObject({ asked: '/prefix/api/v1/x?q=%C3%A9' })
	behind.close()
	behind.closeAllConnections()
})

it('ends with the status that says why', async () => {
	expect(await failure(['history', 'checkout'])).toBe('CLI_USAGE 2')
	expect(await failure(['timeline', '--limit', 'x'])).toBe('CLI_USAGE 2')
	expect(await failure(['timeline', '--from', 'yesterday'])).toBe('QUERY_INVALID 2')
	expect(await failure(['history', 'pod/none', '-n', 'shop'])).toBe('NOT_FOUND 1')
	expect(await failure(['coverage', '--cluster', 'nope'])).toBe('NOT_FOUND 1')
	expect(await failure(['timeline', '--kind', 'Deploymnet'])).toBe('NOT_FOUND 1')
	expect(await failure(['timeline', '--limit', '0x10'])).toBe('CLI_USAGE 2')
	const program = new Command().exitOverride()
	registerQueries(program, { stdout: () => undefined, stderr: () => undefined })
	await expect(program.parseAsync(['node', 'kubetape', 'timeline', '--server', 'http://127.0.0.1:1'])).rejects.toMatchObject({
		code: 'CLI_SERVER_UNREACHABLE',
	})
	await expect(program.parseAsync(['node', 'kubetape', 'timeline', '--server', 'nonsense'])).rejects.toMatchObject({ code: 'CLI_USAGE' })
})
