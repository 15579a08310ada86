// What a fault did to what was acknowledged, on one line: the suites of test/faults print it, as a row of a table.

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

const mark = 'fault: '

/** Cells: fault, acknowledged, lost, duplicated, read again, gaps, rejects, and `run`, which says what was done and how to repeat it. */
export function tellFault(fault: string, outcome: FaultOutcome, run: Readonly<Record<string, unknown>>): void {
	const { acknowledged, lost, duplicated, readAgain, gaps, rejects } = outcome
	const words = Object.entries(run).map(([name, value]) => `${name} ${String(value)}`)
	const cells = [fault, acknowledged, lost, duplicated ?? '–', readAgain ?? '–', gaps, rejects, words.join(', ')]
	process.stdout.write(`\n${mark}${cells.map((cell) => String(cell).replaceAll('|', '/')).join(' | ')}\n`)
}
