// Custom resources whose definition was deleted: what is known of them and was not seen to go has gone with it. Kept in the state until it is told.
import type { LocalState } from '#collectors/local-state.ts'
import { Body } from '#records/body.ts'
import type { Revision } from '#records/revision.ts'
import type { CommonOutbox } from './common-outbox.ts'
import type { ServedResource } from './discovery.ts'
import { Ledger, type LedgerParts } from './ledger.ts'

const cursorOf = (resource: string): string => `gone ${resource}`

export class GoneResources {
	readonly #state: LocalState
	readonly #outbox: CommonOutbox
	readonly #revisions = new Map<string, Revision>()

	constructor(state: LocalState, outbox: CommonOutbox) {
		this.#state = state
		this.#outbox = outbox
	}

	/** A resource of which the state knows objects: a run before may have ended between its definition's end and theirs. */
	learn(resource: string): void {
		const revision = this.#state.cursor(cursorOf(resource))
		if (revision !== undefined && revision !== '') this.#revisions.set(resource, BigInt(revision))
	}

	add(resource: string, revision: Revision): void {
		this.#revisions.set(resource, revision)
		this.#outbox.add({ name: cursorOf(resource), cursor: () => revision.toString() })
	}

	/** Those that are not served any more, or not yet again; the others go on by their own watch, which tells what has gone. */
	take(served: ReadonlySet<string>): readonly (readonly [resource: string, revision: Revision])[] {
		const gone = [...this.#revisions].filter(([resource]) => !served.has(resource))
		for (const resource of this.#revisions.keys()) if (served.has(resource)) this.#done(resource)
		this.#revisions.clear()
		return gone
	}

	/** Call it when nothing follows the resource any more. `ledger`: of what did, in this session. */
	async tell(resource: string, revision: Revision, parts: LedgerParts, ledger?: Ledger): Promise<void> {
		const served = ledger ? undefined : servedAs(resource, this.#state)
		await (ledger ?? (served && new Ledger(served, parts)))?.end(revision)
		this.#done(resource)
	}

	#done(resource: string): void {
		this.#outbox.add({ name: cursorOf(resource), cursor: () => '' })
	}
}

/** As its known objects say; undefined where none is left. */
function servedAs(name: string, state: LocalState): ServedResource | undefined {
	for (const { key, value } of state.list(`${name}/`)) {
		const { apiVersion, kind } = Body.ofBytes(value).object
		const dot = name.indexOf('.')
		return {
			name,
			resource: name.slice(0, dot),
			group: name.slice(dot + 1),
			version: String(apiVersion).slice(String(apiVersion).indexOf('/') + 1),
			kind: String(kind),
			namespaced: !key.startsWith(`${name}/-/`),
			aggregated: false,
		}
	}
	return undefined
}
