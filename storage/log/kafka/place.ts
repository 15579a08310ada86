// Where a group stands in one partition while one member reads it, and what has happened to records that are not where they should be.
import type { KafkaMessage } from 'kafkajs'
import type { Redacted } from '#records/record.ts'
import type { Stream } from '#storage/log/port.ts'
import { unpack } from './messages.ts'
import type { Bounds } from './offsets.ts'
import type { Waiting } from './watchdog.ts'

/** Records that a reader will not get: `removed` by retention before they were read, `damaged` at rest, `foreign` (never records of ours), `missing` for another reason, `spool`: waiting for the brokers, and damaged meanwhile. */
export interface Loss {
	readonly kind: 'removed' | 'damaged' | 'foreign' | 'missing' | 'spool'
	/** Topic and partition, or a file. */
	readonly where: string
	readonly stream: Stream | null
	readonly fromOffset: bigint | null
	readonly toOffset: bigint | null
	readonly reason: string
	/** Of a foreign message. */
	readonly key?: string
	readonly value?: Buffer
}

/** What a part of a fetched batch is: records up to `next`, or a place where they end. */
export interface Part {
	readonly records: readonly Redacted[]
	/** Of the messages. */
	readonly bytes: number
	/** Index of the first message behind the part. */
	readonly end: number
	/** Messages that were never ours, passed over. */
	readonly losses: readonly Loss[]
	/** The message at `end` is damaged. */
	readonly damaged?: string
}

/** What is worth a put. Parts of several places are put together up to it (reader.ts). */
export const partRecordsMax = 1000
export const partBytesMax = 4 * 1024 * 1024

export class Place {
	readonly topic: string
	readonly stream: Stream
	readonly partition: number
	/** The offset that comes next. */
	next: bigint
	/** What the group had committed when it was given to this member; offsets before it are no progress. */
	committed: bigint
	/** The brokers did not take a commit in time: unless a later one is taken, what was done here is not known to be. */
	isUncommitted = false
	/** performance.now() of the last sign of progress. */
	progressAt: number
	/** Since records were seen to wait here, and none was read. */
	waiting: Waiting | undefined

	constructor(topic: string, stream: Stream, partition: number, next: bigint, now: number) {
		this.topic = topic
		this.stream = stream
		this.partition = partition
		this.next = next
		this.committed = next
		this.progressAt = now
	}

	get name(): string {
		return `topic ${this.topic}, partition ${this.partition}`
	}

	loss(kind: Loss['kind'], from: bigint, to: bigint, reason: string): Loss {
		return { kind, where: this.name, stream: this.stream, fromOffset: from, toOffset: to, reason }
	}

	/** The records from `at` on, as many as make a batch that is worth a put; they end before a damaged message. */
	part(messages: readonly KafkaMessage[], at: number): Part {
		const records: Redacted[] = []
		const losses: Loss[] = []
		let bytes = 0
		let end = at
		while (end < messages.length && records.length < partRecordsMax && bytes < partBytesMax) {
			const message = messages[end]
			// A hole within what was fetched is looked at when it is the beginning of a part.
			if (!message || BigInt(message.offset) !== this.next + BigInt(end - at)) break
			const unpacked = unpack(message)
			if ('damaged' in unpacked) return { records, bytes, end, losses, damaged: unpacked.damaged }
			if ('record' in unpacked) records.push(unpacked.record)
			else {
				const offset = BigInt(message.offset)
				losses.push({ ...this.loss('foreign', offset, offset, unpacked.foreign), key: unpacked.key, value: unpacked.value })
			}
			bytes += message.value?.length ?? 0
			end += 1
		}
		return { records, bytes, end, losses }
	}
}

/** Where a group goes on: what it committed, or the oldest there is where that was removed, was never committed, or lies behind the end of a topic that begins anew. */
export function beginOf(committed: bigint | undefined, { low, high }: Bounds): { readonly next: bigint; readonly removed: bigint } {
	if (committed === undefined) return { next: low, removed: 0n }
	if (committed > high) return { next: low, removed: 0n }
	return committed < low ? { next: low, removed: low - committed } : { next: committed, removed: 0n }
}
