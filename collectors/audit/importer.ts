// Audit entries out of a file or a pipe, once, from the first byte to the last, in whatever a managed cluster exports them in.
import type { Emit } from '#collectors/port.ts'
import { LineSplitter } from '#collectors/tail/lines.ts'
import type { KubetapeRecord } from '#records/record.ts'
import type { Micros } from '#records/time.ts'
import { messageOf } from '#runtime/errors.ts'
import { limits } from '#runtime/limits.ts'
import { ElementSplitter } from './elements.ts'
import { unwrap, type AuditFormat, type Unwrapped } from './envelopes.ts'
import { JsonScan } from './json-scan.ts'
import { parseAuditLine, parseGkeEntry, rejectLine } from './parse.ts'

export interface AuditImport {
	readonly cluster: string
	/** What the input is called in rejects. */
	readonly name: string
	/** Unpacked. */
	readonly chunks: AsyncIterable<Buffer>
	readonly format: AuditFormat
	/** Of rejects that nothing before tells a time of: the age of the file. */
	readonly writtenAt: Micros
}

const source = 'import'
const lineBytesMax = 32 * 1024 * 1024
/** So much is looked at to find out whether the input is lines or one document. */
const firstBytesMax = 1024 * 1024
const lineEnd = 0x0a

/** Resolves when all of it is durable: with how many logs of something else were passed over, by what they are. An entry's id is that of the live one, where its time is told. */
export async function importAudit(input: AuditImport, emit: Emit, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
	const batch = new Batch(input, emit)
	try {
		const { first, rest } = await begin(input.chunks)
		const read = isDocument(first) ? readDocument : readLines
		for await (const piece of read(rest)) {
			if (signal.aborted) break
			await batch.add(piece)
		}
	} catch (error) {
		if (batch.failed) throw error
		await batch.add({ failure: `the input breaks off: ${messageOf(error)}`, offset: batch.offset })
	}
	await batch.flush()
	return batch.others
}

type Piece =
	| { readonly bytes: Buffer; readonly offset: number }
	| { readonly tooLong: { readonly sha256: string; readonly sizeBytes: number }; readonly offset: number }
	| { readonly failure: string; readonly offset: number }

async function begin(chunks: AsyncIterable<Buffer>): Promise<{ readonly first: Buffer; readonly rest: AsyncGenerator<Buffer> }> {
	const iterator = chunks[Symbol.asyncIterator]()
	let first = Buffer.alloc(0)
	while (first.length < firstBytesMax && !first.includes(lineEnd)) {
		const { value, done } = await iterator.next()
		if (done === true) break
		first = Buffer.concat([first, value])
	}
	const all = async function* (): AsyncGenerator<Buffer> {
		yield first
		for (;;) {
			const { value, done } = await iterator.next()
			if (done === true) return
			yield value
		}
	}
	return { first, rest: all() }
}

/** Lines begin with a whole value; the first line of a document that is laid out, or that is one line longer than the look at it, is none. */
function isDocument(first: Buffer): boolean {
	let at = 0
	while (at < first.length && (first[at] as number) <= 0x20) at += 1
	if (first[at] !== 0x7b && first[at] !== 0x5b) return false
	const end = first.indexOf(lineEnd, at)
	if (end < 0) return first.length >= firstBytesMax
	return new JsonScan(first.subarray(at, end)).check() !== undefined && !isConcatenated(first.subarray(at, end))
}

function isConcatenated(line: Buffer): boolean {
	const splitter = new ElementSplitter({ elementBytesMax: lineBytesMax })
	let elements = 0
	for (const _ of splitter.push(line)) elements += 1
	return elements > 0 && splitter.end() === undefined
}

async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Piece> {
	const splitter = new LineSplitter({ lineBytesMax })
	for await (const chunk of chunks) yield* splitter.push(chunk)
	const last = splitter.end()
	if (last) yield last
}

async function* readDocument(chunks: AsyncIterable<Buffer>): AsyncGenerator<Piece> {
	const splitter = new ElementSplitter({ elementBytesMax: lineBytesMax })
	for await (const chunk of chunks) {
		yield* splitter.push(chunk)
		if (splitter.failure !== undefined) break
	}
	const failure = splitter.end()
	if (failure !== undefined) yield { failure, offset: splitter.offset }
}

class Batch {
	readonly #input: AuditImport
	readonly #emit: Emit
	#records: KubetapeRecord[] = []
	#bytes = 0
	#after: Micros | undefined
	#handed: Promise<void> = Promise.resolve()
	readonly others = new Map<string, number>()
	/** True where records could not be made durable. */
	failed = false
	offset = 0

	constructor(input: AuditImport, emit: Emit) {
		this.#input = input
		this.#emit = emit
	}

	async add(piece: Piece): Promise<void> {
		this.offset = piece.offset
		if ('failure' in piece) this.#keep(this.#reject('', piece.failure, piece.offset, 0))
		else if ('tooLong' in piece && piece.tooLong) this.#keep(this.#reject(piece.tooLong, 'the line is too long', piece.offset, 0))
		else if ('bytes' in piece) {
			let number = 0
			for (const found of unwrap(piece.bytes, this.#input.format)) {
				this.#take(found, piece.offset, number)
				number += 1
				if (this.#records.length >= limits.batchRecordsMax || this.#bytes >= limits.batchBytesMax) await this.#hand()
			}
		}
	}

	async flush(): Promise<void> {
		await this.#hand()
		await this.#handed
	}

	#take(found: Unwrapped, offset: number, number: number): void {
		if ('other' in found) {
			this.others.set(found.other, (this.others.get(found.other) ?? 0) + 1)
			return
		}
		if ('bad' in found) return this.#keep(this.#reject(found.bytes, found.bad, offset, number))
		const context = { ...this.#context(offset, number), itemOf: 'audit.k8s.io/v1' }
		this.#keep('gke' in found ? parseGkeEntry(found.gke, context) : parseAuditLine(found.event, context))
	}

	#keep(record: KubetapeRecord): void {
		if (record.kind === 'audit') {
			this.#after = record.occurredAt
			this.#bytes += record.body.bytesAtMost
		}
		this.#records.push(record)
	}

	#context(offset: number, number: number): Parameters<typeof parseAuditLine>[1] {
		const where = `${this.#input.name}:${offset}${number === 0 ? '' : `, item ${number + 1}`}`
		return {
			cluster: this.#input.cluster,
			source,
			observedAt: this.#after ?? this.#input.writtenAt,
			asOccurred: true,
			where,
			after: this.#after,
		}
	}

	#reject(bytes: Parameters<typeof rejectLine>[0], reason: string, offset: number, number: number): KubetapeRecord {
		return rejectLine(bytes, this.#context(offset, number), reason)
	}

	/** One batch is made while the one before becomes durable. */
	async #hand(): Promise<void> {
		await this.#handed
		const records = this.#records
		this.#records = []
		this.#bytes = 0
		if (records.length === 0) return
		this.#handed = this.#emit(records).catch((error: unknown) => {
			this.failed = true
			throw error
		})
		this.#handed.catch(() => undefined) // waited for with the next batch
	}
}
