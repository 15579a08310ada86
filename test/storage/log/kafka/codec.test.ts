// The zstd codec: what kafkajs packs is read, and what is damaged becomes marked records of the same number, so that the others of an answer are read.
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { damagedHeader, zstdCodec } from '#storage/log/kafka/codec.ts'
import { unpack } from '#storage/log/kafka/messages.ts'

interface Decoded {
	readonly offset: string
	readonly key: Buffer | null
	readonly value: Buffer | null
	readonly headers: Readonly<Record<string, Buffer>>
}

/** Parts of kafkajs that it does not export: its own reader and writer of record batches, as fetch and produce use them. */
const part = <T>(name: string): T => createRequire(import.meta.url)(`kafkajs/src/protocol/${name}.js`) as T
const decodeBatch = part<(decoder: unknown) => Promise<{ readonly records: readonly Decoded[] }>>('recordBatch/v0/decoder')
const Decoder = part<new (bytes: Buffer) => unknown>('decoder')
const batches = part<{ RecordBatch: (options: object) => Promise<{ readonly buffer: Buffer }> }>('recordBatch/v0/index')
const recordOf = part<(record: object) => unknown>('recordBatch/record/v0/index')

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
		const packed = Buffer.concat([Buffer.alloc(8), Buffer.from('no frame at all')]).subarray(8)
		await expect(zstdCodec.decompress(packed)).rejects.toThrow('Unknown frame descriptor')
	})
})
