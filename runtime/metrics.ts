// Metrics: one registry per thread, in prom-client. Names are kubetape_<area>_<noun>_<unit>[_total].
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

export interface Metrics {
	readonly registry: Registry
	/** Made at first use, then the same one. */
	counter(name: string, help: string, labels?: readonly string[]): Counter
	/** Where several threads tell the same one (labels equal), /metrics has their sum, or what `together` says. */
	gauge(name: string, help: string, labels?: readonly string[], together?: 'sum' | 'max' | 'first'): Gauge
	histogram(name: string, help: string, buckets: readonly number[], labels?: readonly string[]): Histogram
}

/** Of durations, in seconds: from a commit on a fast disk to a store that is down. */
export const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

/** What bad input can put into a label is bounded: the reason up to its first detail, numbers as N, and no more than `max` of them; the rest is `other`. */
export function reasonLabels(max = 30): (reason: string) => string {
	const known = new Set<string>()
	return (reason) => {
		const label = (/^[^:"'`]*/.exec(reason)?.[0] ?? '').replaceAll(/\d+/g, 'N').trim().slice(0, 80)
		if (!known.has(label) && known.size >= max) return 'other'
		known.add(label)
		return label
	}
}

export function createMetrics(): Metrics {
	const registry = new Registry()
	const made = new Map<string, Counter | Gauge | Histogram>()
	const once = <T extends Counter | Gauge | Histogram>(name: string, make: () => T): T => {
		const known = made.get(name) as T | undefined
		if (known) return known
		const metric = make()
		made.set(name, metric)
		return metric
	}
	return {
		registry,
		counter: (name, help, labels = []) => once(name, () => new Counter({ name, help, labelNames: [...labels], registers: [registry] })),
		gauge: (name, help, labels = [], together = 'sum') =>
			once(name, () => new Gauge({ name, help, labelNames: [...labels], registers: [registry], aggregator: together })),
		histogram: (name, help, buckets, labels = []) =>
			once(name, () => new Histogram({ name, help, buckets: [...buckets], labelNames: [...labels], registers: [registry] })),
	}
}

/** The event loop is looked at so often, and a lag is told with this in it. Every 10 ms, the library's own choice, was most of what a quiet process cost. */
const loopLookMs = 50

/** What Prometheus' clients tell of every process (process_cpu_seconds_total, process_resident_memory_bytes, nodejs_eventloop_lag_p99_seconds …). Once a process: threads would tell it again. */
export function addProcessMetrics({ registry }: Metrics): void {
	collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: loopLookMs })
}
