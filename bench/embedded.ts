// The whole line on one machine: a recording of many Pod changes through read, redact, append, describe, store, as users start it; then what was asked of it.
import { createWriteStream, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import type { WireCluster, WirePage } from '#api/wire.ts'
import { eventually, getJson, startProgram, temporaryFolder } from '#test/support/program.ts'

export const name = 'embedded, end to end'

const changes = Number(process.env['KUBETAPE_BENCH_RECORDS'] ?? 60_000)
const pods = 500
const startedMs = Date.UTC(2026, 0, 15, 10)

function pod(index: number, version: number): Record<string, unknown> {
	const ready = version % 2 === 0
	const name = `web-7f9c5d8b6-${String(index).padStart(5, '0')}`
	return {
		kind: 'Pod',
		apiVersion: 'v1',
		metadata: {
			name,
			namespace: `team-${index % 20}`,
			uid: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
			creationTimestamp: '2026-01-15T10:00:00Z',
			labels: { app: 'web', 'pod-template-hash': '7f9c5d8b6' },
			ownerReferences: [
				{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-7f9c5d8b6', uid: 'f0000000-0000-4000-8000-000000000000', controller: true },
			],
		},
		spec: {
			containers: [
				{
					name: 'web',
					image: 'registry.example/web:1.4',
					env: [
						{ name: 'MODE', value: 'production' },
						{ name: 'LOG_LEVEL', value: 'info' },
					],
					ports: [{ containerPort: 8080, protocol: 'TCP' }],
					resources: { limits: { cpu: '500m', memory: '512Mi' }, requests: { cpu: '100m', memory: '256Mi' } },
					volumeMounts: [{ name: 'config', mountPath: '/etc/web', readOnly: true }],
				},
			],
			volumes: [{ name: 'config', configMap: { name: 'web-config', defaultMode: 420 } }],
			nodeName: `node-${index % 50}`,
			serviceAccountName: 'web',
			restartPolicy: 'Always',
			terminationGracePeriodSeconds: 30,
			dnsPolicy: 'ClusterFirst',
			schedulerName: 'default-scheduler',
		},
		status: {
			phase: 'Running',
			podIP: `10.244.${index % 250}.${index % 200}`,
			startTime: '2026-01-15T10:00:00Z',
			qosClass: 'Burstable',
			conditions: [
				{ type: 'Initialized', status: 'True', lastTransitionTime: '2026-01-15T10:00:01Z' },
				{
					type: 'Ready',
					status: ready ? 'True' : 'False',
					lastTransitionTime: new Date(startedMs + version * 1000).toISOString(),
					...(ready ? {} : { reason: 'ContainersNotReady' }),
				},
			],
			containerStatuses: [
				{
					name: 'web',
					ready,
					restartCount: Math.floor(version / 2),
					image: 'registry.example/web:1.4',
					imageID: 'registry.example/web@sha256:1f0c0c0b3f7f',
					containerID: `containerd://${String(version).padStart(16, '0')}`,
					state: ready
						? { running: { startedAt: new Date(startedMs + version * 1000).toISOString() } }
						: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s restarting failed container' } },
				},
			],
		},
	}
}

async function writeRecording(dir: string): Promise<number> {
	const file = createWriteStream(join(dir, 'etcd.jsonl'))
	const last = new Map<number, { readonly rev: number; readonly create: number; readonly value: string }>()
	let bytes = 0
	for (let n = 0; n < changes; n++) {
		const index = n % pods
		const before = last.get(index)
		const rev = n + 2
		const text = JSON.stringify(pod(index, Math.floor(n / pods)))
		bytes += text.length
		const value = Buffer.from(text).toString('base64')
		const key = `/registry/pods/team-${index % 20}/web-7f9c5d8b6-${String(index).padStart(5, '0')}`
		const line = {
			rev,
			type: 'PUT',
			key,
			create_revision: before?.create ?? rev,
			version: Math.floor(n / pods) + 1,
			lease: '0',
			value,
			prev: before ? { mod_revision: before.rev, value: before.value } : null,
			observed: new Date(startedMs + n).toISOString(),
		}
		if (!file.write(`${JSON.stringify(line)}\n`)) await new Promise<void>((resolve) => file.once('drain', () => resolve()))
		last.set(index, { rev, create: before?.create ?? rev, value })
	}
	file.end()
	await finished(file)
	return bytes
}

function bytesOf(dir: string): number {
	return readdirSync(dir, { withFileTypes: true }).reduce(
		(sum, entry) => sum + (entry.isDirectory() ? bytesOf(join(dir, entry.name)) : statSync(join(dir, entry.name)).size),
		0,
	)
}

export async function run(print: (line: string) => void): Promise<void> {
	const folder = temporaryFolder('bench')
	const bytes = await writeRecording(folder.path)
	const data = join(folder.path, 'data')
	const program = startProgram(['all-in-one', '--replay', folder.path, '--port', '0', '--data-dir', data], { MALLOC_ARENA_MAX: '2' })
	try {
		const address = await program.address
		const began = performance.now()
		await eventually(
			() => getJson<WirePage<WireCluster>>(address, '/api/v1/clusters'),
			({ items }) => (items[0]?.counts.change ?? 0) >= changes,
			600_000,
		)
		const seconds = (performance.now() - began) / 1000
		print(`${changes} changes of ${Math.round(bytes / changes)} bytes: ${Math.round(changes / seconds)} changes/s from file to visible`)
		const store =
			readdirSync(data, { recursive: true })
				.map(String)
				.find((path) => path.endsWith('store')) ?? ''
		print(`stored: ${(bytesOf(join(data, store)) / bytes).toFixed(3)} of their JSON bytes`)
		const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.process.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
		print(`resident memory after it: ${Math.round(rss)} MB`)
	} finally {
		program.process.kill('SIGTERM')
		await program.exited
		folder.remove()
	}
}
