// The one loop for all files: those with something to read stand in a queue and get turns, one after the other; what was read is handed over in batches. Nothing is read while too much is on its way.
import { existsSync } from 'node:fs'
import { saveWhenPossible, type LocalState } from '#collectors/local-state.ts'
import { Outbox, type StateChange } from '#collectors/outbox.ts'
import type { CollectorContext, Emit } from '#collectors/port.ts'
import { messageOf } from '#runtime/errors.ts'
import { Batch } from './batch.ts'
import { Checkpoints } from './checkpoints.ts'
import type { LogsConfig } from './config.ts'
import { Directories } from './directories.ts'
import { Family } from './family.ts'
import { statOf, type Entry, type LogFile } from './file.ts'
import type { RateLimit } from './rate.ts'
import { createReader } from './readers.ts'
import { mayHave, sourcesOf, type Source } from './sources.ts'
import { Turns, type Turn } from './turn.ts'

/** A batch is handed over when it is so large, or when nothing more is there to read. */
const sendBytes = 512 * 1024
/** Files that were written to lately are looked at so often, others as configured. */
const activeEveryMs = 10
const activeMs = 2000
/** A file that was replaced is read once more after so long: its writer may not have noticed yet. */
const graceMs = 100
/** And it is kept open for so long. */
const closeAfterMs = 10_000
/** The event loop is given way after so long. */
const yieldMs = 10
/** Files are looked at in so many slices, spread over the time between two looks. */
const slices = 8

const nowMs = (): number => performance.now()

export class Engine implements Disposable {
	readonly #config: LogsConfig
	readonly #context: CollectorContext
	readonly #batch: Batch
	readonly #turns: Turns
	readonly #checkpoints: Checkpoints
	readonly #outbox: Outbox
	readonly #sources: readonly Source[]
	readonly #directories: Directories
	readonly #families = new Map<string, Family>()
	readonly #active = new Set<Family>()
	readonly #open = new Set<LogFile>()
	readonly #told = new Set<string>()
	readonly #bytesRead
	readonly #filesKnown
	readonly #cuts
	#queue: Family[] = []
	#forgotten: StateChange[] = []
	#wake: (() => void) | undefined
	#slice = 0
	#lookedAt = 0
	#isOver = false
	/** Until then a folder may be listed for the first time after it was not looked at for a while. */
	#awayUntil = 0

	constructor(config: LogsConfig, context: CollectorContext, state: LocalState, emit: Emit) {
		this.#config = config
		this.#context = context
		this.#batch = new Batch(context.clock)
		this.#turns = new Turns(this.#batch, { ...config, nowMs })
		this.#checkpoints = new Checkpoints(state)
		const emitAndReuse: Emit = async (records) => {
			await emit(records)
			this.#batch.giveBack(records)
		}
		this.#outbox = new Outbox(emitAndReuse, state, () => this.#wake?.(), this.#held)
		this.#bytesRead = context.metrics.counter('kubetape_logs_read_bytes_total', 'Bytes of log files that were read', ['cluster'])
		this.#filesKnown = context.metrics.gauge('kubetape_logs_files', 'Log files that are known', ['cluster'])
		this.#cuts = context.metrics.counter(
			'kubetape_logs_cuts_total',
			'Log files that were cut off under the reader, by how much of them a copy had: what is written between the copying and the cut is in neither',
			['cluster', 'copy'],
		)
		this.#sources = sourcesOf(config, context.cluster)
		this.#directories = new Directories(this.#sources, {
			files: (source, path, entries) => this.#found(source, path, entries),
			changed: (path) => this.#changed(path),
			dirty: () => this.#wake?.(),
			failed: (path, error) => this.#failed(path, error),
		})
	}

	[Symbol.dispose](): void {
		this.#directories[Symbol.dispose]()
		for (const file of this.#open) file.close()
	}

	/** Until the signal aborts. Throws what a batch failed with. */
	async run(signal: AbortSignal): Promise<void> {
		const stop = (): void => {
			this.#isOver = true
			this.#wake?.()
		}
		signal.addEventListener('abort', stop)
		try {
			let began = nowMs()
			while (!signal.aborted && !this.#outbox.failure) {
				this.#directories.scan()
				const family = this.#queue.shift()
				if (family) {
					family.isQueued = false
					if (await this.#turn(family)) this.#enqueue(family)
				}
				if (this.#batch.bytes >= sendBytes || (this.#queue.length === 0 && !this.#isIdle)) await this.#send()
				if (this.#queue.length === 0) await this.#rest(signal)
				else if (nowMs() - began >= yieldMs) await new Promise((resolve) => setImmediate(resolve))
				else continue
				this.#look()
				began = nowMs()
			}
		} finally {
			signal.removeEventListener('abort', stop)
			if (!this.#outbox.failure) await this.#send()
			await this.#outbox.drain()
		}
	}

	get #isIdle(): boolean {
		return this.#batch.isEmpty && this.#forgotten.length === 0
	}

	#found(source: Source, path: string, entries: readonly Entry[]): void {
		// Two sources may lead to one log, one of them by a link: it is of the one that names its place.
		if ((this.#sources.find((candidate) => mayHave(candidate, path)) ?? source) !== source) return
		let family = this.#families.get(path)
		if (family ? family.source !== source : entries.length === 0) return
		family ??= this.#newFamily(source, path)
		family.update(entries)
		this.#touch(family)
	}

	#newFamily(source: Source, path: string): Family {
		const reader = createReader(source, this.#batch, this.#config, this.#context.clock, nowMs)
		const family = new Family(path, source, reader, this.#checkpoints.filesOf(path, source.placeOf(path)), {
			batch: this.#batch,
			clock: this.#context.clock,
			nowMs,
			wasAway: () => nowMs() < this.#awayUntil,
			forget: (file) => {
				this.#forgotten.push(...this.#checkpoints.forgotten(file))
				this.#batch.touched.delete(file)
			},
			stale: (stale) => this.#directories.rescan(stale),
			failed: (failed, error) => this.#failed(failed, error),
		})
		this.#families.set(path, family)
		return family
	}

	#changed(path: string): void {
		const family = this.#families.get(path)
		if (family) this.#touch(family)
	}

	#touch(family: Family): void {
		family.activeUntil = nowMs() + activeMs
		this.#active.add(family)
		this.#enqueue(family)
		this.#wake?.()
	}

	#enqueue(family: Family): void {
		if (family.isQueued) return
		family.isQueued = true
		this.#queue.push(family)
	}

	/** Reads on in the oldest file that is not read. True where there may be more. */
	async #turn(family: Family): Promise<boolean> {
		const now = nowMs()
		if (family.rate && this.#isLimited(family, family.rate, now)) return false
		for (const file of family.files) {
			if (file.isGone && !file.isOpen) continue
			if (file.finished && (!file.isOpen || now - file.lookedAt < graceMs)) continue
			file.lookedAt = now
			const isOver = file.replacedAt > 0 && now - file.replacedAt >= graceMs
			const before = file.position
			const turn = await this.#read(family, file, isOver)
			if (turn === 'cut') return true
			if (turn === 'none') return false
			if (turn === 'failed') continue
			if (turn === 'read') {
				this.#bytesRead.inc({ cluster: this.#context.cluster }, file.position - before)
				family.rate?.use(file.position - before)
				family.activeUntil = now + activeMs
				file.readAt = now
				this.#active.add(family)
				return true
			}
			// What comes next is read when this one is over.
			if (file.replacedAt > 0 && !isOver) {
				this.#active.add(family)
				return false
			}
			if (isOver) this.#over(file, now)
		}
		family.dropGone()
		return false
	}

	/** True where enough was read in this second. When a second begins, all but what it may bring is left out. */
	#isLimited(family: Family, rate: RateLimit, now: number): boolean {
		const state = rate.state(now)
		const file = family.files.at(-1)
		if (state === 'new' && file?.isOpen === true) this.#turns.leave(file, rate.bytesMax)
		if (state === 'used') this.#active.add(family)
		return state === 'used'
	}

	async #read(family: Family, file: LogFile, isOver: boolean): Promise<Turn | 'none' | 'failed'> {
		try {
			if (file.isPacked && !file.isOpen) return await this.#turns.readPacked(file, family.reader)
			if (!file.isOpen) this.#openFile(file)
			const turn = this.#turns.read(file, family.reader, isOver)
			if (turn === 'cut') this.#cut(family, file)
			return turn
		} catch (error) {
			// It is found under another name, or has gone.
			if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.#directories.rescan(family.path)
			else {
				this.#failed(file.path, error)
				return 'failed'
			}
			return 'none'
		}
	}

	#cut(family: Family, file: LogFile): void {
		const copy = family.cut(file, this.#directories.entriesOf(family.path))
		this.#cuts.inc({ cluster: this.#context.cluster, copy })
		for (const known of family.files) if (known.isOpen) this.#open.add(known)
		this.#open.delete(file)
	}

	/** It was replaced, and read to its end: it is closed after a while. */
	#over(file: LogFile, now: number): void {
		if (!file.finished) this.#turns.finish(file)
		if (now - Math.max(file.replacedAt, file.readAt) < closeAfterMs) return
		file.close()
		this.#open.delete(file)
		file.closedAt = now
	}

	#openFile(file: LogFile): void {
		if (this.#open.size >= this.#config.filesOpenMax)
			for (const other of this.#open) {
				if (other.size > other.position || other.pendingBytes > 0) continue
				other.close()
				this.#open.delete(other)
				break
			}
		file.open()
		this.#open.add(file)
	}

	async #send(): Promise<void> {
		const { touched } = this.#batch
		await saveWhenPossible(
			() => this.#checkpoints.announce(touched),
			this.#held,
			() => this.#isOver,
		)
		const changes = new Map<string, StateChange>()
		for (const file of touched) {
			const reader = this.#families.get(file.family)?.reader
			if (!reader) continue
			const change = this.#checkpoints.reached(file, reader.held(file))
			changes.set(change.key, change)
		}
		for (const change of this.#forgotten) changes.set(change.key, change)
		touched.clear()
		this.#forgotten = []
		const began = nowMs()
		await this.#settled(this.#outbox.send(this.#batch.take(), {}, changes))
		// Whoever leaves out a look may miss whole files.
		if (nowMs() - began > this.#config.pollMs) this.#awayUntil = nowMs() + this.#config.pollMs * 2
	}

	/** While the log takes nothing, files are not read: how long they become is looked at all the same. */
	async #settled(sent: Promise<void>): Promise<void> {
		if (!this.#outbox.isFull) return sent
		let isOver = false
		const over = sent.finally(() => (isOver = true))
		for (;;) {
			await Promise.race([over, this.#context.clock.sleep(this.#config.pollMs)])
			if (isOver) return over
			for (const file of this.#open) this.#turns.measure(file)
		}
	}

	/** Waits until something is told, or it is time to look. */
	async #rest(signal: AbortSignal): Promise<void> {
		const untilSlice = Math.max(1, this.#lookedAt + this.#config.pollMs / slices - nowMs())
		const woken = new AbortController()
		this.#wake = () => woken.abort()
		if (signal.aborted) woken.abort()
		await this.#context.clock.sleep(this.#active.size > 0 ? Math.min(activeEveryMs, untilSlice) : untilSlice, woken.signal)
		this.#wake = undefined
	}

	#look(): void {
		const now = nowMs()
		for (const family of this.#active) {
			family.reader.giveOut(now)
			const waits = family.files.some((file) => this.#waits(file, now))
			if (family.activeUntil < now && !waits && !family.reader.holds) this.#active.delete(family)
			this.#lookAt(family, now)
		}
		if (this.#active.size > 0) this.#directories.lookBusy()
		if (now - this.#lookedAt < this.#config.pollMs / slices) return
		this.#lookedAt = now
		if (this.#slice === 0) this.#directories.look()
		let index = 0
		for (const family of this.#families.values()) {
			if (index % slices === this.#slice) this.#lookAt(family, now)
			index += 1
		}
		this.#slice = (this.#slice + 1) % slices
		this.#filesKnown.set({ cluster: this.#context.cluster }, this.#families.size)
		if (this.#slice === 0) this.#forgetMissing()
	}

	/** Something will have to be done though nothing is written. */
	#waits(file: LogFile, now: number): boolean {
		if (file.pendingBytes > 0 && now - file.pendingSince < this.#config.lastLineMs + activeMs) return true
		return file.replacedAt > 0 && (!file.finished || file.isOpen)
	}

	/** Puts the family into the queue where one of its files has something to read. */
	#lookAt(family: Family, now: number): void {
		if (family.isQueued) return
		for (const file of family.files) {
			if (file.finished && !file.isOpen && !file.isGone) continue
			const size = file.isOpen ? file.sizeNow() : (statOf(file.path)?.size ?? 0)
			const isDue = file.pendingBytes > 0 && now - file.pendingSince >= this.#config.lastLineMs
			if (size === file.seenTo && !isDue && file.replacedAt === 0) continue
			this.#enqueue(family)
			return
		}
	}

	/** Nobody has found them since the beginning: they are gone, or not among the sources any more. */
	#forgetMissing(): void {
		for (const path of this.#checkpoints.missing) {
			const source = this.#sources.find((candidate) => mayHave(candidate, path))
			if (!source) this.#forgotten.push(...this.#checkpoints.drop(path))
			else if (existsSync(source.root)) this.#newFamily(source, path).update([])
		}
	}

	readonly #held = (error: unknown): void => {
		this.#context.log.warn(
			{ error: messageOf(error) },
			'how far files were read cannot be saved: nothing is read meanwhile; it is tried again',
		)
	}

	#failed(path: string, error: unknown): void {
		if (this.#told.has(path)) return
		if (this.#told.size < 10_000) this.#told.add(path)
		this.#context.log.warn({ path, error: messageOf(error) }, 'cannot be read; it is tried again')
	}
}
