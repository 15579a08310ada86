// What is read from etcd against what the API server serves, byte by byte: of every resource that a real control plane with all its alpha kinds stores.
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect, rangeOf, type EtcdClient } from '#collectors/etcd/client.ts'
import { readSnapshot } from '#collectors/etcd/snapshot.ts'
import { createVersions } from '#collectors/etcd/versions.ts'
import { createCatalog } from '#records/catalog.ts'
import { resourceName, type ObjectRef } from '#records/object-key.ts'
import type { VersionRecord } from '#records/record.ts'
import { makeRequest, openssl } from '#test/support/certificates.ts'
import { startCluster, type Cluster } from '#test/support/cluster.ts'
import { testConfig } from './running.ts'

/** Everything but CBOR, which would store custom resources in another encoding. */
const gates = '--feature-gates=AllAlpha=true,AllBeta=true,CBORServingAndStorage=false'
const readTries = 20
/** Keys of the API server's own, which no resource serves. */
const internal = new Set(['masterleases', 'peerserverleases', 'ranges'])

interface Resource {
	readonly name: string
	readonly storageVersionHash?: string
}

let cluster: Cluster
let agent: Agent

beforeAll(async () => {
	cluster = await startCluster({ env: { NODES: '1', APISERVER_EXTRA: `--runtime-config=api/all=true ${gates}` } })
	const pki = (name: string): Buffer => readFileSync(join(cluster.dir, 'pki', name))
	agent = new Agent({ ca: pki('ca.crt'), cert: pki('admin.crt'), key: pki('admin.key'), keepAlive: true })
	await cluster.kubectl(['apply', '-f', '-'], { input: await manifest() })
	await cluster.established('widgets.example.com')
	await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(widget) })
	for (const [resource, name, status] of statuses)
		await cluster.kubectl(['patch', resource, name, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status })])
})

afterAll(async () => {
	agent.destroy()
	await cluster.stop()
})

async function manifest(): Promise<string> {
	const pem = makeRequest(cluster.dir)
	const der = openssl(['req', '-outform', 'DER'], pem)
	const authority = readFileSync(join(cluster.dir, 'pki', 'ca.crt'), 'utf8').trim()
	return readFileSync(new URL('./every-kind.yaml', import.meta.url), 'utf8')
		.replaceAll('CSR_PEM', pem.toString('base64'))
		.replaceAll('CSR_DER', der.toString('base64'))
		.replaceAll('NODE_UID', await cluster.kubectl(['get', 'node', 'node-a', '-o', 'jsonpath={.metadata.uid}']))
		.replaceAll('CA_PEM', authority.replaceAll(/^/gm, '    ').trimStart())
}

const widget = {
	apiVersion: 'example.com/v1',
	kind: 'Widget',
	metadata: { name: 'w', namespace: 'default', labels: { '9': 'a', '10': 'b' } },
	spec: { any: { '9': 1, '10': 9_007_199_254_740_991, text: '<&>', nothing: {}, list: [1.5, null, true, 'x'] } },
}

/** [resource, name, status]: what controllers and kubelets would write. */
const statuses: readonly (readonly [resource: string, name: string, status: object])[] = [
	[
		'services',
		'svc',
		{ loadBalancer: { ingress: [{ ip: '192.0.2.9', ipMode: 'VIP', ports: [{ port: 80, protocol: 'TCP', error: 'A' }] }] } },
	],
	['poddisruptionbudgets', 'pdb', { disruptedPods: { rich: '2026-01-01T00:00:00Z' } }],
	[
		'volumeattachments',
		'va',
		{ attached: false, attachmentMetadata: { a: 'b' }, attachError: { time: '2026-01-01T00:00:00Z', message: 'no' } },
	],
	['resourceclaims', 'rc', { allocation: { devices: { results: [{ request: 'a', driver: 'example.com', pool: 'p', device: 'a' }] } } }],
	['persistentvolumes', 'pv', { phase: 'Failed', message: 'none', reason: 'None' }],
	['horizontalpodautoscalers', 'hpa', { currentReplicas: 1, desiredReplicas: 2, lastScaleTime: '2026-01-01T00:00:00Z' }],
]

/**
 * The resources that the API server keeps in its storage say so in discovery, by a hash of the kind and version that is stored: it is the same in all
 * versions, and where two groups share what is stored (Events). Names of resources by hash.
 */
async function storedResources(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
	const stored = new Map<string, Set<string>>()
	for (const version of (await cluster.kubectl(['api-versions'])).trim().split('\n')) {
		const group = version.includes('/') ? (version.split('/')[0] ?? '') : ''
		const listed = JSON.parse(await get(version === 'v1' ? '/api/v1' : `/apis/${version}`)) as { resources: readonly Resource[] }
		for (const { name, storageVersionHash: hash } of listed.resources)
			if (hash !== undefined && hash !== '') stored.set(hash, (stored.get(hash) ?? new Set()).add(resourceName({ resource: name, group })))
	}
	return stored
}

function get(path: string): Promise<string> {
	return new Promise((resolve, reject) => {
		const call = request(`${cluster.api}${path}`, { agent, headers: { accept: 'application/json' } }, (answer) => {
			const chunks: Buffer[] = []
			answer.on('data', (chunk: Buffer) => chunks.push(chunk))
			answer.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
		})
		call.on('error', reject)
		call.end()
	})
}

/** Where the version that is stored is served. */
function pathOf({ resource, namespace, name }: ObjectRef, apiVersion: string): string {
	const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
	const within = namespace === '' ? '' : `/namespaces/${namespace}`
	return `${base}${within}/${resource}/${encodeURIComponent(name)}`
}

/** The object of a key as etcd has it and as the API serves it, both at one revision; undefined where it has gone. */
async function bothOf(
	client: EtcdClient,
	key: Buffer,
	toRecord: (kv: { key: Buffer; value: Buffer; mod_revision: string }) => VersionRecord,
): Promise<{ readonly record: VersionRecord; readonly ours: string; readonly theirs: string } | undefined> {
	for (let tries = 0; tries < readTries; tries += 1) {
		const { kvs } = await client.range({ key })
		const [kv] = kvs
		if (!kv) return undefined
		const record = toRecord(kv)
		const ours = record.after?.text ?? ''
		const theirs = (await get(pathOf(record.object, record.apiVersion))).trimEnd()
		const { metadata } = JSON.parse(theirs) as { metadata?: { resourceVersion?: string } }
		// Somebody may have written in between.
		if (metadata?.resourceVersion === undefined || metadata.resourceVersion === kv.mod_revision) return { record, ours, theirs }
	}
	throw new Error(`${key.toString()} does not stay the same`)
}

it('is the same text, for every resource that is stored', async () => {
	const versions = createVersions({ cluster: 'test', source: 'etcd', space: 'main', prefix: '/registry/', catalog: createCatalog() })
	const toRecord = ({ key, value, mod_revision }: { key: Buffer; value: Buffer; mod_revision: string }): VersionRecord => {
		const revision = BigInt(mod_revision)
		const at = { modRevision: revision, createRevision: revision, version: 1n, lease: 0n, prev: null }
		const record = versions.toRecord({ type: 'PUT', key: key.toString(), value, ...at }, 1, 'snapshot')
		expect(versions.takeRejects()).toEqual([])
		return record
	}
	const stored = await storedResources()
	/** The versions that were compared, by resource. */
	const compared = new Map<string, Set<string>>()
	const differing: string[] = []
	using client = connect(testConfig, cluster.etcd)
	const head = await client.range({ ...rangeOf('/registry/'), limit: 1, keys_only: true })
	// Definitions come first in the order of the keys, so that the catalog knows the custom resources.
	for await (const page of readSnapshot(client, { prefix: '/registry/', revision: BigInt(head.header.revision), pageKeys: 500 })) {
		for (const { key } of page.keys) {
			if (internal.has(key.toString().split('/')[2] ?? '')) continue
			const both = await bothOf(client, key, toRecord)
			if (!both) continue
			const name = resourceName(both.record.object)
			compared.set(name, (compared.get(name) ?? new Set()).add(both.record.apiVersion))
			if (both.ours !== both.theirs) differing.push(`${key.toString()}\n  ours   ${both.ours}\n  theirs ${both.theirs}`)
		}
	}
	expect(differing).toEqual([])
	const names = new Set([...stored.values()].flatMap((alike) => [...alike]))
	expect([...stored.values()].filter((alike) => ![...alike].some((name) => compared.has(name)))).toEqual([])
	expect([...compared.keys()].filter((name) => !names.has(name))).toEqual([])
	expect(stored.size).toBeGreaterThan(60)
	// One version of each is stored, and served as it is; the others that are served are conversions of it. These are not v1.
	const others = [...compared].map(([name, seen]) => [name, [...seen].join()]).filter(([, seen]) => !/^(.*\/)?v1$/.test(seen ?? ''))
	expect(Object.fromEntries(others)).toEqual({
		'clustertrustbundles.certificates.k8s.io': 'certificates.k8s.io/v1beta1',
		'devicetaintrules.resource.k8s.io': 'resource.k8s.io/v1alpha3',
		'horizontalpodautoscalers.autoscaling': 'autoscaling/v2',
		'leasecandidates.coordination.k8s.io': 'coordination.k8s.io/v1beta1',
		'mutatingadmissionpolicies.admissionregistration.k8s.io': 'admissionregistration.k8s.io/v1beta1',
		'mutatingadmissionpolicybindings.admissionregistration.k8s.io': 'admissionregistration.k8s.io/v1beta1',
		'podcertificaterequests.certificates.k8s.io': 'certificates.k8s.io/v1beta1',
		'podgroups.scheduling.k8s.io': 'scheduling.k8s.io/v1alpha2',
		'resourcepoolstatusrequests.resource.k8s.io': 'resource.k8s.io/v1alpha3',
		'storageversionmigrations.storagemigration.k8s.io': 'storagemigration.k8s.io/v1beta1',
		'storageversions.internal.apiserver.k8s.io': 'internal.apiserver.k8s.io/v1alpha1',
		'workloads.scheduling.k8s.io': 'scheduling.k8s.io/v1alpha2',
	})
})
