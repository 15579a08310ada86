// Which engine stands behind each port: the only place that knows.
import { statementId } from '#records/id.ts'
import type { Gap, Redacted } from '#records/record.ts'
import { mainSpace } from '#records/revision.ts'
import type { Micros } from '#records/time.ts'
import type { RecordLog } from '#storage/log/port.ts'
import { openSqliteLog } from '#storage/log/sqlite/log.ts'
import type { Damage } from '#storage/log/sqlite/repair.ts'
import type { Store } from '#storage/store/port.ts'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'
import { paths, type RoleContext } from './context.ts'

/** Damage that was found on opening becomes a gap of every cluster: what was lost with it is told where people look for it. */
export async function openLog(context: RoleContext): Promise<RecordLog> {
	const damages: Damage[] = []
	const log = await openSqliteLog({
		...context.config.log.sqlite,
		dir: paths.log(context.config),
		clock: context.clock,
		metrics: context.metrics,
		log: context.logger,
		onDamage: (damage) => damages.push(damage),
	})
	const gaps = damages.flatMap((damage) => context.config.clusters.map(({ name }) => gapOf(damage, name, context.clock.nowMicros())))
	// Made here, of numbers and paths: there is nothing in it to redact.
	await log.append('ledger', gaps as unknown as Redacted<Gap>[])
	return log
}

function gapOf({ reason, setAside, lostRecords }: Damage, cluster: string, now: Micros): Gap {
	return {
		kind: 'gap',
		id: statementId('gap', cluster, now, 'record log', setAside),
		cluster,
		source: 'record log',
		occurredAt: now,
		occurredBound: 0,
		observedAt: now,
		space: mainSpace,
		scope: 'record log',
		reason: 'corrupt',
		fromRevision: null,
		toRevision: null,
		fromAt: null,
		toAt: now,
		touched: [],
		touchedCount: 0,
		detail: `the record log was damaged (${reason}): ${lostRecords === 0n ? 'records' : `${lostRecords} records`} that were not stored yet may be lost; the damaged file is ${setAside}`,
	}
}

export function openStore(context: RoleContext, options: { readonly readOnly: boolean }): Promise<Store> {
	return openSqliteStore({
		dir: paths.store(context.config),
		readOnly: options.readOnly,
		config: context.config.store.sqlite,
		clock: context.clock,
		metrics: context.metrics,
		log: context.logger,
	})
}
