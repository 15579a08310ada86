// The watch loop on etcd's raw stream: whole revisions in order, each once; joins fragments, notices silence, names compaction.
import { isUtf8 } from 'node:buffer'
import type { IEvent, IWatchResponse } from 'etcd3'
import type { Revision } from '#records/revision.ts'
import type { Clock } from '#runtime/clock.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { etcdError, rangeOf, type EtcdClient, type WatchStream } from './client.ts'

/** Events waiting to be taken, in bytes: above it the stream is paused, and etcd keeps the rest. */
const queueBytesMax = 16 * 1024 * 1024
/** Bytes of one revision that came in fragments. */
const revisionBytesMax = 512 * 1024 * 1024
/** So many times the progress interval without a word, and the stream is given up. */
const silentIntervalsMax = 3

export interface WatchedEvent {
	readonly type: 'PUT' | 'DELETE'
	readonly key: string
	/** Set where the key is not UTF-8; `key` is then no name. */
	readonly keyBytes: Uint8Array | null
	readonly value: Uint8Array | null
	readonly modRevision: Revision
	readonly createRevision: Revision
	readonly version: bigint
	readonly lease: bigint
	readonly prev: { readonly modRevision: Revision; readonly value: Uint8Array } | null
}

export interface WatchBatch {
	/** In order; a revision is never split over two batches. Empty where etcd only said how far it is. */
	readonly events: readonly WatchedEvent[]
	/** Everything up to here has been seen: of the last event, or of a progress answer. */
	readonly revision: Revision
}

export interface WatchOptions {
	readonly prefix: string
	/** First revision wanted. */
	readonly from: Revision
	readonly clusterId: string
	readonly progressMs: number
	readonly clock: Clock
	readonly signal: AbortSignal
}

export interface Watch extends Disposable {
	/** Everything that has come since the last call, at most about queueBytesMax; waits where nothing has. Undefined when the signal aborts. Throws ETCD_COMPACTED, … */
	next(): Promise<WatchBatch | undefined>
}

const none = new Uint8Array()

export function toWatchedEvent(event: IEvent): WatchedEvent {
	const { kv, prev_kv: prev } = event
	const put = event.type === 'Put' || event.type.toUpperCase() === 'PUT'
	return {
		type: put ? 'PUT' : 'DELETE',
		key: kv.key.toString('utf8'),
		keyBytes: isUtf8(kv.key) ? null : kv.key,
		value: put ? (kv.value ?? none) : null,
		modRevision: BigInt(kv.mod_revision),
		createRevision: BigInt(kv.create_revision),
		version: BigInt(kv.version),
		lease: BigInt(kv.lease),
		prev: prev ? { modRevision: BigInt(prev.mod_revision), value: prev.value ?? none } : null,
	}
}

const sizeOf = (event: WatchedEvent): number => event.key.length + (event.value?.length ?? 0) + (event.prev?.value.length ?? 0) + 64

/** Puts responses in order: what is whole can be taken, the revision still coming in fragments is held back. */
export class RevisionQueue {
	#ready: WatchedEvent[] = []
	#held: WatchedEvent[] = []
	#heldBytes = 0
	#released: Revision
	readonly #whole: boolean
	bytes = 0
	/** Events that had been seen before and were left out. */
	repeated = 0

	/** `whole`: the watch is of the whole keyspace, where a revision without an event does not exist, so that progress never runs ahead of the events. */
	constructor(from: Revision, whole: boolean) {
		this.#released = from - 1n
		this.#whole = whole
	}

	get revision(): Revision {
		return this.#released
	}

	/** Throws ETCD_PROTOCOL where the order is broken. */
	push(response: Pick<IWatchResponse, 'events' | 'fragment'>): void {
		for (const raw of response.events) {
			const event = toWatchedEvent(raw)
			if (event.modRevision <= this.#released) {
				this.repeated += 1
				continue
			}
			const current = this.#held[0]?.modRevision
			if (current !== undefined && event.modRevision < current) {
				throw new KubetapeError('ETCD_PROTOCOL', `etcd: revision ${event.modRevision} came after ${current}`)
			}
			if (current !== undefined && event.modRevision > current) this.#release()
			this.#held.push(event)
			const size = sizeOf(event)
			this.#heldBytes += size
			this.bytes += size
		}
		if (this.#heldBytes > revisionBytesMax)
			throw new KubetapeError('ETCD_PROTOCOL', `etcd: one revision takes more than ${revisionBytesMax} bytes`)
		if (!response.fragment) this.#release()
	}

	progress(revision: Revision): void {
		if (!this.#whole && this.#held.length === 0 && revision > this.#released) this.#released = revision
	}

	take(): WatchBatch {
		const events = this.#ready
		this.#ready = []
		this.bytes = this.#heldBytes
		return { events, revision: this.#released }
	}

	#release(): void {
		const last = this.#held.at(-1)
		if (!last) return
		for (const event of this.#held) this.#ready.push(event)
		this.#released = last.modRevision
		this.#held = []
		this.#heldBytes = 0
	}
}

/** What a response without events says when it is no good news. */
function refusal(response: IWatchResponse, options: WatchOptions, revision: Revision): KubetapeError | undefined {
	const compacted = BigInt(response.compact_revision)
	if (compacted > 0n) {
		return new KubetapeError('ETCD_COMPACTED', `etcd: revision ${options.from} is compacted, the first left is ${compacted}`, {
			details: { compacted },
		})
	}
	if (response.canceled) {
		const known = etcdError(new Error(response.cancel_reason || 'the watch was cancelled without a reason'))
		return known.code === 'ETCD_UNAVAILABLE'
			? new KubetapeError('ETCD_UNAVAILABLE', `etcd: the watch was cancelled: ${response.cancel_reason}`)
			: known
	}
	if (response.header.cluster_id !== options.clusterId)
		return new KubetapeError('ETCD_PROTOCOL', `etcd: the answer is of another cluster, ${response.header.cluster_id}`)
	if (!response.created && response.events.length === 0 && BigInt(response.header.revision) < revision && revision >= options.from) {
		return new KubetapeError('ETCD_PROTOCOL', `etcd: the member went back to revision ${response.header.revision}`)
	}
	return undefined
}

class StreamWatch implements Watch {
	readonly #stream: WatchStream
	readonly #client: EtcdClient
	readonly #options: WatchOptions
	readonly #queue: RevisionQueue
	readonly #over = new AbortController()
	#failure: KubetapeError | undefined
	#heard = true
	#silent = 0
	#paused = false
	#news = false
	#wake: (() => void) | undefined

	constructor(stream: WatchStream, client: EtcdClient, options: WatchOptions) {
		this.#stream = stream
		this.#client = client
		this.#options = options
		this.#queue = new RevisionQueue(options.from, options.prefix === '')
		stream.on('data', (response) => this.#receive(response))
		stream.on('error', (error) => this.#fail(etcdError(error)))
		stream.on('end', () => this.#fail(new KubetapeError('ETCD_UNAVAILABLE', 'etcd: the stream has ended')))
		options.signal.addEventListener('abort', this.#notify, { once: true })
		stream.write({
			create_request: {
				...rangeOf(options.prefix),
				start_revision: options.from.toString(),
				progress_notify: true,
				prev_kv: true,
				fragment: true,
			},
		})
		void this.#watchSilence()
	}

	async next(): Promise<WatchBatch | undefined> {
		for (;;) {
			if (this.#options.signal.aborted) return undefined
			const waiting = this.#news
			this.#news = false
			if (waiting) {
				const batch = this.#queue.take()
				if (this.#paused) {
					this.#paused = false
					this.#stream.resume()
				}
				return batch
			}
			if (this.#failure) throw this.#failure
			await new Promise<void>((resolve) => (this.#wake = resolve))
		}
	}

	[Symbol.dispose](): void {
		this.#over.abort()
		this.#options.signal.removeEventListener('abort', this.#notify)
		this.#failure ??= new KubetapeError('ETCD_UNAVAILABLE', 'etcd: the stream was closed')
		this.#stream.cancel()
		this.#notify()
	}

	readonly #notify = (): void => {
		this.#wake?.()
		this.#wake = undefined
	}

	#fail(error: KubetapeError): void {
		if (this.#failure) return
		this.#failure = error
		this.#over.abort()
		this.#stream.cancel()
		this.#notify()
	}

	#receive(response: IWatchResponse): void {
		if (this.#failure) return
		this.#heard = true
		const refused = refusal(response, this.#options, this.#queue.revision)
		if (refused) return this.#fail(refused)
		try {
			if (response.events.length > 0 || response.fragment) this.#queue.push(response)
			else if (!response.created) this.#queue.progress(BigInt(response.header.revision))
			else return
		} catch (error) {
			return this.#fail(etcdError(error))
		}
		this.#news = true
		if (this.#queue.bytes > queueBytesMax && !this.#paused) {
			this.#paused = true
			this.#stream.pause()
		}
		this.#notify()
	}

	/** Asks a silent stream for a sign of life; a stream that is paused by us is not silent. */
	async #watchSilence(): Promise<void> {
		while (!this.#over.signal.aborted) {
			await this.#options.clock.sleep(this.#options.progressMs, this.#over.signal)
			if (this.#over.signal.aborted) return
			const isAlive = this.#heard || this.#paused || (await this.#hasNothingNew())
			this.#silent = isAlive ? 0 : this.#silent + 1
			this.#heard = false
			if (this.#silent >= silentIntervalsMax) {
				return this.#fail(
					new KubetapeError('ETCD_UNAVAILABLE', `etcd: no sign of life for ${silentIntervalsMax * this.#options.progressMs} ms`),
				)
			}
			if (!this.#over.signal.aborted) this.#stream.write({ progress_request: {} })
		}
	}

	/** etcd answers no progress request while the watch begins behind the newest revision: then a read tells whether there is anything to be silent about. */
	async #hasNothingNew(): Promise<boolean> {
		try {
			return (await this.#client.head(this.#options.prefix)).revision <= this.#queue.revision
		} catch {
			// Unanswered is silent too: the count goes on.
			return false
		}
	}
}

/** Opens a watch at `options.from`. Close it by disposing. */
export async function openWatch(client: EtcdClient, options: WatchOptions): Promise<Watch> {
	return new StreamWatch(await client.watch(), client, options)
}
