// A log collector that runs in the test, and what it has handed over.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Value } from 'typebox/value'
import { createLogsCollector } from '#collectors/logs/collector.ts'
import { createJournaldCollector } from '#collectors/logs/journal/collector.ts'
import { logsConfig } from '#collectors/logs/config.ts'
import { linesOf } from '#records/log-block.ts'
import type { Gap, KubetapeRecord, LogLine, Reject } from '#records/record.ts'
import { systemClock, type Clock } from '#runtime/clock.ts'
import { silentLogger, type Logger } from '#runtime/log.ts'
import { createMetrics } from '#runtime/metrics.ts'

export interface Collecting {
	readonly lines: LogLine[]
	readonly gaps: Gap[]
	readonly rejects: Reject[]
	readonly texts: () => readonly string[]
	/** Resolves when `isReached`; rejects after a while, or when the collector ended. */
	until(isReached: () => boolean, ms?: number): Promise<void>
	lineCount(count: number): Promise<void>
	/** The sum of a metric over its labels. */
	metric(name: string): Promise<number>
	stop(): Promise<void>
}

export interface CollectingOptions {
	readonly clock?: Clock
	/** Called before records count as durable. */
	readonly beforeAppend?: () => Promise<void>
	/** What is handed over is seen, and never durable. */
	readonly fails?: boolean
	/** The collector of the journal, instead of that of the files. */
	readonly journal?: boolean
	readonly log?: Logger
}

export const podFolder = (root: string, container = 'app'): string => {
	const dir = join(root, 'shop_checkout-0_2f1e9a86-0000-4000-8000-000000000001', container)
	mkdirSync(dir, { recursive: true })
	return dir
}

const begin = Date.UTC(2026, 10, 24, 10)

/** A CRI line: one of a sequence, a millisecond apart. */
export const criLine = (number: number, text = `line ${number}`, tag = 'F', stream = 'stdout'): string =>
	`${new Date(begin + number).toISOString().replace('Z', '000123Z')} ${stream} ${tag} ${text}\n`

export function collect(stateDir: string, config: Readonly<Record<string, unknown>>, options: CollectingOptions = {}): Collecting {
	const complete = Value.Default(logsConfig, { pollMs: 100, lastLineMs: 150, ...config })
	if (!Value.Check(logsConfig, complete)) throw new Error([...Value.Errors(logsConfig, complete)].map(({ message }) => message).join())
	const stop = new AbortController()
	const lines: LogLine[] = []
	const gaps: Gap[] = []
	const rejects: Reject[] = []
	const take = (record: KubetapeRecord): void => {
		if (record.kind === 'block') lines.push(...linesOf(record))
		else if (record.kind === 'gap') gaps.push(record)
		else if (record.kind === 'reject') rejects.push(record)
	}
	const context = {
		cluster: 'test',
		clock: options.clock ?? systemClock,
		log: options.log ?? silentLogger,
		metrics: createMetrics(),
		stateDir,
	}
	let wake = Promise.withResolvers<void>()
	let ended: unknown
	let turn = Promise.resolve()
	const { journald } = complete
	const collector =
		options.journal === true && journald ? createJournaldCollector(complete, journald, context) : createLogsCollector(complete, context)
	const running = collector.run((records) => {
		turn = turn.then(async () => {
			await options.beforeAppend?.()
			records.forEach(take)
			if (options.fails === true) throw new Error('the disk is gone')
			wake.resolve()
			wake = Promise.withResolvers<void>()
		})
		return turn
	}, stop.signal)
	running.catch((error: unknown) => {
		ended = error
		wake.resolve()
	})
	const until = async (isReached: () => boolean, ms = 45_000): Promise<void> => {
		const end = performance.now() + ms
		while (!isReached()) {
			if (ended !== undefined) throw ended
			if (performance.now() > end)
				throw new Error(`not within ${ms} ms: ${lines.length} lines, ${gaps.length} gaps, ${rejects.length} rejects`)
			await Promise.race([wake.promise, new Promise((resolve) => setTimeout(resolve, 20))])
		}
	}
	return {
		lines,
		gaps,
		rejects,
		texts: () => lines.map(({ text }) => text),
		until,
		lineCount: (count) => until(() => lines.length >= count),
		async metric(name) {
			const { values = [] } = (await context.metrics.registry.getSingleMetric(name)?.get()) ?? {}
			return values.reduce((sum, { value }) => sum + value, 0)
		},
		async stop() {
			stop.abort()
			await running
		},
	}
}
