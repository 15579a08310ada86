// The replay collector: a recording read through the same readers as live sources, its files merged in the order of time.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openLocalState } from '#collectors/local-state.ts'
import type { Collector, CollectorContext } from '#collectors/port.ts'
import { Outbox } from '#collectors/outbox.ts'
import type { KubetapeRecord } from '#records/record.ts'
import type { Micros } from '#records/time.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { limits } from '#runtime/limits.ts'
import { createAuditReader } from './audit-source.ts'
import type { ReplayConfig } from './config.ts'
import { createEtcdReader } from './etcd-source.ts'
import { containerOf, createComponentReader, createContainerReader } from './log-source.ts'
import { merge, type LateSource } from './merge.ts'
import { createPace } from './pace.ts'
import { unpackPods } from './pods.ts'
import { findRecording, type RecordedFile, type Recording } from './recording.ts'
import { defaultPrefix, prefixOf } from './prefix.ts'
import { openSource, rejectOf, type FileOptions, type LineReader, type Source } from './source.ts'

/** Waits shorter than this are not waited: the items go out together. */
const waitMsMin = 20
const cursorName = 'replay'

/** Resolves when the recording is through. Throws RECORDING_INVALID where the folder is none. */
export function createReplayCollector(config: ReplayConfig, context: CollectorContext): Collector {
	return {
		name: 'replay',
		async run(emit, signal) {
			const recording = await findRecording(config.path)
			using state = openLocalState(context.stateDir)
			const cursor = readCursor(state.cursor(cursorName), recording, config.path)
			if (cursor.done) return
			const outbox = new Outbox(emit, state)
			const podsDir = join(context.stateDir, 'pods')
			try {
				await play({ config, context, recording, cursor, outbox, podsDir, signal })
				await outbox.drain()
			} finally {
				await rm(podsDir, { recursive: true, force: true })
			}
		},
	}
}

interface Cursor {
	readonly fingerprint: string
	/** etcd's id of the cluster that the changes are of; empty where it is not known. */
	readonly clusterId: string
	/** True where changes of etcd were replayed: revisions of another etcd would stand among them. */
	readonly changes: boolean
	/** Lines of each file that are durable. */
	readonly lines: Map<string, number>
	readonly done: boolean
}

/**
 * A garbled cursor is none: repeats are harmless. So is one of another recording of the same cluster. Throws RECORDING_INVALID where changes of
 * another etcd were replayed here before: their revisions would be taken for each other's.
 */
function readCursor(text: string | undefined, recording: Recording, path: string): Cursor {
	const own = { fingerprint: recording.fingerprint, clusterId: recording.clusterId ?? '', changes: recording.etcd !== undefined }
	const saved = parseCursor(text)
	if (saved?.fingerprint === recording.fingerprint) return { ...own, lines: new Map(Object.entries(saved.lines)), done: saved.done }
	if (saved?.changes === true && own.changes && (own.clusterId === '' || own.clusterId !== saved.clusterId))
		throw new KubetapeError(
			'RECORDING_INVALID',
			`${path} is not the recording that was taken under this cluster's name before: give it another name, or another data directory`,
		)
	const kept = saved?.changes === true && !own.changes ? { clusterId: saved.clusterId, changes: true } : {}
	return { ...own, ...kept, lines: new Map(), done: false }
}

type Saved = Omit<Cursor, 'lines'> & { readonly lines: Readonly<Record<string, number>> }

function parseCursor(text: string | undefined): Saved | undefined {
	try {
		return (JSON.parse(text ?? 'null') as Saved | null) ?? undefined
	} catch {
		return undefined
	}
}

const cursorText = ({ lines, ...cursor }: Cursor, done: boolean): Readonly<Record<string, string>> => ({
	[cursorName]: JSON.stringify({ ...cursor, done, lines: Object.fromEntries(lines) } satisfies Saved),
})

interface Play {
	readonly config: ReplayConfig
	readonly context: CollectorContext
	readonly recording: Recording
	readonly cursor: Cursor
	readonly outbox: Outbox
	readonly podsDir: string
	readonly signal: AbortSignal
}

async function play({ config, context, recording, cursor, outbox, podsDir, signal }: Play): Promise<void> {
	const { now, later, rejects } = await openAll(recording, context, podsDir)
	const pace = createPace(config.speed, context.clock)
	const done = new Map(cursor.lines)
	let batch: KubetapeRecord[] = [...rejects]
	let batchBytes = 0
	const flush = async (): Promise<void> => {
		// A line may make more records than fit in one batch; its cursor is saved with the last of them.
		for (; batch.length > limits.batchRecordsMax; batch = batch.slice(limits.batchRecordsMax))
			await outbox.send(batch.slice(0, limits.batchRecordsMax), {})
		if (batch.length > 0) await outbox.send(batch, cursorText(cursor, false))
		batch = []
		batchBytes = 0
	}
	for await (const { source, item } of merge(now, later)) {
		if (signal.aborted) return
		// Read again for what it tells of later lines, and not handed over again.
		if (item.line <= (done.get(source.name) ?? 0)) continue
		const waitMs = pace.waitMs(item.at)
		if (waitMs >= waitMsMin) {
			await flush()
			await context.clock.sleep(waitMs, signal)
			if (signal.aborted) return
		}
		if (batch.length + item.records.length > limits.batchRecordsMax || batchBytes + item.bytes > limits.batchBytesMax) await flush()
		batch.push(...item.records)
		batchBytes += item.bytes
		cursor.lines.set(source.name, item.line)
	}
	if (signal.aborted) return
	await flush()
	await outbox.send([], cursorText(cursor, true))
}

interface Opened {
	readonly now: readonly Source[]
	readonly later: readonly LateSource[]
	readonly rejects: readonly KubetapeRecord[]
}

async function openAll(recording: Recording, context: CollectorContext, podsDir: string): Promise<Opened> {
	const startedAt = await startOf(recording, context.cluster)
	const optionsOf = (file: RecordedFile): FileOptions => ({ cluster: context.cluster, path: file.path, name: file.name, startedAt })
	const now: Source[] = []
	if (recording.etcd) {
		const options = optionsOf(recording.etcd)
		const prefix = await prefixOf(recording.etcd.path)
		now.push(openSource(options, createEtcdReader({ ...options, firstRevision: recording.firstRevision, prefix })))
	}
	if (recording.audit) now.push(openSource(optionsOf(recording.audit), createAuditReader(optionsOf(recording.audit))))
	for (const file of recording.components) now.push(openSource(optionsOf(file), createComponentReader(optionsOf(file))))
	const rejects: KubetapeRecord[] = []
	let pods = recording.pods
	if (recording.podsArchive) {
		const unpacked = await unpackPods(recording.podsArchive, podsDir)
		pods = unpacked.files
		if (unpacked.failure !== undefined)
			rejects.push(
				rejectOf(optionsOf(recording.podsArchive), undefined, 0, `the archive cannot be read to its end: ${unpacked.failure}`, startedAt),
			)
	}
	const later: LateSource[] = []
	for (const file of pods) {
		const place = containerOf(file.name)
		if (!place) {
			rejects.push(
				rejectOf(optionsOf(file), undefined, 0, 'not the path of a container log: pods/NAMESPACE_POD_UID/CONTAINER/RESTART.log', startedAt),
			)
			continue
		}
		const open = (): Source => openSource(optionsOf(file), createContainerReader(optionsOf(file), place))
		later.push({ firstAt: (await firstTime(open())) ?? startedAt, open })
	}
	return { now, later, rejects }
}

/** When the recording begins: as it says, or else the time of its first change or request, or else the first that its logs tell, or else the age of its oldest file. */
async function startOf(recording: Recording, cluster: string): Promise<Micros> {
	if (recording.startedAt !== undefined) return recording.startedAt
	const { modifiedAt } = recording
	const optionsOf = (file: RecordedFile): FileOptions => ({ cluster, path: file.path, name: file.name, startedAt: modifiedAt })
	const readers: readonly (readonly [RecordedFile | undefined, (options: FileOptions) => LineReader])[] = [
		[recording.etcd, (options) => createEtcdReader({ ...options, firstRevision: undefined, prefix: defaultPrefix })],
		[recording.audit, createAuditReader],
	]
	for (const [file, createReader] of readers) {
		const at = file && (await firstTime(openSource(optionsOf(file), createReader(optionsOf(file)))))
		if (at !== undefined && at !== modifiedAt) return at
	}
	let earliest = modifiedAt
	for (const file of recording.components) {
		const at = await firstTime(openSource(optionsOf(file), createComponentReader(optionsOf(file))))
		if (at !== undefined) earliest = Math.min(earliest, at)
	}
	return earliest
}

/** The first time in the first page of a file. */
async function firstTime(source: Source): Promise<Micros | undefined> {
	try {
		const page = await source.next()
		const at = page?.find((item) => item.at > 0)?.at
		return at
	} finally {
		await source.close()
	}
}
