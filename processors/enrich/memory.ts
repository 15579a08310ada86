// The histories in memory: bounded, by cluster and uid; what was forgotten is read from the store again.
import type { ObjectRef } from '#records/object-key.ts'
import type { Redacted, Change } from '#records/record.ts'
import type { Indexed } from '#records/indexed.ts'
import { ObjectHistory, spanOf, type Version } from './versions.ts'

export const enrichLimits = {
	/** Objects remembered; the longest untouched is forgotten first. */
	objects: 100_000,
	/** Runs of one object with the same labels, owners, node and images. */
	runsOfObject: 64,
	/** Versions of one object read from the store. */
	versionsRead: 5000,
	pageItems: 500,
	/** A container's clock may be so much behind that of the API server. */
	clockSkewMs: 3_600_000,
} as const

/** Whose history: the object as it is named, and the uid it is told from its successors by. */
export interface Subject {
	readonly cluster: string
	readonly object: ObjectRef
	readonly uid: string
}

export function versionOf({ record, labels, owners, pod }: Indexed<Change>): Version {
	return {
		labels,
		owners,
		...(pod ? { pod } : {}),
		space: record.space,
		revision: record.revision,
		...spanOf(record),
		isCreation: record.operation === 'created' && record.sighting === 'watch',
	}
}

/** Changes that say something of their object. */
export function isTelling(indexed: Indexed): indexed is Indexed<Redacted<Change>> {
	const { record } = indexed
	return record.kind === 'change' && record.uid !== '' && !record.folded && record.operation !== 'deleted'
}

export class Memory {
	readonly #histories = new Map<string, ObjectHistory>()
	readonly #objectsMax: number

	constructor(objectsMax: number = enrichLimits.objects) {
		this.#objectsMax = objectsMax
	}

	get size(): number {
		return this.#histories.size
	}

	#key(cluster: string, uid: string): string {
		return `${cluster}\0${uid}`
	}

	get(cluster: string, uid: string): ObjectHistory | undefined {
		return this.#histories.get(this.#key(cluster, uid))
	}

	/** The longest untouched is forgotten where there are too many. */
	touch(cluster: string, uid: string): ObjectHistory {
		return this.keep(cluster, uid, this.get(cluster, uid) ?? new ObjectHistory())
	}

	/** Gives what is kept: the latest runs. */
	keep(cluster: string, uid: string, history: ObjectHistory): ObjectHistory {
		const key = this.#key(cluster, uid)
		const kept = history.latest(enrichLimits.runsOfObject)
		this.#histories.delete(key)
		this.#histories.set(key, kept)
		if (this.#histories.size > this.#objectsMax) this.#histories.delete(this.#histories.keys().next().value ?? '')
		return kept
	}

	forget(cluster: string, uid: string): void {
		this.#histories.delete(this.#key(cluster, uid))
	}
}
