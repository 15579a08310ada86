// What one resource's stream makes of the last known state: a record for each new version, one for each object that a list no longer has, and the gap.
import type { CollectorContext } from '#collectors/port.ts'
import type { KnownObject, LocalState } from '#collectors/local-state.ts'
import type { Body } from '#records/body.ts'
import { parseObjectKey } from '#records/object-key.ts'
import type { Operation } from '#records/record.ts'
import type { Revision } from '#records/revision.ts'
import type { Bodies } from './bodies.ts'
import type { CommonOutbox } from './common-outbox.ts'
import type { CustomResources } from './custom-resources.ts'
import { definitions, type ServedResource } from './discovery.ts'
import { cursorName, readPosition, relist, relistInSpace, startAfter, touch, type Position, type UntoldGap } from './position.ts'
import type { QuietGaps, Teller } from './quiet-gaps.ts'
import type { Spaces } from './spaces.ts'
import { makeGap, makeReject } from './statements.ts'
import { readObject, type SeenObject, type Versions } from './versions.ts'
import type { WatchType } from './watch-event.ts'

export interface LedgerParts {
	readonly context: CollectorContext
	readonly state: LocalState
	readonly outbox: CommonOutbox
	readonly versions: Versions
	readonly bodies: Bodies
	readonly spaces: Spaces
	readonly quietGaps: QuietGaps
	readonly customResources: CustomResources
}

type Fields = Readonly<Record<string, unknown>>
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})
const goneNote = 'gone when the list was read: when and at which revision is not known'

export class Ledger implements Teller {
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
		const cursor = parts.state.cursor(this.name)
		const newSince = earlier(parts.spaces.newSince, parts.customResources.madeAfter(served.name))
		this.#position =
			cursor === undefined && newSince !== undefined ? startAfter(newSince, parts.spaces.current(served.name)) : readPosition(cursor)
		// From now on it is none that is new.
		if (cursor === undefined) parts.outbox.add(this)
		const { revision, pending, untold } = this.#position
		if (revision !== '') this.#saw(BigInt(revision))
		else if (pending?.reason === 'relist' && pending.from !== null) this.#saw(BigInt(pending.from) - 1n)
		if (untold) parts.quietGaps.add(this)
	}

	get resource(): string {
		return this.#served.name
	}

	get space(): string {
		return this.#position.space
	}

	get untold(): UntoldGap | null {
		return this.#position.untold
	}

	told(): void {
		this.#position = { ...this.#position, untold: null }
		this.#parts.outbox.add(this)
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

	/** Before the stream goes on: where the API server's newest revision is below what was seen already, a new space begins. */
	async arrive(readHead: () => Promise<Revision>): Promise<void> {
		if (this.#served.aggregated) return
		const floor = this.#parts.spaces.floorOf(this.#served.name)
		const head = await readHead()
		const space = this.#parts.spaces.spaceOf(this.#served.name, this.#position, head, floor)
		if (space === this.#position.space) return
		this.#parts.context.log.warn(
			{ resource: this.#served.name, head: String(head), space },
			'revisions have gone back: everything is listed anew',
		)
		this.#position = relistInSpace(this.#position, space)
		this.#parts.outbox.add(this)
	}

	#saw(revision: Revision): void {
		if (!this.#served.aggregated) this.#parts.spaces.saw(this.#served.name, this.#position, revision)
	}

	beginList(): void {
		this.#listed = new Set()
	}

	bookmark(revision: string): void {
		if (this.#position.pending) return
		this.#stand(revision)
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
		// In a new space revisions say nothing about what is known from the one before.
		const isNewSpace = isListed && pending.reason === 'space-changed'
		if (known && !isNewSpace && (isListed ? known.revision === seen.revision : known.revision >= seen.revision)) return this.#advance(seen)
		if (isNewSpace) this.#foundInSpace(seen, known)
		else if (isListed) this.#found(seen, known, pending.reason !== null)
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

	/** As at a start, but that it tells what is not as it was known. */
	#foundInSpace(seen: SeenObject, known: KnownObject | undefined): void {
		const { pending } = this.#position
		const isSame = known !== undefined && Buffer.compare(known.value, seen.body.bytes) === 0
		if (pending && !isSame) this.#position = { ...this.#position, pending: touch(pending, seen.key) }
		this.#record(seen, looksNew(seen) ? 'created' : 'updated', undefined, 'gap', undefined)
	}

	/** Everything up to `revision` is recorded. */
	#stand(revision: string): void {
		this.#position = { ...this.#position, revision, at: this.#parts.context.clock.nowMicros(), pending: null }
		this.#saw(BigInt(revision))
	}

	#advance(seen: SeenObject): void {
		if (!this.#position.pending && !this.#served.aggregated && BigInt(this.#position.revision) >= seen.revision) return
		if (!this.#position.pending) this.#stand(seen.revision.toString())
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
			space: this.#position.space,
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
		if (this.#served.name === definitions) this.#defines(seen, operation, sighting)
	}

	/** With its record in the outbox's open batch. */
	#defines({ body, revision }: SeenObject, operation: Operation, sighting: 'watch' | 'snapshot' | 'gap'): void {
		const { customResources } = this.#parts
		if (operation === 'deleted') customResources.gone(body.object, revision)
		if (operation !== 'created' || sighting === 'snapshot') return
		const from = sighting === 'watch' ? revision : this.#position.pending?.from
		if (from !== undefined && from !== null) customResources.made(body.object, BigInt(from) - 1n)
	}

	/** The resource is no more since `revision`: whatever is still known of it has gone. */
	async end(revision: Revision): Promise<void> {
		this.relist()
		this.beginList()
		await this.finishList(revision.toString(), true)
	}

	/** The list is whole, as of `revision`: what is known and was not in it has gone. From here on it is a watch; where it `isEnd`, nobody comes back to tell a gap together with others. */
	async finishList(revision: string, isEnd = false): Promise<void> {
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
				pending?.reason === 'space-changed' ? undefined : known,
				'gap',
				goneNote,
			)
			if (outbox.isFull) await outbox.room()
		}
		this.#listed = new Set()
		const now = context.clock.nowMicros()
		const { pending } = this.#position
		this.#stand(revision)
		outbox.add(this)
		if (!pending || pending.reason === null) return
		const { reason, fromAt, touched, touchedCount } = pending
		const from = pending.from === null ? null : BigInt(pending.from)
		// Nothing has been written since: nothing can be missing.
		if (from !== null && BigInt(revision) < from && touchedCount === 0) return
		if (touchedCount === 0 && this.#position.untold === null && !isEnd) {
			this.#position = { ...this.#position, untold: { reason, from: pending.from, to: revision, fromAt } }
			return this.#parts.quietGaps.add(this)
		}
		context.log.warn(
			{ resource: this.#served.name, from: pending.from, to: revision, touched: touchedCount },
			'versions may be missing: a gap is recorded',
		)
		outbox.add(
			this,
			makeGap({
				cluster: context.cluster,
				space: this.#position.space,
				resources: [this.#served.name],
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

/** Of two revisions up to which a resource was not there; undefined where the first one is: at the very start all were there. */
const earlier = (discovered: Revision | undefined, defined: Revision | undefined): Revision | undefined =>
	discovered !== undefined && defined !== undefined && defined < discovered ? defined : discovered

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
