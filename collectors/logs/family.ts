// All files of one log in the order in which they were written: which file on disk is which that was known, and which is new.
import { closeSync, readSync } from 'node:fs'
import { headHash } from '#collectors/tail/identity.ts'
import type { Clock } from '#runtime/clock.ts'
import type { Batch } from './batch.ts'
import { headOf, LogFile, newRow, openAs, tailHash, type Entry, type FileRow } from './file.ts'
import type { Reader } from './reader.ts'
import { RateLimit } from './rate.ts'
import type { Place, Source } from './sources.ts'

/** What has gone is remembered for so long: it may come again, packed. */
const goneMs = 2000

export interface FamilyContext {
	readonly batch: Batch
	readonly clock: Clock
	/** Monotonic. */
	readonly nowMs: () => number
	/** The file's state is not needed any more. */
	readonly forget: (file: LogFile) => void
	/** The names have changed since they were listed. */
	readonly stale: (path: string) => void
	readonly failed: (path: string, error: unknown) => void
}

export class Family {
	readonly path: string
	readonly source: Source
	readonly reader: Reader
	readonly rate: RateLimit | undefined
	readonly #place: Place
	readonly #context: FamilyContext
	/** Oldest first. */
	files: LogFile[]
	isQueued = false
	/** It is looked at often until then (ms, monotonic). */
	activeUntil = 0

	constructor(path: string, source: Source, reader: Reader, known: readonly LogFile[], context: FamilyContext) {
		this.path = path
		this.source = source
		this.#place = source.placeOf(path)
		this.rate = source.bytesPerSecondMax > 0 ? new RateLimit(source.bytesPerSecondMax) : undefined
		this.reader = reader
		this.#context = context
		this.files = [...known]
	}

	/** `entries`: what is there now, oldest first. */
	update(entries: readonly Entry[]): void {
		const { nowMs } = this.#context
		const seen = new Map<LogFile, number>()
		const others: [Entry, number][] = []
		for (const [index, entry] of entries.entries()) {
			const file = this.files.find(
				(known) =>
					!seen.has(known) && known.device === entry.device && known.inode === entry.inode && (known.isOpen || isSame(known, entry)),
			)
			if (file) seen.set(meet(file, entry), index)
			else others.push([entry, index])
		}
		for (const [entry, index] of others) {
			try {
				const file = this.#recognise(entry, seen)
				if (file) seen.set(file, index)
			} catch (error) {
				if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.#context.stale(this.path)
				else this.#context.failed(entry.path, error)
			}
		}
		const now = nowMs()
		for (const file of this.files) {
			if (seen.has(file)) file.isGone = false
			else if (!file.isGone) {
				file.isGone = true
				file.replacedAt ||= now
				file.closedAt = now
			}
		}
		// What is not there any more was there before what is.
		this.files.sort((a, b) => (seen.get(a) ?? -1) - (seen.get(b) ?? -1))
		for (const [index, file] of this.files.entries()) {
			const before = this.files[index - 1]
			if (before && !file.isAnnounced && file.position === 0 && file.source.follows === undefined) file.goesOnFrom(before)
			if (index < this.files.length - 1) file.replacedAt ||= now
		}
		this.dropGone()
	}

	/** Forgets what has gone and was read, and says what was not. */
	dropGone(): void {
		const { batch, nowMs, forget } = this.#context
		this.files = this.files.filter((file) => {
			if (!file.isGone || file.isOpen || nowMs() - file.closedAt < goneMs) return true
			if (!file.finished) {
				const to = file.size > file.position ? file.size : undefined
				batch.gap(file, 'rotated', file.position, to, 'the file was removed, or cut off, while nobody read it')
			}
			forget(file)
			return false
		})
	}

	/** The file was cut off under us (copy and truncate): what it was goes on in its copy, if there is one; what is written now is another file. */
	cut(file: LogFile, entries: readonly Entry[]): void {
		const { batch } = this.#context
		const next = new LogFile(this.#newRow(file, Buffer.alloc(0)), this.#place, false)
		next.goesOnFrom(file)
		next.path = file.path
		next.fd = file.fd
		file.fd = -1
		const copy = entries.find((entry) => entry.inode !== file.inode && !this.#known(entry) && file.headBytes > 0 && hasHead(entry, file))
		if (copy) {
			meet(file, copy)
			file.isPacked = headOf(copy).isPacked
			file.cutAfter = true
		} else {
			const from = file.long?.offset ?? file.position
			batch.gap(file, 'truncated', from, file.size > from ? file.size : undefined, 'the file was cut off, and there is no copy of it')
			file.finished = true
			file.isGone = true
			file.long = undefined
		}
		batch.touched.add(file)
		file.replacedAt ||= this.#context.nowMs()
		this.files.splice(this.files.indexOf(file) + 1, 0, next)
	}

	#newRow(entry: Pick<Entry, 'device' | 'inode'>, head: Buffer): FileRow {
		return newRow(this.path, entry, head, (name) => this.files.some((file) => file.name === name), this.#context.clock.nowMicros())
	}

	#known(entry: Entry): boolean {
		return this.files.some((file) => file.device === entry.device && file.inode === entry.inode)
	}

	/** Undefined where the entry is a copy of what is read already. */
	#recognise(entry: Entry, seen: ReadonlyMap<LogFile, number>): LogFile | undefined {
		const { head, isPacked } = headOf(entry)
		const same = this.files.filter(
			(file) => file.headBytes > 0 && head.length >= file.headBytes && headHash(head.subarray(0, file.headBytes)) === file.head,
		)
		const moved = same.find((file) => !seen.has(file))
		if (moved) {
			if (!moved.isOpen) moved.isPacked = isPacked
			return meet(moved, entry)
		}
		if (same.length > 0 && !entry.isCurrent) return undefined
		const file = new LogFile(this.#newRow(entry, head), this.#place, false)
		file.isPacked = isPacked
		this.files.push(file)
		return meet(file, entry)
	}
}

function meet(file: LogFile, entry: Entry): LogFile {
	file.path = entry.path
	file.device = entry.device
	file.inode = entry.inode
	if (file.isPacked) return file
	file.size = Math.max(file.size, entry.size)
	// It was written to when nobody thought so.
	if (file.finished && !file.isOpen && entry.size > file.position) file.finished = false
	return file
}

function hasHead(entry: Entry, file: LogFile): boolean {
	try {
		const { head } = headOf(entry)
		return head.length >= file.headBytes && headHash(head.subarray(0, file.headBytes)) === file.head
	} catch {
		return false // rotated away meanwhile
	}
}

/** A file that is not open: its inode may have been given to another one. */
function isSame(file: LogFile, entry: Entry): boolean {
	try {
		const { head, isPacked } = headOf(entry)
		if (head.length < file.headBytes || headHash(head.subarray(0, file.headBytes)) !== file.head) return false
		file.isPacked = isPacked
		if (isPacked) return true
		if (entry.size < file.position) return false
		const expected = file.expectedTail
		if (!expected) return true
		const fd = openAs(entry.path, entry)
		try {
			const bytes = Buffer.alloc(expected.bytes)
			readSync(fd, bytes, 0, bytes.length, expected.at - expected.bytes)
			if (tailHash(bytes) !== expected.hash) return false
			file.keepTail(bytes, bytes.length)
			file.expectedTail = undefined
			return true
		} finally {
			closeSync(fd)
		}
	} catch {
		return false // it cannot be read: nothing can be said of it
	}
}
