// The collect loop's one place: what a collector emits is redacted and appended, in the order of its calls; the promise resolves when all of it is durable.
import { createHash } from 'node:crypto'
import type { Emit } from '#collectors/port.ts'
import type { StepResult } from '#processors/step.ts'
import { statementId } from '#records/id.ts'
import type { KubetapeRecord, Redacted, Reject } from '#records/record.ts'
import type { Clock } from '#runtime/clock.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import { limits } from '#runtime/limits.ts'
import type { Logger } from '#runtime/log.ts'
import { reasonLabels, secondsBuckets, type Metrics } from '#runtime/metrics.ts'
import { createBackoff } from '#runtime/retry.ts'
import { streamOf, type RecordLog, type Stream } from '#storage/log/port.ts'

export interface EmitOptions {
	readonly log: RecordLog
	readonly redact: (record: KubetapeRecord) => StepResult<Redacted>
	readonly clock: Clock
	readonly logger: Logger
	readonly metrics: Metrics
	/** Told when appending pauses (a reason) and when it goes on (null). */
	readonly onPause: (reason: string | null) => void
}

/** What is appended first is durable before the ledger says that it was seen. */
const appendOrder: readonly Stream[] = ['records', 'logs', 'rejects', 'ledger']

/** What is counted of everything that is appended. Made once a collector, the same metrics for all. */
function createMeters(metrics: Metrics, clock: Clock) {
	const records = metrics.counter('kubetape_collect_records_total', 'Records appended to the record log', ['kind', 'source', 'cluster'])
	const rejects = metrics.counter('kubetape_collect_rejects_total', 'Inputs set aside as bad', ['step', 'cluster', 'reason'])
	const seconds = metrics.histogram(
		'kubetape_collect_append_seconds',
		'From handing a batch to the record log until it is durable there',
		secondsBuckets,
		['stream'],
	)
	const last = metrics.gauge(
		'kubetape_collect_last_append_timestamp_seconds',
		'When a record of the source was last appended, in seconds since 1970',
		['source', 'cluster'],
		'max',
	)
	const reasonOf = reasonLabels()
	return {
		appended(stream: Stream, beganAt: number): void {
			seconds.observe({ stream }, Math.max(0, clock.nowMicros() - beganAt) / 1e6)
		},
		/** Counts when it is called. What it counts is known before, so that the records need not be kept for it. */
		counting(emitted: readonly KubetapeRecord[], set: readonly Reject[]): () => void {
			const runs = alike(emitted).map(([{ kind, source, cluster }, count]) => ({ kind, source, cluster, count }))
			const reasons = set.map(({ step, cluster, reason }) => ({ step, cluster, reason: reasonOf(reason) }))
			return () => {
				const now = clock.nowMicros() / 1e6
				for (const { kind, source, cluster, count } of runs) {
					last.set({ source, cluster }, now)
					if (kind !== 'reject') records.inc({ kind, source, cluster }, count)
				}
				for (const labels of reasons) rejects.inc(labels)
			}
		},
	}
}

/** Runs of records of one kind, source and cluster, with their lengths: a batch has few. */
function alike(records: readonly KubetapeRecord[]): readonly (readonly [KubetapeRecord, number])[] {
	const runs: [KubetapeRecord, number][] = []
	for (const record of records) {
		const last = runs.at(-1)
		if (last && last[0].kind === record.kind && last[0].source === record.source && last[0].cluster === record.cluster) last[1] += 1
		else runs.push([record, 1])
	}
	return runs
}

/** One call, redacted. */
interface Waiting {
	readonly streams: ReadonlyMap<Stream, readonly Redacted[]>
	readonly records: number
	readonly count: () => void
	readonly resolve: () => void
	readonly reject: (error: unknown) => void
}

/** One per collector: calls are appended strictly in order, so that records of one object stay in order even when an append is tried again. */
export function createEmit(options: EmitOptions, signal: AbortSignal): Emit {
	const meters = createMeters(options.metrics, options.clock)
	const waiting: Waiting[] = []
	let running = false
	let failure: { readonly error: unknown } | undefined

	const appendAll = async (calls: readonly Waiting[]): Promise<void> => {
		try {
			if (failure) throw failure.error
			for (const stream of appendOrder) {
				const batch = calls.flatMap(({ streams }) => streams.get(stream) ?? [])
				if (batch.length === 0) continue
				const beganAt = options.clock.nowMicros()
				await appendUntilDurable(options, stream, batch, signal)
				meters.appended(stream, beganAt)
			}
			for (const { count, resolve } of calls) {
				count()
				resolve()
			}
		} catch (error) {
			// What comes after it must not be appended before it.
			failure ??= { error }
			for (const { reject } of calls) reject(error)
		}
	}

	const run = async (): Promise<void> => {
		running = true
		while (waiting.length > 0) await appendAll(waiting.splice(0, together(waiting)))
		running = false
	}

	return (records) =>
		new Promise((resolve, reject) => {
			const streams = divide(records, options)
			const count = meters.counting(records, (streams.get('rejects') ?? []) as readonly Redacted<Reject>[])
			waiting.push({ streams, records: records.length, count, resolve, reject })
			if (!running) void run()
		})
}

/** How many of the calls that wait for one that is being appended are appended together: one, and those behind it, up to a batch. Large ones gain nothing by it, and cost memory. */
function together(waiting: readonly Waiting[]): number {
	let records = 0
	const end = waiting.findIndex((call) => (records += call.records) > limits.batchRecordsMax)
	return end < 0 ? waiting.length : Math.max(1, end)
}

function divide(records: readonly KubetapeRecord[], options: EmitOptions): Map<Stream, Redacted[]> {
	const streams = new Map<Stream, Redacted[]>()
	for (const record of records) {
		let result = options.redact(record)
		if ('reject' in result) result = options.redact(rejectOf(record, result.reject, options.clock))
		if (!('ok' in result)) continue
		const stream = streamOf(result.ok)
		const batch = streams.get(stream)
		if (batch) batch.push(result.ok)
		else streams.set(stream, [result.ok])
	}
	return streams
}

function rejectOf(record: KubetapeRecord, reason: string, clock: Clock): Reject {
	const body =
		record.kind === 'change' || record.kind === 'event' ? (record.after ?? record.before) : record.kind === 'audit' ? record.body : null
	const bytes = body?.bytes ?? new Uint8Array()
	const sha256 = createHash('sha256').update(bytes).digest('hex')
	return {
		kind: 'reject',
		// Not by when it was seen: a record that is repeated after a crash is refused as the same one.
		id: statementId('reject', record.cluster, 0, 'redact', record.id, sha256),
		cluster: record.cluster,
		source: record.source,
		occurredAt: record.occurredAt,
		occurredBound: record.occurredBound,
		observedAt: clock.nowMicros(),
		step: 'redact',
		reason,
		where: `${record.kind} ${record.id}`,
		sha256,
		sizeBytes: bytes.length,
	}
}

async function appendUntilDurable(options: EmitOptions, stream: Stream, batch: readonly Redacted[], signal: AbortSignal): Promise<void> {
	const backoff = createBackoff({ clock: options.clock, firstMs: 100, maxMs: 10_000 })
	for (;;) {
		try {
			await options.log.append(stream, batch)
			if (backoff.attempts > 0) options.onPause(null)
			return
		} catch (error) {
			if (!(error instanceof KubetapeError) || !error.retryable || signal.aborted) throw error
			options.onPause(`${error.code}: ${messageOf(error)}`)
			options.logger.warn({ stream, code: error.code, error: messageOf(error) }, 'appending paused; it is tried again')
			await backoff.wait(signal)
		}
	}
}
