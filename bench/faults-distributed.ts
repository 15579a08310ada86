// The table of faults over Kafka and Elasticsearch: runs the suites of test/faults that need those servers, and writes what each fault left of what was acknowledged to bench/results/faults-distributed.md. KUBETAPE_BENCH_OUTPUT names what a run of `npm run test:servers` has printed, to be taken instead.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { faultColumns, faultRows } from '#test/support/fault-line.ts'

export const name = 'faults over Kafka and Elasticsearch'

const given = process.env['KUBETAPE_BENCH_OUTPUT']
const result = join(import.meta.dirname, 'results', 'faults-distributed.md')
const explained =
	'Every row is one run of a fault against real servers, and its test fails unless it ends as it must. "Acknowledged" counts records whose append, or put, has resolved. "Lost": acknowledged, and not there. "Duplicated": there more than once as a reader of the store sees it; – where the fault is of the record log alone, whose repetitions ("read again", with the same ids) the store leaves out.'

export async function run(print: (line: string) => void): Promise<void> {
	const output = given === undefined ? await runSuites() : readFileSync(given, 'utf8')
	const sums = output.match(/^\d+ passed, \d+ failed, \d+ skipped$/gm) ?? []
	if (sums.length === 0 || !sums.every((sum) => sum.endsWith(' passed, 0 failed, 0 skipped')))
		throw new Error('not everything passed: there is no table of what is not as it must be')
	const lines = [
		given === undefined ? machine() : 'From what a run of `npm run test:servers` in which everything passed has printed.',
		'',
		explained,
		'',
		`| ${faultColumns.join(' | ')} |`,
		'|---|---:|---:|---:|---:|---:|---:|---|',
		...faultRows(output),
	]
	for (const line of lines) print(line)
	writeFileSync(result, `# \`npm run bench -- faults-distributed\`\n\n## ${name}\n${lines.join('\n')}\n`)
}

const machine = (): string =>
	`${new Date().toISOString().slice(0, 10)}; ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release().split('.').slice(0, 2).join('.')}; Node ${process.version}`

/** What they print. */
async function runSuites(): Promise<string> {
	const suites = readdirSync(join('test', 'faults'))
		.filter((file) => /\.(kafka|elasticsearch|etcd)\.test\.ts$/.test(file))
		.toSorted()
		.map((file) => join('test', 'faults', file))
	const child = spawn(process.execPath, [join('tools', 'test-servers.ts'), ...suites], { stdio: ['ignore', 'pipe', 'inherit'] })
	let output = ''
	child.stdout.on('data', (chunk: Buffer) => {
		output += chunk.toString()
		process.stderr.write(chunk)
	})
	await once(child, 'close')
	return output
}
