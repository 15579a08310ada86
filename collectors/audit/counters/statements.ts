// What the comparison of counters says, as records: gaps for what is lost, and how much of what was sent came.
import { statementId } from '#records/id.ts'
import type { Coverage, Gap } from '#records/record.ts'
import { auditSpace } from '#records/revision.ts'
import type { Micros } from '#records/time.ts'
import type { Failed, Look, Round } from './judge.ts'

export type Way = 'webhook' | 'file'

const source = 'audit'

interface Stretch {
	readonly fromAt: Micros
	readonly toAt: Micros
}

/** By our clock, from before the earliest look to behind the last one. */
export function stretchOf(rounds: readonly Round[]): Stretch {
	const known = (round: Round | undefined): readonly Look[] => [...(round?.values() ?? [])].filter((look) => look !== undefined)
	return {
		fromAt: Math.min(...known(rounds[0]).map(({ sentAt }) => sentAt)),
		toAt: Math.max(...known(rounds.at(-1)).map(({ answeredAt }) => answeredAt)),
	}
}

function gap(cluster: string, { fromAt, toAt }: Stretch, scope: string, identity: readonly string[], detail: string, now: Micros): Gap {
	return {
		kind: 'gap',
		id: statementId('gap', cluster, fromAt, source, scope, ...identity),
		cluster,
		source,
		occurredAt: toAt,
		occurredBound: toAt - fromAt,
		observedAt: now,
		space: auditSpace,
		scope,
		reason: 'lost',
		fromRevision: null,
		toRevision: null,
		fromAt,
		toAt,
		touched: [],
		touchedCount: 0,
		detail,
	}
}

const meanings: Readonly<Record<string, string>> = {
	buffered: 'the queue of its backend in batch mode was full',
	webhook: 'its webhook did not take them, however often they were sent; those that came all the same are there',
	log: 'its log could not be written',
	truncate: 'they were too large even without their bodies',
}

/** What an API server says itself that it gave up on. */
export function failedGap(cluster: string, { server, plugin, count, from, to }: Failed, now: Micros): Gap {
	const why = meanings[plugin] ?? 'its backend failed'
	const after = to.counters.errors.get(plugin) ?? 0
	const before = after - count
	const detail = `${server} gave up on ${count} audit entries: ${why} (apiserver_audit_error_total{plugin="${plugin}"} went from ${before} to ${after})`
	return gap(cluster, { fromAt: from.sentAt, toAt: to.answeredAt }, `audit ${plugin}`, [server, plugin, String(after)], detail, now)
}

/** `lost` entries beyond those that an API server says it gave up on. */
export function lostGap(
	cluster: string,
	way: Way,
	stretch: Stretch,
	numbers: { readonly lost: number; readonly sent: number },
	now: Micros,
): Gap {
	const detail = `${numbers.lost} audit entries at least, of ${numbers.sent} that the API server counted, did not come by ${way}`
	return gap(cluster, stretch, `audit ${way}`, [way, String(numbers.sent), String(stretch.toAt)], detail, now)
}

/** Of `sent` entries so many came: the numbers stand in the place of revisions, from 1 on. */
export function comparison(
	cluster: string,
	way: Way,
	{ fromAt, toAt }: Stretch,
	numbers: { readonly sent: number; readonly received: number },
	now: Micros,
): Coverage {
	const bound = Math.ceil((toAt - fromAt) / 2)
	return {
		kind: 'coverage',
		id: statementId('coverage', cluster, fromAt, source, way, String(numbers.sent), String(toAt)),
		cluster,
		source,
		occurredAt: fromAt + bound,
		occurredBound: bound,
		observedAt: now,
		space: auditSpace,
		scope: way,
		fromRevision: 1n,
		toRevision: BigInt(numbers.sent),
		versions: numbers.received,
		chain: '',
	}
}
