// The registry: which kinds of objects and which revision spaces there are, in an index of their own, so that no question has to look for them in all records.
import type { Indexed } from '#records/indexed.ts'
import { hash } from 'node:crypto'
import { resourceName, type ObjectRef } from '#records/object-key.ts'
import { aboutOf } from '#storage/store/meaning.ts'
import type { Line } from './document.ts'
import type { Names } from './names.ts'
import type { Searcher } from './search.ts'

export interface KnownKind {
	readonly resource: string
	readonly group: string
	readonly kind: string
}

/** Later spaces win, then higher revisions. By when a space was first seen, the first one first. */
export type Spaces = readonly string[]

const registryMax = 10_000
const idOf = (...parts: readonly string[]): string => hash('sha256', parts.join('\0'), 'hex').slice(0, 32)

export class Registry {
	readonly #searcher: Searcher

	constructor(searcher: Searcher) {
		this.#searcher = searcher
	}

	async #all<T>(filter: readonly object[]): Promise<readonly T[]> {
		const hits = await this.#searcher.hits(this.#searcher.names.registry, { query: { bool: { filter } }, size: registryMax })
		return hits.map((hit) => hit._source as unknown as T)
	}

	kinds(): Promise<readonly KnownKind[]> {
		return this.#all<KnownKind>([{ term: { type: 'kind' } }])
	}

	async spaces(cluster: string): Promise<Spaces> {
		const found = await this.#all<{ space: string; firstAt: number }>([{ term: { type: 'space' } }, { term: { cluster } }])
		return found.toSorted((a, b) => a.firstAt - b.firstAt || (a.space < b.space ? -1 : 1)).map(({ space }) => space)
	}
}

/** What a writer has told the registry. */
export class RegistryLines {
	readonly #names: Names
	readonly #kinds = new Set<string>()
	readonly #spaces = new Map<string, number>()

	constructor(names: Names) {
		this.#names = names
	}

	/** Of what these records tell that is new; `told` once they are there. */
	linesOf(records: readonly Indexed[]): { readonly lines: readonly Line[]; told(): void } {
		const kinds = new Map<string, Line>()
		const spaces = new Map<string, { readonly at: number; readonly line: Line }>()
		const addKind = (object: Pick<ObjectRef, 'resource' | 'group'>, kind: string): void => {
			const key = `${kind}/${resourceName(object)}`
			if (object.resource === '' && kind === '') return
			if (this.#kinds.has(key) || kinds.has(key)) return
			kinds.set(key, this.#line('create', idOf('kind', key), '', { type: 'kind', resource: object.resource, group: object.group, kind }))
		}
		for (const indexed of records) {
			const { record } = indexed
			const about = aboutOf(indexed)
			if (about) addKind(about.object, about.kind)
			if (record.kind !== 'change' && record.kind !== 'event') continue
			if (record.kind === 'event') addKind(record.object, record.objectKind)
			const key = `${record.cluster}\0${record.space}`
			const known = Math.min(this.#spaces.get(key) ?? Number.POSITIVE_INFINITY, spaces.get(key)?.at ?? Number.POSITIVE_INFINITY)
			const at = Math.max(0, Math.floor(record.occurredAt))
			if (!(at < known)) continue
			// The earliest wins, whoever writes when: it has the highest version.
			const version = `,"version":${Number.MAX_SAFE_INTEGER - at},"version_type":"external"`
			const source = { type: 'space', cluster: record.cluster, space: record.space, firstAt: at }
			spaces.set(key, { at, line: this.#line('index', idOf('space', key), version, source) })
		}
		return {
			lines: [...kinds.values(), ...[...spaces.values()].map(({ line }) => line)],
			told: () => {
				for (const key of kinds.keys()) this.#kinds.add(key)
				for (const [key, { at }] of spaces) this.#spaces.set(key, at)
			},
		}
	}

	#line(action: 'create' | 'index', id: string, more: string, source: object): Line {
		const index = this.#names.registry
		return { id, index, bytes: Buffer.from(`{"${action}":{"_index":"${index}","_id":"${id}"${more}}}\n${JSON.stringify(source)}\n`) }
	}
}
