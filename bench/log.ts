// The SQLite record log: append and read of 1.5 KB changes against a bare loop over the same compressed rows, small appends under load, and the codec alone.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { crc32, constants as zlib, zstdCompressSync } from 'node:zlib'
import { Body } from '#records/body.ts'
import { decodeRecords, encodeRecords } from '#records/codec.ts'
import type { Redacted } from '#records/record.ts'
import { systemClock } from '#runtime/clock.ts'
import { openSqliteLog } from '#storage/log/sqlite/log.ts'
import { aChange, asRedacted } from '#test/support/records.ts'

export const name = 'log'

const total = 60_000
const batchRecords = 1000
const smallAppends = 3000
const smallRateHz = 1000

/** A Pod status of about 1.5 KB, as text from the source; each differs in name, revision and a few numbers. */
export function pod(number: number): Redacted {
	const podName = `checkout-7d9c5b6f4-${((number * 2654435761) % 2 ** 32).toString(36)}`
	const status = (at: number) => ({
		phase: 'Running',
		podIP: `10.1.${at % 250}.${number % 250}`,
		conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
			type,
			status: at % 3 ? 'True' : 'False',
			lastTransitionTime: `2026-11-23T10:${at % 60}:00Z`,
		})),
	})
	const object = (at: number) =>
		JSON.stringify({
			apiVersion: 'v1',
			kind: 'Pod',
			metadata: {
				name: podName,
				namespace: 'shop',
				uid: `${podName}-uid`,
				resourceVersion: `${at}`,
				labels: { app: 'checkout', 'pod-template-hash': '7d9c5b6f4' },
			},
			spec: {
				nodeName: `node-${at % 50}`,
				containers: [{ name: 'web', image: 'registry.example/shop/checkout:1.4.2', env: [{ name: 'A', value: `${at * 7919}` }] }],
			},
			status: status(at),
		})
	const ref = { resource: 'pods', group: '', namespace: 'shop', name: podName }
	return asRedacted(
		aChange({ revision: BigInt(number), object: ref, before: Body.ofText(object(number - 1)), after: Body.ofText(object(number)) }),
	)
}

const batchesOf = (): Redacted[][] =>
	Array.from({ length: total / batchRecords }, (_, batch) =>
		Array.from({ length: batchRecords }, (__, index) => pod(batch * batchRecords + index + 1)),
	)
const perSecond = (count: number, ms: number): string => `${Math.round((count / ms) * 1000).toLocaleString('en')}/s`

async function timed(work: () => Promise<void> | void): Promise<number> {
	const begin = performance.now()
	await work()
	return performance.now() - begin
}

export async function run(print: (line: string) => void): Promise<void> {
	const dir = mkdtempSync(join(tmpdir(), 'kubetape-bench-log-'))
	try {
		const batches = batchesOf()
		for (const batch of batches.slice(0, 10)) decodeRecords(encodeRecords(batch)) // compiled before it is timed
		const encoded: Buffer[] = []
		const encodeMs = await timed(() => batches.forEach((batch) => encoded.push(encodeRecords(batch))))
		const decodeMs = await timed(() => encoded.forEach((bytes) => decodeRecords(bytes)))
		const bytes = encoded.reduce((sum, each) => sum + each.length, 0)
		print(
			`codec: ${Math.round(bytes / total)} bytes a record; encode ${((encodeMs / total) * 1000).toFixed(1)} µs, decode ${((decodeMs / total) * 1000).toFixed(1)} µs a record`,
		)

		const rows: Buffer[] = []
		const zstdMs = await timed(() =>
			encoded.forEach((each) => rows.push(zstdCompressSync(each, { params: { [zlib.ZSTD_c_compressionLevel]: 1 } }))),
		)
		const bareMs = await timed(() => bareInsert(join(dir, 'bare.db'), rows))

		await using log = await openSqliteLog({ dir: join(dir, 'log'), clock: systemClock })
		const appendMs = await timed(async () => {
			for (const batch of batches) await log.append('records', batch)
		})
		const readMs = await timed(() => readAll(log, total))
		const bare = bareMs + zstdMs + encodeMs
		print(
			`append: ${perSecond(total, appendMs)} (${((appendMs / total) * 1000).toFixed(1)} µs a record), ${(bytes / 1e6 / (appendMs / 1000)).toFixed(0)} MB/s; bare insert of the compressed rows ${perSecond(total, bareMs)}; ratio to encode + zstd + bare insert ${(appendMs / bare).toFixed(2)}`,
		)
		print(`read: ${perSecond(total, readMs)} (${((readMs / total) * 1000).toFixed(1)} µs a record)`)
		await smallAppend(log, print)
	} finally {
		rmSync(dir, { recursive: true, force: true })
	}
}

/** The same rows, each in a durable transaction of its own, and nothing else. */
function bareInsert(path: string, rows: readonly Buffer[]): void {
	const db = new DatabaseSync(path)
	db.exec(
		'PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE batch (first INTEGER PRIMARY KEY, crc INTEGER NOT NULL, data BLOB NOT NULL)',
	)
	const put = db.prepare('INSERT INTO batch VALUES (?, ?, ?)')
	rows.forEach((row, index) => put.run(index, crc32(row), row))
	db.close()
}

async function readAll(log: Awaited<ReturnType<typeof openSqliteLog>>, count: number): Promise<void> {
	let seen = 0
	for await (const batch of log.read('bench', ['records'], AbortSignal.timeout(60_000))) {
		seen += batch.records.length
		if (seen >= count) return
	}
	throw new Error(`${seen} of ${count} records were read`)
}

/** Single records at a fixed rate, each timed from the moment it was due until it is durable. */
async function smallAppend(log: Awaited<ReturnType<typeof openSqliteLog>>, print: (line: string) => void): Promise<void> {
	const latencies: number[] = []
	const running: Promise<void>[] = []
	const begin = performance.now()
	for (let number = 0; number < smallAppends;) {
		const due = Math.min(smallAppends, Math.ceil(((performance.now() - begin) / 1000) * smallRateHz))
		for (; number < due; number++) {
			const dueAt = begin + (number / smallRateHz) * 1000
			running.push(log.append('records', [pod(total + number)]).then(() => void latencies.push(performance.now() - dueAt)))
		}
		await systemClock.sleep(1)
	}
	await Promise.all(running)
	const sorted = latencies.toSorted((a, b) => a - b)
	const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(1)
	print(
		`small appends at ${smallRateHz}/s (sustained ${perSecond(smallAppends, performance.now() - begin)}): p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(0.9999)} ms`,
	)
}
