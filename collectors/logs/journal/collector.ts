// The journal of the node: read with journalctl from where it was durable, and started again whatever ends it.
import { LineSplitter } from '#collectors/tail/lines.ts'
import { openLocalState, type LocalState } from '#collectors/local-state.ts'
import { Outbox } from '#collectors/outbox.ts'
import type { Collector, CollectorContext } from '#collectors/port.ts'
import type { JournaldConfig, LogsConfig } from '#collectors/logs/config.ts'
import { messageOf } from '#runtime/errors.ts'
import { createBackoff } from '#runtime/retry.ts'
import { Blocks, sha256Of } from './blocks.ts'
import { readCursor, readEntry, type Cursor } from './entry.ts'
import { follow, hasEntry, type Following } from './journalctl.ts'

const cursorName = 'journal'
/** A batch is handed over when it is so large, or when nothing more is there to read. */
const sendBytes = 512 * 1024
/** An entry as JSON: a byte of its message takes at most six (`\u0000`), the other fields little. */
const bytesPerByte = 6
const otherBytes = 64 * 1024
/** Whoever reads what is older than this is behind: what it reads may be removed before it is read. */
const behindMicros = 60_000_000
const askEveryMs = 1000
const firstWaitMs = 500
const waitMaxMs = 60_000

/** `journald` is that of `config`. What does not give the journal is waited for. */
export function createJournaldCollector(config: LogsConfig, journald: JournaldConfig, context: CollectorContext): Collector {
	return {
		name: 'journald',
		async run(emit, signal) {
			using state = openLocalState(context.stateDir)
			const outbox = new Outbox(emit, state, undefined, (error) =>
				context.log.warn(
					{ error: messageOf(error) },
					'how far the journal was read cannot be saved: nothing is read meanwhile; it is tried again',
				),
			)
			await new Journal(config, journald, context, state, outbox).run(signal)
		},
	}
}

class Journal {
	readonly #lineBytesMax: number
	readonly #journald: JournaldConfig
	readonly #context: CollectorContext
	readonly #outbox: Outbox
	readonly #blocks: Blocks
	readonly #bytesRead
	readonly #starts
	#askedAt = Number.NEGATIVE_INFINITY
	/** Of the last entry that was read. */
	#cursor: Cursor | undefined

	constructor(config: LogsConfig, journald: JournaldConfig, context: CollectorContext, state: LocalState, outbox: Outbox) {
		this.#lineBytesMax = config.lineBytesMax
		this.#journald = journald
		this.#context = context
		this.#outbox = outbox
		this.#blocks = new Blocks({ cluster: context.cluster, node: config.node, lineBytesMax: config.lineBytesMax, clock: context.clock })
		this.#bytesRead = context.metrics.counter('kubetape_logs_journal_read_bytes_total', 'Bytes of the journal that were read, as JSON', [
			'cluster',
		])
		this.#starts = context.metrics.counter('kubetape_logs_journal_starts_total', 'How often journalctl was started', ['cluster'])
		const saved = state.cursor(cursorName)
		this.#cursor = readCursor(saved)
		if (saved !== undefined && !this.#cursor) context.log.warn('where the journal was read to is garbled: it is read from its beginning')
	}

	/** Until the signal aborts. Throws what a batch failed with. */
	async run(signal: AbortSignal): Promise<void> {
		const backoff = createBackoff({ clock: this.#context.clock, firstMs: firstWaitMs, maxMs: waitMaxMs })
		let said = ''
		while (!signal.aborted) {
			const before = this.#cursor
			this.#starts.inc({ cluster: this.#context.cluster })
			try {
				await using following = follow(this.#journald, this.#cursor, signal)
				await this.#read(following, signal)
				throw await following.ended()
			} catch (error) {
				if (this.#outbox.failure) throw this.#outbox.failure.error
				if (signal.aborted) break
				if (this.#cursor !== before) {
					backoff.reset()
					said = ''
				}
				const why = messageOf(error)
				if (why !== said) this.#context.log.error({ error: why }, 'the journal is not read; it is tried again')
				said = why
			}
			await backoff.wait(signal)
		}
		await this.#send()
		await this.#outbox.drain()
	}

	async #read(following: Following, signal: AbortSignal): Promise<void> {
		const splitter = new LineSplitter({ lineBytesMax: this.#lineBytesMax * bytesPerByte + otherBytes })
		// The first one is where reading stopped: it was read.
		const from = this.#cursor
		let isFirst = true
		for await (const chunk of following.output as AsyncIterable<Buffer>) {
			this.#bytesRead.inc({ cluster: this.#context.cluster }, chunk.length)
			for (const { bytes, tooLong } of splitter.push(chunk)) {
				if (tooLong) {
					const why = `longer than ${this.#lineBytesMax} bytes of message may be as JSON`
					this.#blocks.reject(this.#cursor, tooLong.sha256, tooLong.sizeBytes, why)
					continue
				}
				const entry = readEntry(bytes)
				if (typeof entry === 'string') {
					this.#blocks.reject(this.#cursor, sha256Of(bytes), bytes.length, `not an entry of the journal: ${entry}`)
					const skipped = cursorIn(bytes)
					if (skipped) this.#cursor = skipped
					continue
				}
				const isKnown = isFirst && entry.cursor.text === from?.text
				if (!isKnown) await this.#join(entry.cursor, isFirst, signal)
				isFirst = false
				this.#cursor = entry.cursor
				if (!isKnown) this.#blocks.add(entry)
				if (this.#blocks.bytes >= sendBytes) await this.#send()
			}
			// journalctl waits where the log cannot take more.
			if (following.isIdle) await this.#send()
		}
	}

	/** Where entries are left out between the last one and this: are they of others, or were they removed? What is removed is removed from the oldest on. */
	async #join(next: Cursor, isFirst: boolean, signal: AbortSignal): Promise<void> {
		const last = this.#cursor
		if (!last || (last.sequence === next.sequence && next.number <= last.number + 1)) return
		if (!isFirst && (this.#context.clock.nowMicros() - next.at < behindMicros || performance.now() - this.#askedAt < askEveryMs)) return
		this.#askedAt = performance.now()
		if (!(await hasEntry(this.#journald, last, signal))) this.#blocks.gap(last, next)
	}

	async #send(): Promise<void> {
		const records = this.#blocks.take()
		if (records.length > 0) await this.#outbox.send(records, this.#cursor ? { [cursorName]: this.#cursor.text } : {})
	}
}

/** Of an entry that is refused: it is not read again. */
function cursorIn(bytes: Buffer): Cursor | undefined {
	return readCursor(/"__CURSOR":"([^"]{1,300})"/.exec(bytes.toString('latin1'))?.[1])
}
