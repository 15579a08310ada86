// An hour of work on a real cluster, in minutes, while the collector and the processor are killed and etcd is compacted: the store holds every version that etcd held, once, as the API served it.
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readPosition } from '#collectors/etcd/position.ts'
import { openLocalState } from '#collectors/local-state.ts'
import { loadRedactionKey } from '#processors/redact/key.ts'
import { resourceName } from '#records/object-key.ts'
import { systemClock } from '#runtime/clock.ts'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'
import type { Store } from '#storage/store/port.ts'
import { openApi, type Api } from '#test/support/api.ts'
import { serversDir, startCluster, type Cluster } from '#test/support/cluster.ts'
import { eventually, temporaryFolder } from '#test/support/program.ts'
import { createRandom, seedOf } from '#test/support/random.ts'
import { readLines } from '#test/support/recorded.ts'
import { startWitness, type Witness } from '#test/support/witness.ts'
import { checkLedger, compareState, compareVersions, findDoubles, findInvented, readAll, standingAt } from './compare.ts'
import { Roles } from './roles.ts'
import { readTruth } from './truth.ts'
import { chapters, openTools, overtime, passing } from './work.ts'

const name = 'rig'
const versionsMin = 1500
const caughtUpMs = 120_000
/** What the API shows nobody: the API server's own keys. */
const internal = new Set(['etcdkeys', 'masterleases', 'peerserverleases', 'ranges'])

const folder = temporaryFolder('kill')
const random = createRandom(seedOf('flow/kill'))
let cluster: Cluster
let api: Api
let witness: Witness
let roles: Roles
let store: Store

beforeAll(async () => {
	cluster = await startCluster({ env: { RECORD: '1' } })
	api = openApi(cluster)
	witness = await startWitness(api, passing)
	const config = join(folder.path, 'kubetape.yaml')
	writeFileSync(
		config,
		`dataDir: ${folder.path}/data\nclusters: [{ name: ${name}, etcd: { endpoints: ["${cluster.etcd}"] }, audit: { path: "${cluster.dir}/audit/audit.log" } }]\n`,
	)
	roles = new Roles(config, random)
})
afterAll(async () => {
	await roles?.[Symbol.asyncDispose]()
	await store?.[Symbol.asyncDispose]()
	await witness?.[Symbol.asyncDispose]()
	api?.[Symbol.dispose]()
	await cluster?.stop()
	folder.remove()
})

const head = (): bigint => BigInt(readLines(cluster).at(-1)?.rev ?? 0)
const openStore = (): Promise<Store> => openSqliteStore({ dir: join(folder.path, 'data', 'store'), readOnly: true, clock: systemClock })

async function covered(): Promise<bigint> {
	await using opened = await openStore()
	const { coverage } = await opened.ledger(name, {})
	return coverage.reduce((last, { toRevision }) => (toRevision > last ? toRevision : last), 0n)
}

/** Until the store has what etcd has now. */
async function caughtUp(): Promise<bigint> {
	const last = head()
	await eventually(covered, (revision) => revision >= last, caughtUpMs)
	return last
}

/** Where the collector goes on. What is stored may be ahead of it: records are seen before their collector knows that they are durable. */
function savedRevision(): bigint {
	using state = openLocalState(join(folder.path, 'data', 'collectors', name, 'etcd'))
	return readPosition(state)?.revision ?? 0n
}

async function compact(revision: bigint): Promise<void> {
	await promisify(execFile)(join(serversDir, 'etcdctl'), ['--endpoints', cluster.etcd, 'compact', String(revision)])
}

/** The hour. Gives the revisions at which etcd was compacted behind the collector's back. */
async function play(): Promise<readonly bigint[]> {
	using tools = openTools(cluster, witness)
	const { settingIn, releasing, laboring, defining, maintaining, editing, tidyingUp } = chapters
	for (const chapter of [settingIn, releasing, laboring, defining, overtime('night-1')]) await roles.harass(chapter(tools))

	// A compaction of what is recorded takes nothing: with the collector running, and with it down.
	await compact(await caughtUp())
	await overtime('night-2')(tools)
	await caughtUp()
	await roles.kill('collect')
	await overtime('night-3')(tools)
	await compact(savedRevision())
	roles.start('collect')
	await caughtUp()

	// Down until its cursor is compacted away; killed again while it makes up for that, while etcd is compacted further.
	await roles.kill('collect')
	await maintaining(tools)
	const lost = [head()]
	const later = editing(tools)
	await compact(lost[0] ?? 0n)
	await roles.kill('process')
	await later
	roles.start('collect', 'process')
	await roles.pause(300, 1500)
	await roles.kill('collect', 'process')
	await overtime('night-4')(tools)
	lost.push(head())
	await compact(lost[1] ?? 0n)
	roles.start('collect', 'process')
	await roles.harass(tidyingUp(tools))
	await caughtUp()
	return lost
}

it('is in the store whole, once, and as the API served it; what compaction took is in gaps', { timeout: 900_000 }, async () => {
	roles.start('collect', 'process')
	await eventually(covered, (revision) => revision > 0n)
	const compactedAt = await play()
	const last = await caughtUp()
	await roles.kill('collect', 'process')
	store = await openStore()
	// What records etcd beside it may be behind.
	const items = await readAll(store, name)
	const newest = items.reduce((most, { revision = 0n }) => (revision > most ? revision : most), 0n)
	await eventually(
		async () => head(),
		(revision) => revision >= newest,
	)
	const truth = await readTruth(name, cluster, witness, await loadRedactionKey(join(folder.path, 'data', 'redaction.key')))
	const { gaps, coverage } = await store.ledger(name, {})
	const first = coverage.reduce((from, { fromRevision }) => (fromRevision < from ? fromRevision : from), 2n ** 62n)
	const isLost = (revision: bigint): boolean =>
		gaps.some(({ fromRevision, toRevision }) => (fromRevision ?? 0n) <= revision && revision <= (toRevision ?? 0n))

	// The first snapshot, every version since outside of the gaps, and what stood at the end of each gap.
	const wanted = [
		...standingAt(truth, first - 1n).values(),
		...truth.filter(({ revision }) => revision >= first && revision <= last && !isLost(revision)),
		...gaps.flatMap(({ toRevision }) => [...standingAt(truth, toRevision ?? 0n).values()].filter(({ revision }) => isLost(revision))),
	]
	const comparison = await compareVersions(store, name, wanted)
	const doubles = await findDoubles(store, name, items)
	const unwitnessed = wanted.filter(({ oracle, record }) => oracle !== 'api' && !internal.has(resourceName(record.object)))
	const versions = items.filter(({ kind }) => kind === 'change' || kind === 'event')
	console.log(
		`etcd held ${truth.length} versions, ${truth.filter(({ revision }) => revision >= first).length} since the first snapshot; stored ${versions.length}; ` +
			`compared ${JSON.stringify(comparison.compared)}, missing ${comparison.missing.length}, different ${comparison.different.length}, ` +
			`double ${doubles.length}; kills ${roles.kills}; in gaps ${truth.filter(({ revision }) => revision >= first && isLost(revision)).length}: ` +
			gaps.map(({ fromRevision, toRevision, touchedCount }) => `${fromRevision}..${toRevision} (${touchedCount} touched)`).join(', '),
	)
	expect(witness.failures).toEqual([])
	expect(roles.failures).toEqual([])
	expect(comparison.missing).toEqual([])
	expect(comparison.different).toEqual([])
	expect(unwitnessed.map(({ revision, key }) => `${revision} ${key}`)).toEqual([])
	expect(comparison.compared.api).toBeGreaterThan(versionsMin)
	expect(doubles).toEqual([])
	expect(findInvented(items, truth, gaps)).toEqual([])
	expect(await checkLedger(store, name, truth)).toEqual([])
	// The gaps are what was compacted while the collector was down, and no more than that.
	expect(gaps.map(({ reason }) => reason)).toEqual(compactedAt.slice(-gaps.length).map(() => 'compacted'))
	expect(gaps.at(-1)?.toRevision).toBe(compactedAt.at(-1))
	for (const { toRevision } of gaps) expect(compactedAt).toContain(toRevision)
	// Inside a gap nobody knows what stood; at its end it is known again.
	for (const revision of [first - 1n, ...gaps.map(({ toRevision }) => toRevision ?? 0n), last])
		expect(await compareState(store, name, truth, revision)).toEqual([])
	expect(items.filter(({ kind }) => kind === 'audit').length).toBeGreaterThan(versionsMin / 2)
	expect(items.filter(({ kind }) => kind === 'reject')).toEqual([])
})
