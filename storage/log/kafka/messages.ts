// Records to messages and back: a message is one record's frame (records/codec.ts), its key the record's order key; the partition is that of what the record is about.
import { crc32 } from 'node:zlib'
import type { KafkaMessage, Message } from 'kafkajs'
import { decodeRecords, encodeRecords, frameLength, orderKey, placeKey } from '#records/codec.ts'
import type { Redacted } from '#records/record.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import { limits } from '#runtime/limits.ts'
import { compress } from '#runtime/zstd-frame.ts'
import { damagedHeader } from './codec.ts'
import { smaller } from './oversize.ts'

/** Messages that go to one partition in one batch. */
export interface Piece {
	readonly partition: number
	readonly messages: readonly Message[]
	/** Before compression. */
	readonly bytes: number
}

export interface PackOptions {
	readonly partitions: number
	/** What the topic takes in one batch, packed. */
	readonly batchBytesMax: number
	/** Milliseconds since 1970: what the brokers' retention goes by. */
	readonly atMs: number
}

export interface Packed {
	readonly pieces: readonly Piece[]
	/** The records as they were encoded, for the spool. */
	readonly frames: Buffer
	/** Records that were stored without their bodies. */
	readonly cut: number
}

/** Before compression; what is worth a request, and holds up the event loop for a few milliseconds at most. */
const pieceBytesMax = 768 * 1024
const pieceRecordsMax = 5000
/** What a message and its batch cost beside key and value. */
const messageBytes = 64
/** Of what the topic takes, this much is left for what surrounds the records. */
const share = 0.95

const kinds: ReadonlySet<unknown> = new Set(['change', 'event', 'audit', 'log', 'block', 'gap', 'coverage', 'reject'])

/** Throws STORAGE_TOO_LARGE before anything is sent. */
export function pack(records: readonly Redacted[], options: PackOptions): Packed {
	const room = Math.floor(options.batchBytesMax * share)
	let frames: Buffer
	try {
		frames = encodeRecords(records, limits.recordBytesMax)
	} catch (error) {
		if (!(error instanceof RangeError)) throw error
		throw new KubetapeError('STORAGE_TOO_LARGE', messageOf(error), { cause: error })
	}
	const packer = new Packer(Math.min(pieceBytesMax, room), options)
	let at = 0
	let cut = 0
	for (const record of records) {
		const length = frameLength(frames, at)
		const frame = frames.subarray(at, at + length)
		at += length
		if (length <= room || fitsPacked(frame, room)) packer.add(record, frame)
		else {
			for (const part of cutDown(record, room)) packer.add(part, encodeRecords([part]))
			cut += 1
		}
	}
	return { pieces: packer.take(), frames, cut }
}

function fitsPacked(frame: Buffer, room: number): boolean {
	return compress(frame, true).length + messageBytes <= room
}

function cutDown(record: Redacted, room: number): readonly Redacted[] {
	const parts = smaller(record, room, (part) => {
		const frame = encodeRecords([part])
		return frame.length <= room || fitsPacked(frame, room)
	})
	if (parts) return parts
	throw new KubetapeError('STORAGE_TOO_LARGE', `record ${record.id} takes more than ${room} bytes even without its bodies`)
}

/** Keeps the order within a partition. */
class Packer {
	readonly #pieces: Piece[] = []
	readonly #open = new Map<number, { messages: Message[]; bytes: number }>()
	readonly #bytesMax: number
	readonly #partitions: number
	readonly #timestamp: string

	constructor(bytesMax: number, { partitions, atMs }: PackOptions) {
		this.#bytesMax = bytesMax
		this.#partitions = partitions
		this.#timestamp = String(atMs)
	}

	add(record: Redacted, value: Buffer): void {
		const key = orderKey(record)
		const partition = this.#partitions === 1 ? 0 : crc32(placeKey(record)) % this.#partitions
		const bytes = value.length + key.length + messageBytes
		let open = this.#open.get(partition)
		if (open && (open.bytes + bytes > this.#bytesMax || open.messages.length >= pieceRecordsMax)) {
			this.#pieces.push({ partition, ...open })
			open = undefined
		}
		if (!open) {
			open = { messages: [], bytes: 0 }
			this.#open.set(partition, open)
		}
		open.messages.push({ key, value, partition, timestamp: this.#timestamp })
		open.bytes += bytes
	}

	take(): readonly Piece[] {
		for (const [partition, open] of this.#open) this.#pieces.push({ partition, ...open })
		this.#open.clear()
		return this.#pieces
	}
}

/** `damaged`: ours once, and its checksum says no longer · `foreign`: never one of ours. */
export type Unpacked =
	| { readonly record: Redacted }
	| { readonly damaged: string }
	| { readonly foreign: string; readonly key: string; readonly value: Buffer }

export function unpack(message: KafkaMessage): Unpacked {
	const damaged = message.headers?.[damagedHeader]
	if (damaged !== undefined) return { damaged: String(damaged) }
	const foreign = (reason: string): Unpacked => ({
		foreign: reason,
		key: message.key?.toString('utf8') ?? '',
		value: message.value ?? Buffer.alloc(0),
	})
	if (!message.value || message.value.length === 0) return foreign('it is empty')
	try {
		const records = decodeRecords(message.value)
		const [record] = records
		if (records.length !== 1 || !record || !kinds.has(record.kind) || typeof record.id !== 'string' || typeof record.cluster !== 'string')
			return foreign('it holds no record')
		return { record }
	} catch (error) {
		return foreign(messageOf(error))
	}
}
