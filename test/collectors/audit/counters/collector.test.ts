// Losses found by the API servers' own counters, against API servers that are made up: what is lost is told with its bounds, and nothing else is.
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createAuditCountersCollector, type CountedServer } from '#collectors/audit/counters/collector.ts'
import { ReceivedEntries } from '#collectors/audit/counters/received.ts'
import { auditId } from '#records/id.ts'
import type { AuditEntry, AuditStage, Gap, KubetapeRecord } from '#records/record.ts'
import type { Micros } from '#records/time.ts'
import { createMetrics } from '#runtime/metrics.ts'
import { silentLogger } from '#runtime/log.ts'
import { temporaryFolder } from '#test/collectors/replay/support.ts'
import { anAuditEntry } from '#test/support/records.ts'

const begin = 1_795_000_000_250_000
const pollMs = 1000
const settleMs = 3000

/** An API server that writes entries, and a way by which they come or do not. */
class Server {
	events = 0
	start = 1
	answers = true
	readonly errors = new Map<string, number>()
	readonly name: string
	/** How far its clock is before ours. */
	readonly ahead: Micros
	#number = 0

	constructor(name: string, ahead: Micros = 0) {
		this.name = name
		this.ahead = ahead
	}

	write(now: Micros, count: number, stage: AuditStage = 'ResponseComplete'): readonly AuditEntry[] {
		this.events += count
		return Array.from({ length: count }, () => {
			this.#number += 1
			const at = now + this.ahead
			return anAuditEntry({ id: auditId('c', `${this.name}-${this.#number}`, stage, String(at), at), occurredAt: at, stage })
		})
	}

	fail(plugin: string, count: number): void {
		this.errors.set(plugin, (this.errors.get(plugin) ?? 0) + count)
	}

	restart(): void {
		this.start += 1
		this.events = 0
		this.errors.clear()
	}

	counted(now: () => Micros, file = false): CountedServer {
		return {
			name: this.name,
			file,
			get: async () => {
				await Promise.resolve()
				if (!this.answers) throw new Error('it does not answer')
				const failed = [...this.errors].map(([plugin, count]) => `apiserver_audit_error_total{plugin="${plugin}"} ${count}\n`)
				const text = `# HELP x y\napiserver_audit_event_total ${this.events}\n${failed.join('')}process_start_time_seconds ${this.start}.5e+00\n`
				const date = new Date(Math.floor((now() + this.ahead) / 1_000_000) * 1000).toUTCString()
				return Object.assign(Readable.from([Buffer.from(text)]), { headers: { date } }) as unknown as IncomingMessage
			},
		}
	}
}

interface Run {
	readonly records: readonly KubetapeRecord[]
	readonly gaps: readonly Gap[]
	readonly metrics: string
}

interface RunOptions {
	readonly stateDir?: string
	readonly file?: boolean
	readonly from?: Micros
	/** It ends as soon as its first records are durable; they are put here. */
	readonly killedBehind?: KubetapeRecord[]
}

/** `step` is called after each look, with the time and its number. */
async function run(
	servers: readonly Server[],
	steps: number,
	step: (received: ReceivedEntries, now: Micros, number: number) => void,
	{ stateDir = temporaryFolder(), file = false, from = begin, killedBehind }: RunOptions = {},
): Promise<Run> {
	const records: KubetapeRecord[] = []
	const [received, stop, metrics] = [new ReceivedEntries(), new AbortController(), createMetrics()]
	let now = from
	let number = 0
	const clock = {
		nowMicros: () => now,
		sleep: async (ms: number) => {
			step(received, now + (ms * 1000) / 2, number)
			number += 1
			now += ms * 1000 + 3000
			if (number === steps) stop.abort()
			await Promise.resolve()
		},
	}
	const emit = async (batch: readonly KubetapeRecord[]): Promise<void> => {
		await Promise.resolve()
		records.push(...batch)
		if (!killedBehind) return
		killedBehind.push(...batch)
		throw new Error('killed')
	}
	const ways = file ? { file: received } : { webhook: received }
	const counted = servers.map((server) => server.counted(() => now, file))
	const context = { cluster: 'c', clock, log: silentLogger, metrics, stateDir }
	await createAuditCountersCollector({ servers: [], pollMs, settleMs }, counted, ways, context).run(emit, stop.signal)
	return { records, gaps: records.filter((record) => record.kind === 'gap'), metrics: await metrics.registry.metrics() }
}

const sums = ({ records }: Run): readonly (readonly [number, number])[] =>
	records.flatMap((record) => (record.kind === 'coverage' ? [[Number(record.toRevision), record.versions] as const] : []))

describe('sent against received', () => {
	it('says that everything came where it did, and nothing else', async () => {
		for (const ahead of [0, 3_600_000_000, -7_000_000]) {
			const server = new Server('a', ahead)
			const result = await run([server], 20, (received, now) => {
				received.add(server.write(now, 10), now)
				// A batch that is sent again.
				received.add(
					server.write(now, 1).flatMap((entry) => [entry, entry]),
					now,
				)
			})
			expect(result.gaps).toEqual([])
			expect(sums(result).length).toBeGreaterThan(2)
			expect(sums(result).every(([sent, came]) => sent === came && sent >= 22 && sent % 11 === 0)).toBe(true)
		}
	})

	it('tells a loss that the API server does not know of, between the two looks where it was', async () => {
		const server = new Server('a')
		const times: Micros[] = []
		const result = await run([server], 30, (received, now, number) => {
			const entries = server.write(now, 100)
			if (number !== 10) return received.add(entries, now)
			times.push(now)
			received.add(entries.slice(30), now)
		})
		expect(result.gaps).toMatchObject([
			{ reason: 'lost', scope: 'audit webhook', space: 'audit', detail: expect.stringContaining('30 audit entries at least, of ') },
		])
		const [gap] = result.gaps
		expect((gap?.fromAt ?? 0) < (times[0] ?? 0) && (gap?.toAt ?? 0) > (times[0] ?? 0)).toBe(true)
		expect((gap?.toAt ?? 0) - (gap?.fromAt ?? 0)).toBeLessThan((settleMs + 2 * pollMs) * 1000)
		expect(result.metrics).toContain('kubetape_audit_lost_total{cluster="c",way="webhook"} 30')
		expect(result.metrics).toContain('kubetape_audit_sent_total{cluster="c",server="a"} 2900')
	})

	it('waits for what is late', async () => {
		const server = new Server('a')
		const late: AuditEntry[] = []
		const result = await run([server], 30, (received, now, number) => {
			const entries = server.write(now, 5)
			if (number === 10) late.push(...entries)
			else received.add(entries, now)
			if (number === 12) received.add(late, now)
		})
		expect(result.gaps).toEqual([])
	})

	it('takes what could not be read for what is missing', async () => {
		const server = new Server('a')
		const result = await run([server], 20, (received, now, number) => {
			const entries = server.write(now, 5)
			const { kind: _kind, ...rest } = entries[0] as AuditEntry
			if (number === 8)
				received.add(
					[{ ...rest, kind: 'reject', step: 'audit.parse', reason: '', where: '', sha256: '', sizeBytes: 1 }, ...entries.slice(1)],
					now,
				)
			else received.add(entries, now)
		})
		expect(result.gaps).toEqual([])
	})

	it('tells what API servers gave up on at once, and does not tell it again as lost', async () => {
		const server = new Server('a')
		const result = await run([server], 30, (received, now, number) => {
			const entries = server.write(now, 50)
			if (number !== 10) return received.add(entries, now)
			received.add(entries.slice(20), now)
			server.fail('buffered', 20)
		})
		expect(result.gaps.map(({ scope, detail }) => [scope, detail])).toEqual([
			[
				'audit buffered',
				'a gave up on 20 audit entries: the queue of its backend in batch mode was full (apiserver_audit_error_total{plugin="buffered"} went from 0 to 20)',
			],
		])
		expect(sums(result).filter(([sent, came]) => sent - came === 20)).toHaveLength(1)
	})

	it('knows a restart of the API server, and what its old process had counted and did not send', async () => {
		const server = new Server('a')
		const result = await run([server], 30, (received, now, number) => {
			const entries = server.write(now, 40)
			// Counted, looked at, and lost with the process.
			if (number === 9) return
			if (number === 10) server.restart()
			else received.add(entries, now)
		})
		expect(result.gaps).toHaveLength(1)
		expect(result.gaps[0]?.detail).toContain('40 audit entries at least')
		// Of the stretch with the restart in it it is not known how much was sent.
		const statements = result.records.filter((record) => record.kind === 'coverage')
		const holes = statements.slice(1).filter((next, at) => {
			const before = statements[at]
			return before && next.occurredAt - next.occurredBound > before.occurredAt + before.occurredBound + 1
		})
		expect(holes).toHaveLength(1)
	})

	it('adds up several API servers, and lets one that is not known hide but not make a loss', async () => {
		const servers = [new Server('a'), new Server('b', 90_000)]
		const result = await run(servers, 40, (received, now, number) => {
			for (const server of servers) {
				const entries = server.write(now, 20)
				if (number === 10 && server.name === 'b') received.add(entries.slice(5), now)
				else received.add(entries, now)
			}
			if (number === 20) (servers[1] as Server).answers = false
			if (number === 30) (servers[1] as Server).answers = true
		})
		expect(result.gaps.map(({ detail }) => detail)).toEqual([expect.stringContaining('5 audit entries at least, of ')])
		expect(result.metrics).toContain('kubetape_audit_counter_polls_total{cluster="c",server="b",result="failed"}')
	})

	it('says nothing where a clock was set, and nothing of a way by which nothing ever came', async () => {
		const server = new Server('a')
		let moved = 0
		const jumping = Object.assign(server, {})
		const result = await run([jumping], 20, (received, now, number) => {
			if (number === 8) Object.defineProperty(jumping, 'ahead', { value: (moved = -600_000_000) })
			received.add(jumping.write(now, 10), now)
		})
		expect([result.gaps, moved]).toEqual([[], -600_000_000])
		const silent = new Server('a')
		expect((await run([silent], 20, (_received, now) => void silent.write(now, 10))).records).toEqual([])
	})

	it('reads the times of a stage RequestReceived as those of the request', async () => {
		const server = new Server('a')
		const result = await run([server], 30, (received, now) => {
			received.add(server.write(now, 3), now)
			// Came in ten seconds before it was counted.
			received.add(server.write(now - 10_000_000, 3, 'RequestReceived'), now)
		})
		expect(result.gaps).toEqual([])
	})

	it('knows after a restart of its own what API servers gave up on meanwhile, once', async () => {
		const [server, stateDir] = [new Server('a'), temporaryFolder()]
		const step = (received: ReceivedEntries, now: Micros): void => received.add(server.write(now, 10), now)
		expect((await run([server], 5, step, { stateDir })).gaps).toEqual([])
		server.write(begin, 500)
		server.fail('webhook', 400)
		const second = await run([server], 8, step, { stateDir, from: begin + 60_000_000 })
		expect(second.gaps).toMatchObject([
			{ scope: 'audit webhook', fromAt: expect.any(Number), detail: expect.stringContaining('gave up on 400') },
		])
		expect((second.gaps[0]?.fromAt ?? 0) < begin + 10_000_000).toBe(true)
		expect((await run([server], 8, step, { stateDir, from: begin + 120_000_000 })).gaps).toEqual([])
	})

	it('tells it once where it ends between what it told and that it knows so', async () => {
		const [server, stateDir] = [new Server('a'), temporaryFolder()]
		const step = (received: ReceivedEntries, now: Micros): void => received.add(server.write(now, 10), now)
		await run([server], 5, step, { stateDir })
		server.fail('webhook', 400)
		const told: KubetapeRecord[] = []
		const killed = run([server], 8, step, { stateDir, from: begin + 60_000_000, killedBehind: told })
		await expect(killed).rejects.toThrow('killed')
		server.fail('webhook', 30)
		const { gaps } = await run([server], 8, step, { stateDir, from: begin + 120_000_000 })
		const all = new Map([...told, ...gaps].map((record) => [record.id, record]))
		expect([...all.values()].map((record) => (record.kind === 'gap' ? /gave up on \d+/.exec(record.detail)?.[0] : record.kind))).toEqual([
			'gave up on 400',
			'gave up on 30',
		])
		expect((await run([server], 8, step, { stateDir, from: begin + 180_000_000 })).gaps).toEqual([])
	})

	it('compares the file of its own API server', async () => {
		const server = new Server('a')
		const result = await run(
			[server],
			20,
			(received, now, number) => received.add(server.write(now, 10).slice(number === 8 ? 4 : 0), now),
			{ file: true },
		)
		expect(result.gaps).toMatchObject([{ scope: 'audit file' }])
	})
})
