// Any record that the log can carry, stored and read again: whatever its texts, numbers and bodies, its checksums hold and nothing of it changes.
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Indexed } from '#records/indexed.ts'
import type { Redacted, StoredRecord } from '#records/record.ts'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'
import { fixedClock } from '#test/storage/store/records.ts'
import { temporaryFolder } from '#test/support/program.ts'
import { recordArbitrary } from '#test/support/records.ts'

const text = fc.string({ unit: 'binary', maxLength: 30 })
const lone = fc.constantFrom('\ud800', 'a\udfffb', 'nul \0 in it', '')
const texts = fc.oneof(text, lone)
const indexedArbitrary: fc.Arbitrary<Indexed> = fc
	.record({
		record: recordArbitrary,
		summary: texts,
		severity: fc.constantFrom('normal', 'warning', 'error'),
		facets: fc.subarray(['spec', 'status'] as const),
		paths: fc.array(texts, { maxLength: 3 }),
		labels: fc.dictionary(text, texts, { maxKeys: 3 }),
		images: fc.array(texts, { maxLength: 2 }),
		text: texts,
	})
	.map((fields) => ({ ...fields, record: fields.record as unknown as Redacted<StoredRecord>, owners: [] }))

it('gives any record back as it came', async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(indexedArbitrary, { minLength: 1, maxLength: 12 }), async (records) => {
			const folder = temporaryFolder('any-record')
			try {
				{
					await using store = await openSqliteStore({ dir: folder.path, clock: fixedClock, config: { synchronous: 'normal' } })
					const { stored, duplicates } = await store.put(records)
					expect(stored + duplicates).toBe(records.length)
				}
				await using store = await openSqliteStore({ dir: folder.path, clock: fixedClock, config: { synchronous: 'normal' } })
				for (const { record, summary, labels } of new Map(records.toReversed().map((each) => [each.record.id, each])).values()) {
					const version = await store.get(record.cluster.toWellFormed(), record.id)
					expect(version).toMatchObject({
						id: record.id,
						kind: record.kind,
						summary: summary.toWellFormed(),
						occurredBound: record.occurredBound,
					})
					if (Object.keys(labels).length > 0 && version?.labels) expect(Object.keys(version.labels).length).toBeGreaterThan(0)
					const body =
						record.kind === 'audit'
							? record.body
							: record.kind === 'change' || record.kind === 'event'
								? record.operation === 'deleted'
									? (record.before ?? record.after)
									: record.after
								: null
					// What of a line the summary does not hold is kept beside it.
					const kept = record.kind === 'log' && record.text !== summary ? { text: record.text.toWellFormed() } : null
					expect(version?.body?.value ?? null).toEqual(kept ?? body?.value ?? null)
				}
			} finally {
				folder.remove()
			}
		}),
		{ numRuns: 25 },
	)
}, 120_000)
