// zstd for kafkajs: synchronous, with a checksum, and without a way to fail: what cannot be unpacked becomes records that are marked as damaged, so that the rest of the answer is read.
import kafkajs from 'kafkajs'
import { messageOf } from '#runtime/errors.ts'
import { compress, decompress } from '#runtime/zstd-frame.ts'

/** Header of a message that stands in the place of a damaged one; its value says what was wrong. */
export const damagedHeader = 'kubetape-damaged'
/** More than any batch has: beyond it the count itself is damaged. */
const recordsMax = 1_000_000

/** Variable length, zigzag (Kafka's protocol guide, "Record"). */
function varint(value: number): Buffer {
	const bytes: number[] = []
	let left = (value << 1) ^ (value >> 31)
	for (; left > 0x7f; left >>>= 7) bytes.push((left & 0x7f) | 0x80)
	bytes.push(left)
	return Buffer.from(bytes)
}

function damagedRecord(offsetDelta: number, reason: Buffer): Buffer {
	const name = Buffer.from(damagedHeader)
	const body = Buffer.concat([
		Buffer.from([0, 0]), // attributes, timestamp delta
		varint(offsetDelta),
		varint(-1), // no key
		varint(-1), // no value
		varint(1),
		varint(name.length),
		name,
		varint(reason.length),
		reason,
	])
	return Buffer.concat([varint(body.length), body])
}

/** `records` marked ones in the form that was packed. */
function damagedRecords(records: number, reason: string): Buffer {
	const said = Buffer.from(reason.slice(0, 200))
	return Buffer.concat(Array.from({ length: records }, (_, index) => damagedRecord(index, said)))
}

/** kafkajs hands over the end of a record batch, whose count of records is in the four bytes before (protocol/recordBatch/v0/decoder.js). */
function countBefore(packed: Buffer): number {
	if (packed.byteOffset < 4) return 0
	return new DataView(packed.buffer, packed.byteOffset - 4, 4).getInt32(0)
}

export const zstdCodec = {
	async compress({ buffer }: { readonly buffer: Buffer }): Promise<Buffer> {
		return compress(buffer, true)
	},
	async decompress(packed: Buffer): Promise<Buffer> {
		try {
			return decompress(packed)
		} catch (error) {
			const records = countBefore(packed)
			if (records < 1 || records > recordsMax) throw error
			return damagedRecords(records, messageOf(error))
		}
	},
}

kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => zstdCodec
