// What a fault did to what was acknowledged, on one line: the suites of test/faults print it, and `npm run bench -- faults-distributed` makes the table of it.

export interface FaultOutcome {
	readonly acknowledged: number
	/** Acknowledged, and not there. */
	readonly lost: number
	/** There more than once as a reader of the store sees it. Undefined where the fault is of the record log alone: the store tells records by their ids. */
	readonly duplicated?: number
	/** Read from the record log more than once, with the same ids. Undefined where nobody counts. */
	readonly readAgain?: number
	readonly gaps: number
	readonly rejects: number
}

export const faultColumns = ['fault', 'acknowledged', 'lost', 'duplicated', 'read again', 'gaps', 'rejects', 'run'] as const
const mark = 'fault: '

/** `fault` begins with its number in the plan of faults, as "F12 rebalance storm"; `run` says what was done, and how to repeat it. */
export function tellFault(fault: string, outcome: FaultOutcome, run: Readonly<Record<string, unknown>>): void {
	const { acknowledged, lost, duplicated, readAgain, gaps, rejects } = outcome
	const words = Object.entries(run).map(([name, value]) => `${name} ${String(value)}`)
	const cells = [fault, acknowledged, lost, duplicated ?? '–', readAgain ?? '–', gaps, rejects, words.join(', ')]
	process.stdout.write(`\n${mark}${cells.map((cell) => String(cell).replaceAll('|', '/')).join(' | ')}\n`)
}

/** Rows of a table, of what a run printed. */
export function faultRows(output: string): readonly string[] {
	return output
		.split('\n')
		.filter((line) => line.startsWith(mark))
		.map((line) => `| ${line.slice(mark.length).trimEnd()} |`)
}
