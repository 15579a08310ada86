// Records to bytes and back, for the record log of every engine: frames of header JSON and the bodies' own bytes, so that bodies are never parsed to be moved.
import { Body } from './body.ts'
import type { KubetapeRecord, Redacted } from './record.ts'

/** A frame: u32 header length, u32 first body length, u32 second body length (little endian; bodyAbsent: null), header, bodies. */
const prefixBytes = 12
const bodyAbsent = 0xffffffff
const bigintFields = ['revision', 'beforeRevision', 'responseRevision', 'fromRevision', 'toRevision'] as const

type Header = Record<string, unknown>

function bodiesOf(record: KubetapeRecord): [Body | null, Body | null] {
	if (record.kind === 'change' || record.kind === 'event') return [record.after, record.before]
	if (record.kind === 'audit') return [record.body, null]
	return [null, null]
}

function replacer(this: unknown, key: string, value: unknown): unknown {
	if (typeof value === 'bigint') return value.toString()
	if (value instanceof Body) return undefined
	return value
}

/** Bodies become their JSON text, at the cost of one copy. Throws RangeError where one record takes more than `recordBytesMax`. */
export function encodeRecords(records: readonly Redacted[], recordBytesMax = Number.POSITIVE_INFINITY): Buffer {
	const parts: Uint8Array[] = []
	for (const record of records) {
		const [first, second] = bodiesOf(record)
		const header = Buffer.from(JSON.stringify(record, replacer), 'utf8')
		const prefix = Buffer.allocUnsafe(prefixBytes)
		prefix.writeUInt32LE(header.length, 0)
		prefix.writeUInt32LE(first ? first.bytes.length : bodyAbsent, 4)
		prefix.writeUInt32LE(second ? second.bytes.length : bodyAbsent, 8)
		const size = header.length + (first?.bytes.length ?? 0) + (second?.bytes.length ?? 0)
		if (size > recordBytesMax) throw new RangeError(`record ${record.id} takes ${size} bytes, more than ${recordBytesMax}`)
		parts.push(prefix, header)
		if (first) parts.push(first.bytes)
		if (second) parts.push(second.bytes)
	}
	return Buffer.concat(parts)
}

/** Throws RangeError or SyntaxError on bytes that encodeRecords did not write: callers check integrity before. */
export function decodeRecords(bytes: Buffer): Redacted[] {
	const records: Redacted[] = []
	let at = 0
	while (at < bytes.length) {
		const headerEnd = at + prefixBytes + bytes.readUInt32LE(at)
		const firstLength = bytes.readUInt32LE(at + 4)
		const secondLength = bytes.readUInt32LE(at + 8)
		const header = JSON.parse(bytes.toString('utf8', at + prefixBytes, headerEnd)) as Header
		at = headerEnd
		const take = (length: number): Body | null => {
			if (length === bodyAbsent) return null
			if (at + length > bytes.length) throw new RangeError('a record frame is cut off')
			const body = Body.ofBytes(bytes.subarray(at, at + length))
			at += length
			return body
		}
		const first = take(firstLength)
		const second = take(secondLength)
		for (const field of bigintFields) {
			if (typeof header[field] === 'string') header[field] = BigInt(header[field])
		}
		if (header['kind'] === 'audit') header['body'] = first
		else if (header['kind'] === 'change' || header['kind'] === 'event') {
			header['after'] = first
			header['before'] = second
			const regarding = header['regarding'] as Header | undefined
			if (regarding && typeof regarding['revision'] === 'string') regarding['revision'] = BigInt(regarding['revision'])
		}
		records.push(header as unknown as Redacted)
	}
	return records
}

/** Key by which records of one object stay in order: cluster + object key; a log's file; one strict order per cluster for the ledger. */
export function orderKey(record: KubetapeRecord): string {
	switch (record.kind) {
		case 'change':
		case 'event':
			return `${record.cluster}\0${record.object.resource}.${record.object.group}/${record.object.namespace}/${record.object.name}`
		case 'audit':
			return record.object
				? `${record.cluster}\0${record.object.resource}.${record.object.group}/${record.object.namespace}/${record.object.name}`
				: `${record.cluster}\0${record.requestURI}`
		case 'log':
			return `${record.cluster}\0${record.file}`
		default:
			return record.cluster
	}
}
