// The lane timeline, drawn from answers made for it: what has most trouble is on top, what is beyond the lanes is left out, and a record without a field does not stop it.
import { describe, expect, it } from 'vitest'
import { objectLanes } from '#dashboards/kibana/object-lanes.ts'
import { draw, lanesIn, marksIn } from './draw.ts'

interface Of {
	readonly at: string
	readonly kind: string
	readonly severity?: string
	readonly name: string
	readonly namespace?: string
}

const hit = ({ at, kind, severity = 'normal', name, namespace = 'shop' }: Of): object => ({
	_index: 'kubetape-changes-2026.11.23',
	fields: {
		'kubetape.item.kind': [kind],
		'kubetape.item.severity': [severity],
		...(namespace === '' ? {} : { 'orchestrator.namespace': [namespace] }),
		'orchestrator.resource.type': ['pods'],
		'orchestrator.resource.name': [name],
		message: [`${name} did`],
	},
	sort: [Date.parse(at)],
})
const answer = (hits: readonly object[]): object => ({ took: 1, hits: { hits } })
const specification = objectLanes.specification('kubetape')

describe('lanes', () => {
	it('are those of most trouble first, with a mark for each record', async () => {
		const { svg, warnings } = await draw(
			specification,
			answer([
				hit({ at: '2026-11-23T16:20:00Z', kind: 'change', name: 'calm' }),
				hit({ at: '2026-11-23T16:21:00Z', kind: 'event', severity: 'warning', name: 'warned' }),
				hit({ at: '2026-11-23T16:22:00Z', kind: 'audit', severity: 'error', name: 'broken', namespace: '' }),
				hit({ at: '2026-11-23T16:23:00Z', kind: 'change', name: 'warned' }),
			]),
		)
		expect(warnings).toEqual([])
		expect(lanesIn(svg)).toEqual(['pods broken', 'pods shop/warned', 'pods shop/calm'])
		expect(
			marksIn(svg)
				.map(({ fill }) => fill)
				.toSorted(),
		).toEqual(['#6092C0', '#6092C0', '#D6BF57', '#E7664C'])
	})

	it('are thirty at most, and the least troubled ones go', async () => {
		const hits = Array.from({ length: 40 }, (_, n) =>
			hit({
				at: '2026-11-23T16:20:00Z',
				kind: 'event',
				severity: n < 30 ? 'warning' : 'normal',
				name: `pod-${String(n).padStart(2, '0')}`,
			}),
		)
		const { svg } = await draw(specification, answer(hits))
		expect(lanesIn(svg)).toEqual(Array.from({ length: 30 }, (_, n) => `pods shop/pod-${String(n).padStart(2, '0')}`))
	})

	it('are none of an empty answer, and of a record that is about nothing one', async () => {
		expect(marksIn((await draw(specification, answer([]))).svg)).toEqual([])
		const bare = await draw(
			specification,
			answer([{ fields: { 'kubetape.item.kind': ['audit'], 'kubetape.item.severity': ['error'] }, sort: [1] }]),
		)
		expect(marksIn(bare.svg)).toHaveLength(1)
	})
})
