// `kubetape import`: recordings, and audit entries out of files or standard input, into the store, once, from the first byte to the last; then it ends.
import { stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { importAudit } from '#collectors/audit/importer.ts'
import type { AuditFormat } from '#collectors/audit/envelopes.ts'
import { createReplayCollector } from '#collectors/replay/collector.ts'
import { readChunks, unpackIfPacked } from '#collectors/tail/chunks.ts'
import { createRedactor } from '#processors/redact/step.ts'
import type { Emit } from '#collectors/port.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import { streams, type RecordLog } from '#storage/log/port.ts'
import { clusterName } from '#cli/sources.ts'
import { openLog, openStore } from './engines.ts'
import { createEmit } from './emit.ts'
import { createStoreIndexer, pausesOf } from './indexing.ts'
import { paths, storeGroup, type RoleContext } from './context.ts'
import { redactionKey } from './redaction.ts'

export interface Imported {
	/** Records read from all paths, by kind. */
	readonly counts: Readonly<Record<string, number>>
	readonly clusters: readonly string[]
	/** Logs of something else in what a cloud exported, by what they are: not taken. */
	readonly others: ReadonlyMap<string, number>
}

export interface ImportOptions {
	/** Folders and files; `-` is standard input. */
	readonly given: readonly string[]
	readonly cluster: string | undefined
	readonly format: AuditFormat
	readonly standardInput: AsyncIterable<Uint8Array>
}

const standardInput = '-'
const lagPollMs = 50
const doing = 'importing'

/** Throws CLI_USAGE where a path is missing, RECORDING_INVALID where it holds nothing of ours. What was imported before is found again by its ids, and not stored twice. */
export async function importPaths(context: RoleContext, options: ImportOptions, signal: AbortSignal): Promise<Imported> {
	const { given, cluster } = options
	if (given.includes(standardInput) && cluster === undefined)
		throw new KubetapeError('CLI_USAGE', 'standard input has no name: say with --cluster which cluster it is of')
	for (const path of given) {
		if (path === standardInput) continue
		await stat(path).catch((error: unknown) => {
			throw new KubetapeError('CLI_USAGE', `${path} cannot be read: ${messageOf(error)}`, { cause: error })
		})
	}
	const { redact } = createRedactor({ key: await redactionKey(context.config) })
	await using log = await openLog(context, signal)
	await using store = await openStore(context, { readOnly: false }, signal)
	const onPause = pausesOf(context, doing)
	const counts: Record<string, number> = {}
	const emit = createEmit({ log, redact, clock: context.clock, logger: context.logger, metrics: context.metrics, onPause }, signal)
	const counted: Emit = async (records) => {
		await emit(records)
		for (const { kind } of records) counts[kind] = (counts[kind] ?? 0) + 1
	}
	const done = new AbortController()
	const stop = AbortSignal.any([signal, done.signal])
	const indexer = createStoreIndexer(context, log, store, doing)
	const indexing = indexer.run(stop)
	const others = new Map<string, number>()
	const reading = readAll(context, options, others, counted, stop)
		.then(() => drained(context, log, stop))
		.finally(() => done.abort())
	// Whichever ends first ends the other; both have ended before the log and the store are closed.
	const ends = await Promise.allSettled([reading, indexing.finally(() => done.abort())])
	for (const end of ends) if (end.status === 'rejected') throw end.reason
	if (signal.aborted) throw new KubetapeError('CLI_INTERRUPTED', 'the import was interrupted: run it again, it goes on where it was')
	return { counts, clusters: [...new Set(given.map((path) => cluster ?? nameOf(path)))], others }
}

/** A recording's folder names its cluster, and so does a file. */
function nameOf(path: string): string {
	return clusterName(basename(resolve(path)).replace(/(?:\.(?:jsonl?|log|gz))+$/, ''))
}

async function readAll(
	context: RoleContext,
	options: ImportOptions,
	others: Map<string, number>,
	emit: Emit,
	signal: AbortSignal,
): Promise<void> {
	for (const path of options.given) {
		if (signal.aborted) return
		const name = options.cluster ?? nameOf(path)
		const found = path === standardInput ? undefined : await stat(path)
		if (found?.isDirectory() === true || /^etcd\.jsonl(?:\.gz)?$/.test(basename(path))) {
			await replay(context, path, name, emit, signal)
			continue
		}
		const passed = await importAudit(
			{
				cluster: name,
				name: found ? basename(path) : 'standard input',
				chunks: found ? readChunks(path) : unpackIfPacked(options.standardInput),
				format: options.format,
				writtenAt: found ? Math.floor(found.mtimeMs * 1000) : context.clock.nowMicros(),
			},
			emit,
			signal,
		)
		for (const [what, count] of passed) others.set(what, (others.get(what) ?? 0) + count)
	}
}

function replay(context: RoleContext, path: string, cluster: string, emit: Emit, signal: AbortSignal): Promise<void> {
	const collector = createReplayCollector(
		{ path, speed: 'max' },
		{
			cluster,
			clock: context.clock,
			log: context.logger.child({ cluster, path }),
			metrics: context.metrics,
			stateDir: paths.collectorState(context.config, cluster, 'import'),
		},
	)
	return collector.run(emit, signal)
}

/** Resolves when the store has everything that is in the log. */
async function drained(context: RoleContext, log: RecordLog, signal: AbortSignal): Promise<void> {
	while (!signal.aborted) {
		const lag = await log.lag(storeGroup, streams)
		if (lag.every(({ records }) => records === 0n)) return
		await context.clock.sleep(lagPollMs, signal)
	}
}
