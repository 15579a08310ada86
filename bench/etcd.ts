// etcd collector: catching up with 100,000 revisions against a bare drain of the same stream, and the whole way of a live put.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEtcdCollector } from '#collectors/etcd/collector.ts'
import { connect } from '#collectors/etcd/client.ts'
import type { EtcdConfig } from '#collectors/etcd/config.ts'
import type { KubetapeRecord } from '#records/record.ts'
import { systemClock } from '#runtime/clock.ts'
import { silentLogger } from '#runtime/log.ts'
import { createMetrics } from '#runtime/metrics.ts'
import { measureRead, measureWatch } from './etcd/live.ts'
import { keyOf, valueBytes, valueOf } from './etcd/values.ts'
import { startEtcd, type EtcdServer } from '#test/support/etcd.ts'

export const name = 'etcd'

const catchUpRevisions = 100_000
const liveMs = 10_000
const livePerSecond = 1000
const putsAtOnce = 64

async function fill(etcd: EtcdServer): Promise<void> {
	let next = 0
	await Promise.all(
		Array.from({ length: putsAtOnce }, async () => {
			while (next < catchUpRevisions) {
				const index = next++
				await etcd.put(keyOf(index), valueOf(index))
			}
		}),
	)
}

/** The same watch, with nothing done to what comes. */
async function drain(config: EtcdConfig, last: bigint): Promise<number> {
	using client = connect(config, config.endpoints[0] ?? '')
	const stream = await client.watch()
	const begun = performance.now()
	let ended = 0
	await new Promise<void>((resolve) => {
		stream.on('error', () => resolve())
		stream.on('data', (response) => {
			const event = response.events.at(-1)
			if (!event || BigInt(event.kv.mod_revision) < last) return
			ended = performance.now()
			stream.cancel()
			resolve()
		})
		stream.write({
			create_request: { key: Buffer.from([0]), range_end: Buffer.from([0]), start_revision: '2', prev_kv: true, fragment: true },
		})
	})
	return ended - begun
}

type OnRecords = (records: readonly KubetapeRecord[]) => void

function record(config: EtcdConfig, stateDir: string, onRecords: OnRecords): { stop(): Promise<void> } {
	const stop = new AbortController()
	const collector = createEtcdCollector(config, {
		cluster: 'bench',
		clock: systemClock,
		log: silentLogger,
		metrics: createMetrics(),
		stateDir,
	})
	const done = collector.run(async (records) => onRecords(records), stop.signal)
	return {
		stop: () => {
			stop.abort()
			return done
		},
	}
}

async function until(condition: () => boolean): Promise<void> {
	while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** A collector that stands at revision 1 and then meets all the others. */
async function catchUp(config: EtcdConfig, dir: string, etcd: EtcdServer): Promise<readonly [drained: number, collected: number]> {
	const waiting = record(config, dir, () => undefined)
	await new Promise((resolve) => setTimeout(resolve, 1000))
	await waiting.stop()
	await fill(etcd)
	const last = await etcd.revision()
	const drained = await drain(config, last)
	let seen = 0n
	const begun = performance.now()
	const running = record(config, dir, (records) => {
		for (const given of records) if (given.kind === 'change') seen = given.revision
	})
	await until(() => seen >= last)
	const collected = performance.now() - begun
	await running.stop()
	return [drained, collected]
}

export async function run(print: (line: string) => void): Promise<void> {
	const dir = mkdtempSync(join(tmpdir(), 'kubetape-bench-'))
	await using etcd = await startEtcd(['--quota-backend-bytes', String(4 * 1024 ** 3)])
	try {
		const config: EtcdConfig = {
			endpoints: [etcd.endpoint],
			prefix: '',
			registry: '/registry/',
			snapshotPageKeys: 500,
			progressMs: 10_000,
			retryMaxMs: 1000,
		}
		const [drained, collected] = await catchUp(config, join(dir, 'state'), etcd)
		const rate = (ms: number): string => `${Math.round(catchUpRevisions / (ms / 1000))}/s`
		print(
			`etcd catch-up of ${catchUpRevisions} revisions: bare drain ${rate(drained)}, collector ${rate(collected)}, ratio ${(drained / collected).toFixed(2)}`,
		)
		const at = (waits: readonly number[], share: number): string => (waits[Math.floor((waits.length - 1) * share)] ?? 0).toFixed(1)
		const pace = { perSecond: livePerSecond, ms: liveMs }
		const watched = await measureWatch(config, pace)
		const read = await measureRead(config, dir, pace)
		print(
			`etcd live, put acknowledged → record out of the record log, at ${livePerSecond} puts/s of ${valueBytes} B: p50 ${at(read, 0.5)} ms, p99 ${at(read, 0.99)} ms, longest ${at(read, 1)} ms; out of a bare watch p50 ${at(watched, 0.5)} ms, p99 ${at(watched, 0.99)} ms (${read.length} puts; etcd and the puts are processes of their own, collect role and reader threads of one)`,
		)
	} finally {
		rmSync(dir, { recursive: true, force: true })
	}
}
