// Runs a replay into memory, and makes recordings.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { CollectorContext } from '#collectors/port.ts'
import { createReplayCollector } from '#collectors/replay/collector.ts'
import type { KubetapeRecord } from '#records/record.ts'
import { systemClock, type Clock } from '#runtime/clock.ts'
import { silentLogger } from '#runtime/log.ts'
import { createMetrics } from '#runtime/metrics.ts'

const folders: string[] = []
afterAll(() => {
	for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** Removed when the test file is through. */
export function temporaryFolder(): string {
	const folder = mkdtempSync(join(tmpdir(), 'kubetape-test-'))
	folders.push(folder)
	return folder
}

export function contextIn(stateDir: string, clock: Clock = systemClock): CollectorContext {
	return { cluster: 'test', clock, log: silentLogger, metrics: createMetrics(), stateDir }
}

export async function replay(
	path: string,
	stateDir = temporaryFolder(),
): Promise<{ readonly records: readonly KubetapeRecord[]; readonly largestBatch: number }> {
	const records: KubetapeRecord[] = []
	let largestBatch = 0
	const emit = async (batch: readonly KubetapeRecord[]): Promise<void> => {
		largestBatch = Math.max(largestBatch, batch.length)
		records.push(...batch)
		await Promise.resolve()
	}
	await createReplayCollector({ path, speed: 'max' }, contextIn(stateDir)).run(emit, new AbortController().signal)
	return { records, largestBatch }
}

/** A line of etcd.jsonl: a ConfigMap as JSON. */
export function etcdLine(revision: number, name: string, previous?: number): string {
	const value = (note: string): string =>
		Buffer.from(
			JSON.stringify({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name, namespace: 'shop', uid: `uid-${name}` }, data: { note } }),
		).toString('base64')
	return JSON.stringify({
		rev: revision,
		type: 'PUT',
		key: `/registry/configmaps/shop/${name}`,
		create_revision: previous ?? revision,
		version: previous === undefined ? 1 : 2,
		lease: '0',
		value: value(`at ${revision}`),
		prev: previous === undefined ? null : { mod_revision: previous, value: value(`at ${previous}`) },
		observed: new Date(Date.UTC(2026, 0, 2, 3, 4, 5) + revision * 1000).toISOString(),
	})
}

export function auditLine(auditID: string, second: number): string {
	const at = new Date(Date.UTC(2026, 0, 2, 3, 4, 5) + second * 1000).toISOString().replace('Z', '000Z')
	return JSON.stringify({
		kind: 'Event',
		apiVersion: 'audit.k8s.io/v1',
		level: 'RequestResponse',
		auditID,
		stage: 'ResponseComplete',
		requestURI: '/api/v1/namespaces/shop/configmaps',
		verb: 'create',
		user: { username: 'ann', groups: ['devs'] },
		sourceIPs: ['192.0.2.1'],
		objectRef: { resource: 'configmaps', namespace: 'shop', apiVersion: 'v1' },
		responseStatus: { code: 201 },
		responseObject: { kind: 'ConfigMap', metadata: { name: `made-${auditID}`, uid: 'u-1', resourceVersion: '42' } },
		requestReceivedTimestamp: at,
		stageTimestamp: at,
	})
}
