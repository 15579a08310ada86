// The store: puts against a bare loop of inserts, bytes against JSON, and queries.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { Body } from '#records/body.ts'
import { versionId } from '#records/id.ts'
import { objectKey } from '#records/object-key.ts'
import type { Indexed } from '#records/indexed.ts'
import type { Change, Redacted, StoredRecord } from '#records/record.ts'
import { systemClock } from '#runtime/clock.ts'
import { storeLimits } from '#storage/store/sqlite/limits.ts'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'
import { searchedText } from '#storage/store/meaning.ts'

export const name = 'store'

const start = Date.parse('2026-11-20T00:00:00Z') * 1000
const total = Number(process.env['KUBETAPE_BENCH_RECORDS'] ?? 100_000)
/** As the processor puts them. */
const batchRecords = 2000
const cacheKibibytes = 8192
const asked = 100
const objects = 2000

function change(n: number): Indexed {
	const pod = n % objects
	const object = { resource: 'pods', group: '', namespace: `team-${pod % 40}`, name: `web-${pod}-7f9c` }
	const at = start + Math.floor((n / total) * 86_000_000_000)
	const time = new Date(at / 1000).toISOString()
	const ready = Math.floor(n / objects) % 2 === 0
	const conditions = ['Initialized', 'PodScheduled', 'ContainersReady', 'Ready'].map((type) => ({
		type,
		status: ready ? 'True' : 'False',
		lastTransitionTime: time,
	}))
	const bytes = Buffer.from(
		JSON.stringify({
			apiVersion: 'v1',
			kind: 'Pod',
			metadata: {
				name: object.name,
				namespace: object.namespace,
				uid: `5f0c-${pod}`,
				resourceVersion: String(n + 1000),
				labels: { app: 'web', 'pod-template-hash': '7f9c' },
				annotations: { 'example.com/config': 'c'.repeat(200) },
				managedFields: [
					{
						manager: 'kubelet',
						operation: 'Update',
						time,
						fieldsV1: { 'f:status': { 'f:conditions': { 'k:{"type":"Ready"}': { '.': {}, 'f:status': {}, 'f:type': {} } } } },
					},
				],
			},
			spec: {
				nodeName: `node-${pod % 90}`,
				containers: [
					{
						name: 'web',
						image: 'registry.example/web:1.4',
						env: [{ name: 'MODE', value: 'm'.repeat(150) }],
						resources: { limits: { cpu: '1', memory: '1Gi' } },
					},
				],
				tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' }],
			},
			status: {
				phase: 'Running',
				conditions,
				podIP: `10.0.${pod >> 8}.${pod & 255}`,
				containerStatuses: [
					{
						name: 'web',
						ready,
						restartCount: Math.floor(n / objects),
						containerID: `containerd://${(n * 2_654_435_761).toString(16).padStart(32, '0')}`,
					},
				],
			},
		}),
	)
	const record: Change = {
		kind: 'change',
		id: versionId('bench', 'main', objectKey(object), BigInt(n + 1000)),
		cluster: 'bench',
		source: 'etcd',
		occurredAt: at,
		occurredBound: 1000,
		observedAt: at + 2000,
		space: 'main',
		revision: BigInt(n + 1000),
		operation: 'updated',
		sighting: 'watch',
		object,
		apiVersion: 'v1',
		objectKind: 'Pod',
		uid: `5f0c-${pod}`,
		before: null,
		after: Body.ofBytes(bytes),
		beforeRevision: BigInt(Math.max(1000, n + 1000 - objects)),
		owners: [],
		encoding: 'protobuf',
	}
	return {
		record: record as unknown as Redacted<StoredRecord>,
		summary: `ready ${ready ? 'false → true' : 'true → false'}, restarts ${Math.floor(n / objects)}`,
		severity: n % 5000 === 0 ? 'warning' : 'normal',
		facets: ['status'],
		paths: ['status.conditions[Ready].status', 'status.containerStatuses[web].restartCount'],
		labels: { app: 'web', 'pod-template-hash': '7f9c' },
		owners: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `web-${pod}`, uid: `rs-${pod}` }],
		images: ['registry.example/web:1.4'],
		text: 'Ready web registry.example/web:1.4',
	}
}

type Values = (string | number | null | Uint8Array)[]

/** CPU and wall time of work that is done in parts. */
class Watch {
	cpuMs = 0
	wallMs = 0

	async time<T>(work: () => T | Promise<T>): Promise<T> {
		const cpu = process.cpuUsage()
		const began = performance.now()
		const done = await work()
		this.wallMs += performance.now() - began
		const used = process.cpuUsage(cpu)
		this.cpuMs += (used.user + used.system) / 1000
		return done
	}
}

/** Inserts the rows of a finished day again, as they are, with the same words and settings: what SQLite alone takes. */
async function bareLoop(from: string, to: string): Promise<Watch> {
	const source = new DatabaseSync(from, { readOnly: true })
	const number = (text: string): number => (source.prepare('SELECT id FROM text WHERE text = ?').get(text) as { id: number }).id
	const target = new DatabaseSync(to)
	target.exec(
		`PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -${cacheKibibytes}; PRAGMA wal_autocheckpoint = ${storeLimits.walBytesMax / 8192}`,
	)
	for (const { sql } of source
		.prepare(
			`SELECT sql FROM sqlite_schema WHERE name IN ('record', 'chunk', 'put', 'record_id', 'record_object', 'words') ORDER BY name = 'record' DESC, type DESC`,
		)
		.all() as { sql: string }[])
		target.exec(sql)
	target.exec("INSERT INTO words(words, rank) VALUES('automerge', 8)")
	const tagsOf = Array.from({ length: 40 }, (_, team) => ` zqn${number(`team-${team}`)} zqr${number('pods')}`)
	const insertInto = (table: string, columns: number): StatementSync =>
		target.prepare(`INSERT INTO ${table} VALUES(${Array.from({ length: columns }, () => '?').join(', ')})`)
	const insert = insertInto('record', 19)
	const insertChunk = insertInto('chunk', 5)
	const insertPut = insertInto('put', 3)
	const words = target.prepare('INSERT INTO words(rowid, text, tags) VALUES(?, ?, ?)')
	const readRows = source.prepare('SELECT * FROM record ORDER BY row LIMIT ? OFFSET ?')
	const chunks = source.prepare('SELECT count(*) AS count FROM chunk').get() as { count: number }
	const readChunks = source.prepare('SELECT * FROM chunk WHERE id > ? AND id <= ?')
	for (const statement of [readRows, readChunks]) statement.setReturnArrays(true)
	const watch = new Watch()
	for (let index = 0; index < total; index += batchRecords) {
		const rows = readRows.all(batchRecords, index) as unknown as Values[]
		const bodies = readChunks.all(Math.floor((index / total) * chunks.count), Math.floor(((index + batchRecords) / total) * chunks.count))
		const texts = rows.map((_, at) => searchedText(change(index + at)))
		const put = source.prepare('SELECT * FROM put WHERE seq = ?').get(index / batchRecords + 1) ?? {}
		await watch.time(() => {
			target.exec('BEGIN IMMEDIATE')
			for (const [at, row] of rows.entries()) {
				insert.run(...row)
				words.run(Number(row[0]), texts[at] ?? '', tagsOf[((index + at) % objects) % 40] ?? '')
			}
			for (const chunk of bodies as unknown as Values[]) insertChunk.run(...chunk)
			insertPut.run(...(Object.values(put) as Values))
			target.exec('COMMIT')
		})
	}
	target.close()
	source.close()
	return watch
}

function bytesOf(dir: string): number {
	return readdirSync(dir).reduce((sum, file) => sum + statSync(join(dir, file)).size, 0)
}

/** As the API asks: through a reader of its own. */
async function ask(dir: string, print: (line: string) => void): Promise<void> {
	await using store = await openSqliteStore({ dir, readOnly: true, clock: systemClock })
	const questions: readonly (readonly [string, () => Promise<unknown>])[] = [
		['timeline', () => store.timeline({}, { limit: 100 })],
		['timeline namespace', () => store.timeline({ namespace: 'team-7' }, { limit: 100 })],
		['timeline kind', () => store.timeline({ kind: 'Pod' }, { limit: 100 })],
		['timeline object', () => store.timeline({ namespace: 'team-7', name: 'web-47-7f9c' }, { limit: 100 })],
		['timeline severity', () => store.timeline({ severity: 'warning' }, { limit: 100 })],
		['timeline owner', () => store.timeline({ uid: 'rs-47', owner: true }, { limit: 100 })],
		['timeline user (none)', () => store.timeline({ user: 'nobody' }, { limit: 100 })],
		['text common', () => store.timeline({ q: 'ready' }, { limit: 100 })],
		['text rare', () => store.timeline({ q: 'web-1234-7f9c' }, { limit: 100 })],
		['histogram', () => store.histogram({}, 120)],
		['histogram namespace', () => store.histogram({ namespace: 'team-7' }, 120)],
		['state of a namespace', () => store.stateAt('bench', { time: start + 43_000_000_000 }, { namespace: 'team-7' }, { limit: 100 })],
	]
	for (const [what, question] of questions) {
		const times: number[] = []
		for (let n = 0; n < asked; n++) {
			const began = performance.now()
			await question()
			times.push(performance.now() - began)
		}
		times.sort((a, b) => a - b)
		print(`${what}: p50 ${times[asked / 2]?.toFixed(1)} ms, p99 ${times[Math.ceil(asked * 0.99) - 1]?.toFixed(1)} ms over ${total} records`)
	}
}

export async function run(print: (line: string) => void): Promise<void> {
	const dir = mkdtempSync(join(tmpdir(), 'kubetape-bench-store-'))
	const bareDir = mkdtempSync(join(tmpdir(), 'kubetape-bench-bare-'))
	try {
		const store = await openSqliteStore({ dir, clock: systemClock, config: { cacheKibibytes } })
		let jsonBytes = 0
		const watch = new Watch()
		for (let index = 0; index < total; index += batchRecords) {
			const batch = Array.from({ length: Math.min(batchRecords, total - index) }, (_, n) => change(index + n))
			for (const { record } of batch) if (record.kind === 'change') jsonBytes += record.after?.bytes.length ?? 0
			await watch.time(() => store.put(batch))
		}
		const share = (): string => (bytesOf(dir) / jsonBytes).toFixed(3)
		print(`size: ${share()} of ${(jsonBytes / total).toFixed(0)} bytes of JSON a record when the last put resolves`)
		await ask(dir, print)
		await store[Symbol.asyncDispose]()
		print(`size: ${share()} when the store is closed`)
		const file = readdirSync(dir).find((entry) => entry.endsWith('.db')) ?? ''
		const bare = await bareLoop(join(dir, file), join(bareDir, 'bare.sqlite'))
		const rate = (ms: number): string => ((total / ms) * 1000).toFixed(0)
		print(
			`put: ${rate(watch.wallMs)} records/s, bare loop ${rate(bare.wallMs)} records/s, ratio ${(bare.wallMs / watch.wallMs).toFixed(2)}; by CPU time ${rate(watch.cpuMs)} and ${rate(bare.cpuMs)}, ratio ${(bare.cpuMs / watch.cpuMs).toFixed(2)}`,
		)
	} finally {
		for (const each of [dir, bareDir]) rmSync(each, { recursive: true })
	}
}
