// The audit log of the API server as a file: every line an entry, a reject, or part of a gap that is stated.
import { isUtf8 } from 'node:buffer'
import type { Collector, CollectorContext } from '#collectors/port.ts'
import { openLocalState } from '#collectors/local-state.ts'
import { follow, type Followed } from '#collectors/tail/follow.ts'
import { Outbox } from '#collectors/outbox.ts'
import { statementId } from '#records/id.ts'
import type { Gap, KubetapeRecord } from '#records/record.ts'
import { mainSpace } from '#records/revision.ts'
import type { Micros } from '#records/time.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import { limits } from '#runtime/limits.ts'
import type { AuditFileConfig } from './config.ts'
import { parseAuditLine, rejectLine, type AuditLineContext } from './parse.ts'

const source = 'audit'
const cursorName = 'file'
const lastCursorName = 'last entry'

/** `onRead` is told what was read. Throws AUDIT_UNREADABLE where the file is there and may not be read. While it is not there, it waits. */
export function createAuditFileCollector(
	config: AuditFileConfig,
	context: CollectorContext,
	onRead: (records: readonly KubetapeRecord[]) => void = () => {},
): Collector {
	const { cluster, clock, log } = context
	const onMissing = (): void => log.warn({ path: config.path }, 'the audit log is not there yet; it is waited for')
	return {
		name: 'audit',
		async run(emit, signal) {
			using state = openLocalState(context.stateDir)
			const outbox = new Outbox(emit, state)
			const options = { ...config, clock, onMissing, isWhole }
			const hand = createHand(outbox, { cluster, path: config.path, onRead, after: readTime(state.cursor(lastCursorName)) })
			try {
				for await (const followed of follow(options, state.cursor(cursorName), signal)) await hand(followed, clock.nowMicros())
			} catch (error) {
				const { code } = error as NodeJS.ErrnoException
				if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EISDIR' && code !== 'ENOTDIR') throw error
				throw new KubetapeError('AUDIT_UNREADABLE', `${config.path}: ${messageOf(error)}`, { cause: error })
			} finally {
				await outbox.drain()
			}
		},
	}
}

function readTime(text: string | undefined): Micros | undefined {
	const at = Number(text === undefined || text === '' ? Number.NaN : text)
	return Number.isSafeInteger(at) ? at : undefined
}

/** A last line without an end counts once it is JSON: before, the writer may be in the middle of it. */
function isWhole(line: Buffer): boolean {
	if (!isUtf8(line)) return false
	try {
		JSON.parse(line.toString('utf8'))
		return true
	} catch {
		return false // not yet
	}
}

interface Reading {
	readonly cluster: string
	readonly path: string
	readonly onRead: (records: readonly KubetapeRecord[]) => void
	/** When the entry was written that was read last: it goes into the ids of rejects and gaps, and is saved with the cursor, so that they are the same when they are told again. */
	after: Micros | undefined
}

type Hand = (followed: Followed, observedAt: Micros) => Promise<void>

function createHand(outbox: Outbox, reading: Reading): Hand {
	return async (followed, observedAt) => {
		if ('gap' in followed) return outbox.send([gapOf(followed, reading, observedAt)], { [cursorName]: followed.cursor })
		const contextOf = (offset: number): AuditLineContext => ({
			cluster: reading.cluster,
			source,
			observedAt,
			where: `${followed.file}:${offset}`,
			// Names of files change when they are rotated: the entry before tells which file it is.
			identity: String(offset),
			after: reading.after,
		})
		if ('damaged' in followed) {
			const reject = rejectLine('', contextOf(followed.offset), `the file cannot be read on: ${followed.damaged}`)
			return outbox.send([reject], { [cursorName]: followed.cursor })
		}
		const records: KubetapeRecord[] = []
		for (const line of followed.lines) {
			if (line.bytes.length === 0 && !line.tooLong) continue
			const context = contextOf(line.offset)
			const record = line.tooLong ? rejectLine(line.tooLong, context, 'the line is too long') : parseAuditLine(line.bytes, context)
			if (record.kind === 'audit') reading.after = record.occurredAt
			records.push(record)
		}
		reading.onRead(records)
		const cursors = { [cursorName]: followed.cursor, [lastCursorName]: String(reading.after ?? '') }
		let at = 0
		for (; at < records.length - limits.batchRecordsMax; at += limits.batchRecordsMax)
			await outbox.send(records.slice(at, at + limits.batchRecordsMax), {})
		await outbox.send(records.slice(at), cursors)
	}
}

function gapOf(followed: Extract<Followed, { gap: unknown }>, { cluster, path, after }: Reading, now: Micros): Gap {
	return {
		kind: 'gap',
		id: statementId('gap', cluster, after ?? 0, source, path, String(followed.offset)),
		cluster,
		source,
		occurredAt: now,
		occurredBound: 0,
		observedAt: now,
		space: mainSpace,
		scope: path,
		reason: followed.gap,
		fromRevision: null,
		toRevision: null,
		fromAt: after ?? null,
		toAt: now,
		touched: [],
		touchedCount: 0,
		detail: followed.detail,
	}
}
