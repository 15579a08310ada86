// Readers of log lines: CRI, klog, JSON; and the splitting of bytes into lines.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CriJoiner, readCriLine, textOf } from '#collectors/tail/cri.ts'
import { LineSplitter } from '#collectors/tail/lines.ts'
import { readLogText } from '#records/log-text.ts'
import { parseTime } from '#records/time.ts'

const near = parseTime('2026-11-23T16:00:00Z') ?? 0

describe('readLogText', () => {
	it.each([
		['klog', 'W1123 16:18:57.700944   28631 flags.go:64] FLAG', '2026-11-23T16:18:57.700944Z', 'warning', 'flags.go:64] FLAG'],
		[
			'zap',
			'{"level":"warn","ts":"2026-11-23T16:18:57.193149Z","msg":"slow","took":"1s"}',
			'2026-11-23T16:18:57.193149Z',
			'warning',
			'slow took="1s"',
		],
		['slog', '{"time":"2026-11-23T16:19:05.998870651Z","level":"ERROR","msg":"no"}', '2026-11-23T16:19:05.998870Z', 'error', 'no'],
		[
			'klog as JSON',
			'{"ts":1795450744259.4548,"caller":"a.go:1","msg":"m","v":5}',
			'2026-11-23T16:19:04.259455Z',
			'debug',
			'm caller="a.go:1"',
		],
		['klog as JSON, an error', '{"ts":1795450744259.4548,"msg":"m","err":"e"}', '2026-11-23T16:19:04.259455Z', 'error', 'm err="e"'],
	])('reads %s', (_, line, at, level, text) => {
		expect(readLogText(line, near)).toEqual({ at: parseTime(at), level, text })
	})

	it('takes the year that is nearest', () => {
		expect(readLogText('I1231 23:59:59.000000 1 a] b', parseTime('2027-01-01T00:00:01Z') ?? 0).at).toBe(parseTime('2026-12-31T23:59:59Z'))
		expect(readLogText('I0101 00:00:01.000000 1 a] b', parseTime('2026-12-31T23:59:59Z') ?? 0).at).toBe(parseTime('2027-01-01T00:00:01Z'))
	})

	it('gives what it does not know as text without a time', () => {
		for (const line of ['', 'hello', '{"a":1}', '{broken', 'I9999 99:99:99.0 1 x] y'])
			expect(readLogText(line, near)).toEqual({ at: undefined, level: '', text: line })
	})
})

describe('CRI lines', () => {
	it('reads offsets of time zones, further tags and empty content', () => {
		expect(readCriLine(Buffer.from('2026-11-23T18:19:14.2+02:00 stderr P:X:Y a b '))).toMatchObject({
			at: parseTime('2026-11-23T16:19:14.2Z'),
			stream: 'stderr',
			partial: true,
			content: Buffer.from('a b '),
		})
		expect(readCriLine(Buffer.from('2026-11-23T16:19:14Z stdout F'))?.content).toHaveLength(0)
		for (const bad of ['', 'x stdout F a', '2026-11-23T16:19:14Z stdin F a', '2026-11-23T16:19:14Z stdout Q a', '{"log":"a"}'])
			expect(readCriLine(Buffer.from(bad))).toBeUndefined()
	})

	it('joins parts within the limit, and says what was cut or never ended', () => {
		const joiner = new CriJoiner(5)
		const line = (tag: string, content: string): ReturnType<CriJoiner['push']> => {
			const read = readCriLine(Buffer.from(`2026-11-23T16:19:14Z stdout ${tag} ${content}`))
			return read && joiner.push(read, 7)
		}
		expect(line('P', 'abc')).toBeUndefined()
		expect(joiner.openOffset).toBe(7)
		expect(line('F', 'defg')).toMatchObject({ content: Buffer.from('abcde'), truncated: true })
		expect(line('F', 'ok')).toMatchObject({ content: Buffer.from('ok'), truncated: false })
		line('P', 'open')
		expect([...joiner.end()]).toMatchObject([{ content: Buffer.from('open'), truncated: true }])
	})

	it('flags bytes that are no text', () => {
		expect(textOf(Buffer.from([0x61, 0xff, 0]), true)).toEqual({
			text: 'a\ufffd\0',
			flags: ['truncated', 'invalid-utf8', 'nul'],
			raw: 'Yf8A',
		})
		expect(textOf(Buffer.from('a\0'), false)).toEqual({ text: 'a\0', flags: ['nul'] })
	})
})

describe('LineSplitter', () => {
	it('gives the same lines however the bytes are cut into pieces', () => {
		fc.assert(
			fc.property(
				fc.array(fc.stringMatching(/^[a-z]{0,12}$/), { minLength: 1 }),
				fc.infiniteStream(fc.integer({ min: 1, max: 7 })),
				(texts, sizes) => {
					const bytes = Buffer.from(texts.join('\n'))
					const splitter = new LineSplitter({ lineBytesMax: 8 })
					const lines = []
					for (let at = 0; at < bytes.length;) {
						const size = sizes.next().value ?? 1
						lines.push(...splitter.push(bytes.subarray(at, at + size)))
						at += size
					}
					const last = splitter.end()
					if (last) lines.push(last)
					const expected = texts.at(-1) === '' ? texts.slice(0, -1) : texts
					expect(lines.map((line) => line.tooLong?.sizeBytes ?? line.bytes.toString())).toEqual(
						expected.map((text) => (text.length > 8 ? text.length : text)),
					)
					for (const line of lines)
						if (!line.tooLong) expect(bytes.toString('utf8', line.offset, line.offset + line.bytes.length)).toBe(line.bytes.toString())
				},
			),
		)
	})
})
