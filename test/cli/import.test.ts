// kubetape import: recordings and audit files, once, counted in the store; what is there already is not stored again.
import { readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '#runtime/clock.ts'
import { takeLock } from '#runtime/lock.ts'
import type { ClusterInfo } from '#storage/store/port.ts'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'
import { startProgram, temporaryFolder } from '#test/support/program.ts'

const folder = temporaryFolder('import')
const data = join(folder.path, 'data')
const auditFile = join(folder.path, 'garbled.jsonl')

interface Ended {
	readonly status: number | null
	readonly output: string
}

const run = (...args: readonly string[]): Promise<Ended> => runWith(undefined, ...args)

async function runWith(input: Buffer | undefined, ...args: readonly string[]): Promise<Ended> {
	const program = startProgram(['import', ...args, '--data-dir', data], { KUBETAPE_LOG_LEVEL: 'warn' }, input)
	const status = await program.exited
	return { status, output: program.output() }
}

async function stored(): Promise<ReadonlyMap<string, ClusterInfo>> {
	const store = await openSqliteStore({ dir: join(data, 'store'), readOnly: true, clock: systemClock })
	try {
		return new Map((await store.clusters()).map((cluster) => [cluster.name, cluster]))
	} finally {
		await store[Symbol.asyncDispose]()
	}
}

beforeAll(() => {
	writeFileSync(auditFile, 'no audit event\n{"kind":"Event","apiVersion":"audit.k8s.io/v1"}\n')
	utimesSync(auditFile, new Date('2026-11-20T10:00:00Z'), new Date('2026-11-20T10:00:00Z'))
})
afterAll(() => folder.remove())

describe('kubetape import', () => {
	it('takes a recording whole, and a second time nothing', async () => {
		const first = await run('demo')
		expect(first).toMatchObject({ status: 0 })
		expect(first.output).toContain('audit 3363')
		const { counts } = (await stored()).get('demo') ?? {}
		expect((counts?.change ?? 0) + (counts?.event ?? 0)).toBe(2817)
		expect([counts?.audit, counts?.log, counts?.reject ?? 0]).toEqual([3363, 12_440, 0])
		expect((await run('demo')).output).toContain('nothing that was not there')
		expect((await stored()).get('demo')?.counts).toEqual(counts)
	})

	it('takes a file of audit events, under the name of its cluster', async () => {
		expect(await run('demo/audit.jsonl.gz', '--cluster', 'shop')).toMatchObject({ status: 0 })
		expect((await stored()).get('shop')?.counts).toEqual({ audit: 3363 })
	})

	it('takes the same entries once, in whatever a cloud wraps them, also from standard input', async () => {
		const lines = gunzipSync(readFileSync('demo/audit.jsonl.gz')).toString().trimEnd().split('\n')
		const aks = lines.map((log) => JSON.stringify({ category: 'kube-audit', properties: { log } })).join('\n')
		expect(await runWith(gzipSync(aks), '-', '--cluster', 'shop')).toMatchObject({
			status: 0,
			output: expect.stringContaining('audit 3363'),
		})
		const scheduler = { logStreamName: 'kube-scheduler-1', message: 'x' }
		const eks = join(folder.path, 'events.json')
		writeFileSync(eks, JSON.stringify({ events: [...lines.slice(0, 1000).map((message) => ({ message })), scheduler] }, null, 2))
		const again = await run(eks, '--cluster', 'shop', '--format', 'eks')
		expect(again).toMatchObject({ status: 0, output: expect.stringContaining('passed over, being no audit entries: 1 of CloudWatch') })
		expect((await stored()).get('shop')?.counts).toEqual({ audit: 3363 })
		// The recording has them too: what was live and what was imported is one.
		expect(await run(eks, '--cluster', 'demo')).toMatchObject({ status: 0 })
		expect((await stored()).get('demo')?.counts.audit).toBe(3363)
		expect(await runWith(Buffer.from(aks), '-')).toMatchObject({ status: 2, output: expect.stringContaining('--cluster') })
		expect(await run(eks, '--format', 'other')).toMatchObject({ status: 2 })
	})

	it('keeps what it cannot read as rejects, at the time of the file', async () => {
		const { status, output } = await run(auditFile)
		expect(status).toBe(0)
		expect(output).toContain('reject 2')
		const cluster = (await stored()).get('garbled')
		expect(cluster?.counts).toEqual({ reject: 2 })
		expect(cluster?.firstAt).toBe(Date.parse('2026-11-20T10:00:00Z') * 1000)
	})

	it('is refused what is not there, and a data directory that is in use', async () => {
		expect(await run(join(folder.path, 'missing'))).toMatchObject({ status: 2, output: expect.stringContaining('missing cannot be read') })
		expect(await run('demo', '--cluster', 'no/name')).toMatchObject({ status: 2 })
		using _lock = takeLock(data, 'process')
		expect(await run('demo')).toMatchObject({ status: 3, output: expect.stringContaining('RUNTIME_DATA_DIR_LOCKED') })
	})
})
