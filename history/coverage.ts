// Coverage statements joined into ranges: what was seen whole, per revision space and scope.
import type { Coverage } from '#records/record.ts'
import { auditSpace } from '#records/revision.ts'
import type { Micros } from '#records/time.ts'

export interface CoveredRange {
	readonly space: string
	readonly scope: string
	readonly from: bigint
	readonly to: bigint
	readonly versions: number
	/** Chain hash at the end of the range. */
	readonly chain: string
}

/** Audit entries that the API servers counted in a time, and how many of them came by one way. */
export interface AuditRange {
	readonly way: string
	readonly fromAt: Micros
	readonly toAt: Micros
	readonly sent: number
	readonly received: number
}

/** Statements whose times touch become one; between ranges it is not known what was sent. */
export function joinAudit(statements: readonly Coverage[]): readonly AuditRange[] {
	const ranges: AuditRange[] = []
	const ofAudit = statements.filter(({ space }) => space === auditSpace)
	const ordered = ofAudit.toSorted((a, b) => a.scope.localeCompare(b.scope) || a.occurredAt - b.occurredAt)
	for (const { scope: way, occurredAt, occurredBound, toRevision, versions } of ordered) {
		const next = { way, fromAt: occurredAt - occurredBound, toAt: occurredAt + occurredBound, sent: Number(toRevision), received: versions }
		const last = ranges.at(-1)
		if (last?.way !== way || next.fromAt > last.toAt) ranges.push(next)
		else
			ranges[ranges.length - 1] = {
				...last,
				toAt: Math.max(last.toAt, next.toAt),
				sent: last.sent + next.sent,
				received: last.received + next.received,
			}
	}
	return ranges
}

/** Adjacent and overlapping statements become one range; holes between ranges are what was not seen. Versions of overlapping statements are counted once, by the longer of two. */
export function joinCoverage(statements: readonly Coverage[]): readonly CoveredRange[] {
	const ordered = statements
		.filter(({ space }) => space !== auditSpace)
		.toSorted(
			(a, b) =>
				a.space.localeCompare(b.space) ||
				a.scope.localeCompare(b.scope) ||
				(a.fromRevision < b.fromRevision ? -1 : a.fromRevision > b.fromRevision ? 1 : a.toRevision > b.toRevision ? -1 : 1),
		)
	const ranges: CoveredRange[] = []
	for (const next of ordered) {
		const last = ranges.at(-1)
		const same = last && last.space === next.space && last.scope === next.scope
		if (same && next.toRevision <= last.to) continue
		if (same && next.fromRevision <= last.to + 1n) {
			ranges[ranges.length - 1] = { ...last, to: next.toRevision, versions: last.versions + next.versions, chain: next.chain }
		} else
			ranges.push({
				space: next.space,
				scope: next.scope,
				from: next.fromRevision,
				to: next.toRevision,
				versions: next.versions,
				chain: next.chain,
			})
	}
	return ranges
}
