// The audit log of the API server as a file: every line an entry, a reject, or part of a gap that is stated.
import { isUtf8 } from 'node:buffer'
import type { Collector, CollectorContext } from '#collectors/port.ts'
import { openLocalState } from '#collectors/local-state.ts'
import { follow, type Followed } from '#collectors/tail/follow.ts'
import { Outbox } from '#collectors/outbox.ts'
import { statementId } from '#records/id.ts'
import type { Gap, KubetapeRecord } from '#records/record.ts'
import { mainSpace } from '#records/revision.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import { limits } from '#runtime/limits.ts'
import type { AuditFileConfig } from './config.ts'
import { parseAuditLine, rejectLine } from './parse.ts'

const source = 'audit'
const cursorName = 'file'

/** Throws AUDIT_UNREADABLE where the file is there and may not be read. While it is not there, it waits. */
export function createAuditFileCollector(config: AuditFileConfig, context: CollectorContext): Collector {
	const { cluster, clock, log } = context
	const onMissing = (): void => log.warn({ path: config.path }, 'the audit log is not there yet; it is waited for')
	return {
		name: 'audit',
		async run(emit, signal) {
			using state = openLocalState(context.stateDir)
			const outbox = new Outbox(emit, state)
			const options = { ...config, clock, onMissing, isWhole }
			try {
				for await (const followed of follow(options, state.cursor(cursorName), signal))
					await hand(followed, outbox, cluster, config.path, clock.nowMicros())
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

async function hand(followed: Followed, outbox: Outbox, cluster: string, path: string, observedAt: number): Promise<void> {
	const done = { [cursorName]: followed.cursor }
	if ('gap' in followed) return outbox.send([gapOf(followed, cluster, path, observedAt)], done)
	if ('damaged' in followed) {
		const where = `${followed.file}:${followed.offset}`
		return outbox.send([rejectLine('', { cluster, source, observedAt, where }, `the file cannot be read on: ${followed.damaged}`)], done)
	}
	const records: KubetapeRecord[] = []
	for (const line of followed.lines) {
		if (line.bytes.length === 0 && !line.tooLong) continue
		const where = { cluster, source, observedAt, where: `${followed.file}:${line.offset}` }
		records.push(line.tooLong ? rejectLine(line.tooLong, where, 'the line is too long') : parseAuditLine(line.bytes, where))
	}
	for (let at = 0; at < records.length - limits.batchRecordsMax; at += limits.batchRecordsMax)
		await outbox.send(records.slice(at, at + limits.batchRecordsMax), {})
	const rest = records.length === 0 ? 0 : (records.length - 1) % limits.batchRecordsMax
	await outbox.send(records.slice(records.length === 0 ? 0 : records.length - 1 - rest), done)
}

function gapOf(followed: Extract<Followed, { gap: unknown }>, cluster: string, path: string, now: number): Gap {
	return {
		kind: 'gap',
		id: statementId('gap', cluster, now, source, path, followed.gap, followed.detail),
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
		fromAt: null,
		toAt: now,
		touched: [],
		touchedCount: 0,
		detail: followed.detail,
	}
}
