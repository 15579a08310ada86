// Coverage statements joined into ranges: what was seen whole, per revision space and scope.
import type { Coverage } from '#records/record.ts'

export interface CoveredRange {
	readonly space: string
	readonly scope: string
	readonly from: bigint
	readonly to: bigint
	readonly versions: number
	/** Chain hash at the end of the range. */
	readonly chain: string
}

/** Adjacent and overlapping statements become one range; holes between ranges are what was not seen. Versions of overlapping statements are counted once, by the longer of two. */
export function joinCoverage(statements: readonly Coverage[]): readonly CoveredRange[] {
	const ordered = statements.toSorted(
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
