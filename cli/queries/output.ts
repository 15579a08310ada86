// How answers are written: as a table, JSON or YAML.
import { stringify } from 'yaml'
import { formatTable } from './table.ts'
import type { Table } from './views.ts'

export interface Io {
	stdout(text: string): void
	stderr(text: string): void
	/** Width of the terminal in columns; 0 or absent: not a terminal, nothing is cut. */
	readonly columns?: number
}

export type Format = 'table' | 'json' | 'yaml'

/** `answer` as it came, or what `table` makes of it. */
export function write(io: Io, format: Format, answer: unknown, table: () => string): void {
	if (format === 'json') io.stdout(`${JSON.stringify(answer, null, 2)}\n`)
	else if (format === 'yaml') io.stdout(stringify(answer))
	else io.stdout(table())
}

export const tableText = (io: Io, table: Table): string => formatTable(table.columns, table.rows, io.columns ?? 0)
