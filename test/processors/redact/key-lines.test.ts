// A private key printed into a log, line by line: as lines and as a block; between other words, and among the lines of other files.
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createRedactor } from '#processors/redact/step.ts'
import { LineWriter, linesOf, marksOf } from '#records/log-block.ts'
import type { LogBlock, LogLine } from '#records/record.ts'
import { aLogLine, testBegin } from '#test/support/records.ts'

const pem = generateKeyPairSync('rsa', {
	modulusLength: 2048,
	privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
	publicKeyEncoding: { type: 'spki', format: 'pem' },
})
	.privateKey.trim()
	.split('\n')
const inside = pem.slice(1, -1)
const key = new Uint8Array(32).fill(7)

function redacted(lines: readonly (readonly [file: string, text: string])[]): readonly string[] {
	const redactor = createRedactor({ key })
	return lines.map(([file, text], offset) => {
		const result = redactor.redact(aLogLine({ file, text, offset }))
		if (!('ok' in result)) throw new Error('refused')
		return (result.ok as unknown as LogLine).text
	})
}
const holds = (texts: readonly string[]): boolean => inside.some((line) => texts.some((text) => text.includes(line)))

describe('a private key in a log', () => {
	it('is hidden line by line, and only it', () => {
		const after = redacted(
			['before', ...pem, 'after this: QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY='].map((text) => ['a', text] as const),
		)
		expect(holds(after)).toBe(false)
		expect([after[0], after.at(-1)]).toEqual(['before', 'after this: QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY='])
		expect(after.slice(2, -2).every((text) => /^kubetape:hmac:[0-9a-f]{16}$/.test(text))).toBe(true)
	})

	it('is hidden behind the words of a logger, and among lines of other files', () => {
		const mixed = pem.flatMap(
			(text) =>
				[
					['a', `2026-01-02 INFO ${text}`],
					['b', 'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY='],
				] as const,
		)
		const after = redacted(mixed)
		expect(holds(after)).toBe(false)
		expect(after.filter((text) => text.startsWith('QUJD'))).toHaveLength(pem.length)
	})

	it('is hidden in a block, and over two of them', () => {
		const {
			kind: _,
			id: __,
			offset: ___,
			stream: ____,
			level: _____,
			text: ______,
			flags: _______,
			occurredAt: ________,
			occurredBound: _________,
			observedAt: __________,
			...source
		} = aLogLine()
		const blocks = [pem.slice(0, 10), pem.slice(10)].map((lines) => {
			const writer = new LineWriter(source)
			for (const text of lines) writer.add(testBegin, 0, marksOf('stdout', []), Buffer.from(text))
			return writer.take(testBegin)
		})
		const redactor = createRedactor({ key })
		const after = blocks.flatMap((block) => {
			const result = block ? redactor.redact(block) : { drop: 'none' }
			return 'ok' in result ? [...linesOf(result.ok as unknown as LogBlock)].map(({ text }) => text) : []
		})
		expect(after).toHaveLength(pem.length)
		expect(holds(after)).toBe(false)
	})

	it('that has no end hides some words more, and not all that comes later', () => {
		const after = redacted(
			[...pem.slice(0, 4), 'It is one', 'It is two', 'It is three', 'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY='].map(
				(text) => ['a', text] as const,
			),
		)
		expect(after.slice(-4)).toEqual([
			...Array.from({ length: 3 }, () => expect.stringMatching(/^It is kubetape:hmac:[0-9a-f]{16}$/) as string),
			'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=',
		])
	})
})
