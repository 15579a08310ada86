// A request in a sentence, with what qualifies it.
import { expect, it } from 'vitest'
import { createDescribe } from '#processors/describe/step.ts'
import type { AuditEntry } from '#records/record.ts'
import { anAuditEntry, asRedacted } from '#test/support/records.ts'

const told = (overrides: Partial<AuditEntry>): string => {
	const result = createDescribe()(asRedacted(anAuditEntry({ user: 'ann', code: 200, ...overrides })))
	return 'ok' in result ? result.ok.summary : 'refused'
}

it('says of a request that it was a dry run, that it was cut off, and that not all of it is known', () => {
	expect(told({ dryRun: true })).toMatch(/^ann .*\(200, dry run\)$/)
	expect(told({ truncated: true, missing: ['stage'] })).toMatch(/\(200, truncated, known in part\)$/)
	expect(told({ dryRun: false, code: 0, stage: 'RequestReceived' })).toMatch(/\(RequestReceived\)$/)
})
