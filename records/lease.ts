// Folded Leases: a Lease that only renewed is kept as what is new in it, and made whole again exactly (docs/decisions/003).
import { Body } from './body.ts'

export interface FoldedLease {
	readonly renewTime: string
	/** `time` of each entry of metadata.managedFields, in order. */
	readonly managedTimes: readonly string[]
}

type Fields = Readonly<Record<string, unknown>>
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {})
const managedOf = (lease: Fields): readonly Fields[] => {
	const managed = fields(lease['metadata'])['managedFields']
	return Array.isArray(managed) ? managed.map(fields) : []
}

/** Defined where `after` differs from `before` in spec.renewTime, metadata.resourceVersion and times of managedFields only. */
export function foldLease(before: Body, after: Body): FoldedLease | undefined {
	const renewTime = fields(after.object['spec'])['renewTime']
	if (typeof renewTime !== 'string') return undefined
	const times = managedOf(after.object).map((entry) => entry['time'])
	if (!times.every((time) => typeof time === 'string')) return undefined
	const folded = { renewTime, managedTimes: times }
	const revision = fields(after.object['metadata'])['resourceVersion']
	return typeof revision === 'string' && unfoldLease(before, folded, revision).text === after.text ? folded : undefined
}

/** The Lease at `revision`, from the nearest version before it that has a body. */
export function unfoldLease(before: Body, folded: FoldedLease, revision: string): Body {
	const lease = before.object
	const metadata = fields(lease['metadata'])
	const managed = managedOf(lease)
	return Body.ofValue({
		...lease,
		metadata: {
			...metadata,
			resourceVersion: revision,
			...(managed.length === folded.managedTimes.length && managed.length > 0
				? { managedFields: managed.map((entry, index) => ({ ...entry, time: folded.managedTimes[index] })) }
				: {}),
		},
		spec: { ...fields(lease['spec']), renewTime: folded.renewTime },
	})
}
