// Who made a version: said only where exactly one request proves it. The rules and their evidence: docs/decisions/007.

/** What an audit entry must tell for the join; a store's item has these fields. */
export interface Claim {
	readonly auditID: string
	readonly stage: string
	readonly verb: string
	readonly code: number
	readonly dryRun: boolean
	readonly subresource: string
	readonly responseRevision: bigint | null
}

export interface VersionToJoin {
	readonly revision: bigint
	readonly operation: 'created' | 'updated' | 'deleted'
	readonly sighting: 'watch' | 'snapshot' | 'gap'
	/** The write marked the object for deletion (it got a deletionTimestamp). */
	readonly marked: boolean
}

const writes = new Set(['create', 'update', 'patch', 'delete'])

/** Whether a request of this form, answered with this revision, can have made a version of this form. An answer may carry an older revision: then its form does not fit. */
function fits(version: VersionToJoin, claim: Claim): boolean {
	if (claim.responseRevision !== version.revision || claim.dryRun || claim.code < 200 || claim.code > 299) return false
	if (claim.stage !== 'ResponseComplete' || !writes.has(claim.verb)) return false
	if (version.operation === 'deleted') return claim.verb === 'delete'
	if (version.operation === 'created') return claim.verb === 'create' || claim.verb === 'patch'
	if (claim.verb === 'delete') return version.marked
	return claim.verb === 'update' || claim.verb === 'patch' || (claim.verb === 'create' && claim.subresource !== '')
}

/** The one entry whose answer is this version; undefined where none or more than one fits. `claims` are about the same object. */
export function exactActor<C extends Claim>(version: VersionToJoin, claims: readonly C[]): C | undefined {
	const all = claims.filter(
		(claim) =>
			claim.responseRevision === version.revision && !claim.dryRun && claim.code >= 200 && claim.code <= 299 && writes.has(claim.verb),
	)
	const ids = new Set(all.map((claim) => claim.auditID))
	return ids.size === 1 ? all.find((claim) => fits(version, claim)) : undefined
}
