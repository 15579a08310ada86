// The reference of metrics has all that a running program counts, and only what the code makes.
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { declaredMetrics, metricsPage } from '#tools/metrics-page.ts'

it('finds metrics with their labels, however they are written', () => {
	const text = `
		a.counter('kubetape_a_total', 'One', ['x', 'y'])
		b.gauge(
			'kubetape_b',
			'Two; what it\\'s for',
		)
		c.histogram('kubetape_c_seconds', 'Three', [1, 2], ['z'])
		d.histogram('kubetape_d_seconds', 'Four', secondsBuckets, ['z'])
		e.gauge('kubetape_e', 'Five', [], 'max')`
	expect(declaredMetrics([text]).map(({ name, type, labels }) => [name, type, labels])).toEqual([
		['kubetape_a_total', 'counter', ['x', 'y']],
		['kubetape_b', 'gauge', []],
		['kubetape_c_seconds', 'histogram', ['z']],
		['kubetape_d_seconds', 'histogram', ['z']],
		['kubetape_e', 'gauge', []],
	])
})

it('refuses a name that it cannot read the making of', () => {
	expect(() => declaredMetrics(["const name = 'kubetape_hidden_total'"])).toThrow('kubetape_hidden_total')
})

it('documents all and only what the code makes, by the names of the field', () => {
	const declared = declaredMetrics()
	const documented = [...readFileSync('docs/reference/metrics.md', 'utf8').matchAll(/^\| `(\w+)`/gm)].map((match) => match[1])
	expect(documented).toEqual(declared.map(({ name }) => name))
	expect(declared.length).toBeGreaterThan(10)
	for (const { name, type, help } of declared) {
		expect(name.endsWith('_total'), name).toBe(type === 'counter')
		expect(help.length, name).toBeGreaterThan(5)
	}
	expect(metricsPage('')).toContain('| `kubetape_process_lag_records` | gauge | `stream`, `partition` |')
})
