// The store: puts against a bare loop of inserts, bytes against JSON, and queries.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Body } from '#records/body.ts'
import { versionId } from '#records/id.ts'
import { objectKey } from '#records/object-key.ts'
import type { Indexed } from '#records/indexed.ts'
import type { Change, Redacted, StoredRecord } from '#records/record.ts'
import { systemClock } from '#runtime/clock.ts'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'

export const name = 'store'

const start = Date.parse('2026-11-20T00:00:00Z') * 1000
const total = Number(process.env['KUBETAPE_BENCH_RECORDS'] ?? 100_000)
const batchRecords = 2000
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

/** Inserts the rows of a finished day again, as they are, with its words: what SQLite alone takes. Records per second. */
function bareLoop(from: string, to: string): number {
	const source = new DatabaseSync(from, { readOnly: true })
	const rows = source.prepare('SELECT * FROM record ORDER BY row').all() as Record<string, string | number | null | Uint8Array>[]
	const chunks = source.prepare('SELECT * FROM chunk').all() as Record<string, number | null | Uint8Array>[]
	const target = new DatabaseSync(to)
	target.exec(
		'PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 4000',
	)
	for (const { sql } of source
		.prepare(
			`SELECT sql FROM sqlite_schema WHERE name IN ('record', 'chunk', 'record_id', 'record_object', 'words') ORDER BY name = 'record' DESC, type DESC`,
		)
		.all() as { sql: string }[])
		target.exec(sql)
	const columns = Object.keys(rows[0] ?? {})
	const insert = target.prepare(`INSERT INTO record VALUES(${columns.map(() => '?').join(', ')})`)
	const words = target.prepare('INSERT INTO words(rowid, text, tags) VALUES(?, ?, ?)')
	const insertChunk = target.prepare('INSERT INTO chunk VALUES(?, ?, ?, ?)')
	const values = rows.map((row) => columns.map((column) => row[column] ?? null))
	const texts = rows.map((row, n) => `${String(row['summary'])}\nReady web registry.example/web:1.4\nweb-${n % objects}-7f9c`)
	const began = performance.now()
	for (let index = 0; index < rows.length; index += batchRecords) {
		target.exec('BEGIN IMMEDIATE')
		for (let at = index; at < Math.min(rows.length, index + batchRecords); at++) {
			insert.run(...(values[at] ?? []))
			words.run(Number(values[at]?.[0]), texts[at] ?? '', ` zqn${at % 40} zqr9`)
		}
		for (const chunk of chunks.slice(
			Math.floor((index / rows.length) * chunks.length),
			Math.floor(((index + batchRecords) / rows.length) * chunks.length),
		))
			insertChunk.run(...Object.values(chunk))
		target.exec('COMMIT')
	}
	const perSecond = (rows.length / (performance.now() - began)) * 1000
	target.close()
	source.close()
	return perSecond
}

export async function run(print: (line: string) => void): Promise<void> {
	const dir = mkdtempSync(join(tmpdir(), 'kubetape-bench-store-'))
	try {
		const store = await openSqliteStore({ dir, clock: systemClock })
		let jsonBytes = 0
		let putMs = 0
		for (let index = 0; index < total; index += batchRecords) {
			const batch = Array.from({ length: Math.min(batchRecords, total - index) }, (_, n) => change(index + n))
			for (const { record } of batch) if (record.kind === 'change') jsonBytes += record.after?.bytes.length ?? 0
			const began = performance.now()
			await store.put(batch)
			putMs += performance.now() - began
		}
		const ours = (total / putMs) * 1000
		const queries: readonly (readonly [string, () => Promise<unknown>])[] = [
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
		for (const [what, ask] of queries) {
			const times: number[] = []
			for (let n = 0; n < 20; n++) {
				const began = performance.now()
				await ask()
				times.push(performance.now() - began)
			}
			times.sort((a, b) => a - b)
			print(`${what}: p50 ${times[10]?.toFixed(1)} ms, p99 ${times.at(-1)?.toFixed(1)} ms over ${total} records`)
		}
		await store[Symbol.asyncDispose]()
		const file = readdirSync(dir).find((entry) => entry.endsWith('.db')) ?? ''
		print(`size: ${(statSync(join(dir, file)).size / jsonBytes).toFixed(3)} of ${(jsonBytes / total).toFixed(0)} bytes of JSON a record`)
		const bare = bareLoop(join(dir, file), join(dir, 'bare.sqlite'))
		print(`put: ${ours.toFixed(0)} records/s, bare loop ${bare.toFixed(0)} records/s, ratio ${(ours / bare).toFixed(2)}`)
	} finally {
		rmSync(dir, { recursive: true })
	}
}
