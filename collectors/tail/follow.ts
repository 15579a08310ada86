// Follows a log file as lines, through rotation by rename, by copy and truncate, and through packed backups.
import { watch } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { GapReason } from '#records/record.ts'
import type { Clock } from '#runtime/clock.ts'
import { messageOf } from '#runtime/errors.ts'
import { openChunks } from './chunks.ts'
import { findListed, headBytesMax, headHash, readHead, type Identity } from './identity.ts'
import { LineSplitter, type Line } from './lines.ts'
import { listRotated } from './siblings.ts'

export interface FollowOptions {
	readonly path: string
	readonly pollMs: number
	readonly lineBytesMax: number
	/** A last line without a line end is given out after such a pause, if `isWhole` says so. */
	readonly lastLineMs: number
	readonly isWhole: (line: Buffer) => boolean
	readonly clock: Clock
	/** Told once each time the file is not there. */
	readonly onMissing: () => void
}

/** `cursor` stands behind what is told: saved, it is where `follow` goes on. `offset`: in the file, where the gap or the damage begins. */
export type Followed =
	| { readonly lines: readonly Line[]; readonly file: string; readonly cursor: string }
	| { readonly gap: GapReason; readonly detail: string; readonly offset: number; readonly cursor: string }
	| { readonly damaged: string; readonly file: string; readonly offset: number; readonly cursor: string }

interface Place extends Identity {
	/** Everything before it was given out, in bytes of the unpacked file. */
	readonly offset: number
}

/** What is there is read so far at once: one commit for all of it. */
const readBytes = 1024 * 1024

/** Ends when the signal aborts. Throws the system's error where a file that is there cannot be read. */
export async function* follow(options: FollowOptions, cursor: string | undefined, signal: AbortSignal): AsyncGenerator<Followed> {
	using changes = watchFolder(options)
	let place = readPlace(cursor)
	while (!signal.aborted) {
		const { paths, index } = await findListed(place, () => listRotated(options.path))
		if (place && index < 0) {
			const { offset } = place
			const detail = `the file that was read last is not there any more: what it held behind byte ${offset} is not known`
			place = undefined
			yield { gap: 'rotated', detail, offset, cursor: '' }
		}
		const begin: number = Math.max(index, 0)
		const newest = await newestOf(paths)
		for (const [at, path] of paths.slice(begin).entries()) {
			let finished: Place | undefined
			const from: Place | undefined = at === 0 && place ? place : undefined
			const reading =
				path === options.path ? followCurrent(options, { from, newest }, changes, signal) : readFinished(options, path, from, signal)
			for (;;) {
				const next: IteratorResult<Followed, Place | undefined> = await reading.next()
				if (next.done === true) {
					finished = next.value
					break
				}
				yield next.value
			}
			if (signal.aborted) return
			// Names have changed since they were listed: they are listed anew, and the file that was read last is looked for among them.
			if (!finished) break
			place = finished
		}
	}
}

function readPlace(cursor: string | undefined): Place | undefined {
	try {
		const place = JSON.parse(cursor ?? '') as Place
		return Number.isSafeInteger(place.offset) && Number.isSafeInteger(place.headBytes) ? place : undefined
	} catch {
		return undefined // none yet, or garbled: read from the beginning, repeats are harmless
	}
}

/** Device and inode of the youngest backup: another one has it after a rotation. */
async function newestOf(paths: readonly string[]): Promise<string> {
	const path = paths.at(-2)
	if (path === undefined) return ''
	try {
		const { dev, ino } = await stat(path)
		return `${dev}:${ino}`
	} catch {
		return 'gone' // rotated on: as good as another one
	}
}

/** A file that is not written any more, packed or plain. Undefined where it is gone (or the signal aborted). */
async function* readFinished(
	options: FollowOptions,
	path: string,
	from: Place | undefined,
	signal: AbortSignal,
): AsyncGenerator<Followed, Place | undefined> {
	const start = from?.offset ?? 0
	const file = basename(path)
	try {
		const { dev, ino } = await stat(path)
		const head = await readHead(path, headBytesMax)
		const identity: Identity = { device: dev, inode: ino, head: headHash(head), headBytes: head.length }
		const { begin, chunks } = await openChunks(path, start, readBytes)
		const splitter = new LineSplitter({ lineBytesMax: options.lineBytesMax, offset: begin })
		const place = (): Place => ({ ...identity, offset: Math.max(start, splitter.offset) })
		try {
			for await (const chunk of chunks) {
				if (signal.aborted) return undefined
				const lines = [...splitter.push(chunk)].filter((line) => line.offset >= start)
				if (lines.length > 0) yield { lines, file, cursor: JSON.stringify(place()) }
			}
			const last = splitter.end()
			if (last && last.offset >= start) yield { lines: [last], file, cursor: JSON.stringify(place()) }
		} catch (error) {
			yield { damaged: messageOf(error), file, offset: splitter.offset, cursor: JSON.stringify(place()) }
		}
		return place()
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
		throw error
	}
}

interface Start {
	/** Where to go on in the file; undefined for its beginning. */
	readonly from: Place | undefined
	/** The youngest backup when the files were listed. */
	readonly newest: string
}

/** The file that is being written, until another one has its name; what was read of it is then at its end. Undefined where it is not the file that was listed. */
async function* followCurrent(
	options: FollowOptions,
	{ from, newest }: Start,
	changes: Changes,
	signal: AbortSignal,
): AsyncGenerator<Followed, Place | undefined> {
	const handle = await openWhenThere(options, changes, signal)
	if (!handle) return undefined
	const file = basename(options.path)
	try {
		const { dev, ino } = await handle.stat()
		let head = await readHeadOf(handle)
		const isOther =
			from &&
			(from.device !== dev ||
				from.inode !== ino ||
				head.length < from.headBytes ||
				headHash(head.subarray(0, from.headBytes)) !== from.head)
		if (isOther || newest !== (await newestOf(await listRotated(options.path)))) return undefined
		let splitter = new LineSplitter({ lineBytesMax: options.lineBytesMax, offset: from?.offset ?? 0 })
		let position = from?.offset ?? 0
		let grewAt = options.clock.nowMicros()
		const place = (): Place => ({ device: dev, inode: ino, head: headHash(head), headBytes: head.length, offset: splitter.offset })
		const cursor = (): string => JSON.stringify(place())
		let replaced = false
		while (!signal.aborted) {
			const now = await readHeadOf(handle)
			const size = (await handle.stat()).size
			if (size < position || now.length < head.length || !now.subarray(0, head.length).equals(head)) {
				const detail = `the file was cut off after byte ${position} was read: what was written between the copy and the cut is lost`
				const before = place()
				const { index: copy } = await findListed(before, async () => (await listRotated(options.path)).slice(0, -1))
				if (copy >= 0) {
					yield { gap: 'truncated', detail, offset: before.offset, cursor: JSON.stringify(before) }
					return before
				}
				head = now
				position = 0
				splitter = new LineSplitter({ lineBytesMax: options.lineBytesMax })
				yield { gap: 'truncated', detail, offset: before.offset, cursor: cursor() }
			}
			head = now
			const chunk = Buffer.allocUnsafeSlow(Math.min(readBytes, Math.max(0, size - position)))
			const { bytesRead } = chunk.length === 0 ? { bytesRead: 0 } : await handle.read(chunk, 0, chunk.length, position)
			if (bytesRead > 0) {
				position += bytesRead
				grewAt = options.clock.nowMicros()
				const lines = [...splitter.push(chunk.subarray(0, bytesRead))]
				if (lines.length > 0) yield { lines, file, cursor: cursor() }
				replaced = false
				continue
			}
			const quietMs = (options.clock.nowMicros() - grewAt) / 1000
			if (splitter.pendingBytes > 0 && (replaced || (quietMs >= options.lastLineMs && options.isWhole(splitter.pending)))) {
				const last = splitter.end()
				if (last) yield { lines: [last], file, cursor: cursor() }
			}
			// Read once more after the other file was seen: the writer may have written between our read and the change of names.
			if (replaced) return place()
			replaced = await hasOtherFile(options.path, dev, ino)
			if (!replaced) await changes.wait(signal)
		}
		return place()
	} finally {
		await handle.close()
	}
}

async function readHeadOf(handle: FileHandle): Promise<Buffer> {
	const head = Buffer.alloc(headBytesMax)
	const { bytesRead } = await handle.read(head, 0, headBytesMax, 0)
	return head.subarray(0, bytesRead)
}

async function hasOtherFile(path: string, device: number, inode: number): Promise<boolean> {
	try {
		const { dev, ino } = await stat(path)
		return dev !== device || ino !== inode
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false // between rename and creation: the old one is still written to
		throw error
	}
}

async function openWhenThere(options: FollowOptions, changes: Changes, signal: AbortSignal): Promise<FileHandle | undefined> {
	let told = false
	while (!signal.aborted) {
		try {
			return await open(options.path, 'r')
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
			if (!told) options.onMissing()
			told = true
			await changes.wait(signal)
		}
	}
	return undefined
}

interface Changes extends Disposable {
	/** Resolves when the folder may have changed: told by the file system, or because it is time to look. */
	wait(signal: AbortSignal): Promise<void>
}

/** Where the file system does not tell (a network mount, no watches left), looking now and then is enough. */
function watchFolder(options: FollowOptions): Changes {
	let waiting: AbortController | undefined
	let changed = false
	const wake = (): void => {
		changed = true
		waiting?.abort()
	}
	let watcher: ReturnType<typeof watch> | undefined
	try {
		watcher = watch(dirname(options.path), wake)
		watcher.on('error', () => watcher?.close())
	} catch {
		watcher = undefined // the folder is not there, or cannot be watched
	}
	return {
		async wait(signal) {
			if (!changed) {
				waiting = new AbortController()
				await options.clock.sleep(options.pollMs, AbortSignal.any([signal, waiting.signal]))
			}
			changed = false
			waiting = undefined
		},
		[Symbol.dispose]: () => watcher?.close(),
	}
}
