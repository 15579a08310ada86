// Audit entries out of what clouds export: every wrapping gives the entries that the API server wrote, under the ids that they have live; what is no entry is set aside.
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { AuditFormat } from '#collectors/audit/envelopes.ts'
import { importAudit } from '#collectors/audit/importer.ts'
import { parseAuditLine } from '#collectors/audit/parse.ts'
import type { AuditEntry, KubetapeRecord } from '#records/record.ts'
import { auditLine } from '#test/collectors/replay/support.ts'

const lines = ['a', 'b', 'c'].map((id, at) => auditLine(id, at))
const liveIds = lines.map((line) => parseAuditLine(line, { cluster: 'c', source: 'audit', observedAt: 1, where: 'x' }).id)

interface Taken {
	readonly records: readonly KubetapeRecord[]
	readonly others: ReadonlyMap<string, number>
}

/** In pieces of so many bytes, so that a value is cut anywhere. */
async function take(text: string | Buffer, format: AuditFormat = 'auto', pieceBytes = 7): Promise<Taken> {
	const records: KubetapeRecord[] = []
	const bytes = Buffer.from(text)
	const chunks = (async function* () {
		for (let at = 0; at < bytes.length; at += pieceBytes) yield await Promise.resolve(bytes.subarray(at, at + pieceBytes))
	})()
	const emit = async (batch: readonly KubetapeRecord[]): Promise<void> => {
		await Promise.resolve()
		records.push(...batch)
	}
	const others = await importAudit({ cluster: 'c', name: 'x', chunks, format, writtenAt: 7 }, emit, new AbortController().signal)
	return { records, others }
}

/** Whether each way of cutting it gives the live entries, their text included. */
async function givesLive(text: string | Buffer, format: AuditFormat = 'auto'): Promise<readonly unknown[]> {
	const wrong: unknown[] = []
	for (const pieceBytes of [1, 13, 1_000_000]) {
		const { records } = await take(text, format, pieceBytes)
		const found = records.map((record) => [record.kind, record.id, record.kind === 'audit' ? record.body.text : record])
		if (JSON.stringify(found) !== JSON.stringify(lines.map((line, at) => ['audit', liveIds[at], line]))) wrong.push(pieceBytes, found)
	}
	return wrong
}

const laidOut = (value: unknown): string => JSON.stringify(value, null, 4)
const cloudWatchEvents = lines.map((message, at) => ({ logStreamName: 'kube-apiserver-audit-1', timestamp: at, message, eventId: `${at}` }))

describe('importing audit entries', () => {
	it('reads what the API server writes: lines, and an EventList', async () => {
		expect(await givesLive(`${lines.join('\n')}\n`)).toEqual([])
		expect(await givesLive(lines.join('\r\n'), 'audit')).toEqual([])
		expect(await givesLive(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[${lines.join(',')}]}`)).toEqual([])
	})

	it('reads EKS: an export to S3, filter-log-events, Logs Insights, subscriptions', async () => {
		expect(await givesLive(lines.map((line, at) => `2026-01-02T03:04:0${at}.123Z ${line}\n`).join(''), 'eks')).toEqual([])
		expect(await givesLive(laidOut({ events: cloudWatchEvents, searchedLogStreams: [{ items: 3 }], nextToken: 't' }), 'eks')).toEqual([])
		expect(await givesLive(JSON.stringify({ events: cloudWatchEvents }))).toEqual([])
		const fields = (line: string): unknown => [
			{ field: '@timestamp', value: '2023-07-31 01:58:12.101' },
			{ field: '@message', value: line },
			{ field: '@logStream', value: 'kube-apiserver-audit-0a' },
		]
		expect(await givesLive(laidOut({ results: lines.map(fields), statistics: { recordsMatched: 3 }, status: 'Complete' }))).toEqual([])
		const message = { messageType: 'DATA_MESSAGE', logStream: 'kube-apiserver-audit-1', logEvents: cloudWatchEvents }
		const control = { messageType: 'CONTROL_MESSAGE', logEvents: [{ message: 'CWL CONTROL MESSAGE: Checking health' }] }
		expect(await givesLive(JSON.stringify(control) + JSON.stringify(message))).toEqual([])
		const data = gzipSync(JSON.stringify(message)).toString('base64')
		expect(await givesLive(JSON.stringify({ awslogs: { data } }))).toEqual([])
		expect(await givesLive(`${data}\n`)).toEqual([])
	})

	it('reads AKS: records of a diagnostic setting, as a list, as lines, and out of Log Analytics', async () => {
		const records = lines.map((log) => ({
			time: '2026-01-02T03:04:05Z',
			category: 'kube-audit-admin',
			resourceId: '/SUBSCRIPTIONS/1/X',
			properties: { log, stream: 'stdout', pod: 'kube-apiserver-0', containerID: 'f8' },
		}))
		expect(await givesLive(laidOut({ records }), 'aks')).toEqual([])
		expect(await givesLive(records.map((record) => JSON.stringify(record)).join('\n'))).toEqual([])
		expect(await givesLive(JSON.stringify([{ records }]))).toEqual([])
		expect(
			await givesLive(laidOut(records.map(({ properties, ...record }) => ({ ...record, properties: JSON.stringify(properties) })))),
		).toEqual([])
		expect(await givesLive(laidOut(lines.map((log_s) => ({ Category: 'kube-audit', log_s }))))).toEqual([])
	})

	it('marks an entry whose body AKS left out', async () => {
		const event = { ...(JSON.parse(lines[0] ?? '') as object), requestObject: 'skipped-too-big-size-object' }
		const { records } = await take(JSON.stringify({ category: 'kube-audit', properties: { log: JSON.stringify(event) } }))
		expect(records).toMatchObject([{ kind: 'audit', auditID: 'a', truncated: true }])
	})

	it('passes over logs of other components, and counts them', async () => {
		const other = { logStreamName: 'kube-scheduler-1', timestamp: 1, message: 'I0102 03:04:05.000000 1 x.go:1] hello' }
		const aks = { category: 'kube-apiserver', properties: { log: 'x' } }
		const gke = { protoPayload: { serviceName: 'container.googleapis.com', methodName: 'google.container.v1.ClusterManager.GetCluster' } }
		const { records, others } = await take(laidOut([{ events: [...cloudWatchEvents, other] }, { records: [aks, aks] }, gke]))
		expect(records).toHaveLength(3)
		expect(Object.fromEntries(others)).toEqual({ CloudWatch: 1, 'AKS kube-apiserver': 2, GKE: 1 })
	})

	it('keeps wrong lines as rejects, the same ones each time, and goes on behind them', async () => {
		const text = [
			lines[0],
			'no entry',
			lines[1],
			'{"category":"kube-audit","properties":{}}',
			'{"message":{"a":1}}',
			'{"a":',
			lines[2],
		].join('\n')
		const first = await take(text)
		expect(
			first.records.map((record) => (record.kind === 'reject' ? [record.reason, record.where, record.occurredAt > 7] : record.kind)),
		).toEqual([
			'audit',
			['the line is not JSON', `x:${(lines[0] ?? '').length + 1}`, true],
			'audit',
			['properties.log is missing', expect.any(String), true],
			['auditID is missing', expect.any(String), true],
			['the line is not JSON', expect.any(String), true],
			'audit',
		])
		expect((await take(text, 'auto', 999)).records.map(({ id }) => id)).toEqual(first.records.map(({ id }) => id))
	})

	it('says where a document breaks off, and keeps what stood before', async () => {
		const whole = laidOut({ events: cloudWatchEvents })
		const { records } = await take(whole.slice(0, whole.lastIndexOf('"message"')))
		expect(records.map((record) => (record.kind === 'reject' ? record.reason : record.id))).toEqual([
			...liveIds.slice(0, 2),
			'the document breaks off',
		])
	})

	it('refuses what is of another format than was said', async () => {
		expect((await take(`${lines[0]}\n`, 'gke')).records).toMatchObject([{ kind: 'reject', reason: 'not of the format gke' }])
		expect((await take(laidOut({ events: cloudWatchEvents.slice(1) }), 'aks')).records).toMatchObject([
			{ kind: 'reject' },
			{ kind: 'reject' },
		])
	})
})

describe('importing from GKE', () => {
	const entry = {
		insertId: '9d92cd5d-5043-4c8d-9a3b-92c0be113704',
		labels: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': 'access granted by IAM' },
		logName: 'projects/p/logs/cloudaudit.googleapis.com%2Factivity',
		operation: { id: '9d92cd5d-5043-4c8d-9a3b-92c0be113704', first: true, last: true, producer: 'k8s.io' },
		protoPayload: {
			'@type': 'type.googleapis.com/google.cloud.audit.AuditLog',
			authenticationInfo: { principalEmail: 'ann@example.com' },
			authorizationInfo: [{ granted: true, permission: 'io.k8s.core.v1.pods.create', resource: 'core/v1/namespaces/shop/pods/web' }],
			methodName: 'io.k8s.core.v1.pods.create',
			request: { '@type': 'core.k8s.io/v1.Pod', kind: 'Pod', metadata: { name: 'web' } },
			requestMetadata: { callerIp: '192.0.2.1', callerSuppliedUserAgent: 'kubectl/v1.36' },
			resourceName: 'core/v1/namespaces/shop/pods/web',
			response: { '@type': 'core.k8s.io/v1.Pod', metadata: { name: 'web', uid: 'u-1', resourceVersion: '77' } },
			serviceName: 'k8s.io',
			status: { code: 0 },
		},
		resource: { type: 'k8s_cluster', labels: { cluster_name: 'prod' } },
		timestamp: '2026-01-02T03:04:05.043988Z',
	}
	const taken = async (changes: object): Promise<AuditEntry> => {
		const { records } = await take(laidOut([{ ...entry, ...changes }]), 'gke')
		return records[0] as AuditEntry
	}

	it('maps an entry back as far as it goes, and says what is missing', async () => {
		const record = await taken({})
		expect(record).toMatchObject({
			kind: 'audit',
			auditID: '9d92cd5d-5043-4c8d-9a3b-92c0be113704',
			user: 'ann@example.com',
			verb: 'create',
			object: { resource: 'pods', group: '', namespace: 'shop', name: 'web' },
			sourceIPs: ['192.0.2.1'],
			userAgent: 'kubectl/v1.36',
			code: 200,
			decision: 'allow',
			responseRevision: 77n,
			responseUid: 'u-1',
			missing: expect.arrayContaining(['stage', 'user.groups', 'requestURI']),
		})
		// Nothing of the entry is thrown away.
		expect(record.body.value).toMatchObject({
			requestObject: { kind: 'Pod' },
			gke: { logName: entry.logName, protoPayload: { authorizationInfo: entry.protoPayload.authorizationInfo } },
		})
	})

	it('has the same id each time, and reads refusals, groups, subresources and what was cut', async () => {
		const protoPayload = {
			...entry.protoPayload,
			methodName: 'io.k8s.rbac.authorization.v1.clusterroles.patch',
			resourceName: 'rbac.authorization.k8s.io/v1/clusterroles/admin',
			response: { '@type': 'core.k8s.io/v1.Status', kind: 'Status', code: 403 },
			status: { code: 7, message: 'Forbidden' },
		}
		const refused = await taken({ protoPayload, labels: { 'audit.k8s.io/truncated': 'true' } })
		expect(refused).toMatchObject({
			code: 403,
			verb: 'patch',
			truncated: true,
			object: { resource: 'clusterroles', group: 'rbac.authorization.k8s.io', namespace: '', name: 'admin' },
		})
		expect((await taken({})).id).toBe((await taken({})).id)
		const status = {
			...entry.protoPayload,
			resourceName: 'core/v1/namespaces/shop/pods/web/status',
			response: undefined,
			status: { code: 5 },
		}
		expect(await taken({ protoPayload: status })).toMatchObject({ subresource: 'status', code: 404 })
	})
})
