// What the collector states about its own completeness: ranges of revisions seen whole, and gaps.
import { hash } from 'node:crypto'
import { statementId } from '#records/id.ts'
import { gapKeysMax, type Coverage, type Gap, type GapReason } from '#records/record.ts'
import type { Revision } from '#records/revision.ts'
import type { Micros } from '#records/time.ts'

/** A range is stated when it holds so many versions, or has been open so long. */
const rangeVersionsMax = 2000
const rangeMicrosMax = 1_000_000

/** The open range, as it is kept in the cursor: a restart goes on where it stood. */
export interface OpenRange {
	readonly from: string
	readonly versions: number
	readonly chain: string
}

export interface LedgerOptions {
	readonly cluster: string
	readonly source: string
	readonly space: string
	readonly scope: string
}

/** The chain is folded version by version: SHA-256 of the chain before, the revision and the key. */
export class Ledger {
	readonly #options: LedgerOptions
	#from: Revision
	#versions = 0
	#chain = ''
	#openedAt: Micros | undefined

	constructor(options: LedgerOptions, from: Revision, open?: OpenRange) {
		this.#options = options
		this.#from = open ? BigInt(open.from) : from
		this.#versions = open?.versions ?? 0
		this.#chain = open?.chain ?? ''
	}

	get open(): OpenRange {
		return { from: this.#from.toString(), versions: this.#versions, chain: this.#chain }
	}

	add(revision: Revision, key: string): void {
		this.#versions += 1
		this.#chain = hash('sha256', `${this.#chain}\n${revision}\n${key}`, 'hex')
	}

	/** The next range begins at `from`: what is before it is a gap. */
	skip(from: Revision): void {
		this.#from = from
		this.#versions = 0
	}

	/** The range up to `to`, if it is due (or wanted now) and not empty; the next one then begins behind it. */
	close(to: Revision, now: Micros, wanted: boolean): Coverage | undefined {
		this.#openedAt ??= now
		if (to < this.#from) return undefined
		if (!wanted && this.#versions < rangeVersionsMax && now - this.#openedAt < rangeMicrosMax) return undefined
		const { cluster, source, space, scope } = this.#options
		const coverage: Coverage = {
			kind: 'coverage',
			id: statementId('coverage', cluster, now, source, space, scope, String(this.#from), String(to)),
			cluster,
			source,
			occurredAt: now,
			occurredBound: 0,
			observedAt: now,
			space,
			scope,
			fromRevision: this.#from,
			toRevision: to,
			versions: this.#versions,
			chain: this.#chain,
		}
		this.#from = to + 1n
		this.#versions = 0
		this.#openedAt = undefined
		return coverage
	}
}

export interface GapInput {
	readonly reason: GapReason
	readonly from: Revision | null
	readonly to: Revision
	readonly fromAt: Micros | null
	readonly now: Micros
	readonly touched: readonly string[]
	readonly touchedCount: number
	readonly detail: string
}

/** The same gap stated again after a crash has the same id. */
export function makeGap(options: LedgerOptions, input: GapInput): Gap {
	const { cluster, source, space, scope } = options
	return {
		kind: 'gap',
		id: statementId('gap', cluster, input.fromAt ?? input.now, source, space, scope, input.reason, String(input.from)),
		cluster,
		source,
		occurredAt: input.now,
		occurredBound: input.fromAt === null ? 0 : Math.max(0, input.now - input.fromAt),
		observedAt: input.now,
		space,
		scope,
		reason: input.reason,
		fromRevision: input.from,
		toRevision: input.to,
		fromAt: input.fromAt,
		toAt: input.now,
		touched: input.touched.slice(0, gapKeysMax),
		touchedCount: input.touchedCount,
		detail: input.detail,
	}
}
