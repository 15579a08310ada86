// What the definitions of custom resources tell: since when a resource can have objects, and that it has gone with all of them. Kept in the state until it is told.
import type { LocalState } from '#collectors/local-state.ts'
import { Body } from '#records/body.ts'
import { definedBy } from '#records/catalog.ts'
import { resourceName } from '#records/object-key.ts'
import type { Revision } from '#records/revision.ts'
import type { CommonOutbox, CursorOwner } from './common-outbox.ts'
import { definitions, isConfigured, type ServedResource } from './discovery.ts'
import type { KubernetesConfig } from './config.ts'
import { Ledger, type LedgerParts } from './ledger.ts'

interface Gone {
	readonly served: ServedResource
	readonly revision: string
}

interface Kept {
	/** By resource: the revision before its definition came, of those that came while everything was recorded. */
	readonly made: Readonly<Record<string, string>>
	/** By resource: whose definition was deleted. */
	readonly gone: Readonly<Record<string, Gone>>
}

type Definition = Readonly<Record<string, unknown>>

export class CustomResources implements CursorOwner {
	readonly name = 'custom resources'
	readonly #config: KubernetesConfig
	readonly #state: LocalState
	readonly #outbox: CommonOutbox
	readonly #telling = new Set<string>()
	#kept: Kept

	constructor(config: KubernetesConfig, state: LocalState, outbox: CommonOutbox) {
		this.#config = config
		this.#state = state
		this.#outbox = outbox
		const kept = state.cursor(this.name)
		this.#kept = kept === undefined ? { made: {}, gone: {} } : (JSON.parse(kept) as Kept)
	}

	cursor(): string {
		return JSON.stringify(this.#kept)
	}

	#keep(changed: Partial<Kept>): void {
		this.#kept = { ...this.#kept, ...changed }
		this.#outbox.add(this)
	}

	/** A definition that was not there at `after`. */
	made(definition: Definition, after: Revision): void {
		const served = servedBy(definition)
		if (served) this.#keep({ made: { ...this.#kept.made, [served.name]: after.toString() } })
	}

	/** The resource can have had no objects up to this revision; undefined where its definition was always there. */
	madeAfter(resource: string): Revision | undefined {
		const after = this.#kept.made[resource]
		return after === undefined ? undefined : BigInt(after)
	}

	/** A definition was deleted: its resource has gone with all its objects, also those that nobody saw. */
	gone(definition: Definition, revision: Revision): void {
		const served = servedBy(definition)
		if (served && isConfigured(served, this.#config))
			this.#keep({ gone: { ...this.#kept.gone, [served.name]: { served, revision: revision.toString() } } })
	}

	/** Some are still served, as discovery tells it a little later: look again. */
	get areAwaited(): boolean {
		return Object.keys(this.#kept.gone).some((resource) => !this.#telling.has(resource))
	}

	/** Those that are not served any more: tell each. What is defined anew goes on by its own watch, which tells what has gone. */
	take(served: ReadonlySet<string>): readonly string[] {
		const waiting = Object.keys(this.#kept.gone).filter((resource) => !this.#telling.has(resource))
		for (const resource of waiting) if (this.#isDefined(resource)) this.#done(resource)
		const gone = waiting.filter((resource) => this.#kept.gone[resource] && !served.has(resource))
		for (const resource of gone) this.#telling.add(resource)
		return gone
	}

	#isDefined(resource: string): boolean {
		return this.#outbox.known(`${definitions}/-/${resource}`) !== undefined
	}

	/** Call it when nothing follows the resource any more. `ledger`: of what did, in this session. */
	async tell(resource: string, parts: LedgerParts, ledger?: Ledger): Promise<void> {
		const gone = this.#kept.gone[resource]
		if (!gone) return
		const version = versionOfKnown(resource, this.#state) ?? gone.served.version
		await (ledger ?? new Ledger({ ...gone.served, version }, parts)).end(BigInt(gone.revision))
		this.#done(resource)
	}

	#done(resource: string): void {
		const without = <T>(of: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
			Object.fromEntries(Object.entries(of).filter(([name]) => name !== resource))
		this.#telling.delete(resource)
		this.#keep({ gone: without(this.#kept.gone), ...(this.#isDefined(resource) ? {} : { made: without(this.#kept.made) }) })
	}
}

function servedBy(definition: Definition): ServedResource | undefined {
	const type = definedBy(definition)
	return type && { ...type, name: resourceName(type), aggregated: false }
}

/** As its known objects say; undefined where none is left. */
function versionOfKnown(resource: string, state: LocalState): string | undefined {
	for (const { value } of state.list(`${resource}/`)) {
		const apiVersion = String(Body.ofBytes(value).object['apiVersion'])
		return apiVersion.slice(apiVersion.indexOf('/') + 1)
	}
	return undefined
}
