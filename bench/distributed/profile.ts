// Where the CPU of a processor goes: the process role under node's own profiler, over the recorded incident, as fast as it goes and at a steady rate. Writes bench/results/processors-profile.md.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import type { RecordLog } from '#storage/log/port.ts'
import { freePorts } from '#test/support/etcd-process.ts'
import { barOf, sleep } from '#bench/subject.ts'
import { attribute, type Attributed, type CpuProfile, type Part, type Row } from './attribution.ts'
import { append, parts, type Incident } from './incident.ts'
import type { Processor, Rig } from './rig.ts'

const copies = Number(process.env['KUBETAPE_BENCH_COPIES'] ?? 12)
const perSecond = Number(process.env['KUBETAPE_BENCH_RATE'] ?? 1000)
const seconds = Number(process.env['KUBETAPE_BENCH_SECONDS'] ?? 60)
/** Stored before anything is counted: what is hot is compiled by then. */
const warmRecords = 20_000
const measuredShare = 0.9
const burstMs = 100
const intervalMicros = 500
const pollMs = 2000
const patienceMs = 900_000
const outsideMax = 0.1
const functionsShown = 15
const result = 'bench/results/processors-profile.md'
const partNames: readonly Part[] = ['decode', 'diff', 'encode', 'outside']

/** A stretch of the processor's life, by the clock that its profile has. */
interface Window {
	readonly what: string
	readonly from: number
	readonly to: number
	readonly records: number
	readonly mainCpu: number
	readonly otherCpu: number
}

const monotonicMicros = (): number => Number(process.hrtime.bigint() / 1000n)

async function untilStored(processor: Processor, records: number): Promise<void> {
	for (const end = performance.now() + patienceMs; (await processor.stored()) < records; await sleep(pollMs))
		if (performance.now() > end) throw new Error('the processor is not done in time')
}

async function windowOf(processor: Processor, what: string, work: () => Promise<void>): Promise<Window> {
	const now = async () => ({
		records: await processor.stored(),
		main: processor.mainCpuSeconds(),
		all: processor.cpuSeconds(),
		at: monotonicMicros(),
	})
	const before = await now()
	await work()
	const after = await now()
	const mainCpu = after.main - before.main
	const otherCpu = after.all - before.all - mainCpu
	return { what, from: before.at, to: after.at, records: after.records - before.records, mainCpu, otherCpu }
}

/** As fast as it goes, from what waits in the log; then what comes at an even rate. */
async function windows(rig: Rig, incident: Incident, log: RecordLog, dir: string): Promise<readonly Window[]> {
	const total = copies * incident.records.length
	const source = parts(incident, 0)
	for (let appended = 0; appended < total;) {
		const { value: part = [] } = source.next()
		await append(log, part)
		appended += part.length
	}
	const [port = 0] = await freePorts(1)
	const profiler = ['--cpu-prof', `--cpu-prof-dir=${dir}`, `--cpu-prof-interval=${intervalMicros}`]
	const processor = await rig.startProcessor(rig.configOf({ name: 'profile', process: 'profile' }), port, profiler)
	try {
		await untilStored(processor, warmRecords)
		const fast = await windowOf(processor, 'as fast as it goes', () => untilStored(processor, total * measuredShare))
		await untilStored(processor, total)
		const steadily = parts(incident, copies, Math.round((perSecond * burstMs) / 1000))
		const steady = await windowOf(processor, `${perSecond} records a second`, async () => {
			const began = performance.now()
			for (let burst = 1; burst * burstMs <= seconds * 1000; burst++) {
				await append(log, steadily.next().value ?? [])
				await sleep(Math.max(0, began + burst * burstMs - performance.now()))
			}
		})
		return [fast, steady]
	} finally {
		await processor.end()
	}
}

const sum = (rows: readonly Row[], of: (row: Row) => number): number => rows.reduce((all, row) => all + of(row), 0)

interface Told {
	readonly lines: readonly string[]
	/** Of all but idle: with garbage collection where it began; and with all of it, and the other threads, outside. */
	readonly outside: number
	readonly outsideAtMost: number
}

function tell(window: Window, { rows, idleMicros, outside }: Attributed): Told {
	const busy = sum(rows, ({ micros, gcMicros }) => micros + gcMicros)
	const percent = (micros: number): string => `${((micros / busy) * 100).toFixed(1)} %`
	const gc = sum(rows, ({ gcMicros }) => gcMicros)
	const lines = [
		`### ${window.what}`,
		'',
		`${window.records} records in ${((window.to - window.from) / 1e6).toFixed(0)} s; ${(((window.mainCpu + window.otherCpu) / window.records) * 1e6).toFixed(0)} µs of CPU a record: ${window.mainCpu.toFixed(1)} s of the thread that is profiled, ${window.otherCpu.toFixed(1)} s of others (V8 compiling and collecting beside it). Sampled: ${(busy / 1e6).toFixed(1)} s busy, ${(idleMicros / 1e6).toFixed(1)} s idle.`,
		'',
		'| | | itself | with its garbage collection |',
		'|---|---|---:|---:|',
	]
	for (const part of partNames) {
		const own = rows.filter((row) => row.part === part)
		const total = (of: (row: Row) => number): string => `**${percent(sum(own, of))}**`
		lines.push(`| **${part}** | | ${total(({ micros }) => micros)} | ${total(({ micros, gcMicros }) => micros + gcMicros)} |`)
		for (const { label, micros, gcMicros } of own.toSorted((a, b) => b.micros - a.micros))
			lines.push(`| | ${label} | ${percent(micros)} | ${percent(micros + gcMicros)} |`)
	}
	lines.push(`| **garbage collection** | | **${percent(gc)}** | |`, '', 'Outside, by function:', '')
	for (const [name, micros] of outside.slice(0, functionsShown)) lines.push(`- ${percent(micros)} \`${name}\``)
	const without = rows.filter(({ part }) => part === 'outside')
	const others = busy * (window.otherCpu / window.mainCpu)
	return {
		lines: [...lines, ''],
		outside: sum(without, ({ micros, gcMicros }) => micros + gcMicros) / busy,
		outsideAtMost: (sum(without, ({ micros }) => micros) + gc + others) / (busy + others),
	}
}

const machine = (): string =>
	`${new Date().toISOString().slice(0, 10)}; ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release().split('.').slice(0, 2).join('.')}; Node ${process.version}; Kafka and Elasticsearch on the same machine`

const rulesTold = `One processor of eight partitions over the recorded incident, again and again: changes, cluster events, audit entries, log lines, as they were recorded. Each sample of node's profiler (every ${intervalMicros} µs) counts for the
innermost function that the rules of \`bench/distributed/attribution.ts\` name; what they do not name (node's own functions, native code) does work for its caller. A garbage collection counts for what ran when it began. Samples are taken by the clock on the
wall: what another process took from the machine meanwhile is in them, where it happened to be.

- **decode**: from the bytes that Kafka sent to records · **diff**: describe and enrich · **encode**: records to documents and bulk bodies
- **outside**: everything else, the clients of Kafka and Elasticsearch with their sockets first
`

export async function profile(rig: Rig, incident: Incident, print: (line: string) => void): Promise<void> {
	const dir = join(rig.dir, 'profiles')
	await using log = await rig.openLog('profile')
	const measured = await windows(rig, incident, log, dir)
	const [file = ''] = readdirSync(dir)
	const recorded = JSON.parse(readFileSync(join(dir, file), 'utf8')) as CpuProfile
	const text = ['# `npm run bench -- distributed`: the profile of a processor', '', machine(), '', rulesTold]
	for (const window of measured) {
		const told = tell(window, attribute(recorded, window.from, window.to))
		const verdict = `Outside of decode, diff and encode: ${(told.outside * 100).toFixed(1)} % ${barOf(told.outside, '<=', outsideMax)}; with all garbage collection and V8's other threads counted as outside: ${(told.outsideAtMost * 100).toFixed(1)} %.`
		text.push(...told.lines, verdict, '')
		for (const line of [...told.lines, verdict]) print(line)
	}
	writeFileSync(result, `${text.join('\n').trimEnd()}\n`)
}
