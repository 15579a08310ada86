// What one resource's stream makes of the last known state: a record for each new version, one for each object that a list no longer has, and the gap.
import type { CollectorContext } from '#collectors/port.ts'
import type { KnownObject, LocalState } from '#collectors/local-state.ts'
import type { Body } from '#records/body.ts'
import { parseObjectKey } from '#records/object-key.ts'
import type { Operation } from '#records/record.ts'
import type { Bodies } from './bodies.ts'
import type { CommonOutbox, CursorOwner } from './common-outbox.ts'
import type { ServedResource } from './discovery.ts'
import { cursorName, readPosition, relist, touch, type Position } from './position.ts'
import { makeGap, makeReject } from './statements.ts'
import { readObject, type SeenObject, type Versions } from './versions.ts'
import type { WatchType } from './watch-event.ts'

export interface LedgerParts {
	readonly context: CollectorContext
	readonly state: LocalState
	readonly outbox: CommonOutbox
	readonly versions: Versions
	readonly bodies: Bodies
}

type Fields = Readonly<Record<string, unknown>>
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})
const goneNote = 'gone when the list was read: when and at which revision is not known'

export class Ledger implements CursorOwner {
	readonly name: string
	readonly #served: ServedResource
	readonly #parts: LedgerParts
	/** Keys of the list that is being read. */
	#listed = new Set<string>()
	#position: Position

	constructor(served: ServedResource, parts: LedgerParts) {
		this.#served = served
		this.#parts = parts
		this.name = cursorName(served.name)
		this.#position = readPosition(parts.state.cursor(this.name))
	}

	get position(): Position {
		return this.#position
	}

	cursor(): string {
		return JSON.stringify(this.#position)
	}

	/** The stream cannot go on where it stood. */
	relist(): void {
		this.#position = relist(this.#position)
		this.#parts.outbox.add(this)
	}

	beginList(): void {
		this.#listed = new Set()
	}

	bookmark(revision: string): void {
		if (this.#position.pending) return
		this.#position = { revision, at: this.#parts.context.clock.nowMicros(), pending: null }
		this.#parts.outbox.add(this)
	}

	reject(reason: string, bytes: Uint8Array | { readonly sha256: string; readonly sizeBytes: number }): void {
		const { cluster, clock } = this.#parts.context
		const where = `${this.#served.name} after revision ${this.#position.revision}`
		this.#parts.outbox.add(this, makeReject({ cluster, step: 'kubernetes.decode', reason, where, now: clock.nowMicros(), bytes }))
	}

	/** An object of a list (ADDED while one is read) or of a watch. What is known already gives nothing. */
	take(type: Exclude<WatchType, 'BOOKMARK' | 'ERROR'>, body: Body): void {
		const seen = readObject(this.#served, body)
		if (typeof seen === 'string') {
			this.reject(seen, body.bytes)
			return
		}
		const { pending } = this.#position
		if (pending) {
			if (type === 'DELETED') this.#listed.delete(seen.key)
			else this.#listed.add(seen.key)
		}
		const known = this.#parts.outbox.known(seen.key)
		const isListed = pending !== null && type === 'ADDED'
		if (known && (isListed ? known.revision === seen.revision : known.revision >= seen.revision)) return this.#advance(seen)
		if (isListed) this.#found(seen, known, pending.reason !== null)
		else this.#happened(type, seen, known)
	}

	#happened(type: string, seen: SeenObject, known: KnownObject | undefined): void {
		const operation: Operation = type === 'ADDED' ? 'created' : type === 'DELETED' ? 'deleted' : 'updated'
		this.#advance(seen)
		const note = operation !== 'created' && !known ? 'the object before is not known' : undefined
		this.#record(seen, operation, operation === 'created' ? undefined : known, 'watch', note)
	}

	#found(seen: SeenObject, known: KnownObject | undefined, afterGap: boolean): void {
		const { pending } = this.#position
		if (pending && afterGap) this.#position = { ...this.#position, pending: touch(pending, seen.key) }
		const before = known && fields(this.#parts.bodies.of(known).object['metadata'])['uid']
		const isAnother = known !== undefined && before !== seen.uid
		const operation: Operation = isAnother || (!known && (afterGap || looksNew(seen))) ? 'created' : 'updated'
		const note = isAnother ? `another object of this name, with uid ${String(before)}, was deleted before it` : undefined
		this.#record(seen, operation, isAnother ? undefined : known, afterGap ? 'gap' : 'snapshot', note)
	}

	#advance(seen: SeenObject): void {
		if (!this.#position.pending && !this.#served.aggregated && BigInt(this.#position.revision) >= seen.revision) return
		if (!this.#position.pending)
			this.#position = { revision: seen.revision.toString(), at: this.#parts.context.clock.nowMicros(), pending: null }
	}

	#record(
		seen: SeenObject,
		operation: Operation,
		known: KnownObject | undefined,
		sighting: 'watch' | 'snapshot' | 'gap',
		note: string | undefined,
	): void {
		const { outbox, versions, bodies, context } = this.#parts
		const before = known && { revision: known.revision, body: bodies.of(known) }
		const observedAt = context.clock.nowMicros()
		const record = versions.toRecord({
			served: this.#served,
			seen,
			operation,
			sighting,
			before,
			observedAt,
			...(note === undefined ? {} : { note }),
		})
		if (operation === 'deleted') bodies.drop(seen.key)
		else bodies.keep(seen.key, seen.revision, seen.body)
		outbox.add(this, record, { key: seen.key, revision: seen.revision, value: operation === 'deleted' ? null : seen.body.bytes })
	}

	/** The list is whole, as of `revision`: what is known and was not in it has gone. From here on it is a watch. */
	async finishList(revision: string): Promise<void> {
		const { outbox, state, bodies, context } = this.#parts
		for (const { key } of state.list(`${this.#served.name}/`)) {
			const known = this.#listed.has(key) ? undefined : outbox.known(key)
			const ref = known && parseObjectKey(key)
			if (!known || !ref) continue
			const body = bodies.of(known)
			const { pending } = this.#position
			if (pending) this.#position = { ...this.#position, pending: touch(pending, key) }
			const uid = fields(body.object['metadata'])['uid']
			this.#record(
				{ key, ref, revision: BigInt(revision), uid: typeof uid === 'string' ? uid : '', body },
				'deleted',
				known,
				'gap',
				goneNote,
			)
			if (outbox.isFull) await outbox.room()
		}
		this.#listed = new Set()
		const now = context.clock.nowMicros()
		const { pending } = this.#position
		this.#position = { revision, at: now, pending: null }
		if (!pending || pending.reason === null) return outbox.add(this)
		const { reason, fromAt, touched, touchedCount } = pending
		const from = pending.from === null ? null : BigInt(pending.from)
		context.log.warn(
			{ resource: this.#served.name, from: pending.from, to: revision, touched: touchedCount },
			'versions may be missing: a gap is recorded',
		)
		outbox.add(
			this,
			makeGap({
				cluster: context.cluster,
				scope: this.#served.name,
				reason,
				from,
				to: BigInt(revision),
				fromAt,
				now,
				touched,
				touchedCount,
			}),
		)
	}
}

/** Nothing has been written to it after its creation, as far as its own times tell. */
function looksNew(seen: SeenObject): boolean {
	const metadata = fields(seen.body.object['metadata'])
	const managed = metadata['managedFields']
	const generation = metadata['generation']
	return (
		Array.isArray(managed) &&
		managed.length === 1 &&
		fields(managed[0])['time'] === metadata['creationTimestamp'] &&
		(generation === undefined || generation === 1)
	)
}
