// Which engine stands behind each port: the only place that knows.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { statementId } from '#records/id.ts'
import type { Envelope, Gap, GapReason, Redacted, Reject } from '#records/record.ts'
import { mainSpace } from '#records/revision.ts'
import type { Micros } from '#records/time.ts'
import { after } from '#runtime/lifecycle.ts'
import type { Config } from '#cli/config.ts'
import type { LogRetention, RecordLog } from '#storage/log/port.ts'
import type { KafkaLogConfig } from '#storage/log/kafka/config.ts'
import type { Loss } from '#storage/log/kafka/place.ts'
import { openSqliteLog } from '#storage/log/sqlite/log.ts'
import type { Damage } from '#storage/log/sqlite/repair.ts'
import type { Store } from '#storage/store/port.ts'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'
import { paths, type RoleContext } from './context.ts'

/** So long after a role was told to end it waits for no server any more. Shorter than what it has in all (run.ts). */
const answersMs = 8000

/** The record log that the configuration names. What is lost with it becomes a gap of every cluster, told where people look for what is missing. */
export function openLog(context: RoleContext, signal: AbortSignal): Promise<RecordLog> {
	return context.config.log.kafka ? openKafka(context, context.config.log.kafka, signal) : openSqlite(context)
}

/** What the process role has the log remove; the brokers of Kafka remove by themselves what their topics say. */
export function logRetention({ log }: Config): LogRetention {
	return log.kafka ? { ageMs: 0, bytesMax: 0 } : log.sqlite.retention
}

/** Whether what is appended may wait on this machine's disk while the record log is away. */
export function canWaitHere({ log }: Config): boolean {
	return log.kafka !== undefined && log.kafka.spool.bytesMax > 0
}

async function openSqlite(context: RoleContext): Promise<RecordLog> {
	const damages: Damage[] = []
	const log = await openSqliteLog({
		...context.config.log.sqlite,
		dir: paths.log(context.config),
		clock: context.clock,
		metrics: context.metrics,
		log: context.logger,
		onDamage: (damage) => damages.push(damage),
	})
	const told = damages.flatMap(({ reason, setAside, lostRecords }) => {
		const detail = `the record log was damaged (${reason}): ${lostRecords === 0n ? 'records' : `${lostRecords} records`} that were not stored yet may be lost; the damaged file is ${setAside}`
		return gapsOf(context, { key: setAside, reason: 'corrupt', detail })
	})
	await log.append('ledger', told)
	return log
}

/** Each role has a spool of its own. kafkajs is loaded here and nowhere before. */
async function openKafka(context: RoleContext, config: KafkaLogConfig, signal: AbortSignal): Promise<RecordLog> {
	const { openKafkaLog } = await import('#storage/log/kafka/log.ts')
	return openKafkaLog({
		config,
		dir: join(paths.log(context.config), 'kafka', context.role),
		until: after(signal, answersMs),
		clock: context.clock,
		metrics: context.metrics,
		log: context.logger,
		onLoss: async (loss, log) => {
			context.logger.error(
				{ ...loss, value: undefined, fromOffset: String(loss.fromOffset), toOffset: String(loss.toOffset) },
				'the record log could not be read there',
			)
			if (loss.kind === 'foreign') return log.append('rejects', rejectsOf(context, loss))
			const detail = `records of the record log are lost: ${loss.where}${loss.fromOffset === null ? '' : `, offsets ${loss.fromOffset} to ${loss.toOffset}`}: ${loss.reason}`
			await log.append(
				'ledger',
				gapsOf(context, {
					key: `${loss.where} ${loss.fromOffset} ${loss.toOffset}`,
					reason: loss.kind === 'damaged' || loss.kind === 'spool' ? 'corrupt' : 'lost',
					detail,
				}),
			)
		},
	})
}

/** Of every cluster: made here, of numbers and paths, so that there is nothing in them to redact. */
function gapsOf(
	context: RoleContext,
	{ key, reason, detail }: { readonly key: string; readonly reason: GapReason; readonly detail: string },
): Redacted<Gap>[] {
	const now = context.clock.nowMicros()
	return context.config.clusters.map(({ name }) => ({
		kind: 'gap' as const,
		...statedNow(name, now),
		id: statementId('gap', name, now, 'record log', key),
		space: mainSpace,
		scope: 'record log',
		reason,
		fromRevision: null,
		toRevision: null,
		fromAt: null,
		toAt: now,
		touched: [],
		touchedCount: 0,
		detail,
	})) as unknown as Redacted<Gap>[]
}

const statedNow = (cluster: string, now: Micros): Omit<Envelope, 'id'> => ({
	cluster,
	source: 'record log',
	occurredAt: now,
	occurredBound: 0,
	observedAt: now,
})

/** A message that is none of ours: of the cluster that its key names, where it names one that is known, else of every cluster. */
function rejectsOf(context: RoleContext, { where, fromOffset, reason, key = '', value = Buffer.alloc(0) }: Loss): Redacted<Reject>[] {
	const now = context.clock.nowMicros()
	const sha256 = createHash('sha256').update(value).digest('hex')
	const names = context.config.clusters.map(({ name }) => name)
	const [named = ''] = key.split('\0')
	return (names.includes(named) ? [named] : names).map((name) => ({
		kind: 'reject' as const,
		...statedNow(name, now),
		id: statementId('reject', name, 0, 'record log', where, String(fromOffset), sha256),
		step: 'record log',
		reason: `a message that is no record: ${reason}`,
		where: `${where}, offset ${fromOffset}`,
		sha256,
		sizeBytes: value.length,
	})) as unknown as Redacted<Reject>[]
}

/** The store that the configuration names. Elasticsearch's client is loaded here and nowhere before. */
export async function openStore(context: RoleContext, { readOnly }: { readonly readOnly: boolean }, signal: AbortSignal): Promise<Store> {
	const { clock, metrics, logger, config } = context
	const { elasticsearch } = config.store
	if (elasticsearch) {
		const { openElasticsearchStore } = await import('#storage/store/elasticsearch/store.ts')
		return openElasticsearchStore({ config: elasticsearch, readOnly, clock, metrics, log: logger, until: after(signal, answersMs) })
	}
	return openSqliteStore({ dir: paths.store(config), readOnly, config: config.store.sqlite, clock, metrics, log: logger })
}
