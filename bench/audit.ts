// The audit file: bytes per CPU-second from the file through redaction to the record log, beside bare JSON.parse of the same lines.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { createAuditFileCollector } from '#collectors/audit/collector.ts'
import { createRedactor } from '#processors/redact/step.ts'
import type { Redacted } from '#records/record.ts'
import { systemClock } from '#runtime/clock.ts'
import { silentLogger } from '#runtime/log.ts'
import { createMetrics } from '#runtime/metrics.ts'
import { openSqliteLog } from '#storage/log/sqlite/log.ts'

export const name = 'audit file'

const copies = 20

export async function run(print: (line: string) => void): Promise<void> {
	const dir = mkdtempSync(join(tmpdir(), 'kubetape-bench-'))
	try {
		const recorded = gunzipSync(readFileSync(new URL('../demo/audit.jsonl.gz', import.meta.url))).toString('utf8')
		const path = join(dir, 'audit.log')
		// Ids differ from copy to copy, as they do in life.
		const text = Array.from({ length: copies }, (_, copy) => recorded.replaceAll('"auditID":"', `"auditID":"${copy}-`)).join('')
		writeFileSync(path, text)
		const lines = text.split('\n').length - 1
		const megabytes = Buffer.byteLength(text) / 1e6
		const ours = await measure(() => throughTheCollector(path, dir, lines))
		const bare = await measure(async () => {
			for (const line of readFileSync(path, 'utf8').split('\n')) if (line !== '') JSON.parse(line)
			await Promise.resolve()
		})
		print(
			`file → redact → append: ${(megabytes / ours).toFixed(1)} MB per CPU-second (${megabytes.toFixed(0)} MB, ${lines} entries, ${Math.round(lines / ours)} entries/s)`,
		)
		print(`bare JSON.parse:        ${(megabytes / bare).toFixed(1)} MB per CPU-second; ratio ${(bare / ours).toFixed(2)}`)
	} finally {
		rmSync(dir, { recursive: true, force: true })
	}
}

async function throughTheCollector(path: string, dir: string, lines: number): Promise<void> {
	await using log = await openSqliteLog({ dir: join(dir, 'log'), clock: systemClock })
	const { redact } = createRedactor({ key: Buffer.alloc(32, 1) })
	const stop = new AbortController()
	const context = { cluster: 'bench', clock: systemClock, log: silentLogger, metrics: createMetrics(), stateDir: join(dir, 'state') }
	let seen = 0
	let turn: Promise<void> = Promise.resolve()
	const collector = createAuditFileCollector({ path, pollMs: 100, lineBytesMax: 16 * 1024 * 1024, lastLineMs: 1000 }, context)
	await collector.run((records) => {
		turn = turn.then(async () => {
			const batch = records.map((record): Redacted => {
				const result = redact(record)
				if (!('ok' in result)) throw new Error('a recorded entry was refused')
				return result.ok
			})
			await log.append('records', batch)
			seen += batch.length
			if (seen >= lines) stop.abort()
		})
		return turn
	}, stop.signal)
}

/** CPU seconds of this process, all threads. */
async function measure(act: () => Promise<void>): Promise<number> {
	const before = process.cpuUsage()
	await act()
	const { user, system } = process.cpuUsage(before)
	return (user + system) / 1e6
}
