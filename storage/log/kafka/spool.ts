// The spool: what the brokers have not taken waits on this machine's disk, durable, in order, bounded; what they have taken is removed.
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDirectory } from '#runtime/directory.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import type { Stream } from '#storage/log/port.ts'
import { entryBytes, SpoolFile } from './spool-file.ts'

/** An entry that is read: told to `done` when the brokers have it. */
export interface Spooled {
	/** In the order in which they were added. */
	readonly number: number
	readonly stream: Stream
	readonly data: Buffer
	readonly bytes: number
}

export interface SpoolLoss {
	readonly path: string
	readonly bytes: number
	readonly reason: string
}

interface Segment {
	readonly file: SpoolFile
	/** Entries that were added or found, and not yet done. */
	open: number
	/** Where reading goes on in it. */
	readAt: number
	/** Where the entries begin that were read and are not done, by number. */
	readonly unfinished: Map<number, number>
}

interface Adding {
	readonly bytes: Buffer
	readonly number: number
	readonly resolve: (number: number) => void
	readonly reject: (error: unknown) => void
}

/** A file goes when all of it is done: what a crash makes be sent again is less than one of them. */
const segmentBytesDefault = 8 * 1024 * 1024
/** The last part of the room is for those whose source does not wait. */
const urgentShare = 0.25
const fileName = /^\d{10}\.spool$/

const doneFile = (path: string): string => `${path}.done`

/** Bytes at the beginning of the file that were noted as done; without a note, none. */
function doneIn(path: string): number {
	const note = doneFile(path)
	return existsSync(note) ? Number(readFileSync(note, 'utf8')) || 0 : 0
}

export class Spool {
	readonly #dir: string
	readonly #bytesMax: number
	readonly #segmentBytesMax: number
	readonly #onLoss: (loss: SpoolLoss) => void
	readonly #segments: Segment[] = []
	readonly #segmentOf = new Map<number, Segment>()
	#adding: Adding[] = []
	#writing = false
	#nextFile = 1
	#added = 0
	#read = 0
	#doneCount = 0
	#bytes = 0

	/** Finds what an earlier process left. A tail that was not whole was never acknowledged; an entry that fails its checksum is told to `onLoss`. Throws RUNTIME_NO_PERMISSION. */
	constructor(options: {
		readonly dir: string
		readonly bytesMax: number
		readonly onLoss: (loss: SpoolLoss) => void
		readonly segmentBytesMax?: number
	}) {
		this.#dir = options.dir
		this.#bytesMax = options.bytesMax
		this.#segmentBytesMax = options.segmentBytesMax ?? segmentBytesDefault
		this.#onLoss = options.onLoss
		makeDirectory(options.dir)
		for (const name of readdirSync(options.dir)
			.filter((found) => fileName.test(found))
			.toSorted()) {
			const path = join(options.dir, name)
			const segment = { file: new SpoolFile(path, statSync(path).size), open: 0, readAt: 0, unfinished: new Map() }
			this.#nextFile = Number(name.slice(0, 10)) + 1
			segment.readAt = Math.min(segment.file.size, doneIn(path))
			this.#count(segment)
			this.#segments.push(segment)
		}
	}

	#count(segment: Segment): void {
		let at = segment.readAt
		for (;;) {
			const found = segment.file.entryAt(at)
			if (!found) break
			segment.open += 1
			this.#added += 1
			at = 'end' in found ? found.end : found.damagedUntil
		}
		segment.file.cut(at)
		this.#bytes += at - segment.readAt
	}

	/** Entries that wait for the brokers, those that are just being written included. */
	get isEmpty(): boolean {
		return this.#doneCount === this.#added && this.#adding.length === 0 && !this.#writing
	}

	get bytes(): number {
		return this.#bytes
	}

	/** Whether `add` would take so many bytes. */
	hasRoom(bytes: number, urgent: boolean): boolean {
		return this.#bytes + bytes <= this.#bytesMax * (urgent ? 1 : 1 - urgentShare)
	}

	/** Resolves with the entry's number when it is on the disk. Rejects with STORAGE_BUSY where there is no room, STORAGE_DISK_FULL or STORAGE_UNAVAILABLE where it could not be written. */
	add(stream: Stream, data: Buffer, urgent: boolean): Promise<number> {
		const bytes = entryBytes({ stream, data })
		if (!this.hasRoom(bytes.length, urgent))
			return Promise.reject(
				new KubetapeError(
					'STORAGE_BUSY',
					`the brokers do not answer, and ${this.#bytes} of ${this.#bytesMax} bytes wait for them in ${this.#dir}${urgent ? '' : ' (the rest is for audit entries)'}`,
				),
			)
		this.#bytes += bytes.length
		return new Promise((resolve, reject) => {
			this.#adding.push({ bytes, number: this.#added++, resolve, reject })
			if (!this.#writing) void this.#write()
		})
	}

	/** What is added while a write is on its way goes together into the next one. */
	async #write(): Promise<void> {
		this.#writing = true
		while (this.#adding.length > 0) {
			const group = this.#adding
			this.#adding = []
			try {
				const segment = this.#segmentToWrite()
				await segment.file.append(group.map(({ bytes }) => bytes))
				for (const { number } of group) this.#segmentOf.set(number, segment)
				segment.open += group.length
				for (const { number, resolve } of group) resolve(number)
			} catch (error) {
				this.#added -= group.length
				for (const { bytes } of group) this.#bytes -= bytes.length
				const full = (error as NodeJS.ErrnoException).code === 'ENOSPC'
				const known = new KubetapeError(full ? 'STORAGE_DISK_FULL' : 'STORAGE_UNAVAILABLE', `${this.#dir}: ${messageOf(error)}`, {
					cause: error,
				})
				for (const { reject } of [...group, ...this.#withdraw()]) reject(known)
			}
		}
		this.#writing = false
	}

	/** Those that wait behind a write that failed fail with it: their numbers follow on it. */
	#withdraw(): readonly Adding[] {
		const waiting = this.#adding
		this.#adding = []
		this.#added -= waiting.length
		for (const { bytes } of waiting) this.#bytes -= bytes.length
		return waiting
	}

	#segmentToWrite(): Segment {
		const last = this.#segments.at(-1)
		if (last && last.file.size < this.#segmentBytesMax) return last
		const segment = {
			file: new SpoolFile(join(this.#dir, `${String(this.#nextFile++).padStart(10, '0')}.spool`), 0),
			open: 0,
			readAt: 0,
			unfinished: new Map(),
		}
		this.#segments.push(segment)
		return segment
	}

	/** The next entry that was not read yet and is on the disk; undefined where there is none. Damaged ones are told to `onLoss` and passed over. */
	async next(): Promise<Spooled | undefined> {
		for (const segment of this.#segments.slice()) {
			for (;;) {
				const found = segment.file.entryAt(segment.readAt)
				if (!found) break
				const end = 'end' in found ? found.end : found.damagedUntil
				const entry = { number: this.#read++, bytes: end - segment.readAt }
				segment.unfinished.set(entry.number, segment.readAt)
				segment.readAt = end
				this.#segmentOf.set(entry.number, segment)
				if ('end' in found) return { ...entry, stream: found.stream, data: found.data }
				this.#onLoss({ path: segment.file.path, bytes: entry.bytes, reason: 'an entry fails its checksum' })
				await this.done(entry)
			}
		}
		return undefined
	}

	/** The brokers have it. Files all of whose entries are done are removed. */
	async done({ number, bytes }: Pick<Spooled, 'number' | 'bytes'>): Promise<void> {
		const segment = this.#segmentOf.get(number)
		if (!segment) return
		this.#segmentOf.delete(number)
		segment.unfinished.delete(number)
		this.#doneCount += 1
		segment.open -= 1
		this.#bytes -= bytes
		const isFinished = (each: Segment): boolean =>
			each.open === 0 && each.readAt >= each.file.size && (each !== this.#segments.at(-1) || this.isEmpty)
		for (const each of this.#segments.filter(isFinished)) {
			this.#segments.splice(this.#segments.indexOf(each), 1)
			await each.file.remove()
			rmSync(doneFile(each.file.path), { force: true })
		}
	}

	/** Notes how far each file is done, so that the next process does not send that again. */
	async close(): Promise<void> {
		while (this.#writing) await new Promise((resolve) => setImmediate(resolve))
		for (const { file, unfinished, readAt } of this.#segments) {
			await file.close()
			writeFileSync(doneFile(file.path), String(Math.min(readAt, ...unfinished.values())))
		}
	}
}
