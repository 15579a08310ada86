// What the API server counts of its audit log, out of its /metrics. Names: apiserver pkg/audit/metrics.go; process_start_time_seconds tells one process from the next.
import { LineSplitter } from '#collectors/tail/lines.ts'

export interface Counters {
	/** When the process began, in seconds since 1970: its counters began with 0 then. */
	readonly processStart: number
	/** Entries that were handed to the backends, each stage of a request one, once for all backends together. */
	readonly events: number
	/** Entries that failed, by plugin: `buffered` (its queue was full), `webhook` (given up after all tries), `log`, `truncate` (too large). */
	readonly errors: ReadonlyMap<string, number>
}

const lineBytesMax = 64 * 1024
const sample = /^(apiserver_audit_event_total|apiserver_audit_error_total|process_start_time_seconds)(?:\{([^}]*)\})? (\S+)/
const plugin = /(?:^|,)plugin="((?:[^"\\]|\\.)*)"/
const interesting = ['apiserver_audit_e', 'process_start_time_seconds'] as const

/** Undefined where the text does not have them: then nothing can be said. */
export async function readCounters(chunks: AsyncIterable<Buffer>): Promise<Counters | undefined> {
	const splitter = new LineSplitter({ lineBytesMax })
	const errors = new Map<string, number>()
	let [events, processStart] = [0, Number.NaN]
	let told = false
	const take = (line: Buffer): void => {
		if (line[0] !== 0x61 && line[0] !== 0x70) return
		const text = line.toString('utf8')
		if (!interesting.some((begin) => text.startsWith(begin))) return
		const [, name, labels = '', value] = sample.exec(text) ?? []
		if (name === undefined) return
		if (name === 'apiserver_audit_event_total') {
			events = Number(value)
			told = true
		} else if (name === 'process_start_time_seconds') processStart = Number(value)
		else errors.set(plugin.exec(labels)?.[1] ?? '', Number(value))
	}
	for await (const chunk of chunks) for (const line of splitter.push(chunk)) take(line.bytes)
	const last = splitter.end()
	if (last) take(last.bytes)
	return told && Number.isFinite(events) && Number.isFinite(processStart) ? { processStart, events, errors } : undefined
}
