// What the benches of whole processes share: what a process has used, its end, bars that are met or missed.
import type { ChildProcess } from 'node:child_process'
import { readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileTree } from '#tools/package-code.ts'

const ticksPerSecond = 100

export interface Cost {
	/** Of all its threads. */
	readonly cpuSeconds: number
	readonly peakMb: number
}

export function costOf(pid: number): Cost {
	const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
	const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
	return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond, peakMb: Number(peak?.[1] ?? 0) / 1024 }
}

/** The program as it is installed: without the loader of TypeScript, which costs memory. Gives the file to run. */
export function packagedMain(dir: string): string {
	compileTree('.', dir)
	writeFileSync(join(dir, 'package.json'), readFileSync('package.json'))
	symlinkSync(join(process.cwd(), 'node_modules'), join(dir, 'node_modules'))
	return join(dir, 'cli', 'main.js')
}

const fieldSum = (pid: number, field: 0 | 1): number =>
	readdirSync(`/proc/${pid}/task`).reduce(
		(sum, thread) => sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[field]) / 1e9,
		0,
	)

/** CPU seconds of the threads that live, to the nanosecond: for those that hardly run. */
export const ranSeconds = (pid: number): number => fieldSum(pid, 0)

/** How long its threads were ready and another process ran in their place: what the rest of the machine took from the measurement. */
export const waitedSeconds = (pid: number): number => fieldSum(pid, 1)

export async function endProcess(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return
	const exited = new Promise((resolve) => child.on('exit', resolve))
	child.kill('SIGTERM')
	await exited
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

export function barOf(value: number, order: '>=' | '<=', bar: number): string {
	const isMet = order === '>=' ? value >= bar : value <= bar
	return `(bar ${order === '>=' ? '≥' : '≤'} ${bar}: ${isMet ? 'met' : 'missed'})`
}
