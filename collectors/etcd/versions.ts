// From an event of etcd to the record of a version: decoded, with the object before, its owners and its time, as of this revision. Feed it in revision order.
import { createHash } from 'node:crypto'
import { createOwners } from '#collectors/owners.ts'
import type { Body } from '#records/body.ts'
import type { Catalog, ResourceType } from '#records/catalog.ts'
import { statementId } from '#records/id.ts'
import { foldLease } from '#records/lease.ts'
import type { Encoding, Operation, Reject, Sighting, VersionRecord } from '#records/record.ts'
import { RevisionClock } from '#records/revision-clock.ts'
import { parseTime, type Micros } from '#records/time.ts'
import { makeVersion } from '#records/version.ts'
import { bodyOf, decodeValue, shownText, type Decoded } from './decode.ts'
import { objectOfKey, type Stored } from './key.ts'

export interface EtcdEvent {
	readonly type: 'PUT' | 'DELETE'
	readonly key: string
	/** Null for a DELETE. */
	readonly value: Uint8Array | null
	readonly modRevision: bigint
	/** 0 for a DELETE; equal to modRevision for a creation. */
	readonly createRevision: bigint
	readonly version: bigint
	readonly lease: bigint
	readonly prev: { readonly modRevision: bigint; readonly value: Uint8Array } | null
}

export interface VersionsOptions {
	readonly cluster: string
	readonly source: string
	readonly space: string
	/** Below which the API server keeps its objects. */
	readonly prefix: string
	readonly catalog: Catalog
}

export interface Versions {
	/** A value that cannot be read makes a version too, without a body: that the key was written is known, and what it was then is in `takeRejects`. */
	toRecord(event: EtcdEvent, observedAt: Micros, sighting: Sighting): VersionRecord
	/** What could not be read since this was asked last. */
	takeRejects(): readonly Reject[]
}

/** What of a value is needed beside its body: the value itself would take several times as much memory. */
interface Head {
	readonly encoding: Encoding
	readonly note?: string
	readonly reject?: string
	/** Undefined where the value could not be read. */
	readonly stored?: Stored
	readonly uid: string
	readonly ownerReferences: unknown
	readonly writtenAt: Micros | undefined
}

interface Last {
	readonly revision: bigint
	readonly head: Head
	readonly body: Body | null
	readonly bytes: number
}

type Fields = Readonly<Record<string, unknown>>
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

const lastBytesMax = 16 * 1024 * 1024

export function createVersions(options: VersionsOptions): Versions {
	const clock = new RevisionClock()
	const last = createLast()
	const owners = createOwners()
	let rejects: Reject[] = []

	const read = (key: string, value: Uint8Array, revision: bigint): Last => {
		const known = last.get(key)
		if (known?.revision === revision) return known
		const decoded = decodeValue(value, revision)
		return { revision, head: headOf(decoded), body: bodyOf(decoded), bytes: value.length }
	}

	/** Its id has no time: the same value refused again after a crash is the same reject. */
	const reject = (event: EtcdEvent, observedAt: Micros, reason: string): Reject => {
		const bytes = event.value ?? event.prev?.value ?? new Uint8Array()
		const sha256 = createHash('sha256').update(bytes).digest('hex')
		const where = `${event.key} at revision ${event.modRevision}`
		return {
			kind: 'reject',
			id: statementId('reject', options.cluster, 0, 'etcd.decode', options.space, where, sha256),
			cluster: options.cluster,
			source: options.source,
			occurredAt: observedAt,
			occurredBound: 0,
			observedAt,
			step: 'etcd.decode',
			reason,
			where,
			sha256,
			sizeBytes: bytes.length,
		}
	}

	return {
		takeRejects() {
			const taken = rejects
			rejects = []
			return taken
		},
		toRecord(event, observedAt, sighting) {
			// A renewal is folded against a version that was handed over: one that is only the `prev` of this event is not in the store.
			const isStored = event.prev !== null && last.get(event.key)?.revision === event.prev.modRevision
			const before = event.prev ? read(event.key, event.prev.value, event.prev.modRevision) : undefined
			const after = event.type === 'PUT' && event.value ? read(event.key, event.value, event.modRevision) : undefined
			const shown = after ?? before
			if (shown?.head.reject !== undefined) rejects.push(reject(event, observedAt, shown.head.reject))
			if (after) last.set(event.key, after)
			else last.delete(event.key)
			const { stored, uid, ownerReferences, writtenAt, encoding } = shown?.head ?? nothingKnown
			const object = objectOfKey(event.key, options.prefix, options.catalog, stored)
			if (stored?.kind === 'CustomResourceDefinition' && shown?.body) {
				if (event.type === 'PUT') options.catalog.learn(shown.body.object)
				else options.catalog.forget(shown.body.object)
			}
			const type = options.catalog.byResource(object.group, object.resource)
			const folded =
				isStored && object.resource === 'leases' && before?.body && after?.body ? foldLease(before.body, after.body) : undefined
			const operation: Operation = event.type === 'DELETE' ? 'deleted' : event.createRevision === event.modRevision ? 'created' : 'updated'
			const note = noteOf(shown?.head, event, before?.head) ?? foreignNote(type, stored)
			const version = makeVersion(
				{
					cluster: options.cluster,
					source: options.source,
					...clock.read(observedAt, sighting === 'watch' ? writtenAt : undefined),
					observedAt,
					space: options.space,
					revision: event.modRevision,
					operation,
					sighting,
					object,
					apiVersion: stored?.apiVersion ?? (type ? `${type.group === '' ? '' : `${type.group}/`}${type.version}` : ''),
					objectKind: stored?.kind ?? type?.kind ?? '',
					uid,
					before: folded ? null : (before?.body ?? null),
					after: folded ? null : (after?.body ?? null),
					beforeRevision: event.prev?.modRevision ?? null,
					owners: owners.chain(uid, ownerReferences, event.type === 'DELETE'),
					encoding,
					...(note === undefined ? {} : { note }),
					...(folded === undefined ? {} : { folded }),
				},
				options.catalog,
			)
			// A batch of values would outlive the young generation; their texts are small.
			before?.body?.settle()
			after?.body?.settle()
			return version
		},
	}
}

const nothingKnown: Head = { encoding: 'raw', uid: '', ownerReferences: undefined, writtenAt: undefined }

function headOf(decoded: Decoded): Head {
	if ('reject' in decoded) return { ...nothingKnown, reject: decoded.reject }
	if ('note' in decoded) return { ...nothingKnown, encoding: decoded.encoding, note: decoded.note }
	const { encoding, apiVersion, kind, value } = decoded
	const metadata = fields(value['metadata'])
	return {
		encoding,
		stored: { apiVersion, kind, namespace: text(metadata['namespace']), name: text(metadata['name']) },
		uid: text(metadata['uid']),
		ownerReferences: metadata['ownerReferences'],
		writtenAt: writtenTime(value),
	}
}

function noteOf(head: Head | undefined, event: EtcdEvent, before: Head | undefined): string | undefined {
	if (head?.note !== undefined) return head.note
	if (head?.reject !== undefined) return `its value cannot be read: ${head.reject}`
	if (event.type === 'DELETE' && !event.prev) return 'the value before is not known: it was compacted'
	if (before?.reject !== undefined) return `the value before cannot be read: ${before.reject}`
	return undefined
}

/** A value under the key of another resource: nobody but who writes around the API server makes one. */
function foreignNote(type: ResourceType | undefined, stored: Stored | undefined): string | undefined {
	if (!type || !stored || type.kind === stored.kind) return undefined
	return `its value is of another kind: ${shownText(`${stored.apiVersion} ${stored.kind}`)}`
}

/** A time that the writer put into the object at this write: the Lease's renewal, the Event's last sighting. */
function writtenTime(value: Fields): Micros | undefined {
	const written = value['kind'] === 'Lease' ? fields(value['spec'])['renewTime'] : undefined
	return typeof written === 'string' ? parseTime(written) : undefined
}

/** The last value of each key, so that the value before is mostly not decoded twice: bounded in bytes, longest untouched first. */
function createLast(): { get(key: string): Last | undefined; set(key: string, value: Last): void; delete(key: string): void } {
	const values = new Map<string, Last>()
	let bytes = 0
	const remove = (key: string): void => {
		bytes -= values.get(key)?.bytes ?? 0
		values.delete(key)
	}
	return {
		get: (key) => values.get(key),
		set(key, value) {
			remove(key)
			values.set(key, value)
			bytes += value.bytes
			for (const oldest of values.keys()) {
				if (bytes <= lastBytesMax) break
				remove(oldest)
			}
		},
		delete: remove,
	}
}
