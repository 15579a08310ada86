// What the HTTP API says, as types: times RFC 3339 in UTC, revisions decimal strings. Shared with the page.
import type { Facet, Severity } from '#records/indexed.ts'
import type { Operation, OwnerRef, RecordKind, Sighting } from '#records/record.ts'

export interface WireObject {
	readonly resource: string
	readonly group: string
	readonly namespace: string
	readonly name: string
	/** `deployments.apps/shop/checkout`; cluster-scoped: `nodes/-/node-a`. */
	readonly key: string
}

/** One entry of a timeline, of a history or of the audit list. Fields a kind does not have are absent. */
export interface WireItem {
	readonly id: string
	readonly kind: RecordKind
	readonly cluster: string
	readonly source: string
	readonly time: string
	/** The time is right within this many seconds to either side. */
	readonly timeBoundSeconds: number
	readonly observed: string
	readonly summary: string
	readonly severity: Severity
	readonly object?: WireObject
	readonly objectKind?: string
	readonly uid?: string
	readonly space?: string
	readonly revision?: string
	readonly operation?: Operation
	readonly sighting?: Sighting
	readonly encoding?: string
	readonly note?: string
	readonly folded?: { readonly renewTime: string; readonly managedTimes: readonly string[] }
	readonly facets?: readonly Facet[]
	/** Changed paths. */
	readonly paths?: readonly string[]
	readonly labels?: Readonly<Record<string, string>>
	readonly owners?: readonly OwnerRef[]
	readonly images?: readonly string[]
	readonly event?: {
		readonly object: WireObject
		readonly reason: string
		readonly message: string
		readonly type: string
		readonly count: number
		readonly reporter: string
		readonly regardingRevision: string | null
		readonly firstTime: string
		readonly lastTime: string
	}
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
		readonly requestReceived: string
		readonly dryRun: boolean
		readonly responseRevision: string | null
		readonly truncated: boolean
		readonly missing?: readonly string[]
	}
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
		/** The file in which the same log was written before. */
		readonly follows?: string
		/** Of a line that comes from journald. */
		readonly journal?: {
			readonly pid: number | null
			readonly priority: number | null
			readonly bootId: string
			readonly hostname: string
			readonly identifier: string
		}
		readonly flags: readonly string[]
		/** Characters of the text, where the summary is only its beginning. */
		readonly textChars?: number
		/** Bytes of a line that is no UTF-8, in base64. */
		readonly raw?: string
		/** Of a line that was cut off: its bytes before. */
		readonly originalBytes?: number
	}
	/** Of an audit entry that stands for its request: every stage, oldest first. */
	readonly stages?: readonly { readonly id: string; readonly stage: string; readonly time: string; readonly code: number }[]
}

/** One log line, whole. */
export interface WireLine {
	readonly item: WireItem
	/** Bytes that are no UTF-8 are U+FFFD in it. */
	readonly text: string
	/** Its bytes in base64, where it is no UTF-8. */
	readonly raw: string | null
}

/** Who made a change, as far as an audit entry says it; `exact`: the answer of exactly this write carried this revision. */
export interface WireActor {
	readonly tier: 'exact' | 'unresolved'
	readonly user: string
	readonly impersonated: string
	readonly verb: string
	readonly subresource: string
	readonly userAgent: string
	readonly sourceIP: string
	readonly auditID: string
}

export interface WireVersion extends WireItem {
	readonly actor: WireActor | null
}

export interface WirePage<T> {
	readonly items: readonly T[]
	readonly next: string | null
}

export interface WireDiff {
	readonly cluster: string
	readonly object: WireObject
	readonly from: string | null
	readonly to: string | null
	readonly summary: string
	readonly facets: readonly Facet[]
	readonly changes: readonly {
		readonly path: string
		readonly facet: Facet
		readonly op: 'added' | 'removed' | 'changed'
		readonly before?: unknown
		readonly after?: unknown
	}[]
	/** Who made the version `to`. */
	readonly actor?: WireActor | null
}

export interface WireState {
	readonly item: WireItem
	/** The object, as the API server would have served it then; values of Secrets are keyed hashes. Null where its value could not be read. */
	readonly body: Readonly<Record<string, unknown>> | null
}

export interface WireBucket {
	readonly from: string
	readonly to: string
	readonly counts: Readonly<Partial<Record<RecordKind, number>>>
	readonly warnings: number
}

export interface WireCluster {
	readonly name: string
	readonly firstTime: string
	readonly lastTime: string
	readonly counts: Readonly<Partial<Record<RecordKind, number>>>
	readonly spaces: readonly { readonly space: string; readonly firstRevision: string; readonly lastRevision: string }[]
	/** A recording that is replayed: the page opens on its times. */
	readonly replay: boolean
}

export interface WireCoverage {
	readonly cluster: string
	/** Joined ranges of revisions that were seen whole. */
	readonly ranges: readonly {
		readonly space: string
		readonly scope: string
		readonly from: string
		readonly to: string
		readonly versions: number
		readonly chain: string
	}[]
	/** Audit entries that the API servers counted, and how many of them came by one way. */
	readonly audit: readonly {
		readonly way: string
		readonly fromTime: string
		readonly toTime: string
		readonly sent: number
		readonly received: number
	}[]
	readonly gaps: readonly {
		readonly space: string
		readonly scope: string
		readonly reason: string
		readonly from: string | null
		readonly to: string | null
		readonly fromTime: string | null
		readonly toTime: string | null
		readonly touched: readonly string[]
		readonly touchedCount: number
		readonly detail: string
		readonly observed: string
	}[]
	readonly rejects: number
}

/** Bad input, set aside: never its bytes. */
export interface WireReject {
	readonly id: string
	readonly cluster: string
	readonly source: string
	readonly time: string
	readonly observed: string
	readonly step: string
	readonly reason: string
	readonly where: string
	readonly sha256: string
	readonly sizeBytes: number
}

export interface WireError {
	readonly error: { readonly code: string; readonly message: string; readonly details?: Readonly<Record<string, unknown>> }
}
