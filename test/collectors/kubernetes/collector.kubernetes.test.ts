// The Kubernetes collector on a real control plane, held against what etcd itself recorded.
import { execFile } from 'node:child_process'
import { cpSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cursorName, readPosition } from '#collectors/kubernetes/position.ts'
import { openLocalState } from '#collectors/local-state.ts'
import { createVersions } from '#collectors/etcd/versions.ts'
import { createCatalog } from '#records/catalog.ts'
import type { Gap, VersionRecord } from '#records/record.ts'
import { objectKey } from '#records/object-key.ts'
import { openApi } from '#test/support/api.ts'
import { serversDir, startCluster, type Cluster } from '#test/support/cluster.ts'
import { eventOf, readLines } from '#test/support/recorded.ts'
import { findUnshown } from '#test/support/unshown.ts'
import { makeStateDir, runCollector, type Running } from './running.ts'

let cluster: Cluster
let state: ReturnType<typeof makeStateDir>
let running: Running
/** Up to here everything was there before the first list was done. */
let listedAt: bigint

/** What no API shows: the API server's own keys. */
const internal = new Set(['etcdkeys', 'masterleases', 'peerserverleases', 'ranges'])

function recorded(): readonly VersionRecord[] {
	const versions = createVersions({ cluster: 'test', source: 'etcd', space: 'main', prefix: '/registry/', catalog: createCatalog() })
	return readLines(cluster)
		.map((line) => versions.toRecord(eventOf(line), 0, 'watch'))
		.filter((record) => !internal.has(record.object.resource))
}

const start = (): Running => runCollector(state.dir, { kubeconfig: cluster.kubeconfig() })
const apply = (manifest: unknown): Promise<string> =>
	cluster.kubectl(['apply', '--server-side', '-f', '-'], { input: JSON.stringify(manifest) })
const of = (key: string): readonly VersionRecord[] => running.versions().filter((record) => objectKey(record.object) === key)

/** Until the first list of every resource is done. */
async function listed(): Promise<void> {
	const names = (await cluster.kubectl(['api-resources', '--verbs=list,watch', '-o', 'name']))
		.split('\n')
		.filter((name) => name !== '' && name !== 'events.events.k8s.io')
	using known = openLocalState(state.dir)
	await running.until('all lists', () => names.every((name) => readPosition(known.cursor(cursorName(name))).pending === null))
}

async function lastRevision(): Promise<bigint> {
	const list = JSON.parse(await cluster.kubectl(['get', '--raw', '/api/v1/namespaces/default/configmaps?limit=1'])) as {
		metadata: { resourceVersion: string }
	}
	return BigInt(list.metadata.resourceVersion)
}

/** A mark that is written last: when it is seen by a collector, and by etcd's record, both are as far. */
async function settle(name: string): Promise<bigint> {
	await cluster.kubectl(['create', 'configmap', name])
	const seen = await running.until(name, () => of(`configmaps/default/${name}`)[0])
	await running.until(`${name} in etcd`, () =>
		readFileSync(join(cluster.dir, 'etcd.jsonl'), 'utf8').includes(`/registry/configmaps/default/${name}"`),
	)
	return seen.revision
}

const definition = {
	apiVersion: 'apiextensions.k8s.io/v1',
	kind: 'CustomResourceDefinition',
	metadata: { name: 'tapes.example.com' },
	spec: {
		group: 'example.com',
		scope: 'Namespaced',
		names: { plural: 'tapes', singular: 'tape', kind: 'Tape', listKind: 'TapeList' },
		versions: [
			{
				name: 'v1',
				served: true,
				storage: true,
				schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
			},
		],
	},
}
const deployment = {
	apiVersion: 'apps/v1',
	kind: 'Deployment',
	metadata: { name: 'web', namespace: 'default' },
	spec: {
		replicas: 2,
		selector: { matchLabels: { app: 'web' } },
		template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
	},
}

beforeAll(async () => {
	cluster = await startCluster({ env: { RECORD: '1' } })
	state = makeStateDir()
	running = start()
	await listed()
	listedAt = await settle('first')
})
afterAll(async () => {
	await running?.stop()
	await cluster?.stop()
	state?.remove()
})

test('every write of a busy minute is one record with the id of the etcd collector, and the values are those of the API', async () => {
	await apply(definition)
	await cluster.established('tapes.example.com')
	await apply({
		apiVersion: 'example.com/v1',
		kind: 'Tape',
		metadata: { name: 'one', namespace: 'default' },
		spec: { whole: 9007199254740991, float: 1.5 },
	})
	await apply(deployment)
	await cluster.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s'])
	await cluster.kubectl(['scale', 'deployment/web', '--replicas=3'])
	await cluster.kubectl(['create', 'secret', 'generic', 'door', '--from-literal=word=open-sesame'])
	await cluster.kubectl(['patch', 'configmap', 'first', '--type=merge', '-p', '{"data":{"a":"1"}}'])
	await cluster.kubectl(['create', 'configmap', 'short'])
	await cluster.kubectl(['delete', 'configmap', 'short'])
	await running.until('the custom resource', () => of('tapes.example.com/default/one')[0])
	await cluster.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s'])
	await cluster.kubectl(['delete', 'crd', 'tapes.example.com'])
	await running.until('the definition deleted', () =>
		of('customresourcedefinitions.apiextensions.k8s.io/-/tapes.example.com').find((record) => record.operation === 'deleted'),
	)
	const end = await settle('second')

	const inRange = (record: VersionRecord): boolean => record.revision > listedAt && record.revision < end
	const expected = recorded().filter(inRange)
	// The mark tells of one watch: the others may be behind it.
	const isSeen = (): boolean => {
		const ids = new Set(running.versions().map(({ id }) => id))
		return expected.every(({ id }) => ids.has(id))
	}
	await running.until('all', isSeen).catch(() => undefined)
	const seen = running.versions().filter(inRange)
	expect(expected.length).toBeGreaterThan(60)
	const line = (record: VersionRecord): string => `${record.revision} ${objectKey(record.object)} ${record.operation} ${record.id}`
	expect(seen.map(line).toSorted()).toEqual(expected.map(line).toSorted())

	const byId = new Map(expected.map((record) => [record.id, record]))
	for (const record of seen.filter(({ object }) => object.resource !== 'secrets')) {
		const oracle = byId.get(record.id)
		expect({ key: objectKey(record.object), revision: record.revision, after: record.after?.value }).toEqual({
			key: objectKey(record.object),
			revision: record.revision,
			after: oracle?.after?.value,
		})
		expect(record.beforeRevision).toBe(oracle?.beforeRevision)
	}
	expect(seen.filter(({ kind }) => kind === 'event').length).toBeGreaterThan(5)
})

test('the latest version of an object is what a GET of it gives, byte for byte', async () => {
	const served = [
		['deployments.apps/default/web', '/apis/apps/v1/namespaces/default/deployments/web'],
		['configmaps/default/first', '/api/v1/namespaces/default/configmaps/first'],
		['namespaces/-/default', '/api/v1/namespaces/default'],
		['apiservices.apiregistration.k8s.io/-/v1.apps', '/apis/apiregistration.k8s.io/v1/apiservices/v1.apps'],
	] as const
	for (const [key, path] of served) {
		const text = (await cluster.kubectl(['get', '--raw', path])).trim()
		await running.until(`${key} as it is`, () => of(key).at(-1)?.after?.text === text)
		expect(of(key).at(-1)?.after?.text).toBe(text)
	}
})

test('a Secret is its metadata, and its value is nowhere', async () => {
	const secret = of('secrets/default/door').at(-1)
	expect(secret?.after?.object).toMatchObject({ kind: 'Secret', apiVersion: 'v1', metadata: { name: 'door' } })
	expect(secret?.note).toContain('metadata only')
	const value = Buffer.from('open-sesame').toString('base64')
	expect(running.versions().some((record) => (record.after?.text ?? '').includes(value))).toBe(false)
	expect(readFileSync(join(state.dir, 'state.db')).includes(value)).toBe(false)
})

test('a pod knows its owners', () => {
	const pod = running.versions().findLast((record) => record.object.resource === 'pods' && record.object.name.startsWith('web-'))
	expect(pod?.owners.map(({ kind }) => kind)).toEqual(['ReplicaSet', 'Deployment'])
})

test('after a SIGKILL of the API server every version is a record, but for those that no list could show: the gap names their objects', async () => {
	const from = await settle('before-kill')
	await (
		await cluster.kill('kube-apiserver')
	)()
	await cluster.ready()
	// Written while the watches are on their way back.
	using api = openApi(cluster)
	const configmaps = '/api/v1/namespaces/default/configmaps'
	for (let turn = 0; turn < 10; turn += 1) {
		await api.json('POST', configmaps, { metadata: { name: `burst-${turn}` } })
		await api.json('PATCH', `${configmaps}/burst-${turn}`, { data: { turn: '1' } }, 'application/merge-patch+json')
		await api.json('POST', configmaps, { metadata: { name: `blink-${turn}` } })
		await api.json('DELETE', `${configmaps}/blink-${turn}`)
	}
	const end = await settle('after-kill')
	const shown = {
		has: (id: string) => running.versions().some((record) => record.id === id),
		tellsGone: (key: string, revision: bigint) => of(key).some((record) => record.revision === revision && record.operation === 'deleted'),
	}
	const everything = recorded()
	const unshown = (): readonly string[] => findUnshown(everything, { from, to: end }, shown, running.gaps())
	await running.until('all writes', () => unshown().length === 0).catch(() => undefined)
	expect(unshown()).toEqual([])
	const known = new Set(everything.map(({ id }) => id))
	const late = running
		.versions()
		.filter(({ revision, operation, sighting }) => revision > from && !(operation === 'deleted' && sighting === 'gap'))
	expect(late.filter(({ id, revision }) => revision <= end && !known.has(id))).toEqual([])
	expect(new Set(late.map(({ id }) => id)).size).toBe(late.length)
	expect(of('configmaps/default/after-kill')).toHaveLength(1)
	// Where nothing differed it is one statement, not one for each resource. Events are watched in etcd itself: they went on where they stood.
	const quiet = (): readonly Gap[] => running.gaps().filter(({ touchedCount, scope }) => touchedCount === 0 && !scope.startsWith('tapes.'))
	const [gap] = await running.until('the quiet gap', () => quiet().length > 0 && quiet())
	expect(gap?.scope.split(', ').length).toBeGreaterThan(30)
	expect(quiet()).toHaveLength(1)
	expect(running.gaps().flatMap(({ scope }) => scope.split(', '))).not.toContain('events')
})

test('a collector that was stopped goes on where it stood, with no gap', async () => {
	await running.stop()
	const gaps = running.gaps().length
	const before = await lastRevision()
	await cluster.kubectl(['patch', 'configmap', 'first', '--type=merge', '-p', '{"data":{"b":"1"}}'])
	const earlier = running
	running = start()
	const end = await settle('went-on')
	const expected = recorded().filter(({ revision }) => revision > before && revision < end)
	const missing = (): readonly string[] => {
		const seen = new Set([...earlier.versions(), ...running.versions()].map(({ id }) => id))
		return expected.filter(({ id }) => !seen.has(id)).map(({ revision, object }) => `${revision} ${objectKey(object)}`)
	}
	// The mark tells of one watch: the others may be behind it.
	await running.until('all', () => missing().length === 0).catch(() => undefined)
	expect(missing()).toEqual([])
	expect(earlier.gaps()).toHaveLength(gaps)
	expect(running.gaps()).toEqual([])
})

test('what was compacted while it was stopped is a gap with the objects that differ', async () => {
	await running.stop()
	await cluster.kubectl(['delete', 'configmap', 'second'])
	await cluster.kubectl(['patch', 'configmap', 'first', '--type=merge', '-p', '{"data":{"a":"2"}}'])
	await cluster.kubectl(['patch', 'configmap', 'first', '--type=merge', '-p', '{"data":{"a":"3"}}'])
	await cluster.kubectl(['create', 'configmap', 'third'])
	const compacted = await lastRevision()
	await promisify(execFile)(join(serversDir, 'etcdctl'), ['--endpoints', cluster.etcd, 'compact', String(compacted)])
	await (
		await cluster.kill('kube-apiserver')
	)()
	await cluster.ready()
	running = start()
	const gap = await running.until('the gap', () => running.gaps().find(({ scope }) => scope === 'configmaps'))
	expect(gap.reason).toBe('relist')
	expect([...gap.touched].filter((key) => key.startsWith('configmaps/default/')).toSorted()).toEqual([
		'configmaps/default/first',
		'configmaps/default/second',
		'configmaps/default/third',
	])
	expect(gap.toRevision).toBeGreaterThanOrEqual(compacted)
	expect(of('configmaps/default/second')).toMatchObject([{ operation: 'deleted', sighting: 'gap', after: null }])
	expect(of('configmaps/default/third')).toMatchObject([{ operation: 'created', sighting: 'gap', before: null }])
	expect(of('configmaps/default/first')).toMatchObject([
		{ operation: 'updated', sighting: 'gap', before: { object: { data: { a: '1' } } }, after: { object: { data: { a: '3' } } } },
	])
})

test('an etcd that is restored to what it was begins a new revision space, in which everything is listed', async () => {
	const data = join(cluster.dir, 'etcd')
	const startEtcd = await cluster.kill('etcd')
	cpSync(data, `${data}-backup`, { recursive: true })
	await startEtcd()
	await cluster.ready()
	using api = openApi(cluster)
	const configmaps = '/api/v1/namespaces/default/configmaps'
	await api.json('POST', configmaps, { metadata: { name: 'never-was' } })
	for (let turn = 0; turn < 300; turn += 1)
		await api.json('PATCH', `${configmaps}/first`, { data: { turn: String(turn) } }, 'application/merge-patch+json')
	await running.until('what will be taken back', () => of('configmaps/default/first').at(-1)?.after?.object['data'])
	const taken = await lastRevision()
	await running.until('all of it', () => of('configmaps/default/first').some(({ after }) => after?.text.includes('"turn":"299"')))
	const startApiServer = await cluster.kill('kube-apiserver')
	const startAgain = await cluster.kill('etcd')
	rmSync(data, { recursive: true })
	renameSync(`${data}-backup`, data)
	await startAgain()
	await startApiServer()
	await cluster.ready()
	await cluster.kubectl(['create', 'configmap', 'is'])
	const found = await running.until('what is written after it', () => of('configmaps/default/is')[0])
	expect(found.space).toMatch(/^api-1-\d+$/)
	expect(found.revision).toBeLessThan(taken)
	const gap = await running.until('the gap', () =>
		running.gaps().find(({ reason, scope }) => reason === 'space-changed' && scope === 'configmaps'),
	)
	expect(gap).toMatchObject({ space: found.space, fromRevision: null })
	expect(gap.touched).toEqual(expect.arrayContaining(['configmaps/default/first', 'configmaps/default/never-was']))
	expect(of('configmaps/default/never-was').map(({ operation, space }) => [operation, space])).toEqual([
		['created', 'main'],
		['deleted', found.space],
	])
	expect(of('configmaps/default/first').at(-1)).toMatchObject({
		space: found.space,
		sighting: 'gap',
		after: { object: { data: { a: '3' } } },
	})
	const ids = running.versions().map(({ id }) => id)
	expect(new Set(ids).size).toBe(ids.length)
})
