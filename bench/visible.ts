// From a line in the audit file to the page: how long until a record is in the API, at a steady rate, and how much memory the whole program takes meanwhile.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { WireItem, WirePage } from '#api/wire.ts'
import { createClient } from '#cli/queries/client.ts'
import { systemClock } from '#runtime/clock.ts'
import { getJson, startProgram, temporaryFolder } from '#test/support/program.ts'

export const name = 'record to visible, steady'

const perSecond = Number(process.env['KUBETAPE_BENCH_RATE'] ?? 200)
const seconds = Number(process.env['KUBETAPE_BENCH_SECONDS'] ?? 30)
const burstMs = 20
const pollMs = 10
const settleMs = 5000

/** Entries of the recorded incident as if they were made now. */
function* entries(): Generator<{ readonly id: string; readonly line: string }> {
	const recorded = gunzipSync(readFileSync(new URL('../demo/audit.jsonl.gz', import.meta.url)))
		.toString('utf8')
		.trim()
		.split('\n')
	for (let n = 0; ; n++) {
		const id = `bench-${String(n).padStart(8, '0')}`
		const now = new Date().toISOString().replace('Z', '000Z')
		yield {
			id,
			line: (recorded[n % recorded.length] ?? '')
				.replace(/"auditID":"[^"]*"/, `"auditID":"${id}"`)
				.replace(/"requestReceivedTimestamp":"[^"]*"/, `"requestReceivedTimestamp":"${now}"`)
				.replace(/"stageTimestamp":"[^"]*"/, `"stageTimestamp":"${now}"`),
		}
	}
}

function quantiles(label: string, values: readonly number[]): string {
	const sorted = values.toSorted((a, b) => a - b)
	const at = (share: number): string => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(0)
	return `${label}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms (${sorted.length} records)`
}

export async function run(print: (line: string) => void): Promise<void> {
	const folder = temporaryFolder('bench')
	const file = join(folder.path, 'audit.log')
	const config = join(folder.path, 'kubetape.yaml')
	writeFileSync(file, '')
	writeFileSync(config, `clusters: [{ name: bench, audit: { path: "${file}" } }]\n`)
	const program = startProgram(['all-in-one', '--config', config, '--port', '0', '--data-dir', join(folder.path, 'data')], {
		KUBETAPE_LOG_LEVEL: 'warn',
		MALLOC_ARENA_MAX: '2',
	})
	const stop = new AbortController()
	try {
		const address = await program.address
		const written = new Map<string, number>()
		const streamed: number[] = []
		const polled: number[] = []
		const waiting = new Set<string>()
		const following = (async () => {
			const client = createClient(address)
			for await (const { audit } of client.follow<WireItem>('/api/v1/stream', { include: 'audit' }, stop.signal)) {
				const at = written.get(audit?.auditID ?? '')
				if (at !== undefined) streamed.push(performance.now() - at)
			}
		})()
		const polling = (async () => {
			while (!stop.signal.aborted) {
				const page = await getJson<WirePage<WireItem>>(address, '/api/v1/timeline?include=audit&limit=100')
				const now = performance.now()
				for (const { audit } of page.items)
					if (waiting.delete(audit?.auditID ?? '')) polled.push(now - (written.get(audit?.auditID ?? '') ?? now))
				await systemClock.sleep(pollMs, stop.signal)
			}
		})()
		await systemClock.sleep(settleMs)
		const source = entries()
		const began = performance.now()
		for (let sent = 0; sent < perSecond * seconds;) {
			const due = Math.floor(((performance.now() - began) / 1000) * perSecond)
			let text = ''
			const ids: string[] = []
			for (; sent < Math.min(due, perSecond * seconds); sent++) {
				const { value } = source.next()
				if (!value) break
				text += `${value.line}\n`
				ids.push(value.id)
			}
			const now = performance.now()
			for (const id of ids) written.set(id, now)
			const last = ids.at(-1)
			if (last !== undefined) waiting.add(last)
			if (text !== '') appendFileSync(file, text)
			await systemClock.sleep(burstMs)
		}
		await systemClock.sleep(1000)
		stop.abort()
		await Promise.allSettled([following, polling])
		print(`${perSecond} audit entries a second for ${seconds} s`)
		print(quantiles('line → GET /api/v1/timeline', polled))
		print(quantiles('line → GET /api/v1/stream', streamed))
		const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.process.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
		print(`resident memory: ${Math.round(rss)} MB`)
	} finally {
		stop.abort()
		program.process.kill('SIGTERM')
		await program.exited
		folder.remove()
	}
}
