// How soon a record that is appended to Kafka is found through the API over Elasticsearch, at steady rates, by one processor and one server.
import type { WireItem, WirePage } from '#api/wire.ts'
import type { Redacted } from '#records/record.ts'
import { systemClock } from '#runtime/clock.ts'
import { freePorts } from '#test/support/etcd-process.ts'
import { getJson, startProgram } from '#test/support/program.ts'
import { aChange, asRedacted } from '#test/support/records.ts'
import { barOf, sleep } from '#bench/subject.ts'
import { append, parts, type Incident } from './incident.ts'
import type { Rig } from './rig.ts'

/** The first is the bar's. */
const rates = [200, 400, 800, 1600, 3200]
const seconds = Number(process.env['KUBETAPE_BENCH_SECONDS'] ?? 40)
const warmUpSeconds = 30
const burstMs = 50
const pollMs = 20
/** What was not found so long after the last append is not found. */
const settleMsMax = 15_000
/** A server and a processor that were just started are slow at first. */
const warmMsMax = 300_000
const p99Ms = 2000
/** No object of the incident is in it. */
const namespace = 'looked-for'

/** A change of now, one of each burst: it is looked for. */
function sample(n: number): Redacted {
	const at = Math.floor(systemClock.nowMicros())
	const object = { resource: 'configmaps', group: '', namespace, name: `sample-${n % 64}` }
	return asRedacted(aChange({ cluster: 'bench', revision: BigInt(n + 1), object, occurredAt: at, occurredBound: 0, observedAt: at }))
}

const quantile = (sorted: readonly number[], share: number): number =>
	sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN

export async function freshness(rig: Rig, incident: Incident, print: (line: string) => void): Promise<void> {
	const [port = 0] = await freePorts(1)
	const names = { name: 'fresh' }
	await using log = await rig.openLog(names.name)
	const processor = await rig.startProcessor(rig.configOf({ ...names, process: 'fresh-process' }), port)
	const server = startProgram(['serve', '--port', '0', '--config', rig.configOf({ ...names, process: 'fresh-serve' })])
	try {
		const address = await server.address
		// No lines: what the bar calls changes, with their cluster events and the audit entries about them.
		const records = incident.records.filter(({ kind }) => kind !== 'log')
		const source = { incident: { ...incident, records }, copy: 0, samples: 0 }
		const warm = await measure({ log, address, perSecond: rates[0] ?? 0, seconds: warmUpSeconds, settleMs: warmMsMax, source })
		if (warm.at(-1) === Number.POSITIVE_INFINITY) throw new Error('what was appended first is not found')
		for (const perSecond of rates) {
			const waits = await measure({ log, address, perSecond, seconds, settleMs: settleMsMax, source })
			const [p50, p99, most] = [0.5, 0.99, 1].map((share) => quantile(waits, share))
			print(
				`${perSecond} records/s for ${seconds} s: appended → GET /api/v1/timeline: p50 ${p50?.toFixed(0)} ms, p99 ${p99?.toFixed(0)} ms ${barOf((p99 ?? Number.NaN) / 1000, '<=', p99Ms / 1000)}, most ${most?.toFixed(0)} ms (${waits.length} looked for)`,
			)
			if (!((p99 ?? Number.NaN) <= p99Ms)) break
		}
	} finally {
		server.process.kill('SIGTERM')
		await Promise.all([server.exited, processor.end()])
	}
}

interface Source {
	readonly incident: Incident
	/** The next one to be appended. */
	copy: number
	samples: number
}

interface Pace {
	readonly log: Awaited<ReturnType<Rig['openLog']>>
	readonly address: string
	readonly perSecond: number
	readonly seconds: number
	/** After the last append, at most. */
	readonly settleMs: number
	readonly source: Source
}

/** Milliseconds from before the append until it was found, in ascending order; those that were not found in time are infinite. */
async function measure({ log, address, perSecond, seconds: lasting, settleMs, source }: Pace): Promise<readonly number[]> {
	const appendedAt = new Map<string, number>()
	const waits: number[] = []
	const stop = new AbortController()
	const polling = (async () => {
		while (!stop.signal.aborted) {
			const page = await getJson<WirePage<WireItem>>(
				address,
				`/api/v1/timeline?namespace=${namespace}&include=changes&noise=true&limit=200`,
			)
			const now = performance.now()
			for (const { id } of page.items) {
				const at = appendedAt.get(id)
				if (at === undefined) continue
				waits.push(now - at)
				appendedAt.delete(id)
			}
			await sleep(pollMs)
		}
	})()
	polling.catch(() => undefined) // awaited below
	const perBurst = Math.max(1, Math.round((perSecond * burstMs) / 1000))
	const bursts = parts(source.incident, source.copy, perBurst)
	const appends: Promise<void>[] = []
	const began = performance.now()
	const count = Math.round((lasting * 1000) / burstMs)
	for (let burst = 0; burst < count; burst++) {
		const looked = sample(source.samples++)
		const records = [...(bursts.next().value as readonly Redacted[]), looked]
		appendedAt.set(looked.id, performance.now())
		appends.push(append(log, records))
		await sleep(Math.max(0, began + (burst + 1) * burstMs - performance.now()))
	}
	await Promise.all(appends)
	source.copy += Math.ceil((count * perBurst) / source.incident.records.length)
	for (const end = performance.now() + settleMs; appendedAt.size > 0 && performance.now() < end;) await sleep(pollMs)
	stop.abort()
	await polling
	return [...waits, ...Array.from(appendedAt, () => Number.POSITIVE_INFINITY)].toSorted((a, b) => a - b)
}
