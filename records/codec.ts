// Records to bytes and back, for the record log of every engine: frames of header JSON and the bodies' own bytes, so that bodies are never parsed to be moved.
import { Body } from './body.ts'
import type { KubetapeRecord, Redacted } from './record.ts'

/** A frame: u32 header length, u32 first body length, u32 second body length (little endian; bodyAbsent: null), header, bodies. */
const prefixBytes = 12
const bodyAbsent = 0xffffffff
const bigintFields = ['revision', 'beforeRevision', 'responseRevision', 'fromRevision', 'toRevision'] as const
/** The buffer that records are written to is kept between calls up to this size. */
const scratchBytesMax = 16 * 1024 * 1024
const scratchBytesFirst = 1024 * 1024

type Header = Record<string, unknown>

const decimal = (revision: bigint | null): string | null => (revision === null ? null : revision.toString())

/** The record without its bodies, as plain JSON values: spreading and overwriting costs a fraction of a JSON.stringify replacer. */
function headerOf(record: KubetapeRecord): Header {
	switch (record.kind) {
		case 'change':
			return {
				...record,
				revision: decimal(record.revision),
				beforeRevision: decimal(record.beforeRevision),
				before: undefined,
				after: undefined,
			}
		case 'event': {
			const regarding = { ...record.regarding, revision: decimal(record.regarding.revision) }
			return {
				...record,
				revision: decimal(record.revision),
				beforeRevision: decimal(record.beforeRevision),
				before: undefined,
				after: undefined,
				regarding,
			}
		}
		case 'block':
			return { ...record, table: undefined, text: undefined }
		case 'audit':
			return { ...record, responseRevision: decimal(record.responseRevision), body: undefined }
		case 'gap':
		case 'coverage':
			return { ...record, fromRevision: decimal(record.fromRevision), toRevision: decimal(record.toRevision) }
		default:
			return { ...record }
	}
}

let scratch = Buffer.allocUnsafeSlow(scratchBytesFirst)

/** `used` bytes of the scratch buffer are kept; `more` must fit behind them. */
function reserve(used: number, more: number): void {
	if (used + more <= scratch.length) return
	const grown = Buffer.allocUnsafeSlow(Math.max(used + more, scratch.length * 2))
	scratch.copy(grown, 0, 0, used)
	scratch = grown
}

type Part = Body | Uint8Array | null

function bodiesOf(record: KubetapeRecord): readonly [Part, Part] {
	if (record.kind === 'change' || record.kind === 'event') return [record.after, record.before]
	if (record.kind === 'block') return [record.table, record.text]
	return [record.kind === 'audit' ? record.body : null, null]
}

function writeBody(part: Part, at: number): number {
	if (!part) return bodyAbsent
	if (part instanceof Uint8Array) {
		reserve(at, part.byteLength)
		scratch.set(part, at)
		return part.byteLength
	}
	reserve(at, part.bytesAtMost)
	return part.writeTo(scratch, at)
}

/** Bodies become their JSON text, at the cost of one copy. Throws RangeError where one record takes more than `recordBytesMax`. */
export const encodeRecords = (records: readonly Redacted[], recordBytesMax = Number.POSITIVE_INFINITY): Buffer =>
	withEncoded(records, recordBytesMax, (bytes) => Buffer.from(bytes))

/**
 * As encodeRecords, for whoever is done with the bytes at once: they are valid until `use` returns, and `use` encodes nothing itself. Half a
 * megabyte that is garbage a moment later is what makes the collector of garbage look at everything.
 */
export function withEncoded<T>(records: readonly Redacted[], recordBytesMax: number, use: (bytes: Uint8Array) => T): T {
	let at = 0
	try {
		for (const record of records) {
			const header = JSON.stringify(headerOf(record))
			reserve(at, prefixBytes + header.length * 3)
			const start = at + prefixBytes
			const headerBytes = scratch.write(header, start, 'utf8')
			let end = start + headerBytes
			const [one, two] = bodiesOf(record)
			const first = writeBody(one, end)
			if (first !== bodyAbsent) end += first
			const second = writeBody(two, end)
			if (second !== bodyAbsent) end += second
			if (end - start > recordBytesMax) throw new RangeError(`record ${record.id} takes ${end - start} bytes, more than ${recordBytesMax}`)
			scratch.writeUInt32LE(headerBytes, at)
			scratch.writeUInt32LE(first, at + 4)
			scratch.writeUInt32LE(second, at + 8)
			at = end
		}
		return use(scratch.subarray(0, at))
	} finally {
		if (scratch.length > scratchBytesMax) scratch = Buffer.allocUnsafeSlow(scratchBytesFirst)
	}
}

/** Length of the frame that begins at byte `at` of what encodeRecords wrote. */
export function frameLength(frames: Buffer, at: number): number {
	const first = frames.readUInt32LE(at + 4)
	const second = frames.readUInt32LE(at + 8)
	return prefixBytes + frames.readUInt32LE(at) + (first === bodyAbsent ? 0 : first) + (second === bodyAbsent ? 0 : second)
}

/** Throws RangeError, naming the place, on bytes that encodeRecords did not write: callers check integrity before. Bodies share the memory of `bytes`. */
export function decodeRecords(bytes: Buffer): Redacted[] {
	const records: Redacted[] = []
	let at = 0
	while (at < bytes.length) {
		if (at + prefixBytes > bytes.length) throw new RangeError(`the record frame at byte ${at} is cut off`)
		const firstLength = bytes.readUInt32LE(at + 4)
		const secondLength = bytes.readUInt32LE(at + 8)
		const headerAt = at + prefixBytes
		const firstAt = headerAt + bytes.readUInt32LE(at)
		const secondAt = firstAt + (firstLength === bodyAbsent ? 0 : firstLength)
		const end = secondAt + (secondLength === bodyAbsent ? 0 : secondLength)
		if (end > bytes.length) throw new RangeError(`the record frame at byte ${at} is cut off: it ends at ${end} of ${bytes.length}`)
		const first = firstLength === bodyAbsent ? null : bytes.subarray(firstAt, secondAt)
		const second = secondLength === bodyAbsent ? null : bytes.subarray(secondAt, end)
		records.push(completed(headerIn(bytes, headerAt, firstAt), first, second))
		at = end
	}
	return records
}

function headerIn(bytes: Buffer, from: number, to: number): Header {
	let header: unknown
	try {
		header = JSON.parse(bytes.toString('utf8', from, to))
	} catch (error) {
		throw new RangeError(`the record header at byte ${from} is not JSON`, { cause: error })
	}
	if (typeof header !== 'object' || header === null) throw new RangeError(`the record header at byte ${from} is no object`)
	return header as Header
}

function completed(header: Header, first: Buffer | null, second: Buffer | null): Redacted {
	for (const field of bigintFields) {
		const text = header[field]
		if (typeof text === 'string') header[field] = BigInt(text)
	}
	const kind = header['kind']
	if (kind === 'audit') header['body'] = bodyOf(first)
	else if (kind === 'block') {
		header['table'] = first ?? new Uint8Array()
		header['text'] = second ?? new Uint8Array()
	} else if (kind === 'change' || kind === 'event') {
		header['after'] = bodyOf(first)
		header['before'] = bodyOf(second)
		const regarding = kind === 'event' ? (header['regarding'] as Header | undefined) : undefined
		if (regarding && typeof regarding['revision'] === 'string') regarding['revision'] = BigInt(regarding['revision'])
	}
	return header as unknown as Redacted
}

const bodyOf = (bytes: Buffer | null): Body | null => (bytes ? Body.ofBytes(bytes) : null)

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
		case 'block':
			return `${record.cluster}\0${record.file}`
		default:
			return record.cluster
	}
}

const podKey = (cluster: string, namespace: string, name: string): string => `${cluster}\0pods./${namespace}/${name}`

/**
 * Key by which records about one object are kept together where several processes share the work: an object's changes, the cluster events that regard it, the lines of a Pod.
 * Records of one order key have one place key: what an Event regards, and whose a log is, does not change.
 */
export function placeKey(record: KubetapeRecord): string {
	switch (record.kind) {
		case 'event': {
			const { resource, group, namespace, name } = record.regarding
			return resource === '' ? orderKey(record) : `${record.cluster}\0${resource}.${group}/${namespace}/${name}`
		}
		case 'log':
		case 'block':
			return record.pod === '' ? orderKey(record) : podKey(record.cluster, record.namespace, record.pod)
		default:
			return orderKey(record)
	}
}
