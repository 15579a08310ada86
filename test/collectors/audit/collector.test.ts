// The audit file collector: entries, rejects and gaps out of a file, its cursor saved after they are durable.
import { appendFileSync, mkdirSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createAuditFileCollector } from '#collectors/audit/collector.ts'
import type { KubetapeRecord } from '#records/record.ts'
import { auditLine, contextIn, temporaryFolder } from '#test/collectors/replay/support.ts'

const config = { pollMs: 10, lineBytesMax: 2000, lastLineMs: 10 }

/** Runs until so many records were emitted. */
async function runUntil(
	path: string,
	stateDir: string,
	count: number,
	onRecords: (all: readonly KubetapeRecord[]) => void = () => undefined,
): Promise<readonly KubetapeRecord[]> {
	const stop = new AbortController()
	const all: KubetapeRecord[] = []
	const emit = async (records: readonly KubetapeRecord[]): Promise<void> => {
		all.push(...records)
		onRecords(all)
		if (all.length >= count) stop.abort()
		await Promise.resolve()
	}
	await createAuditFileCollector({ path, ...config }, contextIn(stateDir)).run(emit, stop.signal)
	return all
}

describe('the audit file collector', () => {
	it('gives entries and rejects with their place, and goes on behind them after a restart', async () => {
		const [path, stateDir] = [join(temporaryFolder(), 'audit.log'), temporaryFolder()]
		writeFileSync(path, `${auditLine('a', 1)}\n\ngarbage\n${'x'.repeat(3000)}\n`)
		const first = await runUntil(path, stateDir, 3)
		expect(first.map((record) => record.kind)).toEqual(['audit', 'reject', 'reject'])
		expect(first[1]).toMatchObject({ where: `audit.log:${auditLine('a', 1).length + 2}`, sizeBytes: 7 })
		expect(first[2]).toMatchObject({ reason: 'the line is too long', sizeBytes: 3000 })
		appendFileSync(path, auditLine('b', 2))
		const second = await runUntil(path, stateDir, 1)
		expect(second).toMatchObject([{ kind: 'audit', auditID: 'b' }])
	})

	it('states that a file was cut off', async () => {
		const [path, stateDir] = [join(temporaryFolder(), 'audit.log'), temporaryFolder()]
		writeFileSync(path, `${auditLine('a', 1)}\n`)
		const records = await runUntil(path, stateDir, 3, (all) => {
			if (all.length !== 1) return
			truncateSync(path)
			appendFileSync(path, `${auditLine('b', 2)}\n`)
		})
		expect(records).toMatchObject([{ auditID: 'a' }, { kind: 'gap', reason: 'truncated', scope: path }, { auditID: 'b' }])
	})

	it('repeats what was not durable when it was stopped', async () => {
		const [path, stateDir] = [join(temporaryFolder(), 'audit.log'), temporaryFolder()]
		writeFileSync(path, `${auditLine('a', 1)}\n`)
		const stop = new AbortController()
		const collector = createAuditFileCollector({ path, ...config }, contextIn(stateDir))
		const failing = collector.run(async () => {
			stop.abort()
			throw new Error('not durable')
		}, stop.signal)
		await expect(failing).rejects.toThrow('not durable')
		expect(await runUntil(path, stateDir, 1)).toMatchObject([{ auditID: 'a' }])
	})

	it('tells rejects and gaps again under their ids, though the file was renamed meanwhile', async () => {
		const [path, stateDir] = [join(temporaryFolder(), 'audit.log'), temporaryFolder()]
		writeFileSync(path, `garbage\n${auditLine('a', 1)}\ngarbage\n${'x'.repeat(3000)}\n${auditLine('b', 2)}\n`)
		const told: (readonly KubetapeRecord[])[] = []
		for (const rotated of [path, path.replace('.log', '-2026-01-02T03-04-05.000.log')]) {
			if (rotated !== path) renameSync(path, rotated)
			const stop = new AbortController()
			const running = createAuditFileCollector({ path, ...config }, contextIn(stateDir)).run(async (records) => {
				told.push(records)
				stop.abort()
				throw new Error('killed before it was durable')
			}, stop.signal)
			await expect(running).rejects.toThrow('killed')
		}
		const [first, second] = told
		expect(first?.map((record) => record.kind)).toEqual(['reject', 'audit', 'reject', 'reject', 'audit'])
		expect(second?.map((record) => record.id)).toEqual(first?.map((record) => record.id))
		expect(new Set(first?.map((record) => record.id)).size).toBe(5)
	})

	it('names a path that is no file', async () => {
		const path = join(temporaryFolder(), 'folder')
		mkdirSync(path)
		await expect(runUntil(path, temporaryFolder(), 1)).rejects.toMatchObject({ code: 'AUDIT_UNREADABLE' })
	})
})
