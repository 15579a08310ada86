// Blocks of lines: what went in comes out, line by line, as if each had travelled alone; over the record log's codec too.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeRecords, encodeRecords } from '#records/codec.ts'
import { logId } from '#records/id.ts'
import { LineWriter, linesOf, mapTexts, marksOf, originalMarks, type LogSource } from '#records/log-block.ts'
import type { LogBlock, Redacted } from '#records/record.ts'

const source: LogSource = {
	cluster: 'prod',
	source: 'logs',
	file: 'dev-1/ino-2/abc',
	namespace: 'shop',
	pod: 'web-1',
	podUid: 'uid-1',
	container: 'web',
	restart: 2,
	component: '',
	node: 'node-a',
}
const begin = 1_795_428_000_000_000

interface Input {
	readonly step: number
	readonly stream: 'stdout' | 'stderr' | ''
	readonly truncated: boolean
	readonly content: Uint8Array
}

const input: fc.Arbitrary<Input> = fc.record({
	step: fc.nat({ max: 1_000_000 }),
	stream: fc.constantFrom('stdout', 'stderr', '' as const),
	truncated: fc.boolean(),
	content: fc.oneof(
		fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
		fc.uint8Array({ maxLength: 40 }),
	),
})

function blockOf(inputs: readonly Input[]): LogBlock | undefined {
	const writer = new LineWriter(source)
	let at = begin
	let offset = 7
	for (const { step, stream, truncated, content } of inputs) {
		at += step
		writer.add(at, offset, marksOf(stream, truncated ? ['truncated'] : []), content)
		offset += content.length + 1
	}
	return writer.take(at)
}

/** A block of so many bytes, all of one letter. */
function aFullBlock(writer: LineWriter, letter: string, bytes: number): LogBlock {
	for (let at = 0; at < bytes; at += 1000) writer.add(begin, at, 1, Buffer.from(letter.repeat(1000)))
	const block = writer.take(begin)
	if (!block) throw new Error('nothing was written')
	return block
}
const lettersOf = (block: LogBlock): string => [...new Set([...linesOf(block)].map(({ text }) => text))].join()

describe('buffers of blocks', () => {
	it('are written to again once they came back, and not before', () => {
		const writer = new LineWriter(source)
		const first = aFullBlock(writer, 'a', 300_000)
		const second = aFullBlock(writer, 'b', 300_000)
		expect([lettersOf(first), lettersOf(second)]).toEqual(['a'.repeat(1000), 'b'.repeat(1000)])
		writer.giveBack(first)
		// The one that came back comes after the one that was begun.
		const third = aFullBlock(writer, 'c', 300_000)
		const fourth = aFullBlock(writer, 'd', 300_000)
		expect(third.text.buffer).not.toBe(first.text.buffer)
		expect(fourth.text.buffer).toBe(first.text.buffer)
		expect([second, third, fourth].map(lettersOf)).toEqual(['b', 'c', 'd'].map((letter) => letter.repeat(1000)))
	})

	it('of small and of giant blocks are not kept', () => {
		const writer = new LineWriter(source)
		const small = aFullBlock(writer, 'a', 10_000)
		const giant = aFullBlock(writer, 'b', 3_000_000)
		writer.giveBack(small)
		writer.giveBack(giant)
		for (const letter of ['c', 'd', 'e']) {
			const { buffer } = aFullBlock(writer, letter, 100_000).text
			expect([small.text.buffer, giant.text.buffer]).not.toContain(buffer)
		}
	})
})

describe('blocks of lines', () => {
	it('give back what was put in, with the id that each line has alone', () => {
		fc.assert(
			fc.property(fc.array(input, { minLength: 1, maxLength: 200 }), (inputs) => {
				const block = blockOf(inputs)
				const [carried] = block ? decodeRecords(encodeRecords([block as unknown as Redacted])) : []
				const lines = carried?.kind === 'block' ? [...linesOf(carried)] : []
				expect(lines).toHaveLength(inputs.length)
				let at = begin
				let offset = 7
				for (const [index, line] of lines.entries()) {
					const { step, stream, truncated, content } = inputs[index] as Input
					at += step
					const text = Buffer.from(content).toString('utf8')
					expect(line).toMatchObject({
						kind: 'log',
						id: logId('prod', source.file, offset, at),
						occurredAt: at,
						offset,
						stream,
						text,
						pod: 'web-1',
					})
					expect(line.flags.includes('truncated')).toBe(truncated)
					expect(line.flags.includes('invalid-utf8')).toBe(!Buffer.from(text, 'utf8').equals(Buffer.from(content)))
					expect(Buffer.from(line.raw ?? text, line.raw === undefined ? 'utf8' : 'base64').equals(Buffer.from(content))).toBe(true)
					expect(line.flags.includes('nul')).toBe(content.includes(0))
					offset += content.length + 1
				}
			}),
		)
	})

	it('a character that two lines share is broken in both, though the block is whole', () => {
		const halves = [[0xc2], [0x80]].map((bytes): Input => ({
			step: 1,
			stream: 'stdout',
			truncated: false,
			content: Uint8Array.from(bytes),
		}))
		const block = blockOf(halves) as LogBlock
		expect([...linesOf(block)].map(({ flags, raw }) => [flags, raw])).toEqual([
			[['invalid-utf8'], 'wg=='],
			[['invalid-utf8'], 'gA=='],
		])
	})

	it('are the same lines however they are cut', () => {
		const inputs: Input[] = Array.from({ length: 50 }, (_, index) => ({
			step: 10,
			stream: 'stdout',
			truncated: false,
			content: Buffer.from(`line ${index}`),
		}))
		const whole = blockOf(inputs)
		const ids = whole ? [...linesOf(whole)].map(({ id }) => id) : []
		const writer = new LineWriter(source)
		writer.add(
			begin + 10 * 31,
			7 + Array.from({ length: 30 }, (_, n) => `line ${n}`.length + 1).reduce((sum, n) => sum + n, 0),
			marksOf('stdout', []),
			Buffer.from('line 30'),
		)
		const [alone] = [...linesOf(writer.take(begin) as LogBlock)]
		expect(alone?.id).toBe(ids[30])
	})

	it('end where they are full, and are empty afterwards', () => {
		const writer = new LineWriter(source)
		const line = Buffer.alloc(1000, 'x')
		let added = 0
		while (!writer.isFull) writer.add(begin, added++ * 1001, 0, line)
		expect(added).toBe(263)
		expect(writer.take(begin)?.lines).toBe(263)
		expect([writer.lines, writer.isFull, writer.take(begin)]).toEqual([0, false, undefined])
	})

	it('change texts line by line, and stay themselves where nothing changes', () => {
		const block = blockOf(
			['a secret', 'plain', 'secret again'].map((text) => ({ step: 1, stream: 'stdout', truncated: false, content: Buffer.from(text) })),
		) as LogBlock
		expect(mapTexts(block, (text) => text)).toBe(block)
		const changed = mapTexts(block, (text) => text.replace('secret', '*'))
		expect([...linesOf(changed)].map(({ text }) => text)).toEqual(['a *', 'plain', '* again'])
		expect([...linesOf(changed)].map(({ id }) => id)).toEqual([...linesOf(block)].map(({ id }) => id))
	})

	it('tell the length that a line had before it was cut off, and nothing else is changed by it', () => {
		const writer = new LineWriter(source)
		for (const bytes of [5, 3_000_000, 2 ** 26 - 1, 2 ** 40])
			writer.add(begin, bytes, marksOf('stderr', ['truncated', 'no-time']) | originalMarks(bytes), Buffer.from('cut'))
		writer.add(begin, 0, marksOf('stdout', []), Buffer.from('whole'))
		const lines = [...linesOf(writer.take(begin) as LogBlock)]
		expect(lines.map((line) => line.originalBytes)).toEqual([5, 3_000_000, 2 ** 26 - 1, 2 ** 26 - 1, undefined])
		for (const line of lines.slice(0, 4)) expect([line.stream, line.flags]).toEqual(['stderr', ['truncated', 'no-time']])
	})

	it('of a journal have the level of their priority, where their text tells none', () => {
		const journal = { pid: 1, priority: 4, bootId: 'b', hostname: 'node-a', identifier: 'x' }
		const levelsOf = (priority: number | null): readonly string[] => {
			const writer = new LineWriter({ ...source, container: '', journal: { ...journal, priority } })
			for (const text of ['plain', 'E1124 10:00:00.000001       1 server.go:12] no']) writer.add(begin, 0, 0, Buffer.from(text))
			return [...linesOf(writer.take(begin) as LogBlock)].map(({ level }) => level)
		}
		expect([0, 3, 4, 5, 7, null].map(levelsOf)).toEqual(['fatal', 'error', 'warning', 'info', 'debug', ''].map((level) => [level, 'error']))
	})

	it('whose text is changed lose their bytes, and say still that they were none of UTF-8', () => {
		const block = blockOf([{ step: 1, stream: 'stdout', truncated: false, content: Buffer.from('secret \xff', 'latin1') }]) as LogBlock
		const [line] = [...linesOf(mapTexts(block, (text) => text.replace('secret', '*')))]
		expect([line?.text, line?.flags, line?.raw]).toEqual(['* \ufffd', ['invalid-utf8'], undefined])
	})

	it('whose parts do not fit together are told', () => {
		const block = blockOf([{ step: 1, stream: '', truncated: false, content: Buffer.from('abc') }]) as LogBlock
		expect(() => [...linesOf({ ...block, text: Buffer.from('a') })]).toThrow(RangeError)
	})
})
