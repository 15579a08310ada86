// Gaps in which nothing differed: after a restart of the API server every resource has one. They are one statement, made when no more of them come.
import type { CollectorContext } from '#collectors/port.ts'
import type { CommonOutbox, CursorOwner } from './common-outbox.ts'
import type { UntoldGap } from './position.ts'
import { makeGap } from './statements.ts'

/** No other has come for so long; or they have been coming for so long. */
const settleMs = 3000
const settleMsMax = 30_000

/** A resource's stream: it keeps its gap in its cursor until it is told. */
export interface Teller extends CursorOwner {
	readonly resource: string
	readonly space: string
	readonly untold: UntoldGap | null
	/** The gap is in the outbox. */
	told(): void
}

export class QuietGaps {
	readonly #context: CollectorContext
	readonly #outbox: CommonOutbox
	readonly #signal: AbortSignal
	readonly #waiting = new Set<Teller>()
	#last = 0
	#isSettling = false

	constructor(context: CollectorContext, outbox: CommonOutbox, signal: AbortSignal) {
		this.#context = context
		this.#outbox = outbox
		this.#signal = signal
	}

	add(teller: Teller): void {
		this.#waiting.add(teller)
		this.#last = this.#context.clock.nowMicros()
		if (!this.#isSettling) void this.#settle()
	}

	async #settle(): Promise<void> {
		const { clock } = this.#context
		this.#isSettling = true
		const began = clock.nowMicros()
		for (;;) {
			const wait = Math.min(this.#last / 1000 + settleMs, began / 1000 + settleMsMax) - clock.nowMicros() / 1000
			if (wait <= 0 || this.#signal.aborted) break
			await clock.sleep(wait, this.#signal)
		}
		this.#isSettling = false
		// A session that ends leaves them to the next one: they are in the cursors.
		if (!this.#signal.aborted) this.#tell()
	}

	/** The statement and all cursors that it frees go in one batch. */
	#tell(): void {
		const groups = Map.groupBy(this.#waiting, ({ untold, space }) => `${untold?.reason} ${space}`)
		this.#waiting.clear()
		for (const tellers of groups.values()) {
			const gaps = tellers.flatMap(({ untold }) => untold ?? [])
			const [first] = tellers
			const reason = gaps[0]?.reason
			if (!first || reason === undefined) continue
			const froms = gaps.map(({ from }) => (from === null ? null : BigInt(from)))
			const times = gaps.flatMap(({ fromAt }) => fromAt ?? [])
			const resources = tellers.map(({ resource }) => resource).toSorted()
			const gap = makeGap({
				cluster: this.#context.cluster,
				space: first.space,
				resources,
				reason,
				from: froms.includes(null) ? null : (froms as bigint[]).reduce((least, from) => (from < least ? from : least)),
				to: gaps.map(({ to }) => BigInt(to)).reduce((most, to) => (to > most ? to : most)),
				fromAt: times.length === 0 ? null : Math.min(...times),
				now: this.#context.clock.nowMicros(),
				touched: [],
				touchedCount: 0,
			})
			this.#context.log.warn({ resources: resources.length, reason }, 'versions may be missing, though nothing differs: a gap is recorded')
			for (const teller of tellers) teller.told()
			this.#outbox.add(first, gap)
		}
	}
}
