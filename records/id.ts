// Record ids: 16 bytes, deterministic, ordered (DESIGN: ids). Written as 32 lower-case hex digits.
import { hash } from 'node:crypto'
import type { Micros } from './time.ts'
import { mainSpace } from './revision.ts'

export type RecordId = string

const hashHexDigits = 16

function tail(...parts: readonly string[]): string {
	return hash('sha256', parts.join('\0'), 'hex').slice(0, hashHexDigits)
}

function head(value: bigint): string {
	return value.toString(16).padStart(16, '0')
}

/** Of a change or a cluster event: revision (8 bytes) + hash(cluster, object key). The main space does not enter, so that collectors that cannot know it agree. */
export function versionId(cluster: string, space: string, key: string, revision: bigint): RecordId {
	return head(revision) + (space === mainSpace ? tail(cluster, key) : tail(cluster, key, space))
}

/** Of an audit entry: stageTimestamp in ms (6 bytes) + 2 bytes and 8 bytes of hash(cluster, auditID, stage, stageTimestamp). */
export function auditId(cluster: string, auditID: string, stage: string, stageTimestamp: string, stageAt: Micros): RecordId {
	return timed(stageAt, 'audit', cluster, auditID, stage, stageTimestamp)
}

/** Of a log line: time + hash(file identity, offset). */
export function logId(cluster: string, file: string, offset: number, at: Micros): RecordId {
	return timed(at, 'log', cluster, file, String(offset))
}

/** Of a gap, a coverage statement or a reject: time + hash of what makes it the same statement when it is made again. */
export function statementId(kind: string, cluster: string, at: Micros, ...identity: readonly string[]): RecordId {
	return timed(at, kind, cluster, ...identity)
}

function timed(at: Micros, ...parts: readonly string[]): RecordId {
	const ms = Math.max(0, Math.min(Math.floor(at / 1000), 2 ** 48 - 1))
	return ms.toString(16).padStart(12, '0') + hash('sha256', parts.join('\0'), 'hex').slice(0, 20)
}
