// What the collector states about its input: what it may have missed, and what it could not read.
import { createHash } from 'node:crypto'
import { statementId } from '#records/id.ts'
import { gapKeysMax, type Gap, type GapReason, type Reject } from '#records/record.ts'
import type { Revision } from '#records/revision.ts'
import type { Micros } from '#records/time.ts'
import { source } from './versions.ts'

export interface Missing {
	readonly cluster: string
	readonly space: string
	/** In order: `deployments.apps`, `pods`. */
	readonly resources: readonly string[]
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
	const { cluster, space, resources, reason, from, to, fromAt, now, touched, touchedCount } = missing
	const scope = resources.join(', ')
	return {
		kind: 'gap',
		id: statementId('gap', cluster, fromAt ?? now, source, space, scope, reason, String(from)),
		cluster,
		source,
		occurredAt: now,
		occurredBound: fromAt === null ? 0 : Math.max(0, now - fromAt),
		observedAt: now,
		space,
		scope,
		reason,
		fromRevision: from,
		toRevision: to,
		fromAt,
		toAt: now,
		touched: touched.slice(0, gapKeysMax),
		touchedCount,
		detail: detailOf(missing),
	}
}

function detailOf({ resources, reason, touchedCount }: Missing): string {
	const what = resources.length === 1 ? `the watch of ${resources[0]}` : `the watches of ${resources.length} resources`
	const why = reason === 'space-changed' ? 'was of revisions that have begun anew' : 'could not go on where it stood'
	const found =
		touchedCount > 0
			? `${touchedCount} objects differed`
			: 'nothing differed, so that only objects that were created and deleted in between can be missing'
	return `${what} ${resources.length === 1 ? why : why.replace('was', 'were').replace('it stood', 'they stood')} and began anew with a list: ${found}`
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
