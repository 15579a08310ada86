// What is known of one object over time: its labels, owners and, of a Pod, node and images, each from a revision and a time on.
import type { Indexed, PodFacts } from '#records/indexed.ts'
import type { OwnerRef } from '#records/record.ts'
import type { Revision } from '#records/revision.ts'
import type { Micros } from '#records/time.ts'

export interface Facts {
	readonly labels: Readonly<Record<string, string>>
	readonly owners: readonly OwnerRef[]
	/** Of a Pod whose value could be read. */
	readonly pod?: PodFacts
}

/** A version from which on the facts were these. */
export interface Version extends Facts {
	readonly space: string
	readonly revision: Revision
	/** It began between these two times. */
	readonly earliest: Micros
	readonly latest: Micros
	/** The object did not exist before. */
	readonly isCreation: boolean
}

/** Of a run of versions with the same facts: the first, and the revision of the last. */
interface Run {
	readonly first: Version
	last: Revision
}

export interface Timed {
	readonly occurredAt: Micros
	readonly occurredBound: Micros
	readonly observedAt: Micros
}

/** When it happened at the earliest and at the latest: what was seen had happened by then. */
export function spanOf({ occurredAt, occurredBound, observedAt }: Timed): Pick<Version, 'earliest' | 'latest'> {
	const earliest = occurredAt - occurredBound
	return { earliest, latest: Math.max(earliest, Math.min(occurredAt + occurredBound, Math.max(occurredAt, observedAt))) }
}

function areSameTexts(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
	if (a === b) return true
	const names = Object.keys(a)
	return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && a[name] === b[name])
}

export function areSameOwners(a: readonly OwnerRef[], b: readonly OwnerRef[]): boolean {
	return a.length === b.length && a.every((owner, index) => owner.uid === b[index]?.uid && owner.name === b[index].name)
}

function areSamePods(a: PodFacts | undefined, b: PodFacts | undefined): boolean {
	if (!a || !b) return a === b
	return a.node === b.node && a.configHash === b.configHash && areSameTexts(a.images, b.images)
}

const areSame = (a: Facts, b: Facts): boolean =>
	areSameTexts(a.labels, b.labels) && areSameOwners(a.owners, b.owners) && areSamePods(a.pod, b.pod)

/** Whether they say the same of a record. */
export const isSaidAlready = (
	said: Pick<Indexed, 'labels' | 'owners' | 'images'>,
	found: Pick<Indexed, 'labels' | 'owners' | 'images'>,
): boolean =>
	areSameTexts(said.labels, found.labels) &&
	areSameOwners(said.owners, found.owners) &&
	said.images.length === found.images.length &&
	said.images.every((image, index) => image === found.images[index])

/** Older first. Revisions of two spaces do not compare: times do, as well as they are known. */
function isBefore(a: Version, b: Version): boolean {
	return a.space === b.space ? a.revision < b.revision : a.latest < b.latest
}

export class ObjectHistory {
	readonly #runs: Run[] = []
	/** Nothing more is to be found of the time before the first run. */
	reachesBack = false

	get isEmpty(): boolean {
		return this.#runs.length === 0
	}

	/** With at most so many runs, the latest; itself where it has no more. */
	latest(runsMax: number): ObjectHistory {
		if (this.#runs.length <= runsMax) return this
		const short = new ObjectHistory()
		short.#runs.push(...this.#runs.slice(-runsMax).map((run) => ({ ...run })))
		return short
	}

	/** `begins`: from this version on something differs. `continues`: nothing differs. `disorder`: it came late, into a run that is kept by its ends only; the history must be read anew. */
	add(version: Version): 'begins' | 'continues' | 'disorder' {
		const index = this.#runs.findLastIndex((run) => !isBefore(version, run.first))
		const run = this.#runs[index]
		if (run && run.first.space === version.space) {
			if (version.revision === run.first.revision) return 'begins'
			if (version.revision <= run.last) return areSame(version, run.first) ? 'continues' : 'disorder'
			if (areSame(version, run.first)) {
				run.last = version.revision
				return 'continues'
			}
		}
		if (index < 0 && version.isCreation) this.reachesBack = true
		this.#runs.splice(index + 1, 0, { first: version, last: version.revision })
		return 'begins'
	}

	/** The version that stood at a revision of that space; undefined where none is known. */
	atRevision(space: string, revision: Revision): Version | undefined {
		return this.#runs.findLast(({ first }) => first.space === space && first.revision <= revision)?.first
	}

	/** Whether revisions of that space are known of it. */
	hasSpace(space: string): boolean {
		return this.#runs.some(({ first }) => first.space === space)
	}

	/**
	 * Every version that may have stood between two times, and whether one that is not known may have as well.
	 * An object that was created is taken to exist then, whatever the clocks say: what happened to it happened behind its creation.
	 */
	between(from: Micros, to: Micros): { readonly versions: readonly Version[]; readonly unknown: boolean } {
		const versions: Version[] = []
		let next: Version | undefined
		for (const { first } of this.#runs.toReversed()) {
			if (first.earliest <= to && (!next || next.latest > from)) versions.push(first)
			next = first
		}
		if (!next) return { versions, unknown: true }
		if (next.isCreation) return { versions: versions.length === 0 ? [next] : versions, unknown: false }
		return { versions, unknown: next.latest > from }
	}

	/** From when to when (exclusive) `between` says of each moment what it says of this one. */
	stretchAround(at: Micros): { readonly from: Micros; readonly to: Micros } {
		let from = Number.NEGATIVE_INFINITY
		let to = Number.POSITIVE_INFINITY
		for (const { first } of this.#runs) {
			for (const edge of [first.earliest, first.latest]) {
				if (edge <= at) from = Math.max(from, edge)
				else to = Math.min(to, edge)
			}
		}
		return { from, to }
	}

	/** The node of a Pod never changes once it is set. */
	get node(): string {
		return this.#runs.findLast(({ first }) => first.pod && first.pod.node !== '')?.first.pod?.node ?? ''
	}
}
