// Which revision space the API server's revisions are of: they only grow, so that a smaller one means a restored etcd, and a new space begins.
import type { LocalState } from '#collectors/local-state.ts'
import { mainSpace, type Revision } from '#records/revision.ts'
import type { CommonOutbox, CursorOwner } from './common-outbox.ts'
import type { Position } from './position.ts'

/** Events may be in an etcd of their own, with revisions of their own: what they tell holds for them alone. */
const eventsName = 'events'
type Domain = 'objects' | 'events'
const domainOf = (resource: string): Domain => (resource === eventsName ? 'events' : 'objects')

interface Kept {
	readonly objects: string
	readonly events: string
	/** Spaces begun so far. */
	readonly begun: number
	/** The first revision that was seen, of the current space of objects: the record begins there. */
	readonly started: string | null
	/** What had been seen when resources were looked up last. */
	readonly discovered: string | null
}

const start: Kept = { objects: mainSpace, events: mainSpace, begun: 0, started: null, discovered: null }

export class Spaces implements CursorOwner {
	readonly name = 'spaces'
	readonly #outbox: CommonOutbox
	#kept: Kept
	/** The highest revision seen in the current space. */
	readonly #highest: Record<Domain, Revision> = { objects: 0n, events: 0n }

	constructor(state: LocalState, outbox: CommonOutbox) {
		const kept = state.cursor(this.name)
		this.#kept = kept === undefined ? start : { ...start, ...(JSON.parse(kept) as Partial<Kept>) }
		this.#outbox = outbox
	}

	cursor(): string {
		return JSON.stringify(this.#kept)
	}

	/** The resource's stream has come to `revision`. */
	saw(resource: string, { space }: Position, revision: Revision): void {
		const domain = domainOf(resource)
		if (space !== this.#kept[domain] || revision <= this.#highest[domain]) return
		this.#highest[domain] = revision
		if (domain === 'objects' && this.#kept.started === null) this.#keep({ started: revision.toString() })
	}

	/** Resources were looked up when so much had been seen. */
	discovered(seen: Revision): void {
		if (seen > 0n) this.#keep({ discovered: seen.toString() })
	}

	/** A resource that is found now, and was not when resources were looked up before, was not there yet at this revision. Undefined at the very start. */
	get newSince(): Revision | undefined {
		const since = this.#kept.discovered ?? this.#kept.started
		return since === null ? undefined : BigInt(since)
	}

	#keep(changed: Partial<Kept>): void {
		this.#kept = { ...this.#kept, ...changed }
		this.#outbox.add(this)
	}

	current(resource: string): string {
		return this.#kept[domainOf(resource)]
	}

	/** The API server has come at least so far. Ask before its newest revision is asked for: after that, others may have seen more. */
	floorOf(resource: string): Revision {
		return this.#highest[domainOf(resource)]
	}

	/**
	 * The space that a resource must go on in, where the API server's newest revision is `head` and cannot be below `floor`: its own, or another one,
	 * where the revisions have gone back, or had for a resource that was looked at before.
	 */
	spaceOf(resource: string, position: Position, head: Revision, floor: Revision): string {
		const domain = domainOf(resource)
		const current = this.#kept[domain]
		if (position.space !== current || head >= floor) return current
		const other = this.#kept[domain === 'events' ? 'objects' : 'events']
		const begun = this.#kept.begun + 1
		this.#highest[domain] = 0n
		this.#keep({
			begun,
			[domain]: other === current ? `api-${begun}-${head}` : other,
			...(domain === 'objects' ? { started: head.toString(), discovered: null } : {}),
		})
		return this.#kept[domain]
	}
}
