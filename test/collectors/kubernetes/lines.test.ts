// Lines, pages and watch events from bytes: exact where they are good, a value and never an exception where they are not.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitLines, type Line } from '#collectors/kubernetes/lines.ts'
import { splitPage } from '#collectors/kubernetes/list-page.ts'
import { readWatchLine } from '#collectors/kubernetes/watch-event.ts'

async function* cut(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
	let at = 0
	for (let turn = 0; at < bytes.length; turn += 1) {
		const size = sizes[turn % sizes.length] ?? 1
		yield bytes.subarray(at, at + size)
		at += size
	}
}

async function linesOf(bytes: Buffer, sizes: readonly number[], max: number): Promise<readonly Line[]> {
	const lines: Line[] = []
	for await (const some of splitLines(cut(bytes, sizes), max)) lines.push(...some)
	return lines
}

test('however the bytes are cut, the lines are the same, and what is too long is counted whole', async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.string({ maxLength: 30 }).map((text) => text.replaceAll('\n', ' '))),
			fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
			async (texts, sizes) => {
				const lines = await linesOf(Buffer.from(texts.map((text) => `${text}\n`).join('') + 'cut off'), sizes, 20)
				const shown = lines.map((line) => ('bytes' in line ? line.bytes.toString('utf8') : line.tooLong.sizeBytes))
				expect(shown).toEqual(texts.map((text) => (Buffer.byteLength(text) > 20 ? Buffer.byteLength(text) : text)))
			},
		),
	)
})

test('a page gives its items byte for byte', () => {
	fc.assert(
		fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue())), fc.string(), fc.boolean(), (items, token, isSpaced) => {
			const texts = items.map((item) => JSON.stringify(item, null, isSpaced ? 2 : 0))
			const page = `{"kind":"items","note":{"items":[{"a":1}]},"metadata":{"resourceVersion":"7","continue":${JSON.stringify(token)}},"items":${isSpaced ? ' ' : ''}[${texts.join(',')}]}`
			const found = splitPage(Buffer.from(page))
			expect(found?.items.map((item) => item.toString('utf8'))).toEqual(texts)
			expect(found).toMatchObject({ resourceVersion: '7', continue: token })
		}),
	)
	expect(splitPage(Buffer.from('{"metadata":{"resourceVersion":"7"},"items":null}'))).toEqual({
		items: [],
		resourceVersion: '7',
		continue: '',
	})
})

test('a watch event keeps every digit of its object', () => {
	const event = readWatchLine(Buffer.from('{"type":"ADDED","object":{"n":9007199254740993,"f":1.50}}'))
	expect(typeof event === 'string' ? event : [event.type, event.object.text]).toEqual(['ADDED', '{"n":9007199254740993,"f":1.50}'])
	const other = readWatchLine(Buffer.from('{ "object": {"a":1}, "type": "DELETED" }'))
	expect(typeof other === 'string' ? other : [other.type, other.object.value]).toEqual(['DELETED', { a: 1 }])
})

test('foreign bytes are refused with a reason, and never throw', () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
			expect(typeof readWatchLine(Buffer.from(bytes))).toBe('string')
			expect(splitPage(Buffer.from(bytes))).toBeUndefined()
		}),
	)
	const good = Buffer.from('{"type":"MODIFIED","object":{"metadata":{"name":"a"}}}')
	for (let length = 0; length < good.length; length += 1) expect(typeof readWatchLine(good.subarray(0, length))).toBe('string')
	for (const line of ['null', '[]', '{"type":"ADDED"}', '{"type":"ADDED","object":[]}', '{"type":"NEW","object":{}}'])
		expect(typeof readWatchLine(Buffer.from(line))).toBe('string')
})
