// What the collector states about its input: what it may have missed, and what it could not read.
import { createHash } from 'node:crypto'
import { statementId } from '#records/id.ts'
import { gapKeysMax, type Gap, type GapReason, type Reject } from '#records/record.ts'
import { mainSpace, type Revision } from '#records/revision.ts'
import type { Micros } from '#records/time.ts'
import { source } from './versions.ts'

export interface Missing {
	readonly cluster: string
	/** The resource: `pods`, `deployments.apps`. */
	readonly scope: string
	readonly reason: GapReason
	readonly from: Revision | null
	readonly to: Revision
	readonly fromAt: Micros | null
	readonly now: Micros
	readonly touched: readonly string[]
	readonly touchedCount: number
}

/** The same gap stated again after a crash has the same id. */
export function makeGap(missing: Missing): Gap {
	const { cluster, scope, reason, from, to, fromAt, now, touched, touchedCount } = missing
	return {
		kind: 'gap',
		id: statementId('gap', cluster, fromAt ?? now, source, mainSpace, scope, reason, String(from)),
		cluster,
		source,
		occurredAt: now,
		occurredBound: fromAt === null ? 0 : Math.max(0, now - fromAt),
		observedAt: now,
		space: mainSpace,
		scope,
		reason,
		fromRevision: from,
		toRevision: to,
		fromAt,
		toAt: now,
		touched: touched.slice(0, gapKeysMax),
		touchedCount,
		detail: `the watch of ${scope} could not go on where it stood and was begun anew with a list: ${touchedCount} objects differed`,
	}
}

export interface Unreadable {
	readonly cluster: string
	readonly step: string
	readonly reason: string
	readonly where: string
	readonly now: Micros
	readonly bytes: Uint8Array | { readonly sha256: string; readonly sizeBytes: number }
}

export function makeReject({ cluster, step, reason, where, now, bytes }: Unreadable): Reject {
	const { sha256, sizeBytes } =
		bytes instanceof Uint8Array ? { sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length } : bytes
	return {
		kind: 'reject',
		id: statementId('reject', cluster, now, source, step, where, sha256),
		cluster,
		source,
		occurredAt: now,
		occurredBound: 0,
		observedAt: now,
		step,
		reason,
		where,
		sha256,
		sizeBytes,
	}
}
