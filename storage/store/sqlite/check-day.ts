// Whether a day is as it was written: every page of its file by its checksum, and its write-ahead log to the end.
import { closeSync, openSync, readSync } from 'node:fs'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import { DamageError, formatError } from './errors.ts'
import { commitsBehind, PageSums, sumsPath, walPath } from './pages.ts'
import type { Partition } from './partition.ts'
import { schemaVersion } from './schema.ts'

export interface Found {
	readonly reason: string
	/** Pages that are not as they were written; undefined where that cannot be told. */
	readonly pages?: readonly number[]
	/** Commits in the write-ahead log that cannot be reached. The last one may not have been acknowledged. */
	readonly lostCommits?: number
}

/** Undefined where nothing is wrong. `rest`: goes slowly, and stops without an answer when it aborts. Nobody may put into the day meanwhile. */
export async function checkDay(partition: Partition, rest?: AbortSignal): Promise<Found | undefined> {
	const reasons: string[] = []
	const attempt = <T>(work: () => T): T | undefined => {
		try {
			return work()
		} catch (error) {
			if (!(error instanceof DamageError) && !(error instanceof KubetapeError && error.code === 'STORAGE_CORRUPT')) throw error
			reasons.push(messageOf(error))
			return undefined
		}
	}
	// Of a file that SQLite does not open, the pages tell nevertheless.
	const logged = attempt(() => partition.logged())
	const lostCommits = logged ? commitsBehind(walPath(partition.path), logged.frames) : 0
	const sums = attempt(() => PageSums.load(sumsPath(partition.path)))
	const pages = await sums?.damaged(partition.path, logged?.pages ?? new Map(), rest)
	if (pages && pages.length > 0) reasons.push(`${pages.length} of its pages are not as they were written, the first is page ${pages[0]}`)
	if (lostCommits > 0) reasons.push(`${lostCommits} puts at the end of its write-ahead log cannot be read`)
	return reasons.length === 0 ? undefined : { reason: reasons.join('; '), ...(pages ? { pages } : {}), lostCommits }
}

/** Throws STORAGE_FORMAT where the day was written in another format, as far as its header can be trusted. */
export function checkFormat(partition: Partition): void {
	const header = Buffer.alloc(64)
	const file = openSync(partition.path, 'r')
	try {
		readSync(file, header, 0, header.length, 0)
	} finally {
		closeSync(file)
	}
	// https://www.sqlite.org/fileformat2.html#user_version_number
	const version = header.readUInt32BE(60)
	if (version === schemaVersion || header.toString('latin1', 0, 15) !== 'SQLite format 3') return
	let sums: PageSums | undefined
	try {
		sums = PageSums.load(sumsPath(partition.path))
	} catch (error) {
		if (!(error instanceof DamageError)) throw error // the formats before had none
	}
	if (!sums || sums.isFirstPage(partition.path)) throw formatError(`${partition.day}.db`, version)
}
