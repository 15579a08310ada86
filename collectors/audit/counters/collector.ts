// Asks the API servers what they count of their audit log, and states what was lost on the way. What cannot be concluded is not stated: it is unknown.
import type { IncomingMessage } from 'node:http'
import { openLocalState, type LocalState } from '#collectors/local-state.ts'
import type { Collector, CollectorContext, Emit } from '#collectors/port.ts'
import type { KubetapeRecord } from '#records/record.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import type { AuditCountersConfig } from '#collectors/audit/config.ts'
import { readCounters } from './exposition.ts'
import { compare, failedBetween, type Look, type Round } from './judge.ts'
import type { ReceivedEntries } from './received.ts'
import { ServerClock } from './server-clock.ts'
import { comparison, failedGap, lostGap, stretchOf, type Way } from './statements.ts'

export interface CountedServer {
	readonly name: string
	/** It writes the file that is read. */
	readonly file: boolean
	/** The answer to GET /metrics. Throws KubetapeError. */
	readonly get: (signal: AbortSignal) => Promise<IncomingMessage>
}

export interface Ways {
	readonly webhook?: ReceivedEntries
	readonly file?: ReceivedEntries
}

const second = 1_000_000
/** Stretches that are compared are so long at least: statements about them are kept. */
const stretchMsMin = 60_000
/** What the entries of an API server may be written before a look, of which it is compared. */
const rememberedMicros = 120 * second
/** Plugins whose failures explain what did not come this way. */
const explaining: Readonly<Record<Way, readonly string[]>> = {
	webhook: ['buffered', 'webhook', 'truncate'],
	file: ['log', 'buffered', 'truncate'],
}

export function createAuditCountersCollector(
	config: AuditCountersConfig,
	servers: readonly CountedServer[],
	ways: Ways,
	context: CollectorContext,
): Collector {
	return {
		name: 'audit counters',
		async run(emit, signal) {
			using state = openLocalState(context.stateDir)
			const watch = new Watch({ config, servers, ways, context, state, emit })
			await watch.resume()
			for (let turn = 1; !signal.aborted; turn += 1) {
				await watch.tick(signal)
				await context.clock.sleep(config.pollMs + phaseOf(turn, config.pollMs), signal)
			}
		},
	}
}

/** Looks come at all moments of a second in turn: so the seconds in the answers tell the API server's clock to a fraction of one. */
const phaseOf = (turn: number, pollMs: number): number => Math.floor(((turn * 0.618) % 1) * Math.min(1000, pollMs))

interface Options {
	readonly config: AuditCountersConfig
	readonly servers: readonly CountedServer[]
	readonly ways: Ways
	readonly context: CollectorContext
	readonly state: LocalState
	readonly emit: Emit
}

type SavedLook = Omit<Look, 'counters'> & {
	readonly counters: Omit<Look['counters'], 'errors'> & { readonly errors: readonly [string, number][] }
}

class Watch {
	readonly #options: Options
	readonly #clocks = new Map<string, ServerClock>()
	/** The last look at each, also of a run before: failures between are known by it. */
	readonly #last = new Map<string, Look>()
	/** Rounds of this run, oldest first; the first is where the next stretch begins. */
	#rounds: Round[] = []
	readonly #unexplained: Record<Way, number> = { webhook: 0, file: 0 }
	readonly #failing = new Set<string>()

	constructor(options: Options) {
		this.#options = options
		for (const { name } of options.servers) {
			const saved = readLook(options.state.cursor(name))
			if (saved) this.#last.set(name, saved)
		}
	}

	/** What an earlier run was at stating when it ended, in the same words again: with what came behind it in one it would be told twice. */
	async resume(): Promise<void> {
		const { servers, emit, state } = this.#options
		const records: KubetapeRecord[] = []
		const cursors: Record<string, string> = {}
		for (const { name } of servers) {
			const [last, stated] = [this.#last.get(name), readLook(state.cursor(statedName(name)))]
			if (!last || !stated || stated.sentAt <= last.sentAt) continue
			records.push(...this.#failures(name, last, stated))
			this.#last.set(name, stated)
			cursors[name] = writeLook(stated)
		}
		if (records.length === 0) return
		await emit(records)
		state.apply([], cursors)
	}

	async tick(signal: AbortSignal): Promise<void> {
		const { servers, context, emit, state } = this.#options
		const looks = await Promise.all(servers.map(async (server) => [server.name, await this.#look(server, signal)] as const))
		if (signal.aborted) return
		const round: Round = new Map(looks)
		const records: KubetapeRecord[] = []
		const cursors: Record<string, string> = {}
		const stated: Record<string, string> = {}
		for (const [name, look] of round) {
			if (!look) continue
			const last = this.#last.get(name)
			const failures = last ? this.#failures(name, last, look) : []
			records.push(...failures)
			this.#last.set(name, look)
			cursors[name] = writeLook(look)
			if (failures.length > 0) stated[statedName(name)] = cursors[name]
		}
		if (records.length > 0) state.apply([], stated)
		if (Object.keys(cursors).length > 0) this.#rounds.push(round)
		for (const way of ['webhook', 'file'] as const) if (this.#options.ways[way]?.any === true) cursors[seenName(way)] = 'yes'
		records.push(...this.#settled(context.clock.nowMicros()))
		if (records.length > 0) await emit(records)
		state.apply([], cursors)
	}

	async #look(server: CountedServer, signal: AbortSignal): Promise<Look | undefined> {
		const { clock, log, metrics, cluster } = this.#options.context
		const polls = metrics.counter('kubetape_audit_counter_polls_total', 'Questions for an API server’s audit counters, by result', [
			'cluster',
			'server',
			'result',
		])
		const failed = (error: string): undefined => {
			polls.inc({ cluster, server: server.name, result: 'failed' })
			if (!this.#failing.has(server.name))
				log.warn({ server: server.name, error }, 'the audit counters of the API server are not known; losses cannot be found')
			this.#failing.add(server.name)
		}
		try {
			const sentAt = clock.nowMicros()
			const response = await server.get(signal)
			const answeredAt = clock.nowMicros()
			const counters = await readCounters(response as AsyncIterable<Buffer>)
			if (!counters) return failed('/metrics has no apiserver_audit_event_total')
			const serverClock = this.#clocks.get(server.name) ?? new ServerClock()
			this.#clocks.set(server.name, serverClock)
			const offset = serverClock.observe(response.headers.date, sentAt, answeredAt)
			if (!offset) return failed('the answer has no Date')
			this.#failing.delete(server.name)
			polls.inc({ cluster, server: server.name, result: 'ok' })
			return { counters, sentAt, answeredAt, low: sentAt + offset.low, high: answeredAt + offset.high, steps: serverClock.steps }
		} catch (error) {
			if (signal.aborted) return undefined
			if (error instanceof KubetapeError || error instanceof Error) return failed(messageOf(error))
			throw error
		}
	}

	#failures(server: string, from: Look, to: Look): readonly KubetapeRecord[] {
		const { cluster, metrics, clock } = this.#options.context
		const counted = metrics.counter('kubetape_audit_sent_total', 'Audit entries that an API server counted, each stage one', [
			'cluster',
			'server',
		])
		const failed = metrics.counter('kubetape_audit_failed_total', 'Audit entries that an API server gave up on', [
			'cluster',
			'server',
			'plugin',
		])
		const same = from.counters.processStart === to.counters.processStart
		counted.inc({ cluster, server }, Math.max(0, to.counters.events - (same ? from.counters.events : 0)))
		return failedBetween(server, from, to).map((failure) => {
			failed.inc({ cluster, server, plugin: failure.plugin }, failure.count)
			for (const way of ['webhook', 'file'] as const) if (explaining[way].includes(failure.plugin)) this.#unexplained[way] += failure.count
			return failedGap(cluster, failure, clock.nowMicros())
		})
	}

	/** Stretches whose entries have had the time to come. */
	#settled(now: number): readonly KubetapeRecord[] {
		const { config } = this.#options
		const records: KubetapeRecord[] = []
		const stretchMs = Math.min(stretchMsMin, config.settleMs)
		for (;;) {
			const [from] = this.#rounds
			if (!from) break
			const at = this.#rounds.findIndex((round, index) => index > 0 && endOf(round) - endOf(from) >= stretchMs * 1000)
			const to = this.#rounds[at]
			if (at < 0 || !to || endOf(to) > now - config.settleMs * 1000) break
			const stretch = this.#rounds.slice(0, at + 1)
			this.#rounds = this.#rounds.slice(at)
			for (const way of ['webhook', 'file'] as const) records.push(...this.#compared(way, stretch, now))
			const earliest = Math.min(...[...to.values()].map((look) => look?.low ?? Number.POSITIVE_INFINITY))
			if (Number.isFinite(earliest))
				for (const way of ['webhook', 'file'] as const) this.#options.ways[way]?.forgetBefore(earliest - rememberedMicros, endOf(from))
		}
		return records
	}

	#compared(way: Way, rounds: readonly Round[], now: number): readonly KubetapeRecord[] {
		const { ways, servers, context, state } = this.#options
		const received = ways[way]
		const names = servers.filter((server) => way === 'webhook' || server.file).map(({ name }) => name)
		// A way by which nothing has ever come is perhaps not configured in the API server.
		if (!received || names.length === 0 || !(received.any || state.cursor(seenName(way)) === 'yes')) return []
		const verdict = compare(names, rounds, received)
		const stretch = stretchOf(rounds)
		const labels = { cluster: context.cluster, way }
		if (!verdict.known) {
			context.log.debug({ way, why: verdict.why }, 'sent and received audit entries cannot be compared')
			context.metrics
				.counter('kubetape_audit_uncompared_seconds_total', 'Time of which it is not known whether audit entries were lost', [
					'cluster',
					'way',
				])
				.inc(labels, (stretch.toAt - stretch.fromAt) / second)
			return []
		}
		const missing = verdict.sent - verdict.received
		const lost = Math.max(0, missing - this.#unexplained[way])
		this.#unexplained[way] = Math.max(0, this.#unexplained[way] - missing)
		context.metrics
			.counter('kubetape_audit_lost_total', 'Audit entries that did not come, beyond those that API servers gave up on', ['cluster', 'way'])
			.inc(labels, lost)
		const records: KubetapeRecord[] = []
		if (verdict.whole) records.push(comparison(context.cluster, way, stretch, verdict, now))
		if (lost > 0) records.push(lostGap(context.cluster, way, stretch, { lost, sent: verdict.sent }, now))
		return records
	}
}

const statedName = (server: string): string => `stated ${server}`
const seenName = (way: Way): string => `by ${way}`

/** By our clock; of a round without an answer it is not known, and it ends nothing. */
function endOf(round: Round): number {
	return Math.max(...[...round.values()].map((look) => look?.answeredAt ?? Number.NEGATIVE_INFINITY))
}

function writeLook({ counters, ...look }: Look): string {
	return JSON.stringify({ ...look, counters: { ...counters, errors: [...counters.errors] } } satisfies SavedLook)
}

function readLook(text: string | undefined): Look | undefined {
	try {
		const { counters, ...look } = JSON.parse(text ?? '') as SavedLook
		return { ...look, counters: { ...counters, errors: new Map(counters.errors) } }
	} catch {
		return undefined // none yet, or garbled: as at the first start
	}
}
