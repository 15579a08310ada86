// The real API server with its audit log going both ways, by webhook and by file, under 500 requests a second, while what receives them is killed: every entry of its file, through all rotations, is stored once.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readCounters, type Counters } from '#collectors/audit/counters/exposition.ts'
import { parseAuditLine } from '#collectors/audit/parse.ts'
import { openLocalState } from '#collectors/local-state.ts'
import type { WireCoverage, WireItem, WirePage } from '#api/wire.ts'
import type { Gap } from '#records/record.ts'
import { parseTime } from '#records/time.ts'
import { systemClock } from '#runtime/clock.ts'
import type { Item, Store } from '#storage/store/port.ts'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'
import { openApi } from '#test/api/support.ts'
import { Roles } from '#test/flow/roles.ts'
import { startCluster, type Cluster } from '#test/support/cluster.ts'
import { eventually, temporaryFolder } from '#test/support/program.ts'
import { createRandom, seedOf } from '#test/support/random.ts'
import { startLoad } from './load.ts'

const perSecond = 500
const kills = 4
const seed = seedOf('collectors/audit/both-ways')
const random = createRandom(seed)
const folder = temporaryFolder('both-ways')
/** Small files, packed at once; a webhook that gives up soon and has a small queue, so that it does lose. */
const flags = [
	'--audit-log-maxsize 1 --audit-log-maxbackup 1000 --audit-log-compress',
	'--audit-log-truncate-enabled --audit-log-truncate-max-event-size 20000',
	'--audit-webhook-truncate-enabled --audit-webhook-truncate-max-event-size 20000',
	'--audit-webhook-initial-backoff 200ms --audit-webhook-batch-max-size 200 --audit-webhook-batch-buffer-size 3000',
]
let cluster: Cluster
let roles: Roles
let store: Store | undefined
let port = 0

async function freePort(): Promise<number> {
	const server = createServer()
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	const address = server.address()
	await new Promise((resolve) => server.close(resolve))
	return typeof address === 'object' ? (address?.port ?? 0) : 0
}

beforeAll(async () => {
	port = await freePort()
	cluster = await startCluster({ env: { NODES: '1', AUDIT_URL: `http://127.0.0.1:${port}/audit/rig`, APISERVER_EXTRA: flags.join(' ') } })
	const config = join(folder.path, 'kubetape.yaml')
	const files = ['etcd', 'kube-apiserver'].map((name) => `{ paths: ["${cluster.dir}/logs/${name}.log"], component: ${name} }`)
	writeFileSync(
		config,
		`dataDir: ${folder.path}/data
webhook: { port: ${port} }
clusters:
  - name: rig
    audit: { path: "${cluster.dir}/audit/audit.log", pollMs: 100 }
    auditCounters: { servers: [{ kubeconfig: "${cluster.kubeconfig()}" }], pollMs: 500, settleMs: 6000 }
    logs: { node: node-a, files: [${files.join(', ')}] }
`,
	)
	roles = new Roles(config, random)
})
afterAll(async () => {
	await roles?.[Symbol.asyncDispose]()
	await store?.[Symbol.asyncDispose]()
	await cluster?.stop()
	folder.remove()
})

interface Written {
	/** Ids of all entries, in all files. */
	readonly ids: ReadonlySet<string>
	readonly lines: number
	readonly packed: number
	readonly truncated: number
}

function written(): Written {
	const dir = join(cluster.dir, 'audit')
	const names = readdirSync(dir).filter((name) => name.startsWith('audit'))
	const ids = new Set<string>()
	let [lines, truncated] = [0, 0]
	for (const name of names) {
		// While it is being packed, it is there twice.
		if (name.endsWith('.gz') && names.includes(name.slice(0, -'.gz'.length))) continue
		const bytes = readFileSync(join(dir, name))
		for (const line of (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString().split('\n')) {
			if (line === '') continue
			const record = parseAuditLine(line, { cluster: 'rig', source: 'audit', observedAt: 0, where: name })
			if (record.kind === 'reject') throw new Error(`${name}: ${record.reason}`)
			ids.add(record.id)
			lines += 1
			if (record.truncated) truncated += 1
		}
	}
	return { ids, lines, truncated, packed: names.filter((name) => name.endsWith('.gz')).length }
}

const open = (): Promise<Store> => openSqliteStore({ dir: join(folder.path, 'data', 'store'), readOnly: true, clock: systemClock })

async function all(from: Store, include: 'audit' | 'log' | 'gap'): Promise<readonly Item[]> {
	const items: Item[] = []
	let cursor: string | null | undefined
	do {
		const page = await from.timeline({ cluster: 'rig', include: [include] }, { limit: 1000, order: 'asc', ...(cursor ? { cursor } : {}) })
		items.push(...page.items)
		cursor = page.next
	} while (cursor)
	return items
}

async function gapsOf(): Promise<readonly Gap[]> {
	const opened = await open()
	try {
		return (await opened.ledger('rig', {})).gaps
	} finally {
		await opened[Symbol.asyncDispose]()
	}
}

async function counters(): Promise<Counters> {
	const text = await cluster.kubectl(['get', '--raw', '/metrics'])
	const found = await readCounters(
		(async function* () {
			yield await Promise.resolve(Buffer.from(text))
		})(),
	)
	if (!found) throw new Error('the API server counts nothing')
	return found
}

/** Starts what receives, and resolves when it does: on a busy machine that takes seconds. */
async function receiving(): Promise<void> {
	roles.start('collect')
	const isHeard = (): Promise<boolean> =>
		fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } }).then(
			() => true,
			() => false, // not yet
		)
	await eventually(isHeard, (heard) => heard)
}

/** Resolves when the counters were looked at once: what is given up on before is not told. */
async function looked(): Promise<void> {
	using state = openLocalState(join(folder.path, 'data', 'collectors', 'rig', 'audit-counters'))
	await eventually(
		async () => Promise.resolve(state.cursor(cluster.api)),
		(look) => look !== undefined,
	)
}

/** Kills of what receives, in the midst of it; the last time it is away for longer than the webhook tries. */
async function killing(): Promise<void> {
	for (let kill = 0; kill < kills; kill += 1) {
		await roles.pause(2000, 4000)
		await roles.kill('collect')
		await (kill === kills - 1 ? wait(5000) : roles.pause(0, 1000))
		await receiving()
	}
	await roles.pause(3000, 4000)
}

/** What the gaps say an API server gave up on, by plugin: from which count to which, or `broken` where a stretch is missing between two of them. */
function failures(gaps: readonly Gap[]): ReadonlyMap<string, { readonly from: number; readonly to: number } | 'broken'> {
	const found = new Map<string, { readonly from: number; readonly to: number } | 'broken'>()
	for (const { detail } of gaps.toSorted((a, b) => (a.fromAt ?? 0) - (b.fromAt ?? 0))) {
		const [, plugin, from, to] = /plugin="(\w+)"\} went from (\d+) to (\d+)/.exec(detail) ?? []
		if (plugin === undefined) continue
		const known = found.get(plugin)
		if (known === undefined) found.set(plugin, { from: Number(from), to: Number(to) })
		else found.set(plugin, known !== 'broken' && known.to === Number(from) ? { from: known.from, to: Number(to) } : 'broken')
	}
	return found
}

const given = (gaps: readonly Gap[]): number => gaps.reduce((sum, { detail }) => sum + Number(/gave up on (\d+)/.exec(detail)?.[1] ?? 0), 0)

it(`keeps every entry once, and tells what the webhook lost (seed ${seed})`, async () => {
	roles.start('process')
	await receiving()
	await looked()
	const load = startLoad(cluster, perSecond)
	const begun = performance.now()
	await killing()
	await load.stop()
	const answered = [...load.answers.values()].reduce((a, b) => a + b, 0)
	const rate = Math.round((answered * 1000) / (performance.now() - begun))
	expect([...load.answers.keys()].filter((status) => status >= 500 || status === 0)).toEqual([])
	expect(roles.failures).toEqual([])
	// The API server may still be at giving up; what it gave up on before the first look is not told.
	const [{ errors }, told] = await eventually(
		async () => [await counters(), await gapsOf()] as const,
		([{ errors: counted }, gaps]) =>
			(counted.get('webhook') ?? 0) > 0 &&
			given(gaps) > 0 &&
			[...failures(gaps)].every(([plugin, range]) => range === 'broken' || range.to === counted.get(plugin)),
	)
	process.stdout.write(`both ways: ${answered} requests, ${rate} a second; failed ${JSON.stringify([...errors])}\n`)
	expect([...failures(told).values()]).not.toContain('broken')

	// The other mode: each request waits for its entry to be taken.
	const start = await cluster.kill('kube-apiserver')
	await start('--audit-webhook-mode', 'blocking')
	await cluster.ready()
	const blocking = startLoad(cluster, perSecond / 5, 1_000_000)
	await roles.pause(2000, 3000)
	await roles.kill('collect')
	await receiving()
	// Long enough without a kill that what was sent and what came are compared.
	await wait(16_000)
	await blocking.stop()
	expect(blocking.answers.get(200) ?? 0).toBeGreaterThan(100)

	await cluster.kill('kube-apiserver')
	const file = written()
	const isThere = async (): Promise<number> => {
		const opened = await open()
		try {
			return (await opened.clusters())[0]?.counts.audit ?? 0
		} finally {
			await opened[Symbol.asyncDispose]()
		}
	}
	await eventually(isThere, (count) => count >= file.ids.size, 60_000)
	expect(roles.failures).toEqual([])
	await roles.kill('collect', 'process')

	store = await open()
	const entries = await all(store, 'audit')
	const ids = new Set(entries.map(({ id }) => id))
	const requests = new Set(entries.map(({ audit, occurredAt }) => `${audit?.auditID} ${audit?.stage} ${occurredAt}`))
	const { coverage, gaps } = await store.ledger('rig', {})
	const lost = [...file.ids].filter((id) => !ids.has(id))
	const own = entries.filter(({ source }) => source === 'audit').length
	process.stdout.write(
		`both ways: ${file.lines} lines in ${file.packed + 1} files, stored ${entries.length}, lost ${lost.length}, doubled ${entries.length - requests.size}, ` +
			`kills ${roles.kills}, webhook gave up on ${given(gaps)} (${gaps.length} gaps), compared ${coverage.length} times, seed ${seed}\n`,
	)
	expect(lost).toEqual([])
	expect([ids.size, requests.size, own]).toEqual([entries.length, entries.length, entries.length])
	expect([...ids].filter((id) => !file.ids.has(id))).toEqual([])
	expect(file.packed).toBeGreaterThan(5)
	expect(file.truncated).toBeGreaterThan(5)
	expect(entries.filter(({ audit }) => audit?.truncated === true)).toHaveLength(file.truncated)

	// The file lost nothing, and nothing is said of it but that.
	const ways = new Set(gaps.map(({ scope }) => scope))
	expect([...ways].filter((scope) => !['audit webhook', 'audit buffered'].includes(scope))).toEqual([])
	const compared = coverage.filter(({ space, scope }) => space === 'audit' && scope === 'file')
	expect(compared.length).toBeGreaterThan(0)
	expect(compared.filter(({ toRevision, versions }) => Number(toRevision) !== versions)).toEqual([])
	const api = await openApi(store)
	try {
		await expectAnswers(api)
	} finally {
		await api.close()
	}
})

/** What readers get: what was sent and came, gaps, truncated entries, and lines of etcd (JSON) and of the API server (klog) by what they say, at the times that they tell themselves. */
async function expectAnswers(api: FastifyInstance): Promise<void> {
	const json = async <T>(url: string): Promise<T> => {
		const response = await api.inject(url)
		expect([url, response.statusCode]).toEqual([url, 200])
		return response.json<T>()
	}
	const coverage = await json<WireCoverage>('/api/v1/coverage?cluster=rig')
	expect(coverage.audit.filter(({ way, sent, received }) => way === 'file' && sent > 0 && sent === received).length).toBeGreaterThan(0)
	expect(coverage.gaps.filter(({ scope, fromTime, toTime }) => scope === 'audit webhook' && fromTime && toTime).length).toBeGreaterThan(0)
	const large = await json<WirePage<WireItem>>('/api/v1/audit?cluster=rig&collapse=true&verb=create&q=load&limit=1000')
	expect(large.items.some(({ audit, summary }) => audit?.truncated === true && summary.includes('truncated'))).toBe(true)

	const logOf = (component: string): readonly string[] => readFileSync(join(cluster.dir, 'logs', `${component}.log`), 'utf8').split('\n')
	const said = JSON.parse(logOf('etcd')[0] ?? '') as { readonly ts: string; readonly caller: string }
	const line = logOf('kube-apiserver').find((text) => text.includes('FLAG: --audit-log-compress=')) ?? ''
	const [, month, day, time] = /^I(\d\d)(\d\d) (\S+)/.exec(line) ?? []
	const told = `${new Date().getFullYear()}-${month}-${day}T${time}Z`
	for (const [q, component, at] of [
		[said.caller, 'etcd', said.ts],
		['audit-log-compress', 'kube-apiserver', told],
	] as const)
		for (const path of ['/api/v1/logs?', '/api/v1/timeline?include=logs&']) {
			const { items } = await json<WirePage<WireItem>>(`${path}cluster=rig&order=asc&q=${encodeURIComponent(q)}`)
			expect([items[0]?.log?.component, parseTime(items[0]?.time ?? '')]).toEqual([component, parseTime(at)])
		}
}
