// Labels that bad input could fill are bounded.
import { expect, it } from 'vitest'
import { addProcessMetrics, createMetrics, reasonLabels } from '#runtime/metrics.ts'

it('takes a reason up to its first detail, without its numbers', () => {
	const label = reasonLabels()
	expect(label('the value cannot be read: index out of range 17')).toBe('the value cannot be read')
	expect(label('line 17 is too long')).toBe('line N is too long')
	expect(label('unknown field "a"')).toBe('unknown field')
})

it('keeps so many reasons, and calls the rest other', () => {
	const label = reasonLabels(2)
	expect(['a', 'b', 'c', 'a', 'd'].map(label)).toEqual(['a', 'b', 'other', 'a', 'other'])
})

it('tells of the process what every client of Prometheus does', async () => {
	const metrics = createMetrics()
	addProcessMetrics(metrics)
	expect(await metrics.registry.metrics()).toMatch(/^process_resident_memory_bytes \d/m)
})
