// kubetape logs against a listening server: prefixes, whole lines, what follows, and what a terminal is spared.
import { Command } from 'commander'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse } from 'yaml'
import { registerQueries } from '#cli/queries/register.ts'
import { logText } from '#cli/queries/log-text.ts'
import { logId } from '#records/id.ts'
import type { Indexed } from '#records/indexed.ts'
import type { LogLine } from '#records/record.ts'
import type { Store } from '#storage/store/port.ts'
import { begin, change, cluster, forget, indexed, openApi, story } from '#test/api/support.ts'
import { eventually } from '#test/support/program.ts'

let store: Store
let api: FastifyInstance
let address: string
const long = `${'long '.repeat(1000)}end`

function line(n: number, more: Partial<LogLine> = {}): Indexed {
	const at = begin + n * 1000
	const file = `${more.pod ?? 'web-1'}/${more.container ?? 'web'}`
	const where = { namespace: 'shop', pod: 'web-1', podUid: 'pod-1', container: 'web', restart: 0, component: '', node: 'node-a' }
	const record: LogLine = {
		kind: 'log',
		id: logId(cluster, file, n, at),
		cluster,
		source: 'logs',
		occurredAt: at,
		occurredBound: 0,
		observedAt: at,
		file,
		offset: n * 10,
		stream: 'stdout',
		level: 'info',
		text: `line ${n}`,
		flags: [],
		...where,
		...more,
	}
	return indexed(record, { summary: record.text.slice(0, 1000) })
}

function aPod(name: string, uid: string, revision: bigint): Indexed {
	const owners = [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'checkout', uid: 'uid-checkout' }]
	const made = change({ resource: 'pods', group: '', namespace: 'shop', name }, revision, 'created', 'web:1', { owners })
	return { ...made, record: { ...made.record, uid, objectKind: 'Pod' } as typeof made.record }
}

beforeAll(async () => {
	store = await story()
	await store.put([aPod('web-1', 'pod-1', 20n), aPod('web-2', 'pod-2', 21n), aPod('quiet', 'pod-3', 22n)])
	await store.put([line(0), line(1, { text: long }), line(2), line(3, { pod: 'web-2', podUid: 'pod-2' }), line(4, { container: 'proxy' })])
	api = await openApi(store)
	address = await api.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
	await api.close()
	await forget()
})

interface Said {
	out: string
	err: string
}

async function run(args: readonly string[], said: Said = { out: '', err: '' }, columns = 0): Promise<Said> {
	const program = new Command().exitOverride()
	const stdout = (text: string): void => void (said.out += text)
	registerQueries(program, { stdout, stderr: (text) => void (said.err += text), columns })
	await program.parseAsync(['node', 'kubetape', ...args, '--server', address])
	return said
}

it('prints the lines of a Pod alone, whole; and with their Pod where there are several', async () => {
	expect(await run(['logs', 'web-1', '-c', 'web'])).toEqual({ out: `line 0\n${long}\nline 2\n`, err: '' })
	expect(await run(['logs', 'pod/web-1', '-n', 'shop'])).toEqual({
		out: `line 0\n${long}\nline 2\nline 4\n`,
		err: 'lines of the containers web, proxy: choose one with -c\n',
	})
	expect((await run(['logs', 'deployment/checkout', '-n', 'shop', '-q', 'line'])).out).toBe(
		'[pod/web-1/web] line 0\n[pod/web-1/web] line 2\n[pod/web-2/web] line 3\n[pod/web-1/proxy] line 4\n',
	)
	expect((await run(['logs', 'deploy/checkout', '--limit', '1', '--timestamps'])).out).toBe('2026-11-23T10:00:00.004000Z line 4\n')
	expect((await run(['logs', '--pod', 'web-2'])).out).toBe('2026-11-23 10:00:00.003  shop/web-2/web  line 3\n')
})

it('shows what stands around the words that are found, and where lines are left out', async () => {
	expect((await run(['logs', 'web-1', '-c', 'web', '-q', '"line 0"', '--context', '1'])).out).toBe(`line 0\n${long}\n`)
	expect((await run(['logs', 'web-1', '-c', 'web', '-q', 'line', '--context', '0'])).out).toBe('line 0\n--\nline 2\n')
	expect((await run(['logs', 'web-1', '-c', 'web', '-q', 'line', '--context', '1'])).out).toBe(`line 0\n${long}\nline 2\n`)
	const found = parse((await run(['logs', 'web-1', '-q', 'line', '--context', '0', '-o', 'yaml'])).out) as { items: unknown[]; next: null }
	expect(found).toMatchObject({ items: [{ summary: 'line 0' }, { summary: 'line 2' }, { summary: 'line 4' }], next: null })
})

it('says nothing of a quiet Pod, and that it knows none by a name', async () => {
	expect(await run(['logs', 'quiet', '-n', 'shop'])).toEqual({ out: '', err: '' })
	expect(await run(['logs', 'quiet'])).toEqual({ out: '', err: '' })
	await expect(run(['logs', 'none', '-n', 'shop'])).rejects.toMatchObject({ code: 'NOT_FOUND' })
	await expect(run(['logs', 'none'])).rejects.toMatchObject({ code: 'NOT_FOUND' })
	await expect(run(['logs', 'web-1', '--limit', '0'])).rejects.toMatchObject({ code: 'CLI_USAGE' })
	await expect(run(['logs', 'web-1', '--context', '1'])).rejects.toMatchObject({ code: 'CLI_USAGE' })
	await expect(run(['logs', 'web-1', '-f', '-q', 'a', '--context', '1'])).rejects.toMatchObject({ code: 'CLI_USAGE' })
})

it('goes on with what comes, each line once', async () => {
	const said = { out: '', err: '' }
	const lines = Array.from({ length: 60 }, (_, n) => line(100 + n, { pod: 'busy', podUid: 'pod-4' }))
	await store.put(lines.slice(0, 20))
	const following = run(['logs', 'busy', '-f'], said)
	following.catch(() => undefined) // ends with the server
	for (const each of lines.slice(20)) await store.put([each])
	await eventually(
		async () => said.out.split('\n').length - 1,
		(count) => count >= 60,
	)
	expect(said.out).toBe(lines.map((_, n) => `line ${100 + n}\n`).join(''))
	const json = { out: '', err: '' }
	run(['logs', 'web-2', '-f', '-o', 'json'], json).catch(() => undefined)
	await eventually(
		async () => json.out,
		(out) => out.endsWith('\n'),
	)
	expect(JSON.parse(json.out)).toMatchObject({ summary: 'line 3' })
})

it('spares a terminal what would move its cursor, and gives a file everything', () => {
	const coloured = '\u001b[31mred\u001b[0m\ttab\nnext \u001b[2J\u0007\u202e'
	expect(logText(coloured, false)).toBe(coloured)
	expect(logText(coloured, true)).toBe('red\ttab\nnext  [2J  ')
})

it('shows each request once, or every stage of it', async () => {
	expect((await run(['audit', '--user', 'bob', '-o', 'json'])).out).toContain('"stages"')
	expect((await run(['audit', '--user', 'bob', '--stages', '-o', 'json'])).out).not.toContain('"stages"')
})
