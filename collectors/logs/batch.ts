// What is handed over together: blocks of lines, and what had to be said beside them, in the order in which it was read.
import { LineWriter } from '#records/log-block.ts'
import { statementId } from '#records/id.ts'
import type { Gap, GapReason, KubetapeRecord, Reject } from '#records/record.ts'
import { mainSpace } from '#records/revision.ts'
import type { Micros } from '#records/time.ts'
import type { Clock } from '#runtime/clock.ts'
import { hash } from 'node:crypto'
import type { LogFile } from './file.ts'

const statementBytes = 512

export interface MissingBytes {
	readonly reason: GapReason
	readonly from: number
	/** Where they end, exactly; undefined where that is not known. */
	readonly to?: number
	/** The file was seen to be so long, and may have been longer. */
	readonly atLeast?: number
	readonly why: string
}

export class Batch {
	readonly #clock: Clock
	readonly #writer: LineWriter
	#file: LogFile | undefined
	#records: KubetapeRecord[] = []
	#bytes = 0
	lines = 0
	/** Files of which something was read. */
	readonly touched = new Set<LogFile>()

	constructor(clock: Clock) {
		this.#clock = clock
		this.#writer = new LineWriter({
			cluster: '',
			source: 'logs',
			file: '',
			namespace: '',
			pod: '',
			podUid: '',
			container: '',
			restart: 0,
			component: '',
			node: '',
		})
	}

	/** Of what would be handed over, about. */
	get bytes(): number {
		return this.#bytes
	}

	get isEmpty(): boolean {
		return this.#bytes === 0 && this.touched.size === 0
	}

	/** A line of `file`, which begins at `offset` of it: `content[from, to)`. */
	line(file: LogFile, at: Micros, offset: number, marks: number, content: Uint8Array, from: number, to: number): void {
		if (file !== this.#file) this.#turnTo(file)
		this.#writer.add(at, offset, marks, content, from, to)
		this.lines += 1
		this.#bytes += to - from + 24
		if (this.#writer.isFull) this.#cut()
	}

	/** What cannot be read as a line. */
	reject(file: LogFile, offset: number, bytes: Buffer, sizeBytes: number, reason: string): void {
		this.#cut()
		const sha256 = hash('sha256', bytes, 'hex')
		const observedAt = this.#clock.nowMicros()
		const { cluster, source } = file.source
		const record: Reject = {
			kind: 'reject',
			id: statementId('reject', cluster, file.lastAt ?? 0, 'logs.parse', file.name, String(offset)),
			cluster,
			source,
			occurredAt: file.lastAt ?? observedAt,
			occurredBound: 0,
			observedAt,
			step: 'logs.parse',
			reason,
			where: `${file.name}:${offset}`,
			sha256,
			sizeBytes,
		}
		this.#records.push(record)
		this.#bytes += statementBytes
	}

	/** Bytes of a file are missing. */
	gap(file: LogFile, { reason, from, to, atLeast, why }: MissingBytes): void {
		this.#cut()
		const now = this.#clock.nowMicros()
		const { cluster, source } = file.source
		const bytes =
			to !== undefined
				? `bytes ${from} to ${to} (${to - from} bytes)`
				: atLeast !== undefined && atLeast > from
					? `bytes ${from} to ${atLeast} at least (${atLeast - from} bytes), how many more is not known`
					: `from byte ${from} on, how many is not known`
		const record: Gap = {
			kind: 'gap',
			id: statementId('gap', cluster, file.lastAt ?? 0, 'logs', file.name, String(from), ...(to === undefined ? [] : [String(to)])),
			cluster,
			source,
			occurredAt: now,
			occurredBound: 0,
			observedAt: now,
			space: mainSpace,
			scope: file.name,
			reason,
			fromRevision: null,
			toRevision: null,
			fromAt: file.lastAt,
			toAt: now,
			touched: [],
			touchedCount: 0,
			detail: `${why}: ${bytes}`,
		}
		this.#records.push(record)
		this.#bytes += statementBytes
	}

	/** All of it; the batch is empty then, but for the files that were touched. */
	take(): readonly KubetapeRecord[] {
		this.#cut()
		const records = this.#records
		this.#records = []
		this.#bytes = 0
		return records
	}

	/** Of what was taken, these are durable: nobody reads them any more. */
	giveBack(records: readonly KubetapeRecord[]): void {
		for (const record of records) if (record.kind === 'block') this.#writer.giveBack(record)
	}

	#turnTo(file: LogFile): void {
		this.#cut()
		this.#file = file
		this.#writer.begin(file.source)
	}

	#cut(): void {
		const block = this.#writer.take(this.#clock.nowMicros())
		if (block) this.#records.push(block)
	}
}
