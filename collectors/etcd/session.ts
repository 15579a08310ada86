// One session with one endpoint: snapshot where one is needed, then the watch, in batches, each saved after it is durable.
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { createHash } from 'node:crypto'
import type { CollectorContext, Emit } from '#collectors/port.ts'
import type { LocalState } from '#collectors/local-state.ts'
import { Outbox, type StateChange } from '#collectors/outbox.ts'
import { createCatalog } from '#records/catalog.ts'
import { statementId } from '#records/id.ts'
import { objectKey } from '#records/object-key.ts'
import { gapKeysMax, type GapReason, type KubetapeRecord, type Reject, type Sighting, type VersionRecord } from '#records/record.ts'
import { mainSpace, type Revision } from '#records/revision.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { limits } from '#runtime/limits.ts'
import type { EtcdClient, Head } from './client.ts'
import type { EtcdConfig } from './config.ts'
import { isSameHistory } from './history.ts'
import { Ledger, makeGap, type LedgerOptions } from './ledger.ts'
import { nextSpace, pendingCursor, positionCursor, readPending, readPosition, type PendingSnapshot, type Position } from './position.ts'
import { diffSnapshot, readSnapshot } from './snapshot.ts'
import { createVersions, type Versions } from './versions.ts'
import { openWatch, type WatchBatch, type WatchedEvent } from './watch.ts'

const source = 'etcd'
/** After so many events decoded in one go the stream is read again. */
const turnEvents = 100
/** At the start what the state knows is shown to the versions, so that owners are known: not what nothing is owned by. */
const unownedFolders = ['events/', 'leases/', 'secrets/', 'configmaps/']

export interface SessionRun {
	readonly emit: Emit
	readonly state: LocalState
	readonly damaged: boolean
	readonly signal: AbortSignal
}

export class EtcdSession {
	readonly #config: EtcdConfig
	readonly #context: CollectorContext
	readonly #run: SessionRun
	#versions: Versions | undefined
	#space = mainSpace
	#outbox: Outbox

	constructor(config: EtcdConfig, context: CollectorContext, run: SessionRun) {
		this.#config = config
		this.#context = context
		this.#run = run
		this.#outbox = new Outbox(run.emit, run.state)
	}

	/** Ends when the signal aborts, with everything saved; throws when the endpoint is lost. `onAlive` is called when the watch has given something. */
	async run(client: EtcdClient, head: Head, onAlive: () => void): Promise<void> {
		const { clusterId, revision } = head
		const { state } = this.#run
		this.#outbox = new Outbox(this.#run.emit, state)
		try {
			const position = readPosition(state)
			const pending = readPending(state)
			const isBegun = pending?.reason === 'space-changed' && pending.clusterId === clusterId && BigInt(pending.headRevision) <= revision
			if (!isBegun && position && (await this.#hasMoved(client, head, position)))
				await this.#snapshot(client, clusterId, this.#pendingOf('space-changed', head, position, nextSpace(position, clusterId, revision)))
			else if (pending) await this.#snapshot(client, clusterId, pending)
			else if (!position)
				await this.#snapshot(client, clusterId, this.#pendingOf(this.#run.damaged ? 'corrupt' : null, head, undefined, mainSpace))
			while (!this.#run.signal.aborted) await this.#follow(client, onAlive)
		} finally {
			await this.#settle()
		}
	}

	/** Another etcd, or one whose data were set back. */
	async #hasMoved(client: EtcdClient, { clusterId, revision }: Head, position: Position): Promise<boolean> {
		if (position.clusterId !== clusterId || revision < position.revision) return true
		const { prefix, snapshotPageKeys: pageKeys } = this.#config
		return !(await isSameHistory(client, this.#run.state, position, { prefix, pageKeys }))
	}

	/** What was handed over is waited for; its own failure is thrown by the next send. */
	async #settle(): Promise<void> {
		try {
			await this.#outbox.drain()
		} catch (error) {
			if (!this.#run.signal.aborted) throw error
		}
	}

	#pendingOf(reason: GapReason | null, head: Head, position: Position | undefined, space: string): PendingSnapshot {
		const from = reason === null || reason === 'space-changed' || !position ? null : (position.revision + 1n).toString()
		const of = { clusterId: head.clusterId, headRevision: head.revision.toString() }
		return { ...of, reason, space, from, fromAt: position?.at ?? null, touched: [], touchedCount: 0 }
	}

	#ledgerOptions(space: string): LedgerOptions {
		return { cluster: this.#context.cluster, source, space, scope: this.#config.prefix === '' ? 'etcd' : `etcd ${this.#config.prefix}` }
	}

	/** The versions of a space, taught what the state knows. */
	async #versionsOf(space: string): Promise<Versions> {
		if (this.#versions && this.#space === space) return this.#versions
		const { cluster, clock } = this.#context
		const prefix = this.#config.registry
		const versions = createVersions({ cluster, source, space, prefix, catalog: createCatalog() })
		const definitions = `${prefix}apiextensions.k8s.io/customresourcedefinitions/`
		for (const folder of [definitions, prefix]) {
			let seen = 0
			for (const { key, revision, value } of this.#run.state.list(folder)) {
				if (unownedFolders.some((unowned) => key.startsWith(prefix + unowned))) continue
				versions.toRecord(putOf(key, revision, value), clock.nowMicros(), 'snapshot')
				versions.takeRejects() // told when it was seen
				if (++seen % turnEvents === 0) await turnOfTheLoop()
			}
		}
		this.#versions = versions
		this.#space = space
		return versions
	}

	/** Everything at one revision, against what was known: new and changed keys, those that have gone, and the gap between. */
	async #snapshot(client: EtcdClient, clusterId: string, begun: PendingSnapshot): Promise<void> {
		const { prefix, registry, snapshotPageKeys: pageKeys } = this.#config
		const { state, signal } = this.#run
		const versions = await this.#versionsOf(begun.space)
		const revision = await this.#snapshotRevision(client, clusterId, begun)
		await this.#learnDefinitions(client, `${registry}apiextensions.k8s.io/customresourcedefinitions/`, revision, versions)
		let pending = begun
		const newSpace = begun.reason === 'space-changed'
		let newest: Pick<WatchedEvent, 'key' | 'modRevision'> = { key: '', modRevision: 0n }
		const pages = diffSnapshot(readSnapshot(client, { prefix, revision, pageKeys }), state.list(prefix), newSpace)
		for await (const page of pages) {
			if (signal.aborted) return
			const batch = new Batch()
			const touched = [...pending.touched]
			let touchedCount = pending.touchedCount
			for (const event of page.events) {
				if (event.type === 'PUT' && !event.keyBytes && event.modRevision > newest.modRevision) newest = event
				const record = this.#toRecord(versions, event, begun.reason === null ? 'snapshot' : 'gap')
				batch.add(
					event,
					event.type === 'DELETE' && record.kind !== 'reject' ? { ...record, note: 'gone: when, is not known' } : record,
					versions.takeRejects(),
				)
				if (record.kind === 'reject' || !page.changed.has(event)) continue
				touchedCount += 1
				if (touched.length < gapKeysMax) touched.push(objectKey(record.object))
			}
			pending = { ...pending, touched, touchedCount }
			await this.#outbox.send(batch.records, pendingCursor(pending), batch.changes)
			await turnOfTheLoop()
		}
		const witness = newest.key === '' ? readPosition(state)?.witness : newest.key
		await this.#finishSnapshot({ clusterId, revision, witness }, pending)
	}

	/**
	 * After a compaction it is the first revision that etcd still has: what stood there can be read, and all that was written behind it can still be
	 * watched, so that nothing is missing but what the compaction took. Otherwise it is the newest one.
	 */
	async #snapshotRevision(client: EtcdClient, clusterId: string, { reason, from }: PendingSnapshot): Promise<Revision> {
		const { prefix, progressMs } = this.#config
		const { clock } = this.#context
		if (reason === 'compacted' && from !== null) {
			const { signal } = this.#run
			using watch = await openWatch(client, { prefix, from: BigInt(from), clusterId, progressMs, clock, signal })
			try {
				await watch.next()
			} catch (error) {
				const compacted = error instanceof KubetapeError && error.code === 'ETCD_COMPACTED' ? error.details['compacted'] : undefined
				if (typeof compacted !== 'bigint') throw error
				return compacted
			}
		}
		return (await client.head(prefix)).revision
	}

	async #finishSnapshot(at: Pick<Position, 'clusterId' | 'revision' | 'witness'>, pending: PendingSnapshot): Promise<void> {
		const { revision } = at
		const now = this.#context.clock.nowMicros()
		const { reason, space, fromAt, touched, touchedCount } = pending
		const from = pending.from === null ? null : BigInt(pending.from)
		const records: KubetapeRecord[] = []
		if (reason !== null) {
			const detail = touchedCount === 1 ? 'one object differed' : `${touchedCount} objects differed`
			records.push(makeGap(this.#ledgerOptions(space), { reason, from, to: revision, fromAt, now, touched, touchedCount, detail }))
			this.#context.log.warn(
				{ reason, from: String(from), to: String(revision), touched: touchedCount },
				'revisions are missing: a gap is recorded',
			)
		}
		const open = new Ledger(this.#ledgerOptions(space), revision + 1n).open
		await this.#outbox.send(records, positionCursor({ ...at, space, at: now, open }))
		await this.#outbox.drain()
	}

	/** Custom resources may come before their definitions in key order. */
	async #learnDefinitions(client: EtcdClient, prefix: string, revision: Revision, versions: Versions): Promise<void> {
		for await (const page of readSnapshot(client, { prefix, revision, pageKeys: this.#config.snapshotPageKeys })) {
			for (const kv of page.keys)
				versions.toRecord(putOf(kv.key.toString('utf8'), BigInt(kv.mod_revision), kv.value), this.#context.clock.nowMicros(), 'snapshot')
			versions.takeRejects() // told when the snapshot comes to them
		}
	}

	/** From the position on until the signal aborts; a compaction on the way is a gap, and the watch begins anew behind it. */
	async #follow(client: EtcdClient, onAlive: () => void): Promise<void> {
		const position = readPosition(this.#run.state)
		if (!position) return
		const { prefix, progressMs } = this.#config
		const versions = await this.#versionsOf(position.space)
		const ledger = new Ledger(this.#ledgerOptions(position.space), position.revision + 1n, position.open)
		using watch = await openWatch(client, {
			prefix,
			from: position.revision + 1n,
			clusterId: position.clusterId,
			progressMs,
			clock: this.#context.clock,
			signal: AbortSignal.any([this.#run.signal, this.#outbox.failed]),
		})
		let at = position
		try {
			for (let batch = await watch.next(); batch; batch = await watch.next()) {
				onAlive()
				at = await this.#take(batch, at, ledger, versions)
			}
			await this.#save(at, ledger, true)
			await this.#outbox.drain()
		} catch (error) {
			if (!(error instanceof KubetapeError) || error.code !== 'ETCD_COMPACTED') throw error
			await this.#save(at, ledger, true)
			await this.#outbox.drain()
			await this.#snapshot(client, at.clusterId, this.#pendingOf('compacted', at, at, at.space))
		}
	}

	/** Hands over what came, in batches that end with a whole revision; gives the new position. */
	async #take(batch: WatchBatch, from: Position, ledger: Ledger, versions: Versions): Promise<Position> {
		let at = from
		let next = new Batch()
		for (const [index, event] of batch.events.entries()) {
			if (event.modRevision !== at.revision) {
				if (next.isFull) {
					await this.#send(next, at, ledger, false)
					next = new Batch()
				}
				if (this.#config.prefix === '' && event.modRevision > at.revision + 1n) this.#lost(next, at, event.modRevision, ledger)
			}
			const record = this.#toRecord(versions, event, 'watch')
			next.add(event, record, versions.takeRejects())
			ledger.add(event.modRevision, event.key)
			at = { ...at, revision: event.modRevision, witness: event.type === 'PUT' && !event.keyBytes ? event.key : at.witness }
			if (index % turnEvents === turnEvents - 1) await turnOfTheLoop()
		}
		const isIdle = batch.events.length === 0
		if (batch.revision > at.revision) at = { ...at, revision: batch.revision }
		if (next.records.length > 0) await this.#send(next, at, ledger, false)
		else if (isIdle) await this.#save(at, ledger, true)
		return at
	}

	/** The whole keyspace has an event for every revision: one without is a loss, on whichever side. */
	#lost(batch: Batch, at: Position, found: Revision, ledger: Ledger): void {
		const now = this.#context.clock.nowMicros()
		const before = ledger.close(at.revision, now, true)
		if (before) batch.records.push(before)
		ledger.skip(found)
		batch.records.push(
			makeGap(this.#ledgerOptions(at.space), {
				reason: 'lost',
				from: at.revision + 1n,
				to: found - 1n,
				fromAt: at.at,
				now,
				touched: [],
				touchedCount: 0,
				detail: 'etcd gave no event for these revisions',
			}),
		)
		this.#context.log.error(
			{ from: String(at.revision + 1n), to: String(found - 1n) },
			'etcd gave no event for these revisions: a gap is recorded',
		)
	}

	async #send(batch: Batch, at: Position, ledger: Ledger, isLast: boolean): Promise<void> {
		const now = this.#context.clock.nowMicros()
		const coverage = ledger.close(at.revision, now, isLast)
		if (coverage) batch.records.push(coverage)
		await this.#outbox.send(batch.records, positionCursor({ ...at, at: now, open: ledger.open }), batch.changes)
	}

	/** States the open range and saves the position, where there is something to state. */
	async #save(at: Position, ledger: Ledger, isLast: boolean): Promise<void> {
		if (BigInt(ledger.open.from) <= at.revision) await this.#send(new Batch(), at, ledger, isLast)
	}

	#toRecord(versions: Versions, event: WatchedEvent, sighting: Sighting): VersionRecord | Reject {
		const now = this.#context.clock.nowMicros()
		if (event.keyBytes) return badKey(this.#context.cluster, event, now)
		// etcd leaves the value before out where it was compacted; the state may still have it.
		const mayBeKnown = sighting === 'watch' && event.prev === null && (event.type === 'DELETE' || event.version > 1n)
		const known = mayBeKnown ? this.#outbox.known(event.key) : undefined
		return versions.toRecord(known ? { ...event, prev: { modRevision: known.revision, value: known.value } } : event, now, sighting)
	}
}

/** Records on their way, and what they make of the last known state. */
class Batch {
	readonly records: KubetapeRecord[] = []
	readonly changes = new Map<string, StateChange>()
	#bytes = 0

	get isFull(): boolean {
		return this.records.length >= limits.batchRecordsMax || this.#bytes >= limits.batchBytesMax
	}

	add(event: WatchedEvent, record: VersionRecord | Reject, rejects: readonly Reject[]): void {
		this.records.push(record, ...rejects)
		this.#bytes += (event.value?.length ?? 0) + (event.prev?.value.length ?? 0)
		if (!event.keyBytes)
			this.changes.set(event.key, { key: event.key, revision: event.modRevision, value: event.type === 'PUT' ? event.value : null })
	}
}

function putOf(key: string, modRevision: Revision, value: Uint8Array): WatchedEvent {
	return { type: 'PUT', key, keyBytes: null, value, modRevision, createRevision: 0n, version: 2n, lease: 0n, prev: null }
}

function badKey(cluster: string, event: WatchedEvent, now: number): Reject {
	const key = event.keyBytes ?? new Uint8Array()
	const sha256 = createHash('sha256').update(key).digest('hex')
	const where = `key ${Buffer.from(key).toString('hex').slice(0, 128)} at revision ${event.modRevision}`
	return {
		kind: 'reject',
		id: statementId('reject', cluster, 0, 'etcd.key', where),
		cluster,
		source,
		occurredAt: now,
		occurredBound: 0,
		observedAt: now,
		step: 'etcd.key',
		reason: 'the key is not UTF-8',
		where,
		sha256,
		sizeBytes: key.length,
	}
}
