// The store on Elasticsearch: lines of bulk requests against JSON.stringify of the same documents, and puts against a bare loop that sends the same bodies to the same server.
import { Value } from 'typebox/value'
import { createPipe } from '#processors/index/pipe.ts'
import { batchesUnderWay } from '#processors/index/step.ts'
import { Body } from '#records/body.ts'
import { auditId, logId, versionId } from '#records/id.ts'
import type { Indexed } from '#records/indexed.ts'
import { objectKey } from '#records/object-key.ts'
import type { AuditEntry, Change, LogLine, Redacted, StoredRecord } from '#records/record.ts'
import { systemClock } from '#runtime/clock.ts'
import { connect, type Connection } from '#storage/store/elasticsearch/client.ts'
import { elasticsearchStoreConfig, type ElasticsearchStoreConfig } from '#storage/store/elasticsearch/config.ts'
import { Documents } from '#storage/store/elasticsearch/document.ts'
import { Names } from '#storage/store/elasticsearch/names.ts'
import { openElasticsearchStore } from '#storage/store/elasticsearch/store.ts'
import { startElasticsearch } from '#test/support/elasticsearch.ts'
import { barOf } from './subject.ts'

export const name = 'store on Elasticsearch'

const total = Number(process.env['KUBETAPE_BENCH_RECORDS'] ?? 40_000)
/** As the processor puts them. */
const batchRecords = 2000
const bulkRecords = 1000
const rounds = 5
const objects = 2000
/** Records of now: as in live operation. */
const start = Math.floor(systemClock.nowMicros())
const none = { facets: [], paths: [], labels: {}, owners: [], images: [], text: '' }
const envelope = (at: number) => ({ cluster: 'bench', source: 'etcd', occurredAt: at, occurredBound: 0, observedAt: at + 900 })
const bytesOf = (value: unknown): Body => Body.ofBytes(Buffer.from(JSON.stringify(value)))

function podOf(n: number, time: string): object {
	const pod = n % objects
	const status = n % 2 === 0 ? 'True' : 'False'
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: {
			name: `web-${pod}-7f9c`,
			namespace: `team-${pod % 40}`,
			uid: `5f0c-${pod}`,
			resourceVersion: String(n + 1000),
			labels: { app: 'web', 'pod-template-hash': '7f9c' },
			annotations: { 'example.com/config': 'c'.repeat(200) },
			managedFields: [
				{
					manager: 'kubelet',
					operation: 'Update',
					time,
					fieldsV1: { 'f:status': { 'f:conditions': { 'k:{"type":"Ready"}': { '.': {}, 'f:status': {} } } } },
				},
			],
		},
		spec: {
			nodeName: `node-${pod % 90}`,
			containers: [
				{
					name: 'web',
					image: 'registry.example/web:1.4',
					env: [{ name: 'MODE', value: 'm'.repeat(150) }],
					resources: { limits: { cpu: '1', memory: '1Gi' } },
				},
			],
		},
		status: {
			phase: 'Running',
			conditions: ['Initialized', 'PodScheduled', 'ContainersReady', 'Ready'].map((type) => ({ type, status, lastTransitionTime: time })),
			podIP: `10.0.${pod >> 8}.${pod & 255}`,
			containerStatuses: [
				{
					name: 'web',
					ready: n % 2 === 0,
					restartCount: n % 7,
					containerID: `containerd://${(n * 2_654_435_761).toString(16).padStart(32, '0')}`,
				},
			],
		},
	}
}

function change(n: number): Indexed {
	const at = start + n * 1000
	const pod = n % objects
	const object = { resource: 'pods', group: '', namespace: `team-${pod % 40}`, name: `web-${pod}-7f9c` }
	const owners = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `web-${pod}`, uid: `rs-${pod}` }]
	const record: Change = {
		...envelope(at),
		kind: 'change',
		id: versionId('bench', 'main', objectKey(object), BigInt(n + 1000)),
		space: 'main',
		revision: BigInt(n + 1000),
		operation: 'updated',
		sighting: 'watch',
		object,
		apiVersion: 'v1',
		objectKind: 'Pod',
		uid: `5f0c-${pod}`,
		before: null,
		after: bytesOf(podOf(n, new Date(at / 1000).toISOString())),
		beforeRevision: null,
		owners,
		encoding: 'protobuf',
	}
	const labels = { app: 'web', 'pod-template-hash': '7f9c' }
	const paths = ['status.conditions[Ready].status', 'status.containerStatuses[web].ready']
	return {
		...none,
		record: record as Redacted<StoredRecord>,
		summary: 'not ready: containers with unready status: [web]',
		severity: 'warning',
		facets: ['status'],
		paths,
		labels,
		owners,
		images: ['registry.example/web:1.4'],
	}
}

function audit(n: number): Indexed {
	const at = start + n * 1000
	const object = { resource: 'pods', group: '', namespace: `team-${n % 40}`, name: `web-${n % objects}-7f9c` }
	const user = `system:node:node-${n % 90}`
	const auditID = `3f2a${n.toString(16).padStart(28, '0')}`
	const sent = {
		auditID,
		stage: 'ResponseComplete',
		level: 'RequestResponse',
		verb: 'patch',
		requestURI: `/api/v1/namespaces/${object.namespace}/pods/${object.name}/status`,
	} as const
	const body = {
		kind: 'Event',
		apiVersion: 'audit.k8s.io/v1',
		...sent,
		user: { username: user, groups: ['system:nodes', 'system:authenticated'] },
		sourceIPs: ['10.0.0.7'],
		userAgent: 'kubelet/v1.36.3 (linux/amd64) kubernetes/0000000',
		objectRef: { ...object, apiVersion: 'v1', subresource: 'status' },
		responseStatus: { metadata: {}, code: 200 },
		requestObject: { status: { conditions: [{ type: 'Ready', status: 'True', message: 'r'.repeat(300) }] } },
		requestReceivedTimestamp: new Date(at / 1000).toISOString(),
		stageTimestamp: new Date(at / 1000).toISOString(),
		annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' },
	}
	const record: AuditEntry = {
		...envelope(at),
		...sent,
		kind: 'audit',
		id: auditId('bench', auditID, 'ResponseComplete', String(at), at),
		user,
		groups: ['system:nodes', 'system:authenticated'],
		impersonated: '',
		sourceIPs: ['10.0.0.7'],
		userAgent: 'kubelet/v1.36.3 (linux/amd64) kubernetes/0000000',
		object,
		subresource: 'status',
		code: 200,
		decision: 'allow',
		reason: '',
		requestReceivedAt: at,
		dryRun: false,
		responseRevision: BigInt(n + 1000),
		responseUid: '',
		truncated: false,
		body: bytesOf(body),
	}
	return {
		...none,
		record: record as Redacted<StoredRecord>,
		summary: `${user} patched pods ${object.namespace}/${object.name} status (200)`,
		severity: 'normal',
	}
}

function line(n: number): Indexed {
	const at = start + n * 1000
	const text = `2026-11-20T10:00:00Z level=info msg="request served" path=/cart/${n} status=200 bytes=${n * 7} trace=${(n * 48_271).toString(16)}`
	const place = {
		file: `f-${n % 200}`,
		offset: n * 120,
		namespace: `team-${n % 40}`,
		pod: `web-${n % 200}-7f9c`,
		podUid: `5f0c-${n % 200}`,
		container: 'web',
		restart: 0,
		component: '',
		node: `node-${n % 90}`,
	}
	const record: LogLine = {
		...envelope(at),
		...place,
		source: 'logs',
		kind: 'log',
		id: logId('bench', place.file, place.offset, at),
		stream: 'stdout',
		level: 'info',
		text,
		flags: [],
	}
	return { ...none, record: record as Redacted<StoredRecord>, summary: text, severity: 'normal', labels: { app: 'web' } }
}

/** Half changes, the rest requests and lines. */
const recordOf = (n: number): Indexed => (n % 2 === 0 ? change(n) : n % 4 === 1 ? audit(n) : line(n))

function encoding(print: (line: string) => void): void {
	const records = Array.from({ length: 4000 }, (_, n) => recordOf(n))
	const documents = new Documents(new Names('bench'))
	const lines = (): ReturnType<Documents['prepare']> => documents.prepare(documents.placesOf(records, start), 1)
	const objectsOf = lines().map(({ bytes }) =>
		Buffer.from(bytes)
			.toString()
			.trimEnd()
			.split('\n')
			.map((text) => JSON.parse(text) as unknown),
	)
	const times = { ours: [] as number[], text: [] as number[], bytes: [] as number[] }
	for (let round = 0; round < 40; round++) {
		let began = performance.now()
		lines()
		times.ours.push(performance.now() - began)
		began = performance.now()
		const texts = objectsOf.map(([action, document]) => `${JSON.stringify(action)}\n${JSON.stringify(document)}\n`)
		times.text.push(performance.now() - began)
		for (let at = 0; at < texts.length; at += bulkRecords) Buffer.from(texts.slice(at, at + bulkRecords).join(''))
		times.bytes.push(performance.now() - began)
	}
	const best = (of: readonly number[]): number => (Math.min(...of) / records.length) * 1000
	const [ours, text, peer] = [best(times.ours), best(times.text), best(times.bytes)]
	const size = lines().reduce((sum, each) => sum + each.bytes.byteLength, 0) / records.length
	print(`encoding: ${ours.toFixed(2)} µs a record of ${size.toFixed(0)} bytes, from the record to the bytes that are sent, words and all`)
	print(`JSON.stringify of the finished documents: ${text.toFixed(2)} µs, as the bytes that are sent ${peer.toFixed(2)} µs`)
	print(`ratio of rates: ${(peer / ours).toFixed(2)} ${barOf(peer / ours, '>=', 1)}; against the text alone ${(text / ours).toFixed(2)}`)
}

/** Prepared bodies, some under way together without a pause, and no look at the answers beyond whether there were errors. */
async function bare(connection: Connection, bodies: readonly Buffer[], together: number): Promise<void> {
	let next = 0
	const worker = async (): Promise<void> => {
		for (let body = bodies[next++]; body; body = bodies[next++]) {
			const { status, text } = await connection.ask({ method: 'POST', path: '/_bulk', query: { filter_path: 'errors' }, body })
			if (status !== 200 || !text.includes('"errors":false')) throw new Error(`the bare loop was refused: ${text.slice(0, 300)}`)
		}
	}
	await Promise.all(Array.from({ length: together }, worker))
}

async function puts(print: (line: string) => void): Promise<void> {
	await using server = await startElasticsearch({ heap: '1g' })
	const configOf = (prefix: string): ElasticsearchStoreConfig =>
		Value.Default(elasticsearchStoreConfig, { url: server.url, prefix, replicas: '0' }) as ElasticsearchStoreConfig
	await using store = await openElasticsearchStore({ config: configOf('ours'), clock: systemClock })
	await using peer = await openElasticsearchStore({ config: configOf('bare'), clock: systemClock })
	await peer.put([recordOf(total * 10), recordOf(total * 10 + 1), recordOf(total * 10 + 3)])
	await store.put([recordOf(total * 10), recordOf(total * 10 + 1), recordOf(total * 10 + 3)])
	// As fresh for readers as ours.
	const connection = connect(configOf('bare'))
	await connection.ask({ method: 'PUT', path: '/bare-*/_settings', body: { index: { refresh_interval: '1s' } } })
	const documents = new Documents(new Names('bare'))
	const ratios: number[] = []
	const rates: { readonly ours: number; readonly bare: number }[] = []
	// The first round warms the server up.
	for (let round = 0; round <= rounds; round++) {
		const size = Math.floor(total / rounds)
		const records = Array.from({ length: size }, (_, n) => recordOf(round * size + n))
		const lines = documents.prepare(documents.placesOf(records, start), 1)
		const bodies: Buffer[] = []
		for (let at = 0; at < lines.length; at += bulkRecords)
			bodies.push(Buffer.concat(lines.slice(at, at + bulkRecords).map(({ bytes }) => bytes)))
		const ourRun = async (): Promise<number> => {
			const began = performance.now()
			// As the indexer drives it.
			const pipe = createPipe(batchesUnderWay, () => undefined)
			for (let at = 0; at < records.length; at += batchRecords)
				await pipe.begin(async () => void (await store.put(records.slice(at, at + batchRecords))))
			await pipe.done()
			return (size / (performance.now() - began)) * 1000
		}
		const bareRun = async (): Promise<number> => {
			const began = performance.now()
			await bare(connection, bodies, 2)
			return (size / (performance.now() - began)) * 1000
		}
		const first = round % 2 === 0 ? await ourRun() : await bareRun()
		const second = round % 2 === 0 ? await bareRun() : await ourRun()
		const [mine, theirs] = round % 2 === 0 ? [first, second] : [second, first]
		if (round === 0) continue
		rates.push({ ours: mine, bare: theirs })
		ratios.push(mine / theirs)
		print(`round ${round}: put ${mine.toFixed(0)} docs/s, bare loop ${theirs.toFixed(0)} docs/s, ratio ${(mine / theirs).toFixed(2)}`)
	}
	await connection.close()
	const sum = (of: (rate: { readonly ours: number; readonly bare: number }) => number): number =>
		rates.length / rates.reduce((total_, rate) => total_ + 1 / of(rate), 0)
	const ratio = sum(({ ours }) => ours) / sum(({ bare: theirs }) => theirs)
	print(
		`put: ${sum(({ ours }) => ours).toFixed(0)} docs/s over all rounds, bare loop ${sum(({ bare: theirs }) => theirs).toFixed(0)} docs/s (bulks of ${bulkRecords}, two under way, same bodies)`,
	)
	print(`ratio: ${ratio.toFixed(2)} ${barOf(ratio, '>=', 0.8)}`)
}

export async function run(print: (line: string) => void): Promise<void> {
	encoding(print)
	await puts(print)
}
