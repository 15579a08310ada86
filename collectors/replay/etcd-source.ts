// etcd.jsonl of a recording: every change through the same reader as a live watch, with what was seen whole and what is missing.
import { Ledger, makeGap } from '#collectors/etcd/ledger.ts'
import { createVersions, type EtcdEvent } from '#collectors/etcd/versions.ts'
import type { Line } from '#collectors/tail/lines.ts'
import { createCatalog } from '#records/catalog.ts'
import type { KubetapeRecord } from '#records/record.ts'
import { mainSpace, type Revision } from '#records/revision.ts'
import type { Micros } from '#records/time.ts'
import { messageOf } from '#runtime/errors.ts'
import { readEtcdLine, type EtcdLine } from './etcd-line.ts'
import { rejectOf, type FileOptions, type LineReader } from './source.ts'

export interface EtcdReaderOptions extends FileOptions {
	/** First revision that the recording says to hold; undefined where it does not say. */
	readonly firstRevision: Revision | undefined
	/** Below which the API server kept its objects. */
	readonly prefix: string
}

const empty = new Uint8Array()

interface Held {
	readonly line: Line
	readonly read: EtcdLine
	readonly observedAt: Micros
}

/**
 * One line is held back until the next one is known: a revision that jumps ahead and falls back again is a garbled number, and only the line
 * that has it is set aside, not all that follow.
 */
export function createEtcdReader(options: EtcdReaderOptions): LineReader {
	const ledgerOptions = { cluster: options.cluster, source: 'replay', space: mainSpace, scope: '' }
	const versions = createVersions({
		cluster: options.cluster,
		source: 'replay',
		space: mainSpace,
		prefix: options.prefix,
		catalog: createCatalog(),
	})
	let ledger: Ledger | undefined
	let last: Revision | undefined
	let lastObserved = options.startedAt
	let held: Held | undefined
	/** What the revision `last` wrote, by key. */
	const atRevision = new Map<string, EtcdEvent>()
	/** A line was set aside since `last`: its revision is not known. */
	let lineLost = false
	/** The same, since the line that is held back. */
	let lineLostBehind = false

	const refuse = (line: Line, reason: string, at: Micros): KubetapeRecord => {
		if (held) lineLostBehind = true
		else lineLost = true
		return rejectOf(options, line, line.number, reason, at, 'replay.etcd')
	}

	/** The gap before `revision`, where there is one, and the range that ends there. */
	const broken = (revision: Revision, at: Micros): KubetapeRecord[] => {
		const first = options.firstRevision !== undefined && options.firstRevision < revision ? options.firstRevision : revision
		const expected = last === undefined ? first : last + 1n
		ledger ??= new Ledger(ledgerOptions, expected)
		const missing = revision > expected
		if (!missing && !lineLost) return []
		const closed = last === undefined ? undefined : ledger.close(last, at, true)
		// Where no revision is missing, the lost line was one of several keys of a revision at either side.
		const [from, to] = missing ? [expected, revision - 1n] : [last ?? revision, revision]
		const reason = lineLost ? 'corrupt' : 'lost'
		const detail = missing ? 'the recording does not have these revisions' : 'a line between these revisions could not be read'
		ledger.skip(revision)
		lineLost = false
		const gap = makeGap(ledgerOptions, {
			reason,
			from,
			to,
			fromAt: last === undefined ? null : lastObserved,
			now: at,
			touched: [],
			touchedCount: 0,
			detail,
		})
		return [...(closed ? [closed] : []), gap]
	}

	const take = ({ line, read, observedAt }: Held): KubetapeRecord[] => {
		const { event } = read
		const records = broken(event.modRevision, observedAt)
		lineLost = lineLostBehind
		lineLostBehind = false
		if (last !== undefined && event.modRevision > last) {
			const coverage = ledger?.close(last, lastObserved, false)
			if (coverage) records.push(coverage)
		}
		if (event.modRevision !== last) atRevision.clear()
		else if (atRevision.has(event.key)) {
			// The same line again, as two recordings put together have it, says nothing new; another one under the same number does.
			const known = atRevision.get(event.key)
			const same = known?.type === event.type && Buffer.compare(known.value ?? empty, event.value ?? empty) === 0
			return same
				? records
				: [...records, rejectOf(options, line, line.number, 'another change of this key has this revision', observedAt, 'replay.etcd')]
		}
		atRevision.set(event.key, event)
		last = event.modRevision
		lastObserved = observedAt
		ledger?.add(event.modRevision, event.key)
		records.push(...recordsOf(event, observedAt, line))
		return records
	}

	const recordsOf = (event: EtcdEvent, observedAt: Micros, line: Line): KubetapeRecord[] => {
		try {
			const made = versions.toRecord(event, observedAt, 'watch')
			const rejects = versions.takeRejects().map((reject) => ({ ...reject, where: `${options.name}:${line.number} (${reject.where})` }))
			return [made, ...rejects]
		} catch (error) {
			return [rejectOf(options, line, line.number, `the value cannot be read: ${messageOf(error)}`, observedAt, 'etcd.decode')]
		}
	}

	return {
		line(line, lastAt) {
			if (line.tooLong) return { at: undefined, records: [refuse(line, 'the line is too long', lastAt)] }
			const read = readEtcdLine(line.bytes)
			if (typeof read === 'string') return { at: undefined, records: [refuse(line, read, lastAt)] }
			const before = held
			const observedAt = read.observedAt ?? lastAt
			const { modRevision } = read.event
			const floor = last ?? 0n
			if (modRevision < floor) return { at: undefined, records: [refuse(line, `revision ${modRevision} comes after ${floor}`, lastAt)] }
			held = undefined
			const jumped = before && modRevision < before.read.event.modRevision
			const records = jumped
				? [refuse(before.line, `revision ${before.read.event.modRevision} comes before ${modRevision}`, before.observedAt)]
				: before
					? take(before)
					: []
			held = { line, read, observedAt }
			return { at: jumped ? undefined : (before?.observedAt ?? observedAt), records }
		},
		end(lastAt, damaged) {
			const records = held ? take(held) : []
			held = undefined
			const coverage = last === undefined ? undefined : ledger?.close(last, lastObserved, true)
			if (coverage) records.push(coverage)
			if ((damaged || lineLost) && last !== undefined) {
				const detail = damaged ? 'the recording breaks off here' : 'the last lines could not be read'
				records.push(
					makeGap(ledgerOptions, {
						reason: damaged ? 'truncated' : 'corrupt',
						from: last,
						to: last,
						fromAt: lastObserved,
						now: Math.max(lastAt, lastObserved),
						touched: [],
						touchedCount: 0,
						detail,
					}),
				)
			}
			return records
		},
	}
}
