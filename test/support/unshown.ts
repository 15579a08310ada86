// What a collector that lists and watches owes: every version but those that no list could show any more, which must be inside a gap of their resource.
import { objectKey, resourceName } from '#records/object-key.ts'
import type { Gap, VersionRecord } from '#records/record.ts'

export interface Shown {
	has(id: string): boolean
	/** The record that the object was gone, at the gap's end. */
	tellsGone(key: string, revision: bigint): boolean
}

const inside = (gap: Gap, revision: bigint): boolean => (gap.fromRevision ?? 0n) <= revision && revision <= (gap.toRevision ?? 0n)

/** `truth`: all versions from the first on, in etcd's order; looked at from `from` to `to`. Gives what is neither shown nor rightly left out. */
export function findUnshown(
	truth: readonly VersionRecord[],
	range: { readonly from: bigint; readonly to: bigint },
	shown: Shown,
	gaps: readonly Gap[],
): readonly string[] {
	const histories = Map.groupBy(truth, ({ object }) => objectKey(object))
	const unshown: string[] = []
	for (const version of truth) {
		const { revision, object, operation, id } = version
		if (revision < range.from || revision > range.to || shown.has(id)) continue
		const key = objectKey(object)
		const gap = gaps.find((candidate) => candidate.scope.split(', ').includes(resourceName(object)) && inside(candidate, revision))
		const why = gap ? whyOwed(version, histories.get(key) ?? [], gap, shown) : 'outside of every gap'
		if (why !== undefined) unshown.push(`${revision} ${key} ${operation}: ${why}`)
	}
	return unshown
}

function whyOwed(
	{ revision, operation, object }: VersionRecord,
	history: readonly VersionRecord[],
	gap: Gap,
	shown: Shown,
): string | undefined {
	const key = objectKey(object)
	const stood = history.findLast((version) => version.revision < (gap.fromRevision ?? 0n))
	const last = history.findLast((version) => version.revision <= (gap.toRevision ?? 0n))
	const isLast = last?.revision === revision
	const stoodBefore = stood !== undefined && stood.operation !== 'deleted'
	const standsAfter = last !== undefined && last.operation !== 'deleted'
	if (isLast && operation !== 'deleted') return 'the list must have shown it'
	if (stoodBefore && !standsAfter && !shown.tellsGone(key, gap.toRevision ?? 0n)) return 'it is not told that the object is gone'
	if ((stoodBefore || standsAfter) && !gap.touched.includes(key)) return 'the gap does not name the object'
	return undefined
}
