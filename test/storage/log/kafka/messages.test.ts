// Records as messages: they come back as they were, in order, in batches that the topic takes; what is too large is stored smaller, and says so.
import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import type { KafkaMessage } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { Body } from '#records/body.ts'
import { decodeRecords, orderKey, placeKey } from '#records/codec.ts'
import { LineWriter, linesOf } from '#records/log-block.ts'
import type { Redacted } from '#records/record.ts'
import type { KubetapeError } from '#runtime/errors.ts'
import { limits } from '#runtime/limits.ts'
import { compress } from '#runtime/zstd-frame.ts'
import { pack, unpack, type Packed } from '#storage/log/kafka/messages.ts'
import { aChange, aClusterEvent, aGap, aLogLine, anAuditEntry, asRedacted, plain, recordArbitrary } from '#test/support/records.ts'

const options = { partitions: 3, batchBytesMax: 8_388_608, atMs: 1000 }
const small = { ...options, batchBytesMax: 65_536 }
const received = (packed: Packed): KafkaMessage[] => packed.pieces.flatMap(({ messages }) => messages as unknown as KafkaMessage[])
const recordsIn = (packed: Packed): Redacted[] =>
	received(packed).map((message) => {
		const unpacked = unpack(message)
		if (!('record' in unpacked)) throw new Error(JSON.stringify(unpacked))
		return unpacked.record
	})
/** Text that cannot be packed. */
const noise = (bytes: number): string => randomBytes(bytes / 2).toString('hex')
const single = (record: Redacted): Redacted[] => {
	const packed = pack([record], small)
	for (const { messages } of packed.pieces)
		expect(compress(Buffer.concat(messages.map(({ value }) => value as Buffer)), true).length).toBeLessThan(small.batchBytesMax * 0.95)
	expect(packed.cut).toBe(1)
	return recordsIn(packed)
}

describe('records as messages', () => {
	it('come back as they were, those of one key in order in one partition', () => {
		fc.assert(
			fc.property(fc.array(recordArbitrary, { maxLength: 20 }), (records) => {
				const packed = pack(records.map(asRedacted), options)
				const before = Map.groupBy(records, orderKey)
				const after = Map.groupBy(recordsIn(packed), orderKey)
				for (const [key, list] of before) expect(after.get(key)?.map(plain)).toEqual(list.map(plain))
				expect(recordsIn(packed).length).toBe(records.length)
				const placed = received(packed).map((message, index) => ({
					record: recordsIn(packed)[index],
					partition: (message as unknown as { partition: number }).partition,
				}))
				for (const list of Map.groupBy(placed, ({ record }) => record && placeKey(record)).values())
					expect(new Set(list.map(({ partition }) => partition)).size).toBe(1)
				expect(decodeRecords(packed.frames).map(plain)).toEqual(records.map(plain))
			}),
		)
	})

	it('about one object go to one partition: a Pod, its events, its lines', () => {
		const pod = { resource: 'pods', group: '', namespace: 'shop', name: 'web-0' }
		const about = [
			aChange({ object: pod }),
			aClusterEvent({ regarding: { ...pod, kind: 'Pod', uid: 'u', revision: null, fieldPath: '' } }),
			aLogLine(),
			anAuditEntry({ object: pod }),
		]
		expect(new Set(about.map((record) => placeKey(record)))).toEqual(new Set(['test\0pods./shop/web-0']))
		expect(placeKey(aLogLine({ pod: '', component: 'etcd', file: 'etcd.log' }))).toBe('test\0etcd.log')
	})

	it('go in batches that are worth a request and that the topic takes', () => {
		const many = Array.from({ length: 3000 }, (_, index) => asRedacted(aLogLine({ offset: index, text: noise(1000) })))
		for (const { bytes, messages } of pack(many, options).pieces) {
			expect(bytes).toBeLessThanOrEqual(768 * 1024)
			expect(messages.length).toBeLessThanOrEqual(5000)
		}
		for (const { bytes } of pack(many, small).pieces) expect(bytes).toBeLessThanOrEqual(small.batchBytesMax)
	})

	it('beyond the limit of every engine are refused, and nothing of the append is sent', () => {
		const huge = asRedacted(aLogLine({ text: 'x'.repeat(limits.recordBytesMax + 1) }))
		expect(() => pack([asRedacted(aLogLine()), huge], options)).toThrow(
			expect.objectContaining({ code: 'STORAGE_TOO_LARGE' }) as KubetapeError,
		)
	})
})

describe('a record that is too large for the topic', () => {
	it('is kept whole where it fits packed', () => {
		const packed = pack([asRedacted(aLogLine({ text: 'x'.repeat(1_000_000) }))], small)
		expect(packed.cut).toBe(0)
		expect(recordsIn(packed)[0]).toMatchObject({ text: 'x'.repeat(1_000_000) })
	})

	it('loses the bodies of a version, and says so', () => {
		const record = aChange({ after: Body.ofValue({ kind: 'Pod', data: noise(200_000) }), note: 'before' })
		const [kept] = single(asRedacted(record))
		expect(kept).toMatchObject({ id: record.id, object: record.object, revision: 100n, before: null, after: null, encoding: 'raw' })
		expect(kept).toHaveProperty(
			'note',
			expect.stringMatching(/^before; its value was left out: 20\d{4} bytes, of which the record log takes \d+ packed$/),
		)
	})

	it('loses the objects of an audit entry, and says so', () => {
		const value = {
			kind: 'Event',
			verb: 'patch',
			user: { username: 'alice' },
			requestObject: { data: noise(200_000) },
			level: 'RequestResponse',
		}
		const [kept] = single(asRedacted(anAuditEntry({ body: Body.ofValue(value) })))
		expect(kept).toMatchObject({ kind: 'audit', truncated: true, verb: 'patch' })
		expect(kept?.kind === 'audit' && kept.body.value).toEqual({
			kind: 'Event',
			verb: 'patch',
			user: { username: 'alice' },
			level: 'Metadata',
		})
	})

	it('loses the end of a line, at a whole character, and says so', () => {
		const letters = Array.from(randomBytes(200_000), (byte) => String.fromCharCode(0xe0 + (byte & 15))).join('')
		const [kept] = single(asRedacted(aLogLine({ text: `a${letters}`, raw: 'AA==' })))
		expect(kept).toMatchObject({ flags: ['truncated'], originalBytes: 400_001 })
		expect(kept?.kind === 'log' && kept.text.includes('\ufffd')).toBe(false)
		expect(kept).not.toHaveProperty('raw')
	})

	it('loses the list of touched objects of a gap, not their number', () => {
		const touched = Array.from({ length: 1000 }, () => noise(200))
		expect(single(asRedacted(aGap({ touched, touchedCount: 1000 })))[0]).toMatchObject({ touched: [], touchedCount: 1000 })
	})

	it('becomes the lines of a block, one by one, as they would have been told', () => {
		const {
			kind: _kind,
			id: _id,
			occurredAt: _at,
			occurredBound: _bound,
			observedAt: _observed,
			offset: _offset,
			text: _text,
			stream: _stream,
			level: _level,
			flags: _flags,
			...source
		} = aLogLine()
		const writer = new LineWriter(source)
		for (let line = 0; line < 400; line++) writer.add(1_795_428_000_000_000 + line, line * 1000, 1, Buffer.from(noise(500)))
		const block = writer.take(1_795_428_000_000_000)
		if (!block) throw new Error('there is no block')
		expect(single(block as Redacted)).toEqual([...linesOf(block)])
	})
})

describe('a message', () => {
	it.each([
		['an empty one', null],
		['text', Buffer.from('{"not": "ours"}')],
		['zeros', Buffer.alloc(12)],
		['a frame of another kind', Buffer.from([2, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 0x7b, 0x7d])],
	])('that is none of ours is told apart: %s', (_name, value) => {
		expect(unpack({ key: Buffer.from('k'), value } as unknown as KafkaMessage)).toMatchObject({
			foreign: expect.stringMatching(/./),
			key: 'k',
		})
	})

	it('of random bytes is never taken for one, and never throws', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
				expect(unpack({ key: null, value: Buffer.from(bytes) } as unknown as KafkaMessage)).toHaveProperty('foreign')
			}),
		)
	})
})
