// Entries of a journal as journalctl prints them: every form of a value, and what is none.
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { readCursor, readEntry } from '#collectors/logs/journal/entry.ts'

const cursor = 's=1be728ebff99405c9403ae7fb8536ffc;i=1a;b=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;m=3e8;t=66102c6004800;x=4a1386142bb07ee0'
const read = (fields: Readonly<Record<string, unknown>>): ReturnType<typeof readEntry> =>
	readEntry(Buffer.from(JSON.stringify({ __CURSOR: cursor, MESSAGE: 'hello', ...fields })))

it('tells the place of an entry, or that its cursor is of another form', () => {
	expect(readCursor(cursor)).toEqual({
		text: cursor,
		sequence: '1be728ebff99405c9403ae7fb8536ffc',
		number: 26,
		bootId: 'a'.repeat(32),
		at: 0x66102c6004800,
	})
	for (const other of [undefined, 7, '', 's=1', `${cursor};y=1`, cursor.replace('i=1a', 'i=-1')]) expect(readCursor(other)).toBeUndefined()
})

it.each([
	[{}, 'hello'],
	[{ MESSAGE: [104, 255, 0] }, Buffer.from([104, 255, 0])],
	[{ MESSAGE: ['one', [255], 'two'] }, Buffer.concat([Buffer.from('one\n'), Buffer.from([255]), Buffer.from('\ntwo')])],
	[{ MESSAGE: '' }, ''],
	[{ MESSAGE: [300, 1] }, 'not an entry'],
	[{ MESSAGE: null }, 'its MESSAGE is larger than journalctl prints'],
	[{ MESSAGE: undefined }, 'no MESSAGE'],
	[{ __CURSOR: 'x' }, 'no __CURSOR, or one of an unknown form'],
])('%j', (fields, expected) => {
	const entry = read(fields)
	if (typeof entry === 'string') expect(entry).toBe(expected === 'not an entry' ? 'no MESSAGE' : expected)
	else expect(entry.bytes).toEqual(Buffer.from(expected as string))
})

it.each([
	[{ _SYSTEMD_UNIT: 'kubelet.service', SYSLOG_IDENTIFIER: 'kubelet' }, 'kubelet.service'],
	[{ _SYSTEMD_UNIT: 'init.scope', UNIT: 'kubelet.service', _PID: '1' }, 'kubelet.service'],
	[{ _SYSTEMD_UNIT: 'other.service', UNIT: 'kubelet.service', _PID: '7' }, 'other.service'],
	[{ _TRANSPORT: 'kernel', SYSLOG_IDENTIFIER: 'kernel' }, 'kernel'],
	[{ SYSLOG_IDENTIFIER: ['first', 'second'] }, 'first'],
	[{ _COMM: 'sh' }, 'sh'],
	[{}, ''],
])('%j is of %s', (fields, unit) => {
	expect(read(fields)).toMatchObject({ unit })
})

it('has the time at which it was written, and the priority and the process where they are whole numbers', () => {
	expect(read({ _SOURCE_REALTIME_TIMESTAMP: '1795514400000001', PRIORITY: '3', _PID: '12' })).toMatchObject({
		at: 1_795_514_400_000_001,
		origin: { priority: 3, pid: 12 },
	})
	for (const wrong of ['', '-1', '8', 'x', '1e1', ['3', '4'], [3]])
		expect(read({ PRIORITY: wrong, _SOURCE_REALTIME_TIMESTAMP: '' })).toMatchObject({
			at: 0x66102c6004800,
			origin: { priority: Array.isArray(wrong) && wrong[0] === '3' ? 3 : null, pid: null },
		})
})

it('never throws, whatever it is given', () => {
	fc.assert(
		fc.property(
			fc.oneof(
				fc.json(),
				fc.string(),
				fc.json().map((value) => `{"__CURSOR":"${cursor}","MESSAGE":${value}}`),
			),
			(text) => {
				const entry = readEntry(Buffer.from(text))
				expect(typeof entry === 'string' || Buffer.isBuffer(entry.bytes)).toBe(true)
			},
		),
	)
	for (const bytes of [Buffer.from([0xff, 0xfe]), Buffer.from('['.repeat(10_000))]) expect(readEntry(bytes)).toBe('not JSON')
})
