// What flows through the pipeline: one envelope, seven kinds. Their JSON shape is declared in schema.ts.
import type { Body } from './body.ts'
import type { RecordId } from './id.ts'
import type { FoldedLease } from './lease.ts'
import type { ObjectRef } from './object-key.ts'
import type { Revision } from './revision.ts'
import type { Micros } from './time.ts'

export interface Envelope {
	/** Deterministic: the same thing seen twice has the same id (id.ts). */
	readonly id: RecordId
	/** The cluster's configured name. */
	readonly cluster: string
	/** The collector that saw it: `etcd`, `kubernetes`, `audit`, `replay`, … */
	readonly source: string
	/** When it happened, as well as it is known; it did not happen later than occurredAt + occurredBound, nor earlier than occurredAt - occurredBound. */
	readonly occurredAt: Micros
	readonly occurredBound: Micros
	/** When the collector saw it. */
	readonly observedAt: Micros
}

export type Operation = 'created' | 'updated' | 'deleted'
/** How a version was seen: as it happened; as found at the start; as found after a gap (what lay between is in the gap record). */
export type Sighting = 'watch' | 'snapshot' | 'gap'
/** How the value was stored at the source. `encrypted` and `raw` versions have no readable body; `note` says why. */
export type Encoding = 'protobuf' | 'json' | 'api' | 'encrypted' | 'raw'

export interface OwnerRef {
	readonly apiVersion: string
	readonly kind: string
	readonly name: string
	readonly uid: string
}

interface ObjectVersion extends Envelope {
	/** Revision space (revision.ts). */
	readonly space: string
	readonly revision: Revision
	readonly operation: Operation
	readonly sighting: Sighting
	readonly object: ObjectRef
	readonly apiVersion: string
	readonly objectKind: string
	readonly uid: string
	/** The object before and after, as the API server would serve it, metadata.resourceVersion included. */
	readonly before: Body | null
	readonly after: Body | null
	readonly beforeRevision: Revision | null
	/** Owner chain as of this revision, nearest first; only what the collector knew. */
	readonly owners: readonly OwnerRef[]
	readonly encoding: Encoding
	readonly note?: string
	/** A Lease that only renewed since `beforeRevision` (lease.ts): bodies are left out and can be made from the version before. */
	readonly folded?: FoldedLease
}

/** One write to one object, at one revision. */
export interface Change extends ObjectVersion {
	readonly kind: 'change'
}

/** One Kubernetes Event object at one of its versions. */
export interface ClusterEvent extends ObjectVersion {
	readonly kind: 'event'
	readonly reason: string
	readonly message: string
	/** `Normal` or `Warning`. */
	readonly type: string
	readonly count: number
	readonly reporter: string
	/** What it is about; resource and group are empty where the catalog does not know the kind. */
	readonly regarding: ObjectRef & {
		readonly kind: string
		readonly uid: string
		readonly revision: Revision | null
		readonly fieldPath: string
	}
	readonly firstAt: Micros
	readonly lastAt: Micros
}

export type AuditStage = 'RequestReceived' | 'ResponseStarted' | 'ResponseComplete' | 'Panic'

/** One audit.k8s.io Event. */
export interface AuditEntry extends Envelope {
	readonly kind: 'audit'
	readonly auditID: string
	readonly stage: AuditStage
	readonly level: string
	readonly verb: string
	readonly requestURI: string
	readonly user: string
	readonly groups: readonly string[]
	/** The user acted as, empty where none. */
	readonly impersonated: string
	readonly sourceIPs: readonly string[]
	readonly userAgent: string
	/** Null for non-resource requests. The name is empty where neither request nor answer tells it. */
	readonly object: ObjectRef | null
	readonly subresource: string
	readonly code: number
	readonly decision: string
	readonly reason: string
	readonly requestReceivedAt: Micros
	readonly dryRun: boolean
	/** metadata.resourceVersion and uid of the answer, where it has one. */
	readonly responseRevision: Revision | null
	readonly responseUid: string
	/** Its bodies were taken out because it was too large: by the API server (audit.k8s.io/truncated), or by what brought it. */
	readonly truncated: boolean
	/** Members of an audit.k8s.io Event that the source does not have, or has in part only; absent where the entry is whole. */
	readonly missing?: readonly string[]
	/** The whole entry, redacted. */
	readonly body: Body
}

/** What journald knows of the process that wrote a line. */
export interface JournalOrigin {
	/** Null where the journal does not tell it. */
	readonly pid: number | null
	/** syslog's, 0 (emergency) to 7 (debug); null where the journal does not tell it. */
	readonly priority: number | null
	readonly bootId: string
	readonly hostname: string
	/** What the process calls itself (SYSLOG_IDENTIFIER); empty where it does not. */
	readonly identifier: string
}

/** One reassembled line of a container, a unit or a control-plane file. */
export interface LogLine extends Envelope {
	readonly kind: 'log'
	/** Identity of the file and where the line begins in it, in bytes. Of a journal: its sequence and the unit, and the entry's number. */
	readonly file: string
	readonly offset: number
	/** The file in which the same log was written before this one; absent where it is not known. */
	readonly follows?: string
	/** Absent where it does not come from a journal. */
	readonly journal?: JournalOrigin
	readonly stream: 'stdout' | 'stderr' | ''
	/** Pod coordinates; empty for a component's file. */
	readonly namespace: string
	readonly pod: string
	readonly podUid: string
	readonly container: string
	readonly restart: number
	/** `kube-apiserver`, `etcd`, a systemd unit; empty for a container. */
	readonly component: string
	readonly node: string
	readonly level: 'debug' | 'info' | 'warning' | 'error' | 'fatal' | ''
	readonly text: string
	readonly flags: readonly ('truncated' | 'invalid-utf8' | 'nul' | 'no-time')[]
	/** Of a line that is no UTF-8, its bytes in base64; `text` has U+FFFD in their place. Absent where redaction changed the line. */
	readonly raw?: string
	/** Of a line that was cut off, its bytes before; 2^26 - 1 stands for that and more. */
	readonly originalBytes?: number
}

/** Consecutive lines of one file: what travels on the record log in place of its lines (log-block.ts). `occurredAt` is that of the first line. */
export interface LogBlock
	extends
		Envelope,
		Pick<LogLine, 'file' | 'follows' | 'journal' | 'namespace' | 'pod' | 'podUid' | 'container' | 'restart' | 'component' | 'node'> {
	readonly kind: 'block'
	readonly lines: number
	/** Times, offsets and lengths of the lines, and their texts one behind the other. */
	readonly table: Uint8Array
	readonly text: Uint8Array
}

export type GapReason = 'compacted' | 'relist' | 'restart' | 'truncated' | 'rotated' | 'lost' | 'corrupt' | 'space-changed'

/** Records are missing: where, from, to, why. */
export interface Gap extends Envelope {
	readonly kind: 'gap'
	readonly space: string
	/** What is affected: an etcd prefix, a resource, a file. */
	readonly scope: string
	readonly reason: GapReason
	/** First and last revision that may be missing; null where the source has none. */
	readonly fromRevision: Revision | null
	readonly toRevision: Revision | null
	readonly fromAt: Micros | null
	readonly toAt: Micros | null
	/** Object keys whose state differed on the two sides of the gap, at most gapKeysMax of them. */
	readonly touched: readonly string[]
	readonly touchedCount: number
	readonly detail: string
}

/** A range of revisions was seen whole. */
export interface Coverage extends Envelope {
	readonly kind: 'coverage'
	readonly space: string
	readonly scope: string
	readonly fromRevision: Revision
	readonly toRevision: Revision
	/** Versions in the range (several keys may share a revision). */
	readonly versions: number
	/** SHA-256 over (chain before, then revision and key of each version, in order), hex. */
	readonly chain: string
}

/** Bad input, set aside: kept and counted, never its bytes, which may be secret. */
export interface Reject extends Envelope {
	readonly kind: 'reject'
	/** Where it was refused: `etcd.decode`, `audit.parse`, `redact`, … */
	readonly step: string
	readonly reason: string
	/** Where in the source: an etcd key and revision, file and offset. */
	readonly where: string
	readonly sha256: string
	readonly sizeBytes: number
}

export type KubetapeRecord = Change | ClusterEvent | AuditEntry | LogLine | LogBlock | Gap | Coverage | Reject
/** What is stored, and what a reader sees: blocks have become lines by then. */
export type StoredRecord = Exclude<KubetapeRecord, LogBlock>
export type RecordKind = StoredRecord['kind']
export type VersionRecord = Change | ClusterEvent

declare const redacted: unique symbol
/** Passed through processors/redact: the only thing that type-checks into the record log. */
export type Redacted<R extends KubetapeRecord = KubetapeRecord> = R & { readonly [redacted]: true }

/** At most so many object keys are named in a gap. */
export const gapKeysMax = 1000
