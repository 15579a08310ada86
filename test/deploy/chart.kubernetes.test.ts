// The chart on a real API server: everything is accepted as it is, Pods fit the pod security standards, and with the rights that it gives the program records what it promises and no Secret.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import type { WireCluster, WirePage, WireState } from '#api/wire.ts'
import { startCluster, type Cluster } from '#test/support/cluster.ts'
import { named, render, workloads } from '#test/support/helm.ts'
import { eventually, getJson, startProgram, temporaryFolder } from '#test/support/program.ts'
import { shapes } from './values.ts'

const folder = temporaryFolder('chart')
let cluster: Cluster

beforeAll(async () => {
	cluster = await startCluster({ env: { NODES: '1' } })
	const namespace = (name: string, level: string) => ({
		apiVersion: 'v1',
		kind: 'Namespace',
		metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': level } },
	})
	for (const manifest of [namespace('observe', 'privileged'), namespace('strict', 'restricted')])
		await cluster.kubectl(['apply', '-f', '-'], { input: stringify(manifest) })
})
afterAll(async () => {
	await cluster.stop()
	folder.remove()
})

describe.each(Object.entries(shapes))('%s', (_name, values) => {
	it('is accepted whole by the API server', async () => {
		// The kinds of the Prometheus operator are not there: their form is its own.
		const manifests = (await render(values)).filter(({ apiVersion }) => !apiVersion.startsWith('monitoring.coreos.com'))
		const input = manifests.map((manifest) => stringify(manifest)).join('---\n')
		const answer = await cluster.kubectl(['apply', '--dry-run=server', '--validate=strict', '-f', '-'], { input })
		expect(answer.trim().split('\n')).toHaveLength(manifests.length)
		expect(answer.split('\n').filter((line) => line !== '' && !line.includes('(server dry run)'))).toEqual([])
	})

	it('has Pods that the restricted standard admits, but for those that read their node', async () => {
		for (const { manifest, pod } of workloads(await render(values))) {
			const volumes = pod.volumes.concat(manifest.kind === 'StatefulSet' ? [{ name: 'data', emptyDir: {} }] : [])
			const bare = { ...pod, volumes, serviceAccountName: 'default', nodeSelector: {}, priorityClassName: '' }
			const admit = cluster.kubectl(['apply', '--dry-run=server', '-f', '-'], {
				input: stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'strict' }, spec: bare }),
			})
			if (manifest.kind === 'DaemonSet') await expect(admit).rejects.toThrow('violates PodSecurity "restricted:latest"')
			else expect(await admit).toContain('pod/p created')
		}
	})
})

describe('the rights of the chart', () => {
	const account = 'system:serviceaccount:observe:tape-kubetape-all-in-one'
	const can = (verb: string, resource: string): Promise<string> =>
		cluster.kubectl(['auth', 'can-i', verb, resource, '--all-namespaces', '--as', account]).then(
			(answer) => answer.trim(),
			() => 'no',
		)

	beforeAll(async () => {
		const manifests = await render({ cluster: { name: 'prod' } })
		const wanted = manifests.filter(({ kind }) => /^(ServiceAccount|ClusterRole|ClusterRoleBinding)$/.test(kind))
		await cluster.kubectl(['apply', '-f', '-'], { input: wanted.map((manifest) => stringify(manifest)).join('---\n') })
	})

	it('let it read all but Secrets, and change nothing', async () => {
		// The API server has to hear of them first.
		await eventually(
			() => can('list', 'pods'),
			(answer) => answer === 'yes',
		)
		for (const resource of ['pods', 'deployments.apps', 'events.events.k8s.io', 'nodes', 'clusterroles.rbac.authorization.k8s.io'])
			expect([resource, await can('list', resource), await can('watch', resource)]).toEqual([resource, 'yes', 'yes'])
		for (const verb of ['get', 'list', 'watch']) expect([verb, await can(verb, 'secrets')]).toEqual([verb, 'no'])
		for (const verb of ['create', 'update', 'patch', 'delete']) expect([verb, await can(verb, 'pods')]).toEqual([verb, 'no'])
		expect(await can('create', 'pods/exec')).toBe('no')
	})

	it('are enough: with them and its own configuration, it records without one refusal', async () => {
		await cluster.kubectl(['create', 'secret', 'generic', 'hidden', '--from-literal=a=b', '-n', 'observe'])
		const token = (await cluster.kubectl(['create', 'token', 'tape-kubetape-all-in-one', '-n', 'observe'])).trim()
		const admin = parse(await cluster.kubectl(['config', 'view', '--raw'])) as { readonly clusters: readonly object[] }
		const kubeconfig = join(folder.path, 'kubeconfig')
		const context = { name: 'c', context: { cluster: (admin.clusters[0] as { readonly name: string }).name, user: 'u' } }
		writeFileSync(
			kubeconfig,
			stringify({
				apiVersion: 'v1',
				kind: 'Config',
				clusters: admin.clusters,
				users: [{ name: 'u', user: { token } }],
				contexts: [context],
				'current-context': 'c',
			}),
		)
		const manifests = await render({ cluster: { name: 'prod' } })
		const config = parse(named(manifests, 'ConfigMap', 'tape-kubetape-all-in-one').data?.['kubetape.yaml'] ?? '') as Record<
			string,
			unknown
		> & {
			readonly clusters: readonly { readonly kubernetes: object }[]
		}
		const keyFile = join(folder.path, 'redaction.key')
		writeFileSync(keyFile, Buffer.from(named(manifests, 'Secret', 'tape-kubetape-redaction').data?.['redaction.key'] ?? '', 'base64'))
		const file = join(folder.path, 'kubetape.yaml')
		const kubernetes = { ...config.clusters[0]?.kubernetes, kubeconfig }
		writeFileSync(
			file,
			stringify({
				...config,
				dataDir: join(folder.path, 'data'),
				redaction: { keyFile },
				server: { port: 0 },
				operations: { port: 0 },
				clusters: [{ ...config.clusters[0], kubernetes }],
			}),
		)
		const program = startProgram(['all-in-one', '--config', file])
		try {
			const address = await program.address
			const seen = await eventually(
				() => getJson<WirePage<WireCluster>>(address, '/api/v1/clusters'),
				({ items }) => (items[0]?.counts.change ?? 0) > 100,
			)
			expect(seen.items.map(({ name }) => name)).toEqual(['prod'])
			const state = await eventually(
				() => getJson<WirePage<WireState>>(address, '/api/v1/objects?cluster=prod&kind=Namespace'),
				({ items }) => items.some(({ item }) => item.object?.name === 'strict'),
			)
			expect(state.items.length).toBeGreaterThan(5)
			const metrics = await (await fetch(`${address}/metrics`)).text()
			expect(metrics.split('\n').filter((line) => line.startsWith('kubetape_kubernetes_failures_total{'))).toEqual([])
			expect(Number(/^kubetape_kubernetes_resources\{[^}]*\} (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(40)
			expect((await getJson<WirePage<unknown>>(address, '/api/v1/timeline?kind=secrets&include=changes')).items).toEqual([])
		} finally {
			program.process.kill('SIGTERM')
		}
		expect(await program.exited).toBe(0)
	})
})
