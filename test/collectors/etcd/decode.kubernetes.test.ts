// What is read from etcd against what the API server serves: every object of every listable kind of a real control plane.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect, rangeOf } from '#collectors/etcd/client.ts'
import { readSnapshot } from '#collectors/etcd/snapshot.ts'
import { createVersions } from '#collectors/etcd/versions.ts'
import { createCatalog } from '#records/catalog.ts'
import { resourceName } from '#records/object-key.ts'
import { startCluster, type Cluster } from '#test/support/cluster.ts'
import { testConfig } from './running.ts'

type Fields = Record<string, unknown>
interface Resource {
	readonly name: string
	readonly kind: string
	readonly namespaced: boolean
	readonly verbs: readonly string[]
}

let cluster: Cluster
const rounds = 3

beforeAll(async () => {
	cluster = await startCluster({ env: { NODES: '1', APISERVER_EXTRA: '--runtime-config=api/all=true' } })
	await cluster.kubectl(['apply', '-f', '-'], { input: manifest })
})

afterAll(async () => cluster.stop())

/** One object of many kinds, with the fields whose JSON is not their protobuf: quantities, times, ports by name, bytes, embedded JSON, maps. */
const manifest = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: widgets.example.com }
spec:
  group: example.com
  scope: Namespaced
  names: { plural: widgets, kind: Widget }
  versions:
    - name: v1
      served: true
      storage: true
      subresources: { status: {} }
      additionalPrinterColumns: [{ name: Size, type: integer, jsonPath: .spec.size }]
      schema: { openAPIV3Schema: { type: object, properties: { spec: { type: object, properties: { size: { type: integer, default: 3 } } } } } }
---
apiVersion: v1
kind: Secret
metadata: { name: s }
data: { a: AAEC/w==, empty: "" }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: c, annotations: { "a/b": "ü 世界 😀" } }
binaryData: { b: /w== }
data: { __proto__: x, "1": one }
---
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: { name: heavy }
handler: heavy
overhead: { podFixed: { cpu: 250m, memory: 120Mi } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: d }
spec:
  selector: { matchLabels: { a: d } }
  strategy: { rollingUpdate: { maxSurge: 25%, maxUnavailable: 1 } }
  template:
    metadata: { labels: { a: d } }
    spec:
      runtimeClassName: heavy
      volumes: [{ name: e, emptyDir: { sizeLimit: 1Gi } }, { name: c, configMap: { name: c } }, { name: p, projected: { sources: [{ secret: { name: s } }] } }]
      containers:
        - name: c
          image: registry.example.com/web:1
          env: [{ name: A, valueFrom: { secretKeyRef: { name: s, key: a } } }]
          ports: [{ name: http, containerPort: 80 }]
          resources: { requests: { cpu: 100m, memory: 64Mi } }
          readinessProbe: { httpGet: { path: /, port: http } }
          livenessProbe: { tcpSocket: { port: 80 } }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: st }
spec:
  serviceName: st
  selector: { matchLabels: { a: st } }
  template: { metadata: { labels: { a: st } }, spec: { containers: [{ name: c, image: registry.example.com/db:1 }] } }
  volumeClaimTemplates: [{ metadata: { name: data }, spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } } }]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: ds }
spec: { selector: { matchLabels: { a: ds } }, template: { metadata: { labels: { a: ds } }, spec: { containers: [{ name: c, image: registry.example.com/agent:1 }] } } }
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: cj }
spec: { schedule: "0 0 1 1 *", jobTemplate: { spec: { template: { spec: { restartPolicy: Never, containers: [{ name: c, image: registry.example.com/job:1 }] } } } } }
---
apiVersion: v1
kind: Service
metadata: { name: svc }
spec: { selector: { a: d }, ports: [{ name: a, port: 80, targetPort: http }, { name: b, port: 81, targetPort: 8081 }] }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: ing }
spec: { rules: [{ host: a.example.com, http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: svc, port: { number: 80 } } } }] } }, { host: b.example.com }] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: np }
spec: { podSelector: {}, ingress: [{ ports: [{ port: http }, { port: 80 }] }] }
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: pdb }
spec: { minAvailable: 50%, selector: { matchLabels: { a: d } } }
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: hpa }
spec: { scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: d }, maxReplicas: 3, metrics: [{ type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 50 } } }] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: aggregated }
aggregationRule: { clusterRoleSelectors: [{ matchLabels: { nobody: has-this } }] }
---
apiVersion: v1
kind: ResourceQuota
metadata: { name: rq }
spec: { hard: { pods: "100" } }
---
apiVersion: v1
kind: LimitRange
metadata: { name: lr }
spec: { limits: [{ type: Container, default: { memory: 0.5Gi } }] }
---
apiVersion: v1
kind: PersistentVolume
metadata: { name: pv }
spec: { capacity: { storage: 1Gi }, accessModes: [ReadWriteOnce], hostPath: { path: /tmp } }
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: sc }
provisioner: example.com/none
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: vap }
spec: { failurePolicy: Ignore, matchConstraints: { resourceRules: [{ apiGroups: [example.com], apiVersions: [v1], operations: [CREATE], resources: [widgets] }] }, validations: [{ expression: "true" }] }
---
apiVersion: resource.k8s.io/v1
kind: DeviceClass
metadata: { name: dc }
spec: { selectors: [{ cel: { expression: "true" } }], config: [{ opaque: { driver: example.com, parameters: { a: [1, 2.5, null] } } }] }
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: vapb }
spec: { policyName: vap, validationActions: [Audit] }
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: { name: mwc }
webhooks: [{ name: a.example.com, clientConfig: { url: "https://192.0.2.1/x" }, failurePolicy: Ignore, sideEffects: None, admissionReviewVersions: [v1], rules: [{ apiGroups: [none.example.com], apiVersions: ["*"], operations: [CREATE], resources: ["*"] }] }]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: { name: vwc }
webhooks: [{ name: a.example.com, clientConfig: { url: "https://192.0.2.1/x" }, failurePolicy: Ignore, sideEffects: None, admissionReviewVersions: [v1], rules: [{ apiGroups: [none.example.com], apiVersions: ["*"], operations: [CREATE], resources: ["*"] }] }]
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: ic }
spec: { controller: example.com/none }
---
apiVersion: storage.k8s.io/v1
kind: CSIDriver
metadata: { name: csi.example.com }
spec: {}
---
apiVersion: storage.k8s.io/v1
kind: CSINode
metadata: { name: elsewhere }
spec: { drivers: [] }
---
apiVersion: storage.k8s.io/v1
kind: CSIStorageCapacity
metadata: { name: cap }
storageClassName: sc
capacity: 10Gi
---
apiVersion: storage.k8s.io/v1
kind: VolumeAttributesClass
metadata: { name: vac }
driverName: csi.example.com
parameters: { a: b }
---
apiVersion: storage.k8s.io/v1
kind: VolumeAttachment
metadata: { name: va }
spec: { attacher: csi.example.com, nodeName: elsewhere, source: { persistentVolumeName: pv } }
---
apiVersion: resource.k8s.io/v1
kind: ResourceClaim
metadata: { name: rc }
spec: { devices: { requests: [{ name: a, exactly: { deviceClassName: dc } }] } }
---
apiVersion: resource.k8s.io/v1
kind: ResourceClaimTemplate
metadata: { name: rct }
spec: { spec: { devices: { requests: [{ name: a, exactly: { deviceClassName: dc, count: 2 } }] } } }
---
apiVersion: resource.k8s.io/v1
kind: ResourceSlice
metadata: { name: rs }
spec: { driver: example.com, nodeName: elsewhere, pool: { name: p, generation: 1, resourceSliceCount: 1 }, devices: [{ name: a, attributes: { n: { int: 9 }, b: { bool: false }, s: { string: "" } }, capacity: { memory: { value: 1Gi } } }] }
---
apiVersion: v1
kind: ReplicationController
metadata: { name: rc }
spec: { replicas: 0, selector: { a: rc }, template: { metadata: { labels: { a: rc } }, spec: { containers: [{ name: c, image: registry.example.com/web:1 }] } } }
---
apiVersion: v1
kind: PodTemplate
metadata: { name: pt }
template: { metadata: { labels: { a: pt } }, spec: { containers: [{ name: c, image: registry.example.com/web:1 }] } }
---
apiVersion: batch/v1
kind: Job
metadata: { name: job }
spec: { suspend: true, template: { spec: { restartPolicy: Never, containers: [{ name: c, image: registry.example.com/job:1 }] } } }
`

/** Everything the API server lists, by resource, namespace, name and revision, in every version it serves. */
async function served(): Promise<{ readonly objects: ReadonlyMap<string, Fields>; readonly resources: ReadonlySet<string> }> {
	const objects = new Map<string, Fields>()
	const resources = new Set<string>()
	for (const version of (await cluster.kubectl(['api-versions'])).trim().split('\n')) {
		const path = version === 'v1' ? '/api/v1' : `/apis/${version}`
		const group = version.includes('/') ? (version.split('/')[0] ?? '') : ''
		const listed = JSON.parse(await cluster.kubectl(['get', '--raw', path])) as { resources: readonly Resource[] }
		for (const resource of listed.resources.filter(
			({ name, verbs }) => !name.includes('/') && verbs.includes('list') && name !== 'componentstatuses',
		)) {
			const list = JSON.parse(await cluster.kubectl(['get', '--raw', `${path}/${resource.name}`])) as { items: readonly Fields[] | null }
			resources.add(resourceName({ resource: resource.name, group }))
			for (const item of list.items ?? []) {
				const { namespace = '', name, resourceVersion } = item['metadata'] as Record<string, string>
				objects.set(`${version} ${resource.name} ${namespace}/${name} ${resourceVersion}`, {
					...item,
					kind: resource.kind,
					apiVersion: version,
				})
			}
		}
	}
	return { objects, resources }
}

it('is equal, for every object of every kind', async () => {
	await cluster.kubectl(['wait', '--for=condition=Established', 'crd/widgets.example.com'])
	await cluster.kubectl(['apply', '-f', '-'], {
		input: '{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w","namespace":"default"},"spec":{}}',
	})
	const catalog = createCatalog()
	const versions = createVersions({ cluster: 'test', source: 'etcd', space: 'main', prefix: '/registry/', catalog })
	using client = connect(testConfig, cluster.etcd)
	const compared = new Map<string, number>()
	const differing: unknown[] = []
	let resources: ReadonlySet<string> = new Set()
	// Controllers go on writing: what moved between lists and snapshot is met in another round.
	for (let round = 0; round < rounds; round += 1) {
		const { objects, resources: listed } = await served()
		resources = listed
		const head = await client.range({ ...rangeOf('/registry/'), limit: 1, keys_only: true })
		for await (const page of readSnapshot(client, { prefix: '/registry/', revision: BigInt(head.header.revision), pageKeys: 500 })) {
			for (const kv of page.keys) {
				const modRevision = BigInt(kv.mod_revision)
				const record = versions.toRecord(
					{
						type: 'PUT',
						key: kv.key.toString(),
						value: kv.value,
						modRevision,
						createRevision: BigInt(kv.create_revision),
						version: BigInt(kv.version),
						lease: 0n,
						prev: null,
					},
					1,
					'snapshot',
				)
				for (const { where, reason } of versions.takeRejects()) throw new Error(`${where}: ${reason}`)
				const { object, after, apiVersion } = record
				const version = apiVersion === 'apiextensions.k8s.io/v1beta1' ? 'apiextensions.k8s.io/v1' : apiVersion
				// What was written between the lists and the snapshot has another revision, and is not compared.
				const api = objects.get(`${version} ${object.resource} ${object.namespace}/${object.name} ${modRevision}`)
				if (!api || !after) continue
				compared.set(resourceName(object), (compared.get(resourceName(object)) ?? 0) + 1)
				try {
					expect(JSON.parse(after.text)).toEqual(api)
				} catch (error) {
					differing.push(`${version} ${object.resource} ${object.name}: ${error instanceof Error ? error.message.slice(0, 600) : ''}`)
				}
			}
		}
	}
	expect(differing).toEqual([])
	expect(compared.size).toBeGreaterThan(45)
	for (const name of [
		'widgets.example.com',
		'customresourcedefinitions.apiextensions.k8s.io',
		'apiservices.apiregistration.k8s.io',
		'deployments.apps',
		'runtimeclasses.node.k8s.io',
		'nodes',
		'secrets',
	]) {
		expect(compared.get(name), name).toBeGreaterThan(0)
		expect(resources.has(name)).toBe(true)
	}
})
