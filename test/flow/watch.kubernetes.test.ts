// The same hour of work seen through the API server alone, and through both it and etcd: roles and the API server are killed, and every version is there, but for those that no list could show any more.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { cursorName, readPosition } from '#collectors/kubernetes/position.ts'
import { openLocalState } from '#collectors/local-state.ts'
import { loadRedactionKey } from '#processors/redact/key.ts'
import { objectKey, resourceName } from '#records/object-key.ts'
import type { Gap } from '#records/record.ts'
import { systemClock } from '#runtime/clock.ts'
import type { Item, Store } from '#storage/store/port.ts'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'
import { openApi, type Api } from '#test/support/api.ts'
import { startCluster, type Cluster } from '#test/support/cluster.ts'
import { eventually, temporaryFolder } from '#test/support/program.ts'
import { createRandom, seedOf } from '#test/support/random.ts'
import { findUnshown } from '#test/support/unshown.ts'
import { startWitness, type Witness } from '#test/support/witness.ts'
import { compareVersions, findDoubles, findInvented, readAll } from './compare.ts'
import { Roles } from './roles.ts'
import { readTruth, type TrueVersion } from './truth.ts'
import { chapters, openTools, overtime, passing } from './work.ts'

const name = 'rig'
const caughtUpMs = 120_000
const versionsMin = 1000
/** What the API shows nobody: the API server's own keys. */
const internal = new Set(['etcdkeys', 'masterleases', 'peerserverleases', 'ranges'])
/** Stored in one version and preferred in another: each collector has it in its own. */
const ofTwoVersions = 'reels.example.org'

const folder = temporaryFolder('watch')
const random = createRandom(seedOf('flow/watch'))
let cluster: Cluster
let api: Api
/** The second one is there from the restart of the API server on. */
const witnesses: Witness[] = []
const witness: Pick<Witness, 'follow' | 'text'> = {
	follow: (...resource) => witnesses.at(-1)?.follow(...resource) ?? Promise.resolve(),
	text: (...version) => witnesses.map((each) => each.text(...version)).find((text) => text !== undefined),
}
/** By what they record: the API server alone, or both. */
const recorders = new Map<'api' | 'both', { readonly dir: string; readonly roles: Roles }>()
const stores: Store[] = []

beforeAll(async () => {
	cluster = await startCluster({ env: { RECORD: '1' } })
	api = openApi(cluster)
	witnesses.push(await startWitness(api, passing))
	const kubernetes = `kubernetes: { kubeconfig: "${cluster.kubeconfig()}", retryMaxMs: 500 }`
	for (const [kind, sources] of [
		['api', kubernetes],
		['both', `${kubernetes}, etcd: { endpoints: ["${cluster.etcd}"] }`],
	] as const) {
		const dir = join(folder.path, kind)
		mkdirSync(dir)
		writeFileSync(join(dir, 'kubetape.yaml'), `dataDir: ${dir}/data\nclusters: [{ name: ${name}, ${sources} }]\n`)
		recorders.set(kind, { dir, roles: new Roles(join(dir, 'kubetape.yaml'), random) })
	}
})
afterAll(async () => {
	for (const { roles } of recorders.values()) await roles[Symbol.asyncDispose]()
	for (const store of stores) await store[Symbol.asyncDispose]()
	for (const each of witnesses) await each[Symbol.asyncDispose]()
	api?.[Symbol.dispose]()
	await cluster?.stop()
	folder.remove()
})

const all = (): readonly Roles[] => [...recorders.values()].map(({ roles }) => roles)
const openStore = (dir: string): Promise<Store> => openSqliteStore({ dir: join(dir, 'data', 'store'), readOnly: true, clock: systemClock })

/** Until the first list of every resource is done. */
async function listed(dir: string): Promise<void> {
	// Secrets are left to the etcd collector where there is one.
	const names = [...(witnesses[0]?.resources ?? [])].filter((resource) => resource !== 'secrets' && !passing.has(resource))
	await eventually(
		async () => {
			using state = openLocalState(join(dir, 'data', 'collectors', name, 'kubernetes'))
			return names.filter((resource) => readPosition(state.cursor(cursorName(resource))).pending !== null)
		},
		(left) => left.length === 0,
		caughtUpMs,
	)
}

/** Writes a mark and waits until both stores have it: they are as far then, but for what other watches still hold. */
async function mark(text: string): Promise<bigint> {
	const created = await api.json('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: text } })
	const revision = BigInt((created['metadata'] as { readonly resourceVersion: string }).resourceVersion)
	for (const { dir } of recorders.values()) {
		await eventually(
			async () => {
				await using store = await openStore(dir)
				return (await store.timeline({ cluster: name, name: text, include: ['change'] }, { limit: 1 })).items.length
			},
			(found) => found > 0,
			caughtUpMs,
		)
	}
	return revision
}

/** Chapters, while roles of both recorders are killed. */
async function harassed(played: readonly (typeof chapters)['settingIn'][]): Promise<void> {
	using tools = openTools(cluster, witness)
	for (const chapter of played) {
		const work = chapter(tools)
		await Promise.all(all().map((roles) => roles.harass(work)))
	}
}

/** The API collector has Secrets as metadata only, without the copy of their values in an annotation. */
function asShown(version: TrueVersion): TrueVersion {
	if (resourceName(version.record.object) !== 'secrets' || version.text === null) return version
	const { kind, apiVersion, metadata } = JSON.parse(version.text) as Record<string, Record<string, unknown>>
	const withoutCopy = (annotations: object): object =>
		Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== 'kubectl.kubernetes.io/last-applied-configuration'))
	const entries = Object.entries(metadata ?? {}).map(([key, value]) => [key, key === 'annotations' ? withoutCopy(value as object) : value])
	return { ...version, text: JSON.stringify({ kind, apiVersion, metadata: Object.fromEntries(entries) }) }
}

const isVersion = ({ kind }: Item): boolean => kind === 'change' || kind === 'event'

it(
	'is in both stores: all of it by way of etcd, and by way of the API server what a watch or a list could show',
	{ timeout: 900_000 },
	async () => {
		for (const roles of all()) roles.start('collect', 'process')
		for (const { dir } of recorders.values()) await listed(dir)
		const from = await mark('begin')
		const { settingIn, releasing, laboring, defining, editing, tidyingUp } = chapters
		await harassed([settingIn, releasing, laboring, defining, editing])
		await mark('before-restart')
		expect(witnesses[0]?.failures).toEqual([])
		// The API server forgets what its watches could have gone on with; the collectors come and go meanwhile.
		const startApiServer = await cluster.kill('kube-apiserver')
		for (const roles of all()) await roles.kill('collect')
		await startApiServer()
		await cluster.ready()
		for (const roles of all()) roles.start('collect')
		witnesses.push(await startWitness(api, passing))
		await harassed([overtime('after-restart'), tidyingUp])
		const to = await mark('end')
		for (const [kind, { dir, roles }] of recorders) {
			await listed(dir)
			await caughtUp(kind, from, to)
			await roles.kill('collect', 'process')
		}
		await check('api', from, to)
		await check('both', from, to)
	},
)

/** What one recorder has, held against what etcd had. */
interface Seen {
	readonly everything: readonly TrueVersion[]
	readonly truth: readonly TrueVersion[]
	readonly gaps: readonly Gap[]
	readonly items: readonly Item[]
	/** What it owes. */
	readonly unshown: readonly string[]
}

async function look(store: Store, kind: 'api' | 'both', dir: string, from: bigint, to: bigint): Promise<Seen> {
	const everything = await readTruth(name, cluster, witness, await loadRedactionKey(join(dir, 'data', 'redaction.key')))
	const truth = everything.filter(({ record }) => !internal.has(record.object.resource))
	const { gaps } = await store.ledger(name, {})
	const items = await readAll(store, name)
	const versions = items.filter(isVersion)
	const ids = new Set(versions.map(({ id }) => id))
	const gone = new Set(
		versions.flatMap(({ operation, revision, object }) => (operation === 'deleted' && object ? `${objectKey(object)}@${revision}` : [])),
	)
	const unshown = findUnshown(
		truth.map(({ record }) => record),
		{ from, to },
		{ has: (id) => ids.has(id), tellsGone: (key, revision) => gone.has(`${key}@${revision}`) },
		kind === 'both' ? [] : gaps,
	)
	return { everything, truth, gaps, items, unshown }
}

/** The mark tells of one watch: the others may be behind it. What is still owed after that time is told by the check. */
async function caughtUp(kind: 'api' | 'both', from: bigint, to: bigint): Promise<void> {
	const { dir } = recorders.get(kind) ?? { dir: '' }
	const owed = async (): Promise<readonly string[]> => {
		await using store = await openStore(dir)
		return (await look(store, kind, dir, from, to)).unshown
	}
	await eventually(owed, (left) => left.length === 0, caughtUpMs).catch(() => undefined)
}

async function check(kind: 'api' | 'both', from: bigint, to: bigint): Promise<void> {
	const { dir, roles } = recorders.get(kind) ?? { dir: '', roles: undefined }
	const store = await openStore(dir)
	stores.push(store)
	const { everything, truth, gaps, items, unshown } = await look(store, kind, dir, from, to)
	const versions = items.filter(isVersion)
	const ids = new Set(versions.map(({ id }) => id))
	const shown = truth.filter(({ record, revision }) => ids.has(record.id) && revision >= from && revision <= to)
	const comparable = shown
		.filter(({ record }) => resourceName(record.object) !== ofTwoVersions)
		.map((version) => (kind === 'api' ? asShown(version) : version))
	const comparison = await compareVersions(store, name, comparable)
	const doubles = await findDoubles(store, name, items)
	const seenTwice = versions
		.filter(({ sighting }) => sighting !== 'gap')
		.map(({ kind: of, object, event, revision }) => `${of} ${JSON.stringify(event?.object ?? object)} ${revision}`)
	const wanted = truth.filter(({ revision }) => revision >= from && revision <= to).length
	const sources = Map.groupBy(versions, ({ source }) => source)
	console.log(
		`${kind}: of ${wanted} versions ${shown.length} stored, ${wanted - shown.length} in gaps, ${unshown.length} unshown; compared ${JSON.stringify(comparison.compared)}, different ${comparison.different.length}, ` +
			`double ${doubles.length}; kills ${roles?.kills}; by source ${[...sources].map(([source, { length }]) => `${source} ${length}`).join(', ')}; ` +
			`gaps ${gaps.map(({ scope, touchedCount }) => `${scope.split(', ').length} resources (${touchedCount} touched)`).join(', ')}`,
	)
	expect(roles?.failures).toEqual([])
	expect(unshown, gaps.map(({ scope, fromRevision, toRevision }) => `${fromRevision}..${toRevision} ${scope}`).join('; ')).toEqual([])
	expect(comparison.missing).toEqual([])
	expect(comparison.different).toEqual([])
	expect(comparison.compared.api).toBeGreaterThan(versionsMin)
	expect(doubles).toEqual([])
	expect(new Set(seenTwice).size).toBe(seenTwice.length)
	expect(findInvented(items, everything, gaps)).toEqual([])
	if (kind === 'both') expect([...sources.keys()].toSorted()).toEqual(['etcd', 'kubernetes'])
}
