// What the merge reads: a file of a recording as items in the order of the file, a page at a time.
import { hash } from 'node:crypto'
import { readChunks } from '#collectors/tail/chunks.ts'
import { LineSplitter, type Line } from '#collectors/tail/lines.ts'
import { statementId } from '#records/id.ts'
import type { KubetapeRecord, Reject } from '#records/record.ts'
import type { Micros } from '#records/time.ts'
import { messageOf } from '#runtime/errors.ts'

/** What came out of one line. */
export interface Item {
	/** When it happened: by this the files are merged. */
	readonly at: Micros
	readonly records: readonly KubetapeRecord[]
	/** Size of the line, as a measure of the records. */
	readonly bytes: number
	/** Lines read of this file, up to and with this one. Done when the records are durable. */
	readonly line: number
}

export interface Source {
	/** The file's path in the recording, without `.gz`. */
	readonly name: string
	/** Undefined at the end. Never empty. Never throws for what the file holds. */
	next(): Promise<readonly Item[] | undefined>
	close(): Promise<void>
}

/** Longest line of a recording: an etcd value and the one before, in base64, and an audit entry with two bodies fit in. */
export const lineBytesMax = 32 * 1024 * 1024
/** Lines that are read ahead of a file, at most. */
const pageLinesMax = 500

export interface FileOptions {
	readonly cluster: string
	/** Where the file is. */
	readonly path: string
	readonly name: string
	/** A time to begin with, for lines that tell none. */
	readonly startedAt: Micros
}

/** Reads the lines of one file. It stands between the file and `read`, which makes items of lines. */
export interface LineReader {
	/** Records of a line. `at` is when it happened; undefined where the line tells no time. Empty lines do not come here. */
	line(line: Line, lastAt: Micros): { readonly at: Micros | undefined; readonly records: readonly KubetapeRecord[] }
	/** What is left when the file is through. `damaged` says that it ended before its time. */
	end(lastAt: Micros, damaged: boolean): readonly KubetapeRecord[]
}

export function openSource(options: FileOptions, reader: LineReader): Source {
	const splitter = new LineSplitter({ lineBytesMax })
	const chunks = readChunks(options.path)
	let lastAt = options.startedAt
	let lastLine = 0
	let ended = false

	const itemOf = (line: Line): Item => {
		lastLine = line.number
		if (line.bytes.length === 0 && !line.tooLong) return { at: lastAt, records: [], bytes: 0, line: line.number }
		const { at, records } = reader.line(line, lastAt)
		lastAt = at ?? lastAt
		return { at: lastAt, records, bytes: line.bytes.length, line: line.number }
	}

	const finish = (failure: unknown): Item[] => {
		ended = true
		const items: Item[] = []
		const last = splitter.end()
		// A file that broke off holds a part of a line at its end: the break is what is stated, with the part's hash.
		if (last && failure === undefined) items.push(itemOf(last))
		const broken =
			failure === undefined ? [] : [rejectOf(options, last, lastLine + 1, `the file breaks off: ${messageOf(failure)}`, lastAt)]
		items.push({ at: lastAt, records: [...broken, ...reader.end(lastAt, failure !== undefined)], bytes: 0, line: lastLine + 1 })
		return items
	}

	const pages = (async function* (): AsyncGenerator<readonly Item[]> {
		let failure: unknown
		let page: Item[] = []
		try {
			for await (const chunk of chunks) {
				for (const line of splitter.push(chunk)) {
					page.push(itemOf(line))
					if (page.length < pageLinesMax) continue
					yield page
					page = []
				}
				if (page.length > 0) yield page
				page = []
			}
		} catch (error) {
			failure = error
		}
		yield [...page, ...finish(failure)]
	})()

	return {
		name: options.name,
		async next() {
			if (ended) return undefined
			const { value, done } = await pages.next()
			return done === true ? undefined : value
		},
		close: async () => void (await pages.return(undefined)),
	}
}

/** `line` undefined: nothing is known of the bytes but that they are not there. */
export function rejectOf(
	options: FileOptions,
	line: Line | undefined,
	number: number,
	reason: string,
	at: Micros,
	step = 'replay.read',
): Reject {
	const where = `${options.name}:${number}`
	const known = line?.tooLong ?? { sha256: hash('sha256', line?.bytes ?? '', 'hex'), sizeBytes: line?.bytes.length ?? 0 }
	return {
		kind: 'reject',
		id: statementId('reject', options.cluster, at, step, where, known.sha256),
		cluster: options.cluster,
		source: 'replay',
		occurredAt: at,
		occurredBound: 0,
		observedAt: at,
		step,
		reason,
		where,
		sha256: known.sha256,
		sizeBytes: known.sizeBytes,
	}
}
