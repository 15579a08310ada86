// Partitions of one number go to one member, each to exactly one, whatever the members and topics.
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { share } from '#storage/log/kafka/assigner.ts'

it('gives each partition to one member, and those of one number together', () => {
	fc.assert(
		fc.property(
			fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 9 }),
			fc.integer({ min: 1, max: 20 }),
			(members, partitions) => {
				const numbers = Array.from({ length: partitions }, (_, index) => index)
				const shares = share(members, new Map(['records', 'logs', 'ledger'].map((topic) => [topic, numbers])))
				for (const topic of ['records', 'logs', 'ledger'])
					expect(shares.flatMap(({ assignment }) => assignment[topic] ?? []).toSorted((a, b) => a - b)).toEqual(numbers)
				for (const { assignment } of shares) expect(assignment['logs']).toEqual(assignment['records'])
				const sizes = shares.map(({ assignment }) => assignment['records']?.length ?? 0)
				expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
				expect(share(members.toReversed(), new Map([['records', numbers]])), 'whoever is asked').toEqual(
					share(members, new Map([['records', numbers]])),
				)
			},
		),
	)
})
