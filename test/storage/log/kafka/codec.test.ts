// The zstd codec: what kafkajs packs is read, and what is damaged becomes marked records of the same number, so that the others of an answer are read.
import { describe, expect, it } from 'vitest'
import { damagedHeader, zstdCodec } from '#storage/log/kafka/codec.ts'
import { unpack } from '#storage/log/kafka/messages.ts'

/** kafkajs' own reader of record batches, as its fetch uses it. */
const { default: decodeBatch } = (await import('kafkajs/src/protocol/recordBatch/v0/decoder.js' as string)) as {
	default: (
		decoder: unknown,
	) => Promise<{ records: { offset: string; key: Buffer | null; value: Buffer | null; headers: Record<string, Buffer> }[] }>
}
const { default: Decoder } = (await import('kafkajs/src/protocol/decoder.js' as string)) as { default: new (bytes: Buffer) => unknown }
const { default: batches } = (await import('kafkajs/src/protocol/recordBatch/v0/index.js' as string)) as {
	default: { RecordBatch: (options: Record<string, unknown>) => Promise<{ buffer: Buffer }> }
}
const { default: recordOf } = (await import('kafkajs/src/protocol/recordBatch/record/v0/index.js' as string)) as {
	default: (record: unknown) => unknown
}

const zstd = 4
const count = 5
const batchOf = async (): Promise<Buffer> => {
	const records = Array.from({ length: count }, (_, offsetDelta) =>
		recordOf({ offsetDelta, timestampDelta: 0, key: `key ${offsetDelta}`, value: Buffer.from(`value ${offsetDelta}`), headers: {} }),
	)
	const { buffer } = await batches.RecordBatch({ compression: zstd, lastOffsetDelta: count - 1, records })
	return Buffer.from(buffer)
}

describe('the zstd codec', () => {
	it('is what kafkajs packs and reads batches with', async () => {
		const { records } = await decodeBatch(new Decoder(await batchOf()))
		expect(records.map(({ offset, key, value }) => [offset, String(key), String(value)])).toEqual(
			Array.from({ length: count }, (_, index) => [String(index), `key ${index}`, `value ${index}`]),
		)
	})

	it('marks every record of a damaged batch, at its offset', async () => {
		const batch = await batchOf()
		const byte = batch.length - 8
		batch.writeUInt8(batch.readUInt8(byte) ^ 1, byte)
		const { records } = await decodeBatch(new Decoder(batch))
		expect(records.map(({ offset }) => offset)).toEqual(['0', '1', '2', '3', '4'])
		for (const record of records) {
			expect(Object.keys(record.headers)).toEqual([damagedHeader])
			expect(unpack(record as unknown as Parameters<typeof unpack>[0])).toEqual({ damaged: expect.stringMatching(/./) })
		}
	})

	it('says so where even the number of records is not known', async () => {
		await expect(zstdCodec.decompress(Buffer.from('no frame at all'))).rejects.toThrow()
	})
})
