// Entries as blocks of lines: one block for consecutive entries of one unit and process, so that what they have in common is told once.
import { hash } from 'node:crypto'
import { LineWriter, marksOf, originalMarks, type LogSource } from '#records/log-block.ts'
import { statementId } from '#records/id.ts'
import type { Gap, KubetapeRecord, Reject } from '#records/record.ts'
import { mainSpace } from '#records/revision.ts'
import type { Micros } from '#records/time.ts'
import type { Clock } from '#runtime/clock.ts'
import type { Cursor, Entry } from './entry.ts'

/** So many blocks are open at once; beyond, all are ended. */
const openMax = 64
const lineBytes = 24
const statementBytes = 512
const truncated = marksOf('', ['truncated'])

export interface BlocksOptions {
	readonly cluster: string
	/** Told with every line; the host's name where it is empty. */
	readonly node: string
	readonly lineBytesMax: number
	readonly clock: Clock
}

export class Blocks {
	readonly #options: BlocksOptions
	readonly #open = new Map<string, LineWriter>()
	#records: KubetapeRecord[] = []
	/** Of what would be handed over, about. */
	bytes = 0

	constructor(options: BlocksOptions) {
		this.#options = options
	}

	add(entry: Entry): void {
		const { cursor, unit, origin, bytes } = entry
		const key = [cursor.sequence, unit, origin.pid, origin.priority, origin.bootId, origin.hostname, origin.identifier].join('\0')
		let writer = this.#open.get(key)
		if (!writer) {
			if (this.#open.size >= openMax) this.#end()
			this.#open.set(key, (writer = new LineWriter(this.#sourceOf(entry))))
		}
		const max = this.#options.lineBytesMax
		const marks = bytes.length > max ? truncated | originalMarks(bytes.length) : 0
		writer.add(entry.at, cursor.number, marks, bytes, 0, Math.min(bytes.length, max))
		this.bytes += Math.min(bytes.length, max) + lineBytes
		if (!writer.isFull) return
		this.#take(writer)
		this.#open.delete(key)
	}

	/** What is no entry, behind the one that `after` names. Its bytes are not kept. */
	reject(after: Cursor | undefined, sha256: string, sizeBytes: number, reason: string): void {
		const { cluster, clock } = this.#options
		const observedAt = clock.nowMicros()
		const record: Reject = {
			kind: 'reject',
			id: statementId('reject', cluster, after?.at ?? 0, 'logs.journal', after?.text ?? '', sha256),
			cluster,
			source: 'journald',
			occurredAt: after?.at ?? observedAt,
			occurredBound: 0,
			observedAt,
			step: 'logs.journal',
			reason,
			where: after ? `the journal, behind ${after.text}` : 'the journal, at its beginning',
			sha256,
			sizeBytes,
		}
		this.#records.push(record)
		this.bytes += statementBytes
	}

	/** Entries between two that were read are not there any more. */
	gap(before: Cursor, after: Cursor): void {
		const { cluster, clock } = this.#options
		const now = clock.nowMicros()
		const between = after.number - before.number - 1
		const howMany =
			before.sequence === after.sequence && between > 0
				? `numbers ${before.number + 1} to ${after.number - 1} of sequence ${before.sequence}, at most ${between} entries`
				: `behind number ${before.number} of sequence ${before.sequence}, how many is not known`
		const record: Gap = {
			kind: 'gap',
			id: statementId('gap', cluster, before.at, 'journald', before.text, after.text),
			cluster,
			source: 'journald',
			occurredAt: now,
			occurredBound: 0,
			observedAt: now,
			space: mainSpace,
			scope: 'journal',
			reason: 'rotated',
			fromRevision: null,
			toRevision: null,
			fromAt: before.at,
			toAt: after.at,
			touched: [],
			touchedCount: 0,
			detail: `entries were removed from the journal before they were read: ${howMany}; from ${timeOf(before.at)} (boot ${before.bootId}) to ${timeOf(after.at)} (boot ${after.bootId})`,
		}
		this.#records.push(record)
		this.bytes += statementBytes
	}

	take(): readonly KubetapeRecord[] {
		this.#end()
		const records = this.#records
		this.#records = []
		this.bytes = 0
		return records
	}

	#end(): void {
		for (const writer of this.#open.values()) this.#take(writer)
		this.#open.clear()
	}

	#take(writer: LineWriter): void {
		const block = writer.take(this.#options.clock.nowMicros())
		if (block) this.#records.push(block)
	}

	/** The number of an entry is its place in its sequence, whatever file of the journal it is in. */
	#sourceOf({ cursor, unit, origin }: Entry): LogSource {
		const { cluster, node } = this.#options
		return {
			cluster,
			source: 'journald',
			file: `journal@${cursor.sequence}/${unit}`,
			namespace: '',
			pod: '',
			podUid: '',
			container: '',
			restart: 0,
			component: unit,
			node: node || origin.hostname,
			journal: origin,
		}
	}
}

const timeOf = (at: Micros): string => new Date(at / 1000).toISOString()

export const sha256Of = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex')
