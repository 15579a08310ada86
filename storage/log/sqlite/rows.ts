// Records to the rows of an append: by partition, in zstd, each with its checksum.
import { crc32 } from 'node:zlib'
import { orderKey, withEncoded } from '#records/codec.ts'
import type { Redacted } from '#records/record.ts'
import { limits } from '#runtime/limits.ts'
import { streams, type Stream } from '#storage/log/port.ts'
import { compress } from '#runtime/zstd-frame.ts'

export interface Row {
	readonly stream: number
	readonly part: number
	readonly count: number
	readonly dataCrc: number
	readonly data: Uint8Array
}

/** Records in one row: what a reader must decode at once. */
const rowRecordsMax = 1000

function partitionOf(record: Redacted, partitions: number): number {
	return partitions === 1 ? 0 : crc32(orderKey(record)) % partitions
}

/** Throws RangeError where a record is larger than limits.recordBytesMax. */
export function rowsOf(stream: Stream, records: readonly Redacted[], partitions: number): readonly Row[] {
	const byPartition = new Map<number, Redacted[]>()
	for (const record of records) {
		const partition = partitionOf(record, partitions)
		const list = byPartition.get(partition)
		if (list) list.push(record)
		else byPartition.set(partition, [record])
	}
	const rows: Row[] = []
	for (const [part, list] of byPartition) {
		for (let at = 0; at < list.length; at += rowRecordsMax) {
			const slice = list.slice(at, at + rowRecordsMax)
			const data = withEncoded(slice, limits.recordBytesMax, (bytes) => compress(bytes))
			rows.push({ stream: streams.indexOf(stream), part, count: slice.length, dataCrc: crc32(data), data })
		}
	}
	return rows
}
