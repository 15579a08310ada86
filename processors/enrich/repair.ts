// Lines that were stored before a version of their Pod came: told anew when it has come. The order between the streams of lines and of changes is not given.
import type { Store } from '#storage/store/port.ts'
import type { Micros } from '#records/time.ts'
import { foundOfLine } from './found.ts'
import { enrichLimits, type Subject } from './memory.ts'
import { isSaidAlready, type ObjectHistory, type Version } from './versions.ts'

export type LineStore = Pick<Store, 'timeline' | 'amend' | 'clusters' | 'show'>

/** Whose lines are to be told anew, and from when on. */
export type Pending = Map<string, { readonly subject: Subject; readonly from: Micros }>

/** One process reads every change of a Pod and every line of it (placeKey in records/codec.ts). */
export class Repairs {
	readonly #store: LineStore
	#clustersWithLines: Promise<Set<string>> | undefined

	constructor(store: LineStore) {
		this.#store = store
	}

	/** Lines from this version on; `isEarlierToo`: also those that a clock that is behind dates before it. */
	add(pending: Pending, subject: Subject, version: Version, isEarlierToo: boolean): void {
		const key = `${subject.cluster}\0${subject.uid}`
		const from = version.earliest - (isEarlierToo ? enrichLimits.clockSkewMs * 1000 : 0)
		const known = pending.get(key)
		pending.set(key, { subject, from: Math.max(0, known ? Math.min(known.from, from) : from) })
	}

	async sawLine(cluster: string): Promise<void> {
		;(await this.#withLines()).add(cluster)
	}

	/** Most changes come where no lines are kept at all: then nothing is asked. */
	async mayHaveLines(cluster: string): Promise<boolean> {
		return (await this.#withLines()).has(cluster)
	}

	#withLines(): Promise<Set<string>> {
		// Also what the process had put whose partitions came to this one.
		this.#clustersWithLines ??= this.#store
			.show()
			.then(() => this.#store.clusters())
			.then(
				(clusters) => new Set(clusters.flatMap(({ name, counts }) => ((counts.log ?? 0) > 0 ? [name] : []))),
				(error: unknown) => {
					this.#clustersWithLines = undefined
					throw error
				},
			)
		return this.#clustersWithLines
	}

	/** Gives how many lines were told anew. What it throws leaves the rest for the next time. */
	async run(pending: Pending, historyOf: (subject: Subject, near: Micros) => Promise<ObjectHistory>): Promise<number> {
		let count = 0
		let isShown = false
		for (const [key, { subject, from }] of pending) {
			const mayHave = await this.mayHaveLines(subject.cluster)
			// Lines that were put a moment ago would not be found, and nobody looks again.
			if (mayHave && !isShown) await this.#store.show()
			isShown ||= mayHave
			if (mayHave) count += await this.#tellAnew(subject, from, await historyOf(subject, from))
			pending.delete(key)
		}
		return count
	}

	async #tellAnew({ cluster, uid, object }: Subject, from: Micros, history: ObjectHistory): Promise<number> {
		const { node } = history
		let count = 0
		let cursor: string | undefined
		do {
			const filter = { cluster, uid, pod: object.name, include: ['log'], from } as const
			const page = await this.#store.timeline(filter, {
				limit: enrichLimits.pageItems,
				order: 'asc',
				...(cursor === undefined ? {} : { cursor }),
			})
			const amendments = page.items.flatMap((item) => {
				if (!item.log) return []
				const found = foundOfLine(history, { ...item, container: item.log.container })
				const said = { labels: item.labels ?? {}, owners: item.owners ?? [], images: item.images ?? [] }
				return isSaidAlready(said, found) && (item.log.node !== '' || node === '') ? [] : [{ id: item.id, ...found, node }]
			})
			if (amendments.length > 0) await this.#store.amend(cluster, amendments)
			count += amendments.length
			cursor = page.next ?? undefined
		} while (cursor !== undefined)
		return count
	}
}
