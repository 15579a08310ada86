// A damaged day is set aside, and what can be read of it carried over into a new file, with a gap record that says what is missing.
import { closeSync, copyFileSync, existsSync, linkSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { basename } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { statementId } from '#records/id.ts'
import type { Indexed } from '#records/indexed.ts'
import type { Gap, Redacted, StoredRecord } from '#records/record.ts'
import { carryOver, recordsIn, type Carried } from './carry-over.ts'
import { areWordsWhole, makeWordsAgain } from './carry-words.ts'
import type { Found } from './check-day.ts'
import { makeDay, type Days } from './days.ts'
import { fillKeyframe } from './keyframe.ts'
import { walPath } from './pages.ts'
import { suffixes, type Partition } from './partition.ts'
import { dayEnd, dayStart } from './place.ts'
import { insertAll } from './put.ts'
import { pageBytes } from './schema.ts'

export interface StoreDamage extends Carried {
	readonly day: string
	/** Where the damaged file was set aside. */
	readonly setAside: string
	readonly reason: string
	/** Records that the day's own counters name and that could not be carried over; undefined where the counters cannot be read. */
	readonly lost: number | undefined
	/** Whether gap records say so in the day itself: not where nothing is lost, nor where no cluster is known. */
	readonly told: boolean
}

/** Numbers of puts go on so far behind the last one that is known: those that were lost must not come again, as tails have seen them. */
const seqLeap = 1_000_000

/** `seq`: of the last put before; gives that of the last one now. */
export function repairDay(
	days: Days,
	day: string,
	found: Found,
	at: { readonly seq: number; readonly now: number },
): { readonly damage: StoreDamage; readonly seq: number } {
	const { path } = days.get(day)
	const setAside = `${path}.damaged-${new Date(at.now / 1000).toISOString().replaceAll(/[:.]/g, '-')}`
	// Linked first: SQLite removes the log when it closes the file, and with it what it could not read of it.
	if (existsSync(walPath(path))) linkSync(walPath(path), `${setAside}-wal`)
	days.forget(day)
	const others = days.sound(day)
	const copy = `${path}.headless`
	const headless = found.pages?.[0] === 1
	let carried: Carried = { kept: 0, bodiesLost: 0, wordsLost: false }
	let lost: number | undefined
	let told = false
	let seq = at.seq
	const fill = (target: Partition): void => {
		let source: DatabaseSync | undefined
		try {
			source = openDamaged(path, headless ? { copy, from: target.path } : undefined)
			if (source) {
				carried = carryOver(source, target, found.pages)
				const counted = recordsIn(source)
				// What stood in a log that cannot be read is not in the counters either.
				lost = counted === undefined || (found.lostCommits ?? 0) > 0 ? undefined : Math.max(0, counted - carried.kept)
			}
		} finally {
			source?.close()
			for (const file of suffixes(copy)) rmSync(file, { force: true })
		}
		const previous = others.findLast((other) => other.day < day)
		if (previous) fillKeyframe(target, previous, [...others, target], true)
	}
	const tell = (target: Partition): void => {
		seq = Math.max(at.seq, target.lastSeq) + seqLeap
		if (!carried.wordsLost && !areWordsWhole(target)) carried.wordsLost = true
		if (carried.wordsLost) makeWordsAgain(target)
		if (lost === 0 && carried.bodiesLost === 0 && !carried.wordsLost) return
		const gaps = gapsOf(target, others, found, { ...carried, lost, setAside }, at.now)
		told = gaps.length > 0
		if (told) insertAll(target, gaps, seq)
	}
	makeDay(days.options, day, [fill, tell], (making) => {
		linkSync(path, setAside)
		// Between these two, the day is as it was, without what stood in its log only; both are set aside.
		for (const file of [walPath(path), `${path}-shm`]) rmSync(file, { force: true })
		renameSync(making, path)
	})
	return { damage: { day, setAside, reason: found.reason, lost, told, ...carried }, seq }
}

/** The damaged file, opened; undefined where nothing of it can be. `head`: a copy of it under this name gets its first page from the file that is being made. */
function openDamaged(path: string, head: { readonly copy: string; readonly from: string } | undefined): DatabaseSync | undefined {
	let db: DatabaseSync | undefined
	try {
		if (head) withFirstPage(path, head.copy, head.from)
		db = new DatabaseSync(head?.copy ?? path, { readOnly: true, defensive: false })
		// Else SQLite refuses a file that is shorter than its header says, as a whole.
		db.exec('PRAGMA writable_schema = ON')
		db.prepare('SELECT name FROM sqlite_schema').all()
		return db
	} catch {
		db?.close()
		return undefined // nothing is carried over, and all of it is told as lost
	}
}

/** Every day has the same tables on the same pages: the first page, by which all others are found, can be taken from any. Fields of the header: https://www.sqlite.org/fileformat2.html#the_database_header */
function withFirstPage(path: string, copy: string, from: string): void {
	copyFileSync(path, copy)
	if (existsSync(walPath(path))) copyFileSync(walPath(path), walPath(copy))
	const first = readFileSync(from).subarray(0, pageBytes)
	// Read and written by way of the write-ahead log.
	first[18] = first[19] = 2
	first.writeUInt32BE(Math.ceil(statSync(path).size / pageBytes), 28)
	const file = openSync(copy, 'r+')
	try {
		writeSync(file, first, 0, pageBytes, 0)
	} finally {
		closeSync(file)
	}
}

interface Loss extends Carried {
	readonly lost: number | undefined
	readonly setAside: string
}

/** One for each cluster of which the day may have had records. */
function gapsOf(target: Partition, others: readonly Partition[], found: Found, loss: Loss, now: number): Indexed[] {
	const clustersOf = (partition: Partition): string[] => [...partition.spans().values()].map(({ cluster }) => cluster)
	const own = new Set([...target.objects.where('1')].map(({ cluster }) => cluster))
	for (const cluster of clustersOf(target)) own.add(cluster)
	const clusters = own.size > 0 ? own : new Set(others.flatMap(clustersOf))
	const missing = [
		loss.lost === undefined
			? 'it is not known how many of its records are lost'
			: `${loss.lost} of its ${loss.lost + loss.kept} records are lost`,
		...(loss.bodiesLost > 0 ? [`${loss.bodiesLost} more have lost their bodies`] : []),
		...(loss.wordsLost ? ['full text finds only summaries and names in it'] : []),
	]
	const detail = `the stored day ${target.day} was damaged (${found.reason}): ${missing.join(', ')}; the damaged file is kept as ${basename(loss.setAside)}`
	return [...clusters].map((cluster) => {
		const gap: Gap = {
			kind: 'gap',
			id: statementId('gap', cluster, dayStart(target.day), 'store', String(now)),
			cluster,
			source: 'store',
			occurredAt: dayStart(target.day),
			occurredBound: 0,
			observedAt: now,
			space: '',
			scope: `store/${target.day}`,
			reason: 'corrupt',
			fromRevision: null,
			toRevision: null,
			fromAt: dayStart(target.day),
			toAt: dayEnd(target.day),
			touched: [],
			touchedCount: 0,
			detail,
		}
		const nothing = { facets: [], paths: [], labels: {}, owners: [], images: [], text: '' }
		return { record: gap as unknown as Redacted<StoredRecord>, summary: `records are missing: ${detail}`, severity: 'warning', ...nothing }
	})
}
