// Sent against received between two looks at the counters: what is certainly lost, and nothing that is not.
import type { Micros } from '#records/time.ts'
import type { Counters } from './exposition.ts'
import type { ReceivedEntries } from './received.ts'

/** One look at one API server's counters. */
export interface Look {
	readonly counters: Counters
	/** By our clock: asked, and answered. */
	readonly sentAt: Micros
	readonly answeredAt: Micros
	/** By the API server's clock: not before, not after. */
	readonly low: Micros
	readonly high: Micros
	/** How often its clock or ours was set before. */
	readonly steps: number
}

/** Looks at all API servers of a cluster at about one time, by their names; undefined where one did not answer. */
export type Round = ReadonlyMap<string, Look | undefined>

export interface Failed {
	readonly server: string
	readonly plugin: string
	readonly count: number
	readonly from: Look
	readonly to: Look
}

/** An entry is counted so long after the time that is written in it, at most: it is stamped right before. */
const stampMargin = 250_000
/** A request may wait for its authentication so long before it is counted; the default of --request-timeout. */
const earlyMargin = 60_000_000

const isSameProcess = (from: Look, to: Look): boolean =>
	from.counters.processStart === to.counters.processStart && to.counters.events >= from.counters.events

/** What the API servers gave up on between two looks: of a process that began between them, all that it counts. */
export function failedBetween(server: string, from: Look, to: Look): readonly Failed[] {
	const same = from.counters.processStart === to.counters.processStart
	return [...to.counters.errors].flatMap(([plugin, errors]) => {
		const count = errors - (same ? (from.counters.errors.get(plugin) ?? 0) : 0)
		return count > 0 ? [{ server, plugin, count, from, to }] : []
	})
}

export type Verdict =
	| { readonly known: false; readonly why: string }
	| {
			readonly known: true
			/** Entries that were sent, at least; exactly that many where `whole`. */
			readonly sent: number
			readonly whole: boolean
			/** Of these, at most so many came. */
			readonly received: number
	  }

/** What a server sent between the first and the last of the rounds, by all looks at it: at least so much, exactly so where `whole`. */
function sentBy(server: string, rounds: readonly Round[]): { readonly sent: number; readonly whole: boolean } {
	let [sent, before] = [0, rounds[0]?.get(server)]
	let whole = before !== undefined && rounds.at(-1)?.get(server) !== undefined
	for (const round of rounds.slice(1)) {
		const look = round.get(server)
		if (!look) continue
		if (before) {
			const same = isSameProcess(before, look)
			// A process that began between the looks counts from 0; what the one before it wrote at its end nobody counted.
			sent += look.counters.events - (same ? before.counters.events : 0)
			whole &&= same
		}
		before = look
	}
	return { sent, whole }
}

/** `received` must have had the time to come: call it so long after the last round that nothing can be on its way any more. */
export function compare(servers: readonly string[], rounds: readonly Round[], received: ReceivedEntries): Verdict {
	let [sent, low, high] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
	let whole = true
	for (const server of servers) {
		const looks = rounds.map((round) => round.get(server)).filter((look) => look !== undefined)
		const [first, last] = [looks[0], looks.at(-1)]
		// What is not known of a server was perhaps sent: it only makes the number larger.
		const found = sentBy(server, rounds)
		whole &&= found.whole
		sent += found.sent
		if (!first || !last) continue
		if (first.steps !== last.steps) return { known: false, why: 'a clock was set' }
		low = Math.min(low, first.low)
		high = Math.max(high, last.high)
	}
	if (sent === 0) return { known: false, why: 'nothing is known to have been sent' }
	if (!received.knowsSince(low - stampMargin)) return { known: false, why: 'not all that came is remembered' }
	return { known: true, sent, whole, received: Math.min(sent, received.atMost(low - stampMargin, high, earlyMargin)) }
}
