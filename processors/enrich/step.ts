// Enrich: owners, labels, node and image as of the time of the record, where the collector could not know them, from our own history. What is not known stays absent.
import type { Indexed } from '#records/indexed.ts'
import type { Change, ClusterEvent, LogLine, Redacted } from '#records/record.ts'
import type { Micros } from '#records/time.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import type { Logger } from '#runtime/log.ts'
import type { Metrics } from '#runtime/metrics.ts'
import { foundOf, foundOfLine, type Found } from './found.ts'
import { readVersions, type HistoryStore } from './lookup.ts'
import { isTelling, Memory, versionOf, type Subject } from './memory.ts'
import { Repairs, type LineStore, type Pending } from './repair.ts'
import { ObjectHistory } from './versions.ts'

export interface EnrichOptions {
	readonly store: HistoryStore & LineStore
	readonly metrics: Metrics
	readonly logger: Logger
	readonly objectsMax?: number
}

export interface Enricher {
	/** Feed it every record, in the order of its partition; what it is given again changes nothing. Throws what the store throws where trying again can help. */
	enrich(records: readonly Indexed[]): Promise<readonly Indexed[]>
	/**
	 * When these, as they were given to `enrich`, are stored: lines that were stored before a version of their Pod came are told anew. Gives how many. Before it is done, the position must not be committed.
	 * Others may have been enriched meanwhile: their turn comes when they are stored.
	 */
	repair(records: readonly Indexed[]): Promise<number>
}

/** What is not done yet of records that were enriched. */
interface Unsettled {
	/** Those that the store does not have yet, by subject. */
	readonly changes: Map<string, Indexed<Redacted<Change>>[]>
	/** Came late: what is in memory of them is not exact. */
	readonly disordered: Map<string, Subject>
	readonly pending: Pending
}

/** What lines of one container have in common, and until when. */
interface Standing {
	readonly cluster: string
	readonly podUid: string
	readonly container: string
	readonly from: Micros
	readonly to: Micros
	readonly found: Found
	readonly node: string
}

const podOf = (line: LogLine): Subject => ({
	cluster: line.cluster,
	uid: line.podUid,
	object: { resource: 'pods', group: '', namespace: line.namespace, name: line.pod },
})

const isOf = (standing: Standing, line: LogLine): boolean =>
	standing.podUid === line.podUid &&
	standing.container === line.container &&
	standing.cluster === line.cluster &&
	line.occurredBound === 0 &&
	line.occurredAt >= standing.from &&
	line.occurredAt < standing.to

function lineWith(indexed: Indexed, line: Redacted<LogLine>, { found, node }: Standing): Indexed {
	return { ...indexed, ...found, record: line.node === '' && node !== '' ? { ...line, node } : line }
}

export function createEnrich(options: EnrichOptions): Enricher {
	return new HistoryEnricher(options)
}

class HistoryEnricher implements Enricher {
	readonly #store: EnrichOptions['store']
	readonly #logger: Logger
	readonly #memory: Memory
	readonly #repairs: Repairs
	readonly #lookups: ReturnType<Metrics['counter']>
	readonly #repaired: ReturnType<Metrics['counter']>
	readonly #unsettled = new Map<readonly Indexed[], Unsettled>()
	#turn: Promise<unknown> = Promise.resolve()
	#shown: Promise<void> | undefined

	constructor({ store, metrics, logger, objectsMax }: EnrichOptions) {
		this.#store = store
		this.#logger = logger
		this.#memory = new Memory(objectsMax)
		this.#repairs = new Repairs(store)
		this.#lookups = metrics.counter('kubetape_process_enrich_lookups_total', 'Histories of objects read from the store', ['result'])
		this.#repaired = metrics.counter(
			'kubetape_process_enrich_repairs_total',
			'Stored log lines told anew: a version of their Pod came later',
		)
	}

	enrich(records: readonly Indexed[]): Promise<readonly Indexed[]> {
		return this.#inTurn(() => this.#enrich(records))
	}

	repair(records: readonly Indexed[]): Promise<number> {
		return this.#inTurn(() => this.#repair(records))
	}

	/** Both wait for the store, and change what is remembered behind that. */
	#inTurn<T>(work: () => Promise<T>): Promise<T> {
		const turn = this.#turn.then(work)
		this.#turn = turn.catch(() => undefined) // who asked is told
		return turn
	}

	async #enrich(records: readonly Indexed[]): Promise<readonly Indexed[]> {
		const unsettled = this.#unsettled.get(records) ?? { changes: new Map(), disordered: new Map(), pending: new Map() }
		unsettled.changes.clear()
		this.#unsettled.set(records, unsettled)
		for (const indexed of records) if (isTelling(indexed)) await this.#learn(indexed, unsettled)
		const enriched: Indexed[] = []
		let standing: Standing | undefined
		for (const indexed of records) {
			const { record } = indexed
			if (record.kind === 'event') enriched.push(await this.#ofEvent(indexed, record))
			else if (record.kind === 'log' && record.podUid !== '') {
				if (!standing || !isOf(standing, record)) standing = await this.#ofLine(record)
				enriched.push(lineWith(indexed, record, standing))
			} else enriched.push(indexed)
		}
		return enriched
	}

	async #repair(records: readonly Indexed[]): Promise<number> {
		const unsettled = this.#unsettled.get(records)
		if (!unsettled) return 0
		const { changes, disordered, pending } = unsettled
		changes.clear()
		for (const { cluster, uid } of disordered.values()) this.#memory.forget(cluster, uid)
		disordered.clear()
		const count = await this.#repairs.run(pending, (subject, near) => this.#historyOf(subject, () => true, near))
		this.#unsettled.delete(records)
		this.#repaired.inc(count)
		return count
	}

	async #learn(indexed: Indexed<Redacted<Change>>, { changes, disordered, pending }: Unsettled): Promise<void> {
		const { record, pod } = indexed
		const version = versionOf(indexed)
		// A static pod is known to its log by the hash.
		for (const uid of pod && pod.configHash !== '' ? new Set([record.uid, pod.configHash]) : [record.uid]) {
			const subject = { cluster: record.cluster, object: record.object, uid }
			// What its lines were told before must be known, to tell whether this differs.
			const mustKnow = pod !== undefined && !version.isCreation && (await this.#repairs.mayHaveLines(record.cluster))
			if (mustKnow) await this.#historyOf(subject, () => true, version.latest)
			const history = this.#memory.touch(record.cluster, uid)
			const hadNode = history.node !== ''
			const added = history.add(version)
			const key = `${record.cluster}\0${uid}`
			if (added === 'disorder') disordered.set(key, subject)
			if (pod && added !== 'continues') this.#repairs.add(pending, subject, version, version.isCreation || !hadNode)
			const unstored = changes.get(key)
			if (unstored) unstored.push(indexed)
			else changes.set(key, [indexed])
		}
	}

	async #ofEvent(indexed: Indexed, event: Redacted<ClusterEvent>): Promise<Indexed> {
		const { regarding, space, revision, cluster, occurredAt, occurredBound } = event
		if (regarding.uid === '' || regarding.resource === '') return indexed
		const from = occurredAt - occurredBound
		const to = occurredAt + occurredBound
		// Where Events have an etcd of their own, their revisions do not compare with those of the object.
		const read = (history: ObjectHistory) =>
			history.hasSpace(space)
				? { versions: [history.atRevision(space, revision)].filter((version) => version !== undefined), unknown: false }
				: history.between(from, to)
		const isEnough = (history: ObjectHistory): boolean => read(history).versions.length > 0 && !read(history).unknown
		const { versions, unknown } = read(await this.#historyOf({ cluster, object: regarding, uid: regarding.uid }, isEnough, to))
		if (unknown || versions.length === 0) return indexed
		const { labels, owners } = foundOf(versions, false, '')
		return { ...indexed, labels, owners }
	}

	async #ofLine(line: LogLine): Promise<Standing> {
		await this.#repairs.sawLine(line.cluster)
		const { cluster, podUid, container, occurredAt, occurredBound } = line
		const [from, to] = [occurredAt - occurredBound, occurredAt + occurredBound]
		const history = await this.#historyOf(podOf(line), (known) => !known.between(from, to).unknown, to)
		const found = foundOfLine(history, line)
		return { cluster, podUid, container, ...history.stretchAround(occurredAt), found, node: history.node }
	}

	async #historyOf(subject: Subject, isEnough: (history: ObjectHistory) => boolean, near: Micros): Promise<ObjectHistory> {
		const known = this.#memory.get(subject.cluster, subject.uid)
		return known && (known.reachesBack || isEnough(known)) ? known : this.#read(subject, near)
	}

	/** The store's own history, whole; its latest part takes the place of the one in memory. */
	async #read(subject: Subject, near: Micros): Promise<ObjectHistory> {
		const { cluster, uid } = subject
		const history = new ObjectHistory()
		try {
			// What another process had put whose partitions came to this one; what this one puts it remembers.
			this.#shown ??= this.#store.show()
			await this.#shown.catch((error: unknown) => {
				this.#shown = undefined
				throw error
			})
			for (const version of await readVersions(this.#store, subject, near)) history.add(version)
			this.#lookups.inc({ result: 'read' })
		} catch (error) {
			if (!(error instanceof KubetapeError) || error.retryable) throw error
			// A damaged day must not stop recording: what it knew of the object stays absent.
			this.#lookups.inc({ result: 'failed' })
			this.#logger.warn(
				{ code: error.code, error: messageOf(error), object: subject.object.name },
				'the history of an object could not be read',
			)
		}
		for (const { changes } of this.#unsettled.values())
			for (const indexed of changes.get(`${cluster}\0${uid}`) ?? []) history.add(versionOf(indexed))
		history.reachesBack = true
		this.#memory.keep(cluster, uid, history)
		return history
	}
}
