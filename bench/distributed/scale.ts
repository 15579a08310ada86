// From one processor to four over eight partitions: what a record costs in CPU of processors, and how many a second go through.
import type { RecordLog } from '#storage/log/port.ts'
import { storeGroup } from '#cli/roles/context.ts'
import { freePorts } from '#test/support/etcd-process.ts'
import { askKafka } from '#test/support/kafka.ts'
import { sleep } from '#bench/subject.ts'
import { append, parts, type Incident } from './incident.ts'
import type { Processor, Rig } from './rig.ts'

const copies = Number(process.env['KUBETAPE_BENCH_COPIES'] ?? 12)
const processors = [1, 2, 4]
const rounds = 2
/** Each has stored so many before it is measured, as in profile.ts: what is hot is compiled by then. */
const warmRecords = 20_000
/** Measured until so much of all is stored: later some have nothing to do. */
const measuredShare = 0.8
const partMax = 0.1
const patienceMs = 900_000
const name = 'scale'
const yardstickBodies = 200

interface Cost {
	readonly micros: number
	readonly perSecond: number
	/** CPU microseconds of the yardstick while it was measured. */
	readonly yardstick: number
}

/** A fixed piece of work of the same sort, done beside the processors: what it costs tells what a second of CPU was worth meanwhile, where they, both servers and all share the cores. */
function createYardstick(incident: Incident): { measure(): void; mean(): number } {
	const bodies = incident.records.flatMap((record) => (record.kind === 'audit' ? [record.body.text] : []))
	const text = `[${bodies.slice(0, yardstickBodies).join(',')}]`
	const costs: number[] = []
	return {
		measure() {
			const before = process.threadCpuUsage()
			JSON.stringify(JSON.parse(text))
			const { user, system } = process.threadCpuUsage(before)
			costs.push(user + system)
		},
		mean: () => sum(costs) / costs.length,
	}
}

async function fill(log: RecordLog, incident: Incident): Promise<number> {
	const total = copies * incident.records.length
	let appended = 0
	for (const part of parts(incident, 0)) {
		await append(log, part)
		appended += part.length
		if (appended >= total) break
	}
	return appended
}

async function until(condition: () => Promise<boolean>): Promise<void> {
	for (const end = performance.now() + patienceMs; !(await condition()); await sleep(250))
		if (performance.now() > end) throw new Error('the processors are not done in time')
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0)

/** All read the same log from its beginning, into indices of their own. */
async function measure(
	rig: Rig,
	incident: Incident,
	{ count, round, total }: { count: number; round: number; total: number },
): Promise<Cost> {
	const ports = await freePorts(count)
	const store = `${name}_${count}_${round}`
	const started: Processor[] = []
	try {
		for (const [index, port] of ports.entries())
			started.push(await rig.startProcessor(rig.configOf({ name, store, process: `${store}_${index}` }), port))
		const stored = (): Promise<number[]> => Promise.all(started.map((processor) => processor.stored()))
		await until(async () => (await stored()).every((records) => records >= warmRecords))
		const [before, cpuBefore, began] = [sum(await stored()), sum(started.map((each) => each.cpuSeconds())), performance.now()]
		const yardstick = createYardstick(incident)
		await until(async () => {
			yardstick.measure()
			return sum(await stored()) >= total * measuredShare
		})
		const [after, cpuAfter, ended] = [sum(await stored()), sum(started.map((each) => each.cpuSeconds())), performance.now()]
		const records = after - before
		if (records <= 0) throw new Error('there was nothing left to measure: raise KUBETAPE_BENCH_COPIES')
		return { micros: ((cpuAfter - cpuBefore) / records) * 1e6, perSecond: (records / (ended - began)) * 1000, yardstick: yardstick.mean() }
	} finally {
		await Promise.all(started.map((processor) => processor.end()))
		// The next ones begin at the beginning again. A member that had no time to leave is in the group until its session ends.
		await until(() =>
			askKafka(rig.brokers, (admin) => admin.deleteGroups([`${name}.${storeGroup}`])).then(
				() => true,
				() => false,
			),
		)
	}
}

export async function scale(rig: Rig, incident: Incident, print: (line: string) => void): Promise<void> {
	const costs = new Map<number, Cost[]>(processors.map((count) => [count, []]))
	await using log = await rig.openLog(name)
	const total = await fill(log, incident)
	// There and back, so that what the machine does meanwhile, and a server that becomes warm, are not one number's alone.
	for (let round = 0; round < rounds; round++)
		for (const count of round % 2 === 0 ? processors : processors.toReversed()) {
			const cost = await measure(rig, incident, { count, round, total })
			costs.get(count)?.push(cost)
			print(
				`round ${round + 1}, ${count}: ${cost.micros.toFixed(1)} µs of CPU a record, ${cost.perSecond.toFixed(0)} records/s; the bare loop took ${cost.yardstick.toFixed(0)} µs`,
			)
		}
	const mean = (count: number, of: keyof Cost): number => sum((costs.get(count) ?? []).map((cost) => cost[of])) / rounds
	const one = mean(1, 'micros')
	const asLoops = (count: number): number => mean(count, 'micros') / mean(count, 'yardstick')
	for (const count of processors) {
		const share = mean(count, 'micros') / one - 1
		const met = Math.abs(share) <= partMax ? 'met' : 'missed'
		const each = (costs.get(count) ?? []).map(({ micros }) => micros.toFixed(1)).join(', ')
		print(
			`${count} processors: ${mean(count, 'micros').toFixed(1)} µs of CPU a record (${each}), ${(share * 100).toFixed(1)} % against one (bar ±${partMax * 100} %: ${met}); counted in bare loops of the same time ${((asLoops(count) / asLoops(1) - 1) * 100).toFixed(1)} %; ${mean(count, 'perSecond').toFixed(0)} records/s on ${navigator.hardwareConcurrency} cores with both servers`,
		)
	}
}
