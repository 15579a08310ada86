// A real cluster under kubectl work, with collector and processor killed at random moments, and a compaction: the store then holds every version that etcd held, once, byte for byte.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createVersions } from '#collectors/etcd/versions.ts'
import { loadRedactionKey } from '#processors/redact/key.ts'
import { createRedactor } from '#processors/redact/step.ts'
import { createCatalog } from '#records/catalog.ts'
import type { VersionRecord } from '#records/record.ts'
import { systemClock } from '#runtime/clock.ts'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'
import { startCluster, type Cluster } from '#test/support/cluster.ts'
import { eventually, startProgram, temporaryFolder, type Program } from '#test/support/program.ts'
import { createRandom, seedOf } from '#test/support/random.ts'

const folder = temporaryFolder('kill')
const random = createRandom(seedOf('flow/kill'))
const running = new Map<string, Program>()
let cluster: Cluster
let config: string

interface Line {
	readonly rev: number
	readonly type: 'PUT' | 'DELETE'
	readonly key: string
	readonly create_revision: number
	readonly version: number
	readonly lease: string
	readonly value: string | null
	readonly prev: { readonly mod_revision: number; readonly value: string } | null
}

beforeAll(async () => {
	cluster = await startCluster({ env: { RECORD: '1' } })
	config = join(folder.path, 'kubetape.yaml')
	writeFileSync(
		config,
		`dataDir: ${folder.path}/data\nclusters: [{ name: rig, etcd: { endpoints: ["${cluster.etcd}"] }, audit: { path: "${cluster.dir}/audit/audit.log" } }]\n`,
	)
})
afterAll(async () => {
	for (const program of running.values()) program.process.kill('SIGKILL')
	await cluster?.stop()
	folder.remove()
})

function start(role: 'collect' | 'process'): void {
	running.set(role, startProgram([role, '--config', config], { KUBETAPE_LOG_LEVEL: 'warn' }))
}

async function kill(role: 'collect' | 'process'): Promise<void> {
	const program = running.get(role)
	program?.process.kill('SIGKILL')
	await program?.exited
}

function linesOfEtcd(): readonly Line[] {
	return readFileSync(join(cluster.dir, 'etcd.jsonl'), 'utf8')
		.trim()
		.split('\n')
		.map((text) => JSON.parse(text) as Line)
}

async function work(round: number): Promise<void> {
	const k = cluster.kubectl
	await k(['create', 'namespace', `lab-${round}`])
	await k(['-n', `lab-${round}`, 'create', 'deployment', 'web', '--image', 'registry.example/web:1.4', '--replicas', '3'])
	await k(['-n', `lab-${round}`, 'create', 'configmap', 'settings', '--from-literal', `round=${round}`])
	await k(['-n', `lab-${round}`, 'create', 'secret', 'generic', 'key', '--from-literal', `password=do-not-keep-${round}`])
	await k(['-n', `lab-${round}`, 'set', 'image', 'deployment/web', 'web=registry.example/web:1.5'])
	await k(['-n', `lab-${round}`, 'scale', 'deployment/web', '--replicas', '1'])
	await k(['-n', `lab-${round}`, 'delete', 'configmap', 'settings'])
}

describe('a cluster under work, with roles killed', () => {
	it('is in the store whole: each version once, as etcd held it', async () => {
		start('collect')
		start('process')
		// Only then is it killed: what is written before the first snapshot is in that snapshot.
		await eventually(
			async () => {
				const opened = await openSqliteStore({ dir: join(folder.path, 'data', 'store'), readOnly: true, clock: systemClock })
				const { coverage } = await opened.ledger('rig', {})
				await opened[Symbol.asyncDispose]()
				return coverage.length
			},
			(count) => count > 0,
		)
		for (let round = 0; round < 4; round++) {
			const working = work(round)
			for (const role of ['collect', 'process', 'collect'] as const) {
				await systemClock.sleep(400 + random() * 1600)
				await kill(role)
				start(role)
			}
			await working
		}
		const store = await openSqliteStore({ dir: join(folder.path, 'data', 'store'), readOnly: true, clock: systemClock })
		const last = linesOfEtcd().at(-1)?.rev ?? 0
		await eventually(
			async () => (await store.ledger('rig', {})).coverage.map((range) => Number(range.toRevision)),
			(covered) => Math.max(0, ...covered) >= last,
			60_000,
		)
		const lines = linesOfEtcd().filter((line) => line.rev <= last)
		const { ledger, missing, different, checked } = await compare(lines, store)
		console.log(
			`versions in etcd: ${lines.length}, compared: ${checked}, missing: ${missing.length}, different: ${different.length}, gaps: ${ledger.gaps.length}`,
		)
		expect(missing).toEqual([])
		expect(different).toEqual([])
		expect(ledger.gaps).toEqual([])
		expect(checked).toBeGreaterThan(300)
		const [info] = await store.clusters()
		const seen = new Set<string>()
		let cursor: string | undefined
		let twice = 0
		do {
			const page = await store.timeline(
				{ cluster: 'rig', include: ['change', 'event'], noise: true },
				{ limit: 1000, ...(cursor === undefined ? {} : { cursor }) },
			)
			for (const item of page.items) {
				if (seen.has(item.id)) twice += 1
				seen.add(item.id)
			}
			cursor = page.next ?? undefined
		} while (cursor !== undefined)
		expect(twice).toBe(0)
		expect(info?.counts.audit ?? 0).toBeGreaterThan(100)
		await store[Symbol.asyncDispose]()
	})
})

/** Each line of etcd's own record against the store: by id, and by body. What was before the first sighting is a snapshot: its last version only. */
async function compare(lines: readonly Line[], store: Awaited<ReturnType<typeof openSqliteStore>>) {
	const { redact } = createRedactor({ key: await loadRedactionKey(join(folder.path, 'data', 'redaction.key')) })
	const versions = createVersions({ cluster: 'rig', source: 'test', space: 'main', prefix: '/registry/', catalog: createCatalog() })
	const ledger = await store.ledger('rig', {})
	const from = ledger.coverage.reduce((first, { fromRevision }) => (fromRevision < first ? fromRevision : first), 2n ** 62n)
	const missing: string[] = []
	const different: string[] = []
	let checked = 0
	for (const line of lines) {
		const record = versions.toRecord(
			{
				type: line.type,
				key: line.key,
				value: line.value === null ? null : Buffer.from(line.value, 'base64'),
				modRevision: BigInt(line.rev),
				createRevision: BigInt(line.create_revision),
				version: BigInt(line.version),
				lease: BigInt(line.lease),
				prev: line.prev && { modRevision: BigInt(line.prev.mod_revision), value: Buffer.from(line.prev.value, 'base64') },
			},
			0,
			'watch',
		)
		if (BigInt(line.rev) < from) continue
		checked += 1
		const stored = await store.get('rig', record.id)
		const result = redact(record)
		if (!('ok' in result)) throw new Error('the truth cannot be redacted')
		const truth = result.ok as unknown as VersionRecord
		if (!stored) missing.push(`${line.rev} ${line.key}`)
		else if (truth.folded === undefined && stored.body?.text !== (truth.after ?? truth.before)?.text)
			different.push(`${line.rev} ${line.key}`)
	}
	return { ledger, missing, different, checked }
}
