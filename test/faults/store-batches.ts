// Batches of changes for the faults of the store: each of one day, with bodies that do not compress.
import type { Indexed } from '#records/indexed.ts'
import { aChange, dayMicros, noon } from '#test/storage/store/records.ts'
import { createRandom } from '#test/support/random.ts'

export const batchRecords = 40

export function batchOf(batch: number, fillerBytes = 200): Indexed[] {
	const random = createRandom(batch)
	return Array.from({ length: batchRecords }, (_, index) => {
		const revision = batch * batchRecords + index + 1
		const filler = Array.from({ length: fillerBytes / 10 }, () => random().toString(36).slice(2, 12)).join('')
		return aChange({
			revision,
			at: noon - (batch % 2) * dayMicros + (batch % 100_000) * 1000 + index,
			object: { name: `o-${revision % 30}` },
			body: { metadata: { name: `o-${revision % 30}`, resourceVersion: String(revision) }, filler },
			more: { summary: `change ${revision}`, labels: { batch: String(batch) } },
		})
	})
}
