// The kubernetes collector on a real control plane: versions as etcd numbers them, bodies as the API serves them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Value } from 'typebox/value'
import { createKubernetesCollector } from '#collectors/kubernetes/collector.ts'
import { kubernetesConfig, type KubernetesConfig } from '#collectors/kubernetes/config.ts'
import { objectKey } from '#records/object-key.ts'
import type { KubetapeRecord, VersionRecord } from '#records/record.ts'
import { systemClock } from '#runtime/clock.ts'
import { silentLogger } from '#runtime/log.ts'
import { createMetrics } from '#runtime/metrics.ts'
import { startCluster, type Cluster } from '#test/support/cluster.ts'
import { eventually, temporaryFolder } from '#test/support/program.ts'

let cluster: Cluster
const folder = temporaryFolder('kubernetes')

beforeAll(async () => {
	cluster = await startCluster()
})
afterAll(async () => {
	await cluster?.stop()
	folder.remove()
})

/** Runs the collector until stopped; what it emitted is kept in order. */
function record(): { readonly records: KubetapeRecord[]; readonly versions: () => readonly VersionRecord[]; stop(): Promise<void> } {
	const records: KubetapeRecord[] = []
	const stop = new AbortController()
	const config = Value.Default(kubernetesConfig, { kubeconfig: cluster.kubeconfig(), discoverMs: 5000 }) as KubernetesConfig
	const collector = createKubernetesCollector(config, { cluster: 'rig', clock: systemClock, log: silentLogger, metrics: createMetrics(), stateDir: folder.path })
	const done = collector.run(async (batch) => void records.push(...batch), stop.signal)
	return {
		records,
		versions: () => records.filter((entry) => entry.kind === 'change' || entry.kind === 'event'),
		async stop() {
			stop.abort()
			await done
		},
	}
}

const of = (versions: readonly VersionRecord[], key: string): readonly VersionRecord[] => versions.filter((version) => objectKey(version.object) === key)

describe('kubernetes collector', () => {
	it('records snapshot, changes, custom resources and deletions, and goes on after a restart', async () => {
		const first = record()
		await eventually(async () => of(first.versions(), 'nodes/-/node-a').length, (count) => count > 0)
		await cluster.kubectl(['create', 'namespace', 'lab'])
		await cluster.kubectl(['-n', 'lab', 'create', 'deployment', 'web', '--image', 'registry.example/web:1.4', '--replicas', '2'])
		await cluster.kubectl(['-n', 'lab', 'set', 'image', 'deployment/web', 'web=registry.example/web:1.5'])
		await cluster.kubectl(['-n', 'lab', 'create', 'secret', 'generic', 'key', '--from-literal', 'password=do-not-keep-me'])
		await cluster.kubectl(['-n', 'lab', 'create', 'configmap', 'gone', '--from-literal', 'a=b'])
		await cluster.kubectl(['-n', 'lab', 'delete', 'configmap', 'gone'])
		const crd = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'widgets.lab.example' }, spec: { group: 'lab.example', scope: 'Namespaced', names: { plural: 'widgets', singular: 'widget', kind: 'Widget' }, versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } }] } }
		await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(crd) })
		await cluster.kubectl(['wait', '--for', 'condition=Established', 'crd/widgets.lab.example'])
		await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'lab.example/v1', kind: 'Widget', metadata: { name: 'one', namespace: 'lab' }, spec: { size: 3 } }) })

		await eventually(async () => of(first.versions(), 'widgets.lab.example/lab/one').length, (count) => count > 0)
		await eventually(async () => of(first.versions(), 'configmaps/lab/gone').map((version) => version.operation), (operations) => operations.includes('deleted'))
		await cluster.kubectl(['-n', 'lab', 'rollout', 'status', 'deployment/web', '--timeout', '60s'])
		const served = JSON.parse(await cluster.kubectl(['get', '--raw', '/apis/apps/v1/namespaces/lab/deployments/web'])) as { metadata: { resourceVersion: string } }
		const web = await eventually(async () => of(first.versions(), 'deployments.apps/lab/web'), (versions) => versions.at(-1)?.revision.toString() === served.metadata.resourceVersion)
		expect(web.at(-1)?.after?.value).toEqual(served)
		expect(web[0]?.operation).toBe('created')
		// Each version's before is the version before it.
		for (const [index, version] of web.entries()) expect(version.beforeRevision).toBe(index === 0 ? null : web[index - 1]?.revision)
		expect(first.versions().filter((version) => version.kind === 'event').length).toBeGreaterThan(3)
		expect(JSON.stringify(first.versions().map((version) => version.after?.text))).not.toContain('do-not-keep-me')
		expect(JSON.stringify(first.versions().map((version) => version.after?.text))).not.toContain(Buffer.from('do-not-keep-me').toString('base64'))
		expect(of(first.versions(), 'secrets/lab/key')[0]?.note).toContain('metadata only')
		const pod = first.versions().find((version) => version.object.resource === 'pods' && version.object.namespace === 'lab')
		expect(pod?.owners.map((owner) => owner.kind)).toEqual(['ReplicaSet', 'Deployment'])
		await first.stop()

		// What happens while nobody looks is there after the restart, at its own revision, and nothing is told twice.
		await cluster.kubectl(['-n', 'lab', 'scale', 'deployment/web', '--replicas', '3'])
		const scaled = JSON.parse(await cluster.kubectl(['get', '--raw', '/apis/apps/v1/namespaces/lab/deployments/web'])) as { metadata: { resourceVersion: string } }
		const second = record()
		await eventually(async () => of(second.versions(), 'deployments.apps/lab/web'), (versions) => versions.some((version) => version.revision >= BigInt(scaled.metadata.resourceVersion)))
		const again = new Set(first.versions().map((version) => version.id))
		const web2 = of(second.versions(), 'deployments.apps/lab/web')
		expect(web2.filter((version) => again.has(version.id))).toEqual([])
		expect(web2[0]?.beforeRevision).toBe(web.at(-1)?.revision)
		await second.stop()
	})
})
