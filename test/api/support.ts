// A small recorded story behind the API: a deployment rolled out, broken and removed; who did it; what was refused and missed.
import type { FastifyInstance } from 'fastify'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApi } from '#api/app.ts'
import type { ApiOptions } from '#api/context.ts'
import { Body } from '#records/body.ts'
import { auditId, statementId, versionId } from '#records/id.ts'
import type { Indexed } from '#records/indexed.ts'
import { objectKey, type ObjectRef } from '#records/object-key.ts'
import type { Operation, Redacted, StoredRecord } from '#records/record.ts'
import { parseTime } from '#records/time.ts'
import { systemClock, type Clock } from '#runtime/clock.ts'
import { silentLogger } from '#runtime/log.ts'
import type { Store } from '#storage/store/port.ts'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'

export const begin = parseTime('2026-11-23T10:00:00Z') ?? 0
export const cluster = 'demo'
export const checkout: ObjectRef = { resource: 'deployments', group: 'apps', namespace: 'shop', name: 'checkout' }
export const role: ObjectRef = { resource: 'clusterroles', group: 'rbac.authorization.k8s.io', namespace: '', name: 'system:node/odd' }

const envelope = (at: number) => ({ cluster, source: 'replay', occurredAt: at, occurredBound: 1500, observedAt: at })
export const indexed = (record: StoredRecord, extra: Partial<Indexed> = {}): Indexed => ({
	record: record as Redacted<StoredRecord>,
	summary: record.kind,
	severity: 'normal',
	facets: [],
	paths: [],
	labels: {},
	owners: [],
	images: [],
	text: '',
	...extra,
})

export function change(object: ObjectRef, revision: bigint, operation: Operation, image: string, extra: Partial<Indexed> = {}): Indexed {
	const body = Body.ofValue({
		metadata: { name: object.name, labels: { app: object.name } },
		spec: { template: { spec: { containers: [{ name: 'web', image }] } } },
	})
	const id = versionId(cluster, 'main', objectKey(object), revision)
	const version = {
		space: 'main',
		revision,
		operation,
		sighting: 'watch',
		object,
		apiVersion: 'apps/v1',
		objectKind: object.resource === 'deployments' ? 'Deployment' : 'ClusterRole',
		uid: `uid-${object.name}`,
	} as const
	const rest = { before: null, after: operation === 'deleted' ? null : body, beforeRevision: null, owners: [], encoding: 'json' } as const
	return indexed(
		{ ...envelope(begin + Number(revision) * 1e6), kind: 'change', id, ...version, ...rest },
		{ summary: `image ${image}`, labels: { app: object.name }, ...extra },
	)
}

export function audit(object: ObjectRef, revision: bigint, verb: string, user: string): Indexed {
	const at = begin + Number(revision) * 1e6
	const request = {
		auditID: `audit-${revision}`,
		stage: 'ResponseComplete',
		level: 'Metadata',
		verb,
		requestURI: `/apis/apps/v1/${object.name}`,
		user,
		groups: ['g'],
		impersonated: '',
	} as const
	const answer = {
		sourceIPs: ['10.0.0.1'],
		userAgent: 'kubectl',
		object,
		subresource: '',
		code: 200,
		decision: 'allow',
		reason: '',
		requestReceivedAt: at,
		dryRun: false,
	} as const
	const end = { responseRevision: revision, responseUid: '', truncated: false, body: Body.ofValue({}) }
	return indexed(
		{ ...envelope(at), kind: 'audit', id: auditId(cluster, request.auditID, request.stage, String(at), at), ...request, ...answer, ...end },
		{ summary: `${verb} by ${user}` },
	)
}

function statements(): readonly Indexed[] {
	const space = { space: 'main', scope: '/registry/' }
	const covered = { ...envelope(begin), kind: 'coverage', ...space, versions: 2, chain: 'ab' } as const
	return [
		indexed({ ...covered, id: statementId('coverage', cluster, begin, '1'), fromRevision: 1n, toRevision: 4n }),
		indexed({ ...covered, id: statementId('coverage', cluster, begin, '2'), fromRevision: 5n, toRevision: 9n, chain: 'cd' }),
		indexed({
			...envelope(begin),
			kind: 'gap',
			id: statementId('gap', cluster, begin),
			...space,
			reason: 'compacted',
			fromRevision: 10n,
			toRevision: 12n,
			fromAt: begin,
			toAt: null,
			touched: [objectKey(checkout)],
			touchedCount: 1,
			detail: 'compacted',
		}),
		indexed({
			...envelope(begin),
			kind: 'reject',
			id: statementId('reject', cluster, begin),
			step: 'etcd.decode',
			reason: 'truncated',
			where: '/registry/x@3',
			sha256: 'aa',
			sizeBytes: 7,
		}),
	]
}

const stories: { readonly store: Store; readonly dir: string }[] = []

/** Closes and removes what story() made. */
export async function forget(): Promise<void> {
	for (const { store, dir } of stories.splice(0)) {
		await store[Symbol.asyncDispose]()
		rmSync(dir, { recursive: true, force: true })
	}
}

export async function story(): Promise<Store> {
	const dir = mkdtempSync(join(tmpdir(), 'kubetape-api-'))
	const store = await openSqliteStore({ dir, clock: systemClock })
	stories.push({ store, dir })
	await store.put([
		change(checkout, 2n, 'created', 'web:1'),
		audit(checkout, 2n, 'create', 'alice'),
		change(checkout, 5n, 'updated', 'web:2', {
			severity: 'warning',
			facets: ['spec'],
			paths: ['spec.template.spec.containers[web].image'],
		}),
		audit(checkout, 5n, 'patch', 'bob'),
		change(checkout, 8n, 'deleted', ''),
		change(role, 7n, 'created', 'none'),
		...statements(),
	])
	return store
}

export async function openApi(
	store: Store,
	extra: { readonly webRoot?: string; readonly clock?: Clock; readonly clusters?: ApiOptions['clusters'] } = {},
): Promise<FastifyInstance> {
	return createApi({
		store,
		clock: systemClock,
		metrics: { render: async () => 'kubetape_up 1\n' },
		health: {
			live: () => ({ ok: true, parts: {} }),
			ready: async () => ({ ok: false, parts: { process: { ok: false, message: 'paused: the disk is full' } } }),
		},
		clusters: [{ name: cluster, replay: true }],
		logger: silentLogger,
		version: '1.2.3',
		...extra,
	})
}
