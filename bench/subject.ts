// What the benches of whole processes share: what a process has used, its end, bars that are met or missed.
import type { ChildProcess } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'

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

/** How long its threads were ready and another process ran in their place: what the rest of the machine took from the measurement. */
export function waitedSeconds(pid: number): number {
	const threads = readdirSync(`/proc/${pid}/task`)
	return threads.reduce((sum, thread) => sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[1]) / 1e9, 0)
}

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
