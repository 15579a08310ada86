// Revisions: etcd's mod_revision, Kubernetes' resourceVersion. A bigint inside, a decimal string outside.

/** Compared only within one revision space (one etcd; after a restore a new space begins). */
export type Revision = bigint

/** The space every cluster begins in. */
export const mainSpace = 'main'

/** Of statements about audit entries, which have no revisions: their numbers are counts of entries. */
export const auditSpace = 'audit'

const pattern = /^(0|[1-9]\d{0,18})$/
const max = 2n ** 63n - 1n

/** Undefined where the text is no revision (a decimal up to 2^63-1 without a leading zero, KEP-5504 within etcd's int64). */
export function parseRevision(text: unknown): Revision | undefined {
	if (typeof text !== 'string' || !pattern.test(text)) return undefined
	const revision = BigInt(text)
	return revision <= max ? revision : undefined
}
