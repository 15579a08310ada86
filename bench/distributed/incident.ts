// The recorded incident as records of now, as often as it takes: of several clusters, each copy with objects of its own.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Body } from '#records/body.ts'
import { auditId, logId, versionId } from '#records/id.ts'
import { objectKey } from '#records/object-key.ts'
import type { Redacted } from '#records/record.ts'
import { formatTime } from '#records/time.ts'
import { systemClock } from '#runtime/clock.ts'
import type { RecordLog, Stream } from '#storage/log/port.ts'
import { openSqliteLog } from '#storage/log/sqlite/log.ts'
import { startProgram } from '#test/support/program.ts'

const recorded = { versions: 2817, audit: 3363, lines: 12_440 }
const clusters = 10
/** How many revisions lie between two copies of one cluster. */
const revisionsApart = 1_000_000n
const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const uuidTail = 6
const appendRecords = 1000

export interface Incident {
	readonly records: readonly Redacted[]
	/** Added to every time, so that the incident ends when it was read here. */
	readonly shift: number
}

/** As the collect role writes it to its record log. `dir`: an empty folder. */
export async function readIncident(dir: string): Promise<Incident> {
	mkdirSync(dir, { recursive: true })
	const config = join(dir, 'kubetape.yaml')
	writeFileSync(
		config,
		`dataDir: ${dir}\nlogLevel: warn\nclusters: [{ name: demo, replay: { path: ${JSON.stringify(resolve('demo'))} } }]\n`,
	)
	const collect = startProgram(['collect', '--config', config])
	try {
		return await whole(dir).catch((error: unknown) => Promise.reject(new Error(`${String(error)}; ${collect.output().slice(-1000)}`)))
	} finally {
		collect.process.kill('SIGTERM')
		await collect.exited
	}
}

async function whole(dir: string): Promise<Incident> {
	await using log = await openSqliteLog({ dir: join(dir, 'log'), clock: systemClock })
	const read: Redacted[] = []
	const seen = { versions: 0, audit: 0, lines: 0 }
	for await (const { records } of log.read('bench', ['records', 'logs'], AbortSignal.timeout(120_000))) {
		for (const record of records) {
			if (record.kind === 'change' || record.kind === 'event') seen.versions += 1
			else if (record.kind === 'audit') seen.audit += 1
			else seen.lines += 1
		}
		read.push(...records)
		if (seen.versions >= recorded.versions && seen.audit >= recorded.audit && seen.lines >= recorded.lines) break
	}
	if (seen.lines < recorded.lines) throw new Error(`the incident was not read whole: ${JSON.stringify(seen)}`)
	const records = asTheyHappened(read)
	const last = records.reduce((at, { occurredAt }) => Math.max(at, occurredAt), 0)
	return { records, shift: systemClock.nowMicros() - last }
}

/** Played, each source comes by itself, as fast as it goes: lines before the Pods that wrote them. Here as they came in life, versions in the order of their revisions. */
function asTheyHappened(read: readonly Redacted[]): readonly Redacted[] {
	let latest = 0
	const timed = read.map((record) => {
		const isVersion = record.kind === 'change' || record.kind === 'event'
		if (isVersion) latest = Math.max(latest, record.occurredAt)
		return [isVersion ? latest : record.occurredAt, record] as const
	})
	return timed.toSorted(([one], [other]) => one - other).map(([, record]) => record)
}

/** Copy number `n`, record by record: copies of ten clusters in turn. Bodies keep their length. */
function* copyOf({ records, shift }: Incident, n: number): Generator<Redacted> {
	const tail = n.toString(16).padStart(uuidTail, '0')
	const cluster = `bench-${n % clusters}`
	const later = BigInt(Math.floor(n / clusters)) * revisionsApart
	const text = (of: string): string => of.replaceAll(uuid, (id) => id.slice(0, -uuidTail) + tail)
	const changed = (value: unknown): unknown => {
		if (typeof value === 'string') return text(value)
		if (value instanceof Body) return Body.ofBytes(Buffer.from(text(value.text)))
		if (Array.isArray(value)) return value.map(changed)
		if (typeof value !== 'object' || value === null) return value
		return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, changed(member)]))
	}
	for (const record of records) {
		const moved = { occurredAt: record.occurredAt + shift, observedAt: record.observedAt + shift }
		yield identified({ ...(changed(record) as Redacted), cluster, ...moved }, later)
	}
}

/** With the revisions of its copy, and the id that its collector would give it. */
function identified(record: Redacted, later: bigint): Redacted {
	switch (record.kind) {
		case 'change':
		case 'event': {
			const revision = record.revision + later
			const beforeRevision = record.beforeRevision === null ? null : record.beforeRevision + later
			const id = versionId(record.cluster, record.space, objectKey(record.object), revision)
			if (record.kind === 'change') return { ...record, id, revision, beforeRevision }
			const of = record.regarding.revision
			return { ...record, id, revision, beforeRevision, regarding: { ...record.regarding, revision: of === null ? null : of + later } }
		}
		case 'audit': {
			const { cluster, auditID, stage, occurredAt } = record
			return { ...record, id: auditId(cluster, auditID, stage, formatTime(occurredAt), occurredAt) }
		}
		case 'log':
			return { ...record, id: logId(record.cluster, record.file, record.offset, record.occurredAt) }
		default:
			return record
	}
}

const streamOf = ({ kind }: Redacted): Stream => (kind === 'log' ? 'logs' : 'records')

/** The incident over and over, from copy `from` on and without an end, in parts of which each is appended at once. */
export function* parts(incident: Incident, from: number, size = appendRecords): Generator<readonly Redacted[]> {
	let part: Redacted[] = []
	for (let n = from; ; n++) {
		for (const record of copyOf(incident, n)) {
			part.push(record)
			if (part.length < size) continue
			yield part
			part = []
		}
	}
}

export async function append(log: RecordLog, records: readonly Redacted[]): Promise<void> {
	await Promise.all([...Map.groupBy(records, streamOf)].map(([stream, of]) => log.append(stream, of)))
}
