// The store: where records rest and are asked for. Promises hold for every engine; test/contracts/store.ts runs them.
import type { Body } from '#records/body.ts'
import type { RecordId } from '#records/id.ts'
import type { Facet, Indexed, Severity } from '#records/indexed.ts'
import type { FoldedLease } from '#records/lease.ts'
import type { ObjectRef } from '#records/object-key.ts'
import type { Coverage, Encoding, Gap, JournalOrigin, Operation, OwnerRef, RecordKind, Reject, Sighting } from '#records/record.ts'
import type { Revision } from '#records/revision.ts'
import type { Micros } from '#records/time.ts'

export type Order = 'asc' | 'desc'

export interface Page<T> {
	readonly items: readonly T[]
	/** Opaque; null at the end. It goes on exactly behind the last item, also while records arrive. */
	readonly next: string | null
}

/** What one record shows in a list. Fields that a kind does not have are undefined. */
export interface Item {
	readonly id: RecordId
	readonly kind: RecordKind
	readonly cluster: string
	readonly source: string
	readonly occurredAt: Micros
	readonly occurredBound: Micros
	readonly observedAt: Micros
	readonly summary: string
	readonly severity: Severity
	/** The object it is about; of a cluster event: what it regards. */
	readonly object?: ObjectRef
	readonly objectKind?: string
	readonly uid?: string
	/** Of changes and cluster events. */
	readonly space?: string
	readonly revision?: Revision
	readonly operation?: Operation
	readonly sighting?: Sighting
	readonly encoding?: Encoding
	readonly note?: string
	readonly folded?: FoldedLease
	readonly facets?: readonly Facet[]
	readonly paths?: readonly string[]
	readonly labels?: Readonly<Record<string, string>>
	readonly owners?: readonly OwnerRef[]
	readonly images?: readonly string[]
	/** Of cluster events. */
	readonly event?: {
		readonly object: ObjectRef
		readonly reason: string
		readonly message: string
		readonly type: string
		readonly count: number
		readonly reporter: string
		readonly regardingRevision: Revision | null
		readonly firstAt: Micros
		readonly lastAt: Micros
	}
	/** Of audit entries. */
	readonly audit?: {
		readonly auditID: string
		readonly stage: string
		readonly level: string
		readonly verb: string
		readonly user: string
		readonly groups: readonly string[]
		readonly impersonated: string
		readonly sourceIPs: readonly string[]
		readonly userAgent: string
		readonly subresource: string
		readonly code: number
		readonly decision: string
		readonly reason: string
		readonly requestURI: string
		readonly requestReceivedAt: Micros
		readonly dryRun: boolean
		readonly responseRevision: Revision | null
		readonly truncated: boolean
		/** As in AuditEntry. */
		readonly missing?: readonly string[]
	}
	/** Of log lines. */
	readonly log?: {
		readonly namespace: string
		readonly pod: string
		readonly podUid: string
		readonly container: string
		readonly restart: number
		readonly component: string
		readonly node: string
		readonly stream: string
		readonly level: string
		readonly file: string
		readonly offset: number
		readonly follows?: string
		readonly journal?: JournalOrigin
		readonly flags: readonly string[]
		/** Characters of the text, where the summary is only its beginning; `get` has it whole. */
		readonly textChars?: number
		/** As in LogLine; of a line whose text the summary is not, only `get` has it. */
		readonly raw?: string
		readonly originalBytes?: number
	}
}

/** Every field narrows; absent fields do not. Times are inclusive. */
export interface Filter {
	readonly cluster?: string
	readonly namespace?: string
	/** `Deployment`, or a resource: `deployments`, `deployments.apps`. Case does not matter. */
	readonly kind?: string
	readonly name?: string
	readonly uid?: string
	/** Include what is owned, at any depth, by the objects that uid or kind+name select. */
	readonly owner?: boolean
	readonly from?: Micros
	readonly to?: Micros
	readonly include?: readonly RecordKind[]
	/** Full text: all words must occur; "quoted phrases" in order; nothing in it is syntax beyond that. */
	readonly q?: string
	readonly severity?: Severity
	/** Audit fields. */
	readonly user?: string
	readonly verb?: string
	readonly resource?: string
	readonly subresource?: string
	readonly code?: number
	readonly decision?: string
	readonly sourceIP?: string
	readonly userAgent?: string
	/** Log fields. */
	readonly pod?: string
	readonly container?: string
	readonly node?: string
	readonly unit?: string
	readonly level?: string
	readonly stream?: string
	readonly restart?: number
	/** Leases that only renewed, and the removal of expired Events, are left out of timelines unless this is true. */
	readonly noise?: boolean
}

export interface PageRequest {
	readonly limit: number
	readonly cursor?: string
	readonly order?: Order
}

export interface Bucket {
	readonly from: Micros
	readonly to: Micros
	/** Records by kind, and warnings among them. */
	readonly counts: Readonly<Partial<Record<RecordKind, number>>>
	readonly warnings: number
}

export type AuditField = 'user' | 'verb' | 'resource' | 'namespace' | 'code' | 'userAgent' | 'sourceIP'

export type At = { readonly revision: Revision; readonly space?: string } | { readonly time: Micros }

/** One version of one object, body included where it has one. A folded Lease has its body made from the version before. */
export interface Version extends Item {
	readonly body: Body | null
}

export interface StateSelector {
	readonly kind?: string
	readonly namespace?: string
	readonly name?: string
	readonly labels?: (labels: Readonly<Record<string, string>>) => boolean
	readonly fields?: (body: Readonly<Record<string, unknown>>) => boolean
}

export interface ClusterInfo {
	readonly name: string
	readonly firstAt: Micros
	readonly lastAt: Micros
	readonly counts: Readonly<Partial<Record<RecordKind, number>>>
	readonly spaces: readonly { readonly space: string; readonly firstRevision: Revision; readonly lastRevision: Revision }[]
}

/** What was found out about a log line after it was stored: takes the place of what was known of it. */
export interface Amendment {
	readonly id: RecordId
	readonly labels: Readonly<Record<string, string>>
	readonly owners: readonly OwnerRef[]
	readonly images: readonly string[]
	/** Only where the line has none. */
	readonly node: string
}

export interface StoreRetention {
	/** Remove whole partitions (days) older than this; 0 keeps all. */
	readonly ageMs: number
	/** Remove the oldest partitions while the store is larger; 0 keeps all. */
	readonly bytesMax: number
}

/**
 * Promises:
 * 1. Durability: when `put` resolves, the records survive SIGKILL.
 * 2. Idempotence: a record put twice (same id) appears once in every read, whatever its times said the second time; the first one stays.
 * 3. Atomicity: a put is seen whole or not at all by each read of one partition, while one process writes. (Without transactions a put is hidden until it is shown as a whole, and another process that writes shows what it finds.)
 * 4. Readers never block the writer nor see a torn record.
 * 5. Order: by (occurredAt, id); history of an object by (space as first seen, revision). Paging never repeats or leaves out what was there when it began.
 * 6. stateAt answers from one partition's keyframe and its versions; deleted objects are not in it; it is independent of the order of puts.
 * 7. Retention removes whole partitions; states and histories within what remains stay right.
 * 8. Emptiness: an empty store answers empty pages, never errors.
 * 9. A damaged partition is named in the error (STORAGE_CORRUPT), and the others go on answering.
 * 10. Visibility: a read that begins after a put resolved sees it; an engine that shows it later than that says by how much, and has an option for at once.
 * 11. Together: puts and amendments may be called while others are under way, and are as if one came behind the other in the order of the calls. One that fails stops none of those behind it:
 *     where it is put again it comes behind them. (Without transactions a part of it may be seen until then.)
 */
export interface Store extends AsyncDisposable {
	put(records: readonly Indexed[]): Promise<{ readonly stored: number; readonly duplicates: number }>
	/** Durable when it resolves. Log lines only; those that are not there are left out, and repeating it changes nothing. Filters find the lines by what they have then. */
	amend(cluster: string, amendments: readonly Amendment[]): Promise<void>
	/** Resolves when reads see everything that any process had put before it was called (10). */
	show(): Promise<void>
	timeline(filter: Filter, page: PageRequest): Promise<Page<Item>>
	histogram(filter: Filter, buckets: number): Promise<readonly Bucket[]>
	/** Records in the order they were stored, behind a token; no token: from now on. For live tails. */
	tail(
		filter: Filter,
		after: string | undefined,
		limit: number,
	): Promise<{ readonly items: readonly (Item & { readonly token: string })[]; readonly token: string }>
	auditTop(filter: Filter, by: AuditField, limit: number): Promise<readonly { readonly value: string; readonly count: number }[]>
	/** Oldest first. `object.name` and all must be exact. */
	history(cluster: string, object: ObjectRef, page: PageRequest & { readonly from?: Micros; readonly to?: Micros }): Promise<Page<Item>>
	/** The version that stood at `at`; undefined where the object was not known to exist then. A deletion at or before `at` gives that tombstone. */
	versionAt(cluster: string, object: ObjectRef, at: At): Promise<Version | undefined>
	/** One record with its body, by id. The body of a log line is `{ text, raw? }`, where the item does not have all of it. */
	get(cluster: string, id: RecordId): Promise<Version | undefined>
	/** Lines of the same file around one line, in the order of the file whatever their times, the line itself included; where the file begins or ends, those of the file that it `follows`, and of the one that follows it. Undefined where it is not there. */
	around(cluster: string, id: RecordId, before: number, after: number): Promise<readonly Item[] | undefined>
	/** Every stage of these requests that is stored, oldest first. */
	stages(cluster: string, auditIDs: readonly string[]): Promise<readonly Item[]>
	/** All live objects at `at`, by object key; the page's cursor is bound to the answer's `revision`. */
	stateAt(
		cluster: string,
		at: At,
		selector: StateSelector,
		page: PageRequest,
	): Promise<Page<Version> & { readonly revision: Revision | null }>
	ledger(
		cluster: string,
		range: { readonly from?: Micros; readonly to?: Micros },
	): Promise<{ readonly gaps: readonly Gap[]; readonly coverage: readonly Coverage[] }>
	rejects(page: PageRequest & { readonly cluster?: string; readonly from?: Micros; readonly to?: Micros }): Promise<Page<Reject>>
	clusters(): Promise<readonly ClusterInfo[]>
	/** Every kind of object that a record is about; `kind` is empty where only requests for the resource are known. */
	kinds(): Promise<readonly { readonly resource: string; readonly group: string; readonly kind: string }[]>
	retain(policy: StoreRetention): Promise<{ readonly removedPartitions: readonly string[] }>
}
