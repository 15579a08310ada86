// The audit policy and the webhook's kubeconfig that we give to operators, on a real API server: its requests arrive over mutual TLS, without a body that holds credentials.
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { WireItem, WirePage } from '#api/wire.ts'
import { makeAuthority, makeCertificate } from '#test/support/certificates.ts'
import { startCluster, type Cluster } from '#test/support/cluster.ts'
import { freePorts } from '#test/support/etcd-process.ts'
import { eventually, getJson, startProgram, temporaryFolder, type Program } from '#test/support/program.ts'

const folder = temporaryFolder('audit-kit')
let cluster: Cluster
let program: Program
let address: string

beforeAll(async () => {
	const authority = makeAuthority(folder.path, 'ca')
	const server = makeCertificate(folder.path, 'kubetape-webhook', authority, 'DNS:kubetape-webhook')
	const client = makeCertificate(folder.path, 'client', authority)
	const [port = 0] = await freePorts(1)
	const config = join(folder.path, 'kubetape.yaml')
	writeFileSync(
		config,
		`dataDir: ${join(folder.path, 'data')}\nserver: { port: 0 }\nclusters: [{ name: prod }]\nwebhook: { port: ${port}, certFile: ${server.cert}, keyFile: ${server.key}, clientCaFile: ${authority.cert}, clientNames: [client] }\n`,
	)
	program = startProgram(['all-in-one', '--config', config])
	address = await program.address
	const kubeconfig = join(folder.path, 'webhook-kubeconfig')
	const text = readFileSync('deploy/audit/webhook-kubeconfig.yaml', 'utf8')
		.replace('SERVICE_IP:8481', `127.0.0.1:${port}`)
		.replace('audit/CLUSTER', 'audit/prod')
		.replaceAll('/etc/kubernetes/kubetape/ca.crt', authority.cert)
		.replaceAll('/etc/kubernetes/kubetape/client.crt', client.cert)
		.replaceAll('/etc/kubernetes/kubetape/client.key', client.key)
	writeFileSync(kubeconfig, text)
	const flags = ['--audit-webhook-config-file', kubeconfig, '--audit-webhook-batch-max-wait', '1s']
	cluster = await startCluster({ env: { NODES: '1', AUDIT_POLICY: resolve('deploy/audit/policy.yaml'), APISERVER_EXTRA: flags.join(' ') } })
})
afterAll(async () => {
	program.process.kill('SIGTERM')
	await program.exited
	await cluster.stop()
	folder.remove()
})

const audit = async (query: string): Promise<readonly WireItem[]> =>
	(await getJson<WirePage<WireItem>>(address, `/api/v1/audit?cluster=prod&${query}`)).items

it('requests of the API server arrive, with who asked', async () => {
	await cluster.kubectl(['create', 'configmap', 'seen', '--from-literal=a=b'])
	const items = await eventually(
		() => audit('resource=configmaps&verb=create&namespace=default'),
		(found) => found.some(({ object }) => object?.name === 'seen'),
	)
	expect(items[0]?.audit).toMatchObject({ level: 'RequestResponse', verb: 'create', code: 201 })
	expect(items[0]?.audit?.user).not.toBe('')
})

it('what holds or makes credentials has no body, and reads have none', async () => {
	await cluster.kubectl(['create', 'secret', 'generic', 'hidden', '--from-literal=a=very-secret'])
	await cluster.kubectl(['create', 'token', 'default'])
	await cluster.kubectl(['get', 'configmap', 'seen'])
	for (const query of [
		'resource=secrets&verb=create',
		'resource=serviceaccounts&subresource=token&namespace=default',
		'resource=configmaps&verb=get',
	]) {
		const items = await eventually(
			() => audit(query),
			(found) => found.length > 0,
		)
		expect([query, items[0]?.audit?.level]).toEqual([query, 'Metadata'])
	}
})

it('nothing is refused, and the heartbeats of nodes have no body', async () => {
	const metrics = await (await fetch(`${address}/metrics`)).text()
	expect(metrics).toMatch(/^kubetape_audit_webhook_batches_total\{[^}]*status="200"[^}]*\} [1-9]/m)
	expect(metrics).not.toMatch(/^kubetape_audit_webhook_batches_total\{[^}]*status="[345]/m)
	const leases = await eventually(
		() => audit('resource=leases&namespace=kube-node-lease'),
		(found) => found.length > 0,
	)
	expect(new Set(leases.map((item) => item.audit?.level))).toEqual(new Set(['Metadata']))
})
