// A process that reads the record log as one member of a group, and "stores" each record by adding its number to a file before it commits. Arguments: JSON of its options.
import { appendFileSync } from 'node:fs'
import { systemClock } from '#runtime/clock.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { createLogger } from '#runtime/log.ts'
import { createMetrics } from '#runtime/metrics.ts'
import { openKafkaLog, type KafkaLogOptions } from '#storage/log/kafka/log.ts'
import type { RecordLog } from '#storage/log/port.ts'
import { kafkaConfig } from '#test/support/kafka-log.ts'
import { numberOf } from './kafka-support.ts'

export interface ReadChild {
	readonly brokers: readonly string[]
	readonly config: Readonly<Record<string, unknown>>
	readonly dir: string
	readonly file: string
	readonly batchMs: number
	readonly stallMs?: number
}

const { brokers, config, dir, file, batchMs, stallMs } = JSON.parse(process.argv[2] ?? '') as ReadChild
const stop = new AbortController()
process.on('SIGTERM', () => stop.abort())
const metrics = createMetrics()
const options: KafkaLogOptions = {
	config: kafkaConfig(brokers, config),
	dir,
	clock: systemClock,
	metrics,
	log: createLogger({ level: 'warn', role: `reader ${process.pid}` }),
	onLoss: ({ kind, where, fromOffset, toOffset, reason }) =>
		appendFileSync(
			`${file}.losses`,
			`${JSON.stringify({ kind, where, reason, fromOffset: String(fromOffset), toOffset: String(toOffset) })}\n`,
		),
	...(stallMs === undefined ? {} : { stallMs }),
}
/** As whatever runs the role would start it again: of several brokers one may be dead and not yet known to be. */
async function open(): Promise<RecordLog> {
	for (let tries = 1; ; tries++)
		try {
			return await openKafkaLog(options)
		} catch (error) {
			if (!(error instanceof KubetapeError) || !error.retryable || tries === 10) throw error
		}
}
const log = await open()
process.stdout.write('reading\n')
for await (const batch of log.read('store', ['records'], stop.signal)) {
	if (batchMs > 0) await systemClock.sleep(batchMs)
	// A line that a kill cut off is ended first.
	appendFileSync(file, `\n${batch.records.map((record) => `${numberOf(record)}\n`).join('')}`)
	await log.commit('store', batch.next)
}
await log[Symbol.asyncDispose]()
for (const { name, values } of await metrics.registry.getMetricsAsJSON())
	if (name === 'kubetape_log_rejoins_total')
		for (const { labels, value } of values) appendFileSync(`${file}.rejoins`, `${String(labels['reason'])} ${value}\n`)
