// A busy cluster in a store: changes of Pods, a person's rollouts, refusals and warnings among them, one object with very many versions.
import { Body } from '#records/body.ts'
import { versionId } from '#records/id.ts'
import type { Indexed } from '#records/indexed.ts'
import { objectKey, type ObjectRef } from '#records/object-key.ts'
import type { AuditEntry, Change, ClusterEvent } from '#records/record.ts'
import type { Store } from '#storage/store/port.ts'
import { aChange, aClusterEvent, anAuditEntry, asRedacted } from '#test/support/records.ts'

export const busyBegin = 1_795_428_000_000_000
export const busyCluster = 'busy'
/** Has a version for each of its revisions: `versionsOfMany` of them. */
export const manyVersions: ObjectRef = { resource: 'configmaps', group: '', namespace: 'team-1', name: 'leader' }
export const versionsOfMany = 1000

const pods = 400
const stepMicros = 36_000
const batchRecords = 5000
const found = { facets: [], paths: [], labels: {}, owners: [], images: [], text: '' } as const

function workload(pod: number): string {
	return `web-${Math.floor(pod / 10)}`
}

function podOf(pod: number): ObjectRef {
	return { resource: 'pods', group: '', namespace: `team-${pod % 20}`, name: `${workload(pod)}-7f9c-${pod}` }
}

const times = (number: number) => {
	const at = busyBegin + number * stepMicros
	return { cluster: busyCluster, occurredAt: at, occurredBound: 400_000, observedAt: at }
}

function podChange(number: number): Indexed {
	const pod = number % pods
	const object = podOf(pod)
	const version = Math.floor(number / pods)
	const ready = version % 2 === 0
	const broken = pod % 37 === 0 && !ready
	const status = { phase: 'Running', ready, restarts: version }
	const body = Body.ofValue({ apiVersion: 'v1', kind: 'Pod', metadata: { name: object.name, namespace: object.namespace }, status })
	const owners = [{ apiVersion: 'apps/v1', kind: 'Deployment', name: workload(pod), uid: `uid-${workload(pod)}-${pod % 20}` }]
	const record: Change = aChange({
		...times(number),
		object,
		revision: BigInt(number + 2),
		operation: version === 0 ? 'created' : 'updated',
		uid: `uid-${pod}`,
		before: null,
		after: body,
		beforeRevision: null,
		owners,
	})
	const summary = broken
		? 'container web waiting: CrashLoopBackOff'
		: `Ready ${ready ? 'False → True' : 'True → False'}, restarts ${version}`
	return {
		...found,
		record: asRedacted(record),
		summary: version === 0 ? 'created' : summary,
		severity: broken ? 'warning' : 'normal',
		facets: ['status'],
		paths: ['status.containerStatuses[web].ready', 'status.conditions[Ready].status'],
		labels: { app: workload(pod), 'pod-template-hash': '7f9c' },
		owners,
	}
}

function warningEvent(number: number): Indexed {
	const pod = (number % 11) * 37
	const regarding = { ...podOf(pod), kind: 'Pod', uid: `uid-${pod}`, revision: null, fieldPath: '' }
	const object = { resource: 'events', group: '', namespace: regarding.namespace, name: `${regarding.name}.${number}` }
	const said = { reason: 'BackOff', message: 'Back-off restarting failed container', type: 'Warning', count: 1 }
	const record: ClusterEvent = aClusterEvent({ ...times(number), object, revision: BigInt(number + 2), regarding, ...said })
	return { ...found, record: asRedacted(record), summary: `${said.reason}: ${said.message}`, severity: 'warning' }
}

function request(number: number): Indexed {
	const refused = number % 2000 === 17
	const object: ObjectRef = { resource: 'deployments', group: 'apps', namespace: 'team-3', name: 'web-0' }
	const user = refused ? 'mallory' : 'alice'
	const record: AuditEntry = anAuditEntry({
		...times(number),
		auditID: `audit-${number}`,
		verb: 'patch',
		user,
		object,
		code: refused ? 403 : 200,
		responseRevision: null,
		subresource: '',
	})
	const summary = refused
		? 'mallory was refused to patch deployments.apps team-3/web-0 (403)'
		: 'alice patched deployments.apps team-3/web-0 (200)'
	return { ...found, record: asRedacted(record), summary, severity: refused ? 'warning' : 'normal' }
}

function leaderChange(number: number, version: number): Indexed {
	const body = Body.ofValue({
		apiVersion: 'v1',
		kind: 'ConfigMap',
		metadata: { name: manyVersions.name, namespace: manyVersions.namespace },
		data: { term: String(version) },
	})
	const revision = BigInt(number + 2)
	const id = versionId(busyCluster, 'main', objectKey(manyVersions), revision)
	const record = aChange({
		...times(number),
		id,
		object: manyVersions,
		objectKind: 'ConfigMap',
		uid: 'uid-leader',
		revision,
		before: null,
		after: body,
	})
	return {
		...found,
		record: asRedacted(record),
		summary: `term ${version - 1} → ${version}`,
		severity: 'normal',
		facets: ['data'],
		paths: ['data.term'],
	}
}

/** `count` records, in the order of their revisions, an hour per 100,000. */
export async function fillBusyStore(store: Store, count: number): Promise<void> {
	const every = Math.max(1, Math.floor(count / versionsOfMany))
	let batch: Indexed[] = []
	for (let number = 0; number < count; number++) {
		if (number % every === 1 && number / every < versionsOfMany) batch.push(leaderChange(number, Math.floor(number / every)))
		else if (number % 500 === 17) batch.push(request(number))
		else if (number % 97 === 5) batch.push(warningEvent(number))
		else batch.push(podChange(number))
		if (batch.length >= batchRecords) {
			await store.put(batch)
			batch = []
		}
	}
	if (batch.length > 0) await store.put(batch)
}
