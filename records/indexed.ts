// A record with what the processors found out about it: what the store takes.
import type { StoredRecord, OwnerRef, Redacted } from './record.ts'

export type Facet = 'spec' | 'status' | 'metadata' | 'data'
export type Severity = 'normal' | 'warning' | 'error'

/** What of a version of a Pod its log lines are told by. */
export interface PodFacts {
	/** Empty until it is scheduled; once set it never changes. */
	readonly node: string
	/** Image by container, init and ephemeral ones included, as the spec has it. */
	readonly images: Readonly<Record<string, string>>
	/** Of the mirror Pod of a static pod: what the kubelet calls it by, in the path of its logs too, in place of the uid. Empty of others. */
	readonly configHash: string
}

export interface Indexed<R extends StoredRecord = StoredRecord> {
	readonly record: Redacted<R>
	/** One sentence for people: `image web 1.4 → 1.5, replicas 3 → 5`. */
	readonly summary: string
	readonly severity: Severity
	/** Of a change: which parts of the object changed, and the changed paths (`spec.template.spec.containers[web].image`), in document order. */
	readonly facets: readonly Facet[]
	readonly paths: readonly string[]
	/** Labels of the object as of the revision. */
	readonly labels: Readonly<Record<string, string>>
	/** Owner chain as of the revision, nearest first. */
	readonly owners: readonly OwnerRef[]
	readonly images: readonly string[]
	/** What full-text search looks in, beside the summary and the object's name. */
	readonly text: string
	/** Of a version of a Pod whose value could be read; for the enrichment of others, not stored. */
	readonly pod?: PodFacts
}
