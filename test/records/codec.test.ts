// The codec: records survive the way through bytes whole, and bytes that are no frames are refused with their place.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Body } from '#records/body.ts'
import { decodeRecords, encodeRecords, orderKey } from '#records/codec.ts'
import {
	aChange,
	aClusterEvent,
	aCoverage,
	aGap,
	aLogLine,
	anAuditEntry,
	aReject,
	asRedacted,
	plain,
	recordArbitrary,
} from '#test/support/records.ts'

describe('codec', () => {
	it('decodes what it encoded, whatever the records and the form of their bodies', () => {
		fc.assert(
			fc.property(fc.array(recordArbitrary, { maxLength: 6 }), (records) => {
				const decoded = decodeRecords(encodeRecords(records.map((record) => asRedacted(record))))
				expect(decoded.map((record) => plain(record))).toEqual(records.map((record) => plain(record)))
			}),
			{ numRuns: 300 },
		)
	})

	it('does not parse bodies to move them', () => {
		const change = aChange({ before: null, after: Body.ofBytes(Buffer.from('{"a" : 1.0}')) })
		const [decoded] = decodeRecords(encodeRecords([asRedacted(change)]))
		expect(decoded?.kind === 'change' && decoded.after?.text).toBe('{"a" : 1.0}')
		expect(decoded?.kind === 'change' && decoded.before).toBeNull()
	})

	it('keeps earlier results when called again', () => {
		const first = encodeRecords([asRedacted(aLogLine({ text: 'one' }))])
		encodeRecords([asRedacted(aLogLine({ text: 'two' }))])
		expect(decodeRecords(first)[0]).toMatchObject({ text: 'one' })
	})

	it('takes records larger than its first buffer', () => {
		const text = 'ü'.repeat(3_000_000)
		const records = [aLogLine({ text }), aChange({ after: Body.ofValue({ text }) })]
		const decoded = decodeRecords(encodeRecords(records.map((record) => asRedacted(record))))
		expect(decoded.map((record) => plain(record))).toEqual(records.map((record) => plain(record)))
	})

	it('refuses a record beyond the limit, counting its body', () => {
		const record = asRedacted(aChange({ before: null, after: Body.ofText(`"${'x'.repeat(2000)}"`) }))
		expect(() => encodeRecords([record], 2000)).toThrow(RangeError)
		expect(encodeRecords([record], 4000).length).toBeLessThan(4012)
	})

	it('refuses every cut, and says where', () => {
		const bytes = encodeRecords([asRedacted(aChange()), asRedacted(anAuditEntry())])
		const whole = decodeRecords(bytes)
		const boundary = encodeRecords([asRedacted(aChange())]).length
		expect(whole.length).toBe(2)
		for (let length = 1; length < bytes.length; length++) {
			const cut = (): unknown => decodeRecords(bytes.subarray(0, length))
			if (length === boundary) expect(cut).not.toThrow()
			else expect(cut, `cut at ${length}`).toThrow(/at byte/)
		}
	})

	it('throws nothing but RangeError on foreign bytes', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
				try {
					decodeRecords(Buffer.from(bytes))
				} catch (error) {
					expect(error).toBeInstanceOf(RangeError)
				}
			}),
		)
		const header = Buffer.from('[1')
		const frame = Buffer.concat([Buffer.from(Uint32Array.of(header.length, 0xffffffff, 0xffffffff).buffer), header])
		expect(() => decodeRecords(frame)).toThrow('the record header at byte 12 is not JSON')
	})
})

describe('order key', () => {
	it('is the same for all records of one object, and differs between objects and clusters', () => {
		const pod = { resource: 'pods', group: '', namespace: 'shop', name: 'web-0' }
		expect(orderKey(aChange({ object: pod, revision: 1n }))).toBe(orderKey(aChange({ object: pod, revision: 2n })))
		expect(orderKey(anAuditEntry({ object: pod }))).toBe(orderKey(aChange({ object: pod })))
		expect(orderKey(aChange({ object: { ...pod, namespace: 'other' } }))).not.toBe(orderKey(aChange({ object: pod })))
		expect(orderKey(aChange({ object: pod, cluster: 'b' }))).not.toBe(orderKey(aChange({ object: pod, cluster: 'a' })))
		expect(orderKey(aClusterEvent())).not.toBe(orderKey(aChange()))
	})

	it('is the file for log lines, the cluster for the ledger', () => {
		expect(orderKey(aLogLine({ file: 'a' }))).not.toBe(orderKey(aLogLine({ file: 'b' })))
		expect(orderKey(aLogLine({ offset: 1 }))).toBe(orderKey(aLogLine({ offset: 2 })))
		expect(new Set([aGap(), aCoverage(), aReject()].map((record) => orderKey(record))).size).toBe(1)
	})
})
