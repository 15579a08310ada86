// The Kubernetes collector on a real control plane, held against what etcd itself recorded.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cursorName, readPosition } from '#collectors/kubernetes/position.ts'
import { openLocalState } from '#collectors/local-state.ts'
import { createVersions } from '#collectors/etcd/versions.ts'
import { createCatalog } from '#records/catalog.ts'
import type { VersionRecord } from '#records/record.ts'
import { objectKey, resourceName } from '#records/object-key.ts'
import { serversDir, startCluster, type Cluster } from '#test/support/cluster.ts'
import { isVersion, makeStateDir, runCollector, type Running } from './running.ts'

let cluster: Cluster
let state: ReturnType<typeof makeStateDir>
let running: Running
/** Up to here everything was there before the first list was done. */
let listedAt: bigint

/** What no API shows: the API server's own keys. */
const internal = new Set(['etcdkeys', 'masterleases', 'peerserverleases', 'ranges'])

interface RecordedLine {
	readonly rev: number
	readonly type: 'PUT' | 'DELETE'
	readonly key: string
	readonly create_revision: number
	readonly version: number
	readonly lease: string
	readonly value: string | null
	readonly prev: { readonly mod_revision: number; readonly value: string } | null
}

function recorded(): readonly VersionRecord[] {
	const versions = createVersions({ cluster: 'test', source: 'etcd', space: 'main', prefix: '/registry/', catalog: createCatalog() })
	const lines = readFileSync(join(cluster.dir, 'etcd.jsonl'), 'utf8').split('\n').slice(0, -1)
	return lines
		.map((text) => JSON.parse(text) as RecordedLine)
		.map(({ rev, type, key, create_revision, version, lease, value, prev }) =>
			versions.toRecord(
				{
					type,
					key,
					value: value === null ? null : Buffer.from(value, 'base64'),
					modRevision: BigInt(rev),
					createRevision: BigInt(create_revision),
					version: BigInt(version),
					lease: BigInt(lease),
					prev: prev && { modRevision: BigInt(prev.mod_revision), value: Buffer.from(prev.value, 'base64') },
				},
				0,
				'watch',
			),
		)
		.filter(isVersion)
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
	await cluster.kubectl(['wait', '--for=condition=Established', 'crd/tapes.example.com'])
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

test('after a SIGKILL of the API server each write is a record, once, or in a gap of its resource', async () => {
	const from = await settle('before-kill')
	await restartApiServer()
	const end = await settle('after-kill')
	const expected = recorded().filter(({ revision }) => revision > from && revision < end)
	const isCovered = ({ id, object, revision }: VersionRecord): boolean =>
		running.versions().some((record) => record.id === id) ||
		running
			.gaps()
			.some(
				({ scope, fromRevision, toRevision }) =>
					scope === resourceName(object) && (fromRevision ?? 0n) <= revision && revision <= (toRevision ?? 0n),
			)
	await running.until('all writes', () => expected.every(isCovered))
	const known = new Set(expected.map(({ id }) => id))
	const late = running
		.versions()
		.filter(({ revision, operation, sighting }) => revision > from && revision < end && !(operation === 'deleted' && sighting === 'gap'))
	expect(late.filter(({ id }) => !known.has(id))).toEqual([])
	expect(new Set(late.map(({ id }) => id)).size).toBe(late.length)
	expect(of('configmaps/default/after-kill')).toHaveLength(1)
})

test('what was compacted while it was stopped is a gap with the objects that differ', async () => {
	await running.stop()
	await cluster.kubectl(['delete', 'configmap', 'second'])
	await cluster.kubectl(['patch', 'configmap', 'first', '--type=merge', '-p', '{"data":{"a":"2"}}'])
	await cluster.kubectl(['patch', 'configmap', 'first', '--type=merge', '-p', '{"data":{"a":"3"}}'])
	await cluster.kubectl(['create', 'configmap', 'third'])
	const list = JSON.parse(await cluster.kubectl(['get', '--raw', '/api/v1/namespaces/default/configmaps?limit=1'])) as {
		metadata: { resourceVersion: string }
	}
	await promisify(execFile)(join(serversDir, 'etcdctl'), ['--endpoints', cluster.etcd, 'compact', list.metadata.resourceVersion])
	await restartApiServer()
	running = start()
	const gap = await running.until('the gap', () => running.gaps().find(({ scope }) => scope === 'configmaps'))
	expect(gap.reason).toBe('relist')
	expect([...gap.touched].filter((key) => key.startsWith('configmaps/default/')).toSorted()).toEqual([
		'configmaps/default/first',
		'configmaps/default/second',
		'configmaps/default/third',
	])
	expect(gap.toRevision).toBeGreaterThanOrEqual(BigInt(list.metadata.resourceVersion))
	expect(of('configmaps/default/second')).toMatchObject([{ operation: 'deleted', sighting: 'gap', after: null }])
	expect(of('configmaps/default/third')).toMatchObject([{ operation: 'created', sighting: 'gap', before: null }])
	expect(of('configmaps/default/first')).toMatchObject([
		{ operation: 'updated', sighting: 'gap', before: { object: { data: { a: '1' } } }, after: { object: { data: { a: '3' } } } },
	])
})

function isRunning(pid: number): boolean {
	try {
		return readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[2] !== 'Z'
	} catch {
		return false
	}
}

/** SIGKILL, and the same command again. */
async function restartApiServer(): Promise<void> {
	const pid = readFileSync(join(cluster.dir, 'run/kube-apiserver.pid'), 'utf8').trim()
	const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
	process.kill(Number(pid), 'SIGKILL')
	await running.until('the end of the API server', () => !isRunning(Number(pid)))
	const script =
		'export DIR="$0"; setsid nohup "$@" >>"$DIR/logs/kube-apiserver.log" 2>&1 </dev/null & echo $! >"$DIR/run/kube-apiserver.pid"'
	await promisify(execFile)('bash', ['-c', script, cluster.dir, ...command])
	let isReady = false
	await running.until('the API server', () => {
		cluster.kubectl(['get', '--raw', '/readyz']).then(
			() => (isReady = true),
			() => false,
		)
		return isReady
	})
}
