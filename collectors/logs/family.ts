// All files of one log in the order in which they were written: which file on disk is which that was known, and which is new.
import { closeSync, readSync } from 'node:fs'
import { headHash } from '#collectors/tail/identity.ts'
import type { Clock } from '#runtime/clock.ts'
import type { Batch } from './batch.ts'
import { headOf, LogFile, newRow, openAs, tailBytesMax, tailHash, type Entry, type FileRow } from './file.ts'
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
	/** Nobody has looked at the folder for a while. */
	readonly wasAway: () => boolean
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
		const { nowMs, wasAway, batch } = this.#context
		const seen = new Map<LogFile, number>()
		const newest = this.files.at(-1)
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
		if (newest?.isOpen && !seen.has(newest) && seen.size > 0 && wasAway())
			batch.gap(newest, {
				reason: 'rotated',
				from: newest.size,
				why: 'while the log took nothing, the file was removed, and perhaps others behind it',
			})
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
				const why = 'the file was removed, or cut off, while nobody read it'
				batch.gap(file, { reason: 'rotated', from: file.long?.offset ?? file.position, atLeast: file.size, why })
			}
			forget(file)
			return false
		})
	}

	/** The file was cut off under us (copy and truncate): what it was goes on in its copy, if there is one; what is written now is another file. Gives how much of it the copy has. */
	cut(file: LogFile, entries: readonly Entry[]): 'whole' | 'part' | 'none' {
		// What may throw comes first.
		const first = firstByte(file.fd)
		const from = file.long?.offset ?? file.position
		const copy = entries.find((entry) => entry.inode !== file.inode && !this.#known(entry) && file.headBytes > 0 && hasHead(entry, file))
		const isPacked = copy !== undefined && headOf(copy).isPacked
		const isWhole = copy !== undefined && (isPacked || goesOn(file, copy))
		const end = copy && !isWhole ? endOf(copy) : undefined
		const next = new LogFile(this.#newRow(file, Buffer.alloc(0)), this.#place, false)
		next.goesOnFrom(file)
		next.path = file.path
		next.fd = file.fd
		file.fd = -1
		// A hole tells how long it was: at once where it is there, later where nothing was written yet.
		if (first === 0 || first === undefined) next.cutFrom = { file, from, copy: isWhole ? file : undefined }
		if (!isWhole && first !== 0) this.#tellCut(file, from)
		if (isWhole) {
			file.cutSize = { bytes: file.size, isExact: false }
			meet(file, copy)
			file.isPacked = isPacked
		} else if (copy && end) restAt(file, copy, end)
		else {
			file.isGone = true
			file.closedAt = this.#context.nowMs()
			file.long = undefined
		}
		this.#context.batch.touched.add(file)
		this.#context.stale(this.path)
		file.replacedAt ||= this.#context.nowMs()
		this.files.splice(this.files.indexOf(file) + 1, 0, next)
		return isWhole ? 'whole' : copy ? 'part' : 'none'
	}

	/** What may be missing, as far as it is known: the file was looked at before, and it is looked at now. */
	#tellCut(file: LogFile, from: number): void {
		const { batch, clock, nowMs } = this.#context
		const now = clock.nowMicros()
		const timeOf = (at: number): string => new Date(at / 1000).toISOString()
		const looked = file.sizedAt > 0 ? `; it was ${file.size} bytes long at ${timeOf(now - (nowMs() - file.sizedAt) * 1000)}` : ''
		const why = `the file was cut off before ${timeOf(now)}, and what was written last is in no copy of it${looked}`
		batch.gap(file, { reason: 'truncated', from, atLeast: file.size, why })
		file.finished = true
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
		for (const file of this.files) if (file.isOpen) file.knowHead()
		const same = this.files.filter(
			(file) => file.headBytes > 0 && head.length >= file.headBytes && headHash(head.subarray(0, file.headBytes)) === file.head,
		)
		const moved = same.find((file) => !seen.has(file) && (isPacked || goesOn(file, entry)))
		if (moved) {
			if (!moved.isOpen) moved.isPacked = isPacked
			return meet(moved, entry)
		}
		if (!isPacked && !entry.isCurrent && same.some((file) => (file.isOpen || seen.has(file)) && isCopy(entry, file))) return undefined
		const file = new LogFile(this.#newRow(entry, head), this.#place, false)
		file.isPacked = isPacked
		this.files.push(file)
		meet(file, entry)
		// Met while it was being copied: it is read once.
		for (const copy of same)
			if (entry.isCurrent && copy.position === 0 && !copy.isOpen && !copy.isPacked && isCopy(copy, file)) {
				restAt(copy, copy, endOf(copy))
				copy.finished = true
			}
		return file
	}
}

function meet(file: LogFile, entry: Pick<Entry, 'path' | 'device' | 'inode' | 'size'>): LogFile {
	file.path = entry.path
	file.device = entry.device
	file.inode = entry.inode
	if (file.isPacked || file.isOpen) return file
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
		return isPacked || goesOn(file, entry)
	} catch {
		return false // it cannot be read: nothing can be said of it
	}
}

/** The entry is plain, and the bytes before the place that was reached are what they were: files may begin alike. Throws the system's error. */
function goesOn(file: LogFile, entry: Entry): boolean {
	if (entry.size < file.position) return false
	const expected = file.expectedTail ?? { at: file.position, bytes: file.tailBytes, hash: tailHash(file.tail.subarray(0, file.tailBytes)) }
	if (expected.bytes === 0) return true
	const bytes = bytesOf(entry, expected.at - expected.bytes, expected.bytes)
	if (tailHash(bytes) !== expected.hash) return false
	file.keepTail(bytes, bytes.length)
	file.expectedTail = undefined
	return true
}

/** What stands at the end of the entry stands there in the file too: it is a copy, perhaps one that is being made. */
function isCopy(entry: Entry | LogFile, file: LogFile): boolean {
	if (file.isPacked) return false
	// It was cut off, and that was not noticed yet: then its copy is looked for.
	if (file.isOpen && !bytesOf(file, file.position - file.tailBytes, file.tailBytes).equals(file.tail.subarray(0, file.tailBytes)))
		return true
	const end = endOf(entry)
	return end.equals(bytesOf(file, entry.size - end.length, end.length))
}

/** Its last bytes, as many as tell it from others. */
function endOf(entry: Entry | LogFile): Buffer {
	const size = Math.min(tailBytesMax, entry.size)
	return bytesOf(entry, entry.size - size, size)
}

/** The copy, which ends with `end`, has less of the file than was read of it: nothing is read of the copy. */
function restAt(file: LogFile, copy: Pick<Entry, 'path' | 'device' | 'inode' | 'size'>, end: Buffer): void {
	meet(file, copy)
	file.keepTail(end, end.length)
	file.position = copy.size
	file.skip = [0, 0, 0]
	file.long = undefined
	file.pendingBytes = 0
}

/** Throws the system's error; ENOENT too where the path leads to another file by now. */
function bytesOf(entry: Entry | LogFile, from: number, size: number): Buffer {
	const isOpen = entry instanceof LogFile && entry.isOpen
	const fd = isOpen ? entry.fd : openAs(entry.path, entry)
	try {
		const bytes = Buffer.alloc(size)
		return bytes.subarray(0, readSync(fd, bytes, 0, size, from))
	} finally {
		if (!isOpen) closeSync(fd)
	}
}

/** Undefined where the file is empty. */
function firstByte(fd: number): number | undefined {
	const bytes = Buffer.alloc(1)
	return readSync(fd, bytes, 0, 1, 0) === 1 ? bytes[0] : undefined
}
