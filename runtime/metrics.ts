// Metrics: one registry per thread, in prom-client. Names are kubetape_<area>_<noun>_<unit>[_total].
import { Counter, Gauge, Histogram, Registry } from 'prom-client'

export interface Metrics {
	readonly registry: Registry
	/** Made at first use, then the same one. */
	counter(name: string, help: string, labels?: readonly string[]): Counter
	gauge(name: string, help: string, labels?: readonly string[]): Gauge
	histogram(name: string, help: string, buckets: readonly number[], labels?: readonly string[]): Histogram
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
		gauge: (name, help, labels = []) => once(name, () => new Gauge({ name, help, labelNames: [...labels], registers: [registry] })),
		histogram: (name, help, buckets, labels = []) =>
			once(name, () => new Histogram({ name, help, buckets: [...buckets], labelNames: [...labels], registers: [registry] })),
	}
}
