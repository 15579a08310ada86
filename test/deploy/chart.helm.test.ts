// The chart, rendered by helm over every shape of values: what the program is given is what it accepts, and no Pod has more rights than it needs.
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { checkSettings } from '#cli/check-config.ts'
import { configSchema, type Config } from '#cli/config.ts'
import { resolveConfig } from '#runtime/config.ts'
import { named, render, workloads, type Manifest } from '#test/support/helm.ts'
import { engines, shapes } from './values.ts'

/** The configuration of a component, resolved as its Pod would resolve it. */
function configOf(manifests: readonly Manifest[], name: string): Config {
	const text = named(manifests, 'ConfigMap', name).data?.['kubetape.yaml'] ?? ''
	const file = { path: 'kubetape.yaml', tree: parse(text) as Record<string, unknown> }
	return resolveConfig(configSchema, { file, environment: { NODE_NAME: 'node-a', ELASTIC_API_KEY: 'key' } })
}

describe.each(Object.entries(shapes))('%s', (_name, values) => {
	const rendered = render(values)

	it('gives each component a configuration that the program accepts', async () => {
		const manifests = await rendered
		const configs = manifests.filter(({ data }) => data?.['kubetape.yaml'] !== undefined)
		expect(configs.length).toBe(workloads(manifests).length)
		for (const { metadata } of configs) {
			const config = configOf(manifests, metadata.name)
			checkSettings(config)
			expect(config.server.host).toBe('127.0.0.1')
			expect(config.clusters.map(({ name }) => name)).toEqual(['prod'])
		}
	})

	it('lets no Pod do more than it needs', async () => {
		for (const { manifest, pod } of workloads(await rendered)) {
			const node = manifest.kind === 'DaemonSet'
			const token = /(collect|all-in-one)$/.test(manifest.metadata.name) && pod['automountServiceAccountToken'] === true
			if (!token) expect(pod['automountServiceAccountToken']).toBe(false)
			expect(pod['securityContext']).toMatchObject({ seccompProfile: { type: 'RuntimeDefault' }, ...(node ? {} : { runAsNonRoot: true }) })
			for (const container of pod.containers) {
				expect(container.securityContext).toMatchObject({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true })
				expect(container.securityContext['capabilities']).toEqual({ drop: ['ALL'], ...(node ? { add: ['DAC_READ_SEARCH'] } : {}) })
				if (container.name === 'kubetape')
					expect(container['resources']).toMatchObject({ requests: {}, limits: { memory: expect.any(String) } })
			}
			const paths = pod.volumes.filter(({ hostPath }) => hostPath !== undefined).map(({ name }) => name)
			if (!node) expect(paths).toEqual([])
			const mounts = pod.containers[0]?.volumeMounts ?? []
			expect(mounts.filter(({ name }) => paths.includes(name) && name !== 'data').every(({ readOnly }) => readOnly === true)).toBe(true)
		}
	})

	it('mounts what it names, and every selector finds its Pods', async () => {
		const manifests = await rendered
		for (const { manifest, pod } of workloads(manifests)) {
			const volumes = [...pod.volumes.map(({ name }) => name), ...(manifest.kind === 'StatefulSet' ? ['data'] : [])]
			expect(new Set(pod.containers[0]?.volumeMounts.map(({ name }) => name))).toEqual(new Set(volumes))
			const ports = pod.containers.flatMap((container) => container.ports)
			const operations = configOf(manifests, manifest.metadata.name).operations?.port
			expect(ports.find(({ name }) => name === 'operations')?.containerPort).toBe(operations)
			named(manifests, 'ServiceAccount', pod.serviceAccountName)
		}
		const pods = workloads(manifests).map(({ manifest }) => manifest.spec?.template?.metadata.labels ?? {})
		const covers = (selector: Readonly<Record<string, string>>): boolean =>
			pods.some((labels) => Object.entries(selector).every(([key, value]) => labels[key] === value))
		const selecting = manifests.filter(({ kind }) => ['Service', 'NetworkPolicy', 'PodDisruptionBudget'].includes(kind))
		expect(selecting.length).toBeGreaterThan(0)
		for (const { kind, metadata, spec } of selecting) {
			const selector = (kind === 'Service' ? spec?.['selector'] : spec?.[kind === 'NetworkPolicy' ? 'podSelector' : 'selector']) as Record<
				string,
				string
			> & {
				readonly matchLabels?: Record<string, string>
			}
			expect(covers(selector.matchLabels ?? selector), `${kind} ${metadata.name}`).toBe(true)
		}
	})
})

describe('rights', () => {
	const rulesOf = async (kubernetes: object) =>
		(await render({ cluster: { name: 'a' }, sources: { kubernetes } })).find(({ kind }) => kind === 'ClusterRole')?.rules ?? []

	it('are to read, and to read no Secret', async () => {
		const rules = await rulesOf({})
		expect(rules.length).toBeGreaterThan(15)
		expect(new Set(rules.flatMap(({ verbs }) => verbs))).toEqual(new Set(['get', 'list', 'watch']))
		expect(rules.flatMap(({ resources }) => resources).filter((resource) => /^(secrets|\*)$/.test(resource))).toEqual([])
	})

	it('to Secrets are given where that is said', async () => {
		expect((await rulesOf({ secrets: true })).some(({ resources }) => resources.includes('secrets'))).toBe(true)
		const config = configOf(
			await render({ cluster: { name: 'a' }, sources: { kubernetes: { secrets: true } } }),
			'tape-kubetape-all-in-one',
		)
		expect(config.clusters[0]?.kubernetes?.exclude).toEqual([])
	})

	it('to custom resources are by group', async () => {
		expect((await rulesOf({ customResourceGroups: ['a.example'] })).at(-1)).toMatchObject({ apiGroups: ['a.example'], resources: ['*'] })
		expect(await rulesOf({ everything: true })).toEqual([{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] }])
	})

	it('are nobody’s where the API server is not recorded', async () => {
		const manifests = await render(shapes['apart, of logs only'] ?? {})
		expect(manifests.filter(({ kind }) => kind.startsWith('ClusterRole'))).toEqual([])
	})
})

describe('refused values', () => {
	const cluster = { name: 'a' }
	it.each([
		[{}, '/cluster/name'],
		[{ cluster: { name: 'a b' } }, '/cluster/name'],
		[{ cluster, mode: 'both' }, '/mode'],
		[{ cluster, sourcse: {} }, 'sourcse'],
		[{ cluster, sources: { kubernetes: { options: { pageItmes: 5 } } } }, 'pageItmes'],
		[{ cluster, sources: { kubernetes: { options: { pageItems: 0 } } } }, '/sources/kubernetes/options/pageItems'],
		[{ cluster, store: { retention: { ageMs: -1 } } }, '/store/retention/ageMs'],
		[{ cluster, log: { sqlite: { partitions: 'many' } } }, '/log/sqlite/partitions'],
		[{ cluster, sources: { logs: { enabled: true } } }, '/sources/logs/enabled'],
		[{ cluster, sources: { audit: { enabled: true } } }, '/sources/audit/enabled'],
		[{ cluster, sources: { webhook: { enabled: true } } }, '/sources/webhook/tlsSecret'],
		[{ cluster, sources: { webhook: { enabled: true, tlsSecret: 'a' } } }, '/sources/webhook/clientCaSecret'],
		[{ cluster, sources: { etcd: { enabled: true, options: { endpoints: ['nowhere'] } } } }, '/sources/etcd/options/endpoints/0'],
		[{ cluster, sources: { etcd: { enabled: true } } }, '/sources/etcd/options'],
		[{ cluster, mode: 'distributed', ...engines, log: {} }, '/log'],
		[{ cluster, mode: 'distributed', ...engines, store: {} }, '/store'],
		[{ cluster, serve: { proxy: { enabled: true } } }, '/serve/proxy/image'],
		[{ cluster, image: { digest: 'sha256:1' } }, '/image/digest'],
		[{ cluster, persistence: { size: 'much' } }, '/persistence/size'],
	])('%j names %s', async (values, where) => {
		await expect(render(values)).rejects.toThrow(where)
	})
})

describe('etcd', () => {
	it('is by default where kubeadm has it, and nothing of that is mixed into what is given', async () => {
		const etcdOf = async (options: object) => {
			const manifests = await render({
				cluster: { name: 'a' },
				mode: 'distributed',
				...engines,
				sources: { etcd: { enabled: true, options } },
			})
			return configOf(manifests, 'tape-kubetape-control-plane').clusters[0]?.etcd
		}
		expect(await etcdOf({ progressMs: 5000 })).toMatchObject({
			endpoints: ['https://127.0.0.1:2379'],
			keyFile: '/etc/kubernetes/pki/etcd/healthcheck-client.key',
			progressMs: 5000,
		})
		const given = await etcdOf({ endpoints: ['http://127.0.0.1:12379'] })
		expect(given?.endpoints).toEqual(['http://127.0.0.1:12379'])
		expect(given?.certFile).toBeUndefined()
	})
})

describe('the Secret of the hashes', () => {
	it('has a key that the program takes, another in each release', async () => {
		const keyOf = async (): Promise<string> => {
			const secret = named(await render({ cluster: { name: 'a' } }), 'Secret', 'tape-kubetape-redaction')
			expect(secret.metadata.annotations?.['helm.sh/resource-policy']).toBe('keep')
			return Buffer.from(secret.data?.['redaction.key'] ?? '', 'base64').toString()
		}
		const [one, other] = [await keyOf(), await keyOf()]
		expect(one).toMatch(/^[0-9a-f]{64}$/)
		expect(other).not.toBe(one)
	})

	it('is not made where one is named', async () => {
		const manifests = await render(shapes['everything apart'] ?? {})
		expect(manifests.filter(({ kind }) => kind === 'Secret')).toEqual([])
		expect(JSON.stringify(workloads(manifests).map(({ pod }) => pod.volumes))).toContain('"secretName":"our-key"')
	})
})

describe('a changed value', () => {
	it('rolls the Pods that it concerns', async () => {
		const sums = async (values: object) =>
			Object.fromEntries(
				workloads(await render(values)).map(({ manifest }) => [
					manifest.metadata.name,
					manifest.spec?.template?.metadata.annotations?.['checksum/config'],
				]),
			)
		const values = shapes['everything apart'] ?? {}
		const [before, after] = [await sums(values), await sums({ ...values, logLevel: 'debug' })]
		expect(Object.keys(before)).toHaveLength(5)
		expect(Object.values(before)).not.toContain(undefined)
		for (const [name, sum] of Object.entries(after)) expect(sum).not.toBe(before[name])
	})
})

describe('values in the guides', () => {
	const found = readdirSync('docs/guides').flatMap((name) =>
		[...(name.endsWith('.md') ? readFileSync(`docs/guides/${name}`, 'utf8') : '').matchAll(/^```yaml values\.yaml\n([\s\S]*?)^```/gm)].map(
			([, text = '']) => [name, text] as const,
		),
	)

	it('are there', () => {
		expect(found.length).toBeGreaterThan(3)
	})

	it.each(found)('of %s are accepted', async (_name, text) => {
		expect(workloads(await render(parse(text) as object)).length).toBeGreaterThan(0)
	})
})
