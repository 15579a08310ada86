// What the benches of the distributed engines run on: one broker, one Elasticsearch, and processors as they are installed, each a process that answers for itself.
import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '#runtime/clock.ts'
import { openKafkaLog } from '#storage/log/kafka/log.ts'
import type { RecordLog } from '#storage/log/port.ts'
import { startElasticsearch } from '#test/support/elasticsearch.ts'
import { kafkaConfig } from '#test/support/kafka-log.ts'
import { startKafka } from '#test/support/kafka.ts'
import { temporaryFolder } from '#test/support/program.ts'
import { endProcess, packagedMain, ranSeconds, sleep } from '#bench/subject.ts'

export const partitions = 8

export interface Processor {
	readonly child: ChildProcess
	/** Of all its threads. */
	cpuSeconds(): number
	/** Of the one that runs JavaScript. */
	mainCpuSeconds(): number
	/** Records that it has put into the store. */
	stored(): Promise<number>
	end(): Promise<void>
}

export interface Rig extends AsyncDisposable {
	readonly dir: string
	readonly brokers: readonly string[]
	openLog(name: string): Promise<RecordLog>
	/** A configuration file: topics and indices are named by `name`, the data directory by `process`. */
	configOf(options: { readonly name: string; readonly store?: string; readonly process: string; readonly more?: string }): string
	/** Resolves when it answers. */
	startProcessor(config: string, port: number, nodeArguments?: readonly string[]): Promise<Processor>
}

const startTries = 600

async function textAt(port: number, path: string): Promise<string | undefined> {
	try {
		const response = await fetch(`http://127.0.0.1:${port}${path}`)
		return response.ok ? await response.text() : undefined
	} catch {
		return undefined // not listening yet
	}
}

/** The sum of all series of a metric. */
function sumOf(metrics: string, name: string): number {
	const series = metrics.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
	return series.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

export async function openRig(): Promise<Rig> {
	const folder = temporaryFolder('bench-distributed')
	const stack = new AsyncDisposableStack()
	stack.defer(() => folder.remove())
	try {
		const main = packagedMain(join(folder.path, 'package'))
		const [kafka, elasticsearch] = [stack.use(await startKafka()), stack.use(await startElasticsearch({ heap: '1g' }))]
		const logOptions = (name: string) => ({
			brokers: kafka.brokers,
			replicationFactor: 1,
			minInsyncReplicas: 1,
			partitions,
			topicPrefix: name,
		})
		return {
			dir: folder.path,
			brokers: kafka.brokers,
			openLog: (name) =>
				openKafkaLog({ config: kafkaConfig(kafka.brokers, logOptions(name)), dir: join(folder.path, 'bench', name), clock: systemClock }),
			configOf({ name, store = name, process: of, more = '' }) {
				const path = join(folder.path, `${of}.yaml`)
				const log = `log: { kafka: ${JSON.stringify(logOptions(name))} }\n`
				const elastic = JSON.stringify({ url: elasticsearch.url, prefix: store, replicas: '0' })
				writeFileSync(path, `dataDir: ${join(folder.path, of)}\nlogLevel: warn\n${log}store: { elasticsearch: ${elastic} }\n${more}`)
				return path
			},
			startProcessor: (config, port, nodeArguments = []) => startProcessor(main, config, port, nodeArguments),
			[Symbol.asyncDispose]: () => stack.disposeAsync(),
		}
	} catch (error) {
		await stack.disposeAsync()
		throw error
	}
}

async function startProcessor(main: string, config: string, port: number, nodeArguments: readonly string[]): Promise<Processor> {
	const args = ['--disable-warning=ExperimentalWarning', ...nodeArguments, main, 'process', '--config', config]
	// What is set for the bench is none of its options.
	const inherited = Object.fromEntries(Object.entries(process.env).filter(([variable]) => !variable.startsWith('KUBETAPE_')))
	const environment = { ...inherited, KUBETAPE_OPERATIONS_PORT: String(port) }
	const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'], env: environment })
	const { pid = 0 } = child
	for (let tries = 0; (await textAt(port, '/livez')) === undefined; tries++) {
		if (child.exitCode !== null || tries === startTries) throw new Error('the processor does not start')
		await sleep(50)
	}
	return {
		child,
		cpuSeconds: () => ranSeconds(pid),
		mainCpuSeconds: () => Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e9,
		stored: async () => sumOf((await textAt(port, '/metrics')) ?? '', 'kubetape_process_records_total'),
		end: () => endProcess(child),
	}
}
