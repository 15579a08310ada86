// A block is redacted as its lines are one by one: the scan over all of them overlooks nothing that a line by itself would tell.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createRedactor } from '#processors/redact/step.ts'
import { LineWriter, linesOf, marksOf } from '#records/log-block.ts'
import type { KubetapeRecord, LogBlock } from '#records/record.ts'

const source = {
	cluster: 'test',
	source: 'logs',
	file: '/a',
	namespace: 'shop',
	pod: 'p',
	podUid: 'u',
	container: 'c',
	restart: 0,
	component: '',
	node: '',
}

const secret = fc.stringMatching(/^[A-Za-z0-9]{20,40}$/)
const words = fc.constantFrom(
	'token',
	'the secret',
	'password',
	'authorization',
	'cookie',
	'credential',
	'api_key',
	'auth',
	'kind: Secret',
	'Bearer',
	'://u:p@',
	'eyJ',
	'PRIVATE KEY',
)
const line = fc.oneof(
	fc.string({ maxLength: 60 }),
	fc.tuple(words, fc.constantFrom('', ' ', '=', ': ', '":"', '" ', '\\":\\"'), secret).map((parts) => parts.join('')),
	fc.tuple(words, secret).map(([word, value]) => JSON.stringify({ msg: `saw ${word} today`, [word]: value, n: 1 })),
	fc.tuple(words, secret).map(([word, value]) => JSON.stringify({ level: 'info', msg: `--${word} ${value}`, args: [word, value] })),
	words.map((word) => JSON.stringify({ msg: `the ${word} was seen`, url: 'https://example.com/a' })),
	secret.map((value) => `{"data":{"a":"${value}"},"kind":"Secret"}`),
	fc.constantFrom('-----BEGIN RSA PRIVATE KEY-----', '-----END RSA PRIVATE KEY-----', `MIIE${'a'.repeat(60)}`, '{', '"', '}'),
)

const blockOf = (texts: readonly string[]): LogBlock => {
	const writer = new LineWriter(source)
	for (const [index, text] of texts.entries()) writer.add(1_000_000 + index, index * 1000, marksOf('stdout', []), Buffer.from(text))
	return writer.take(1) as LogBlock
}

it('line by line and at once give the same', () => {
	fc.assert(
		fc.property(fc.array(line, { minLength: 1, maxLength: 12 }), (texts) => {
			const key = Buffer.alloc(32, 1)
			const [whole, single] = [createRedactor({ key }), createRedactor({ key })]
			const block = blockOf(texts)
			const result = whole.redact(block)
			const after = 'ok' in result ? [...linesOf(result.ok as KubetapeRecord as LogBlock)].map(({ text }) => text) : undefined
			const expected = [...linesOf(block)].map((each) => {
				const one = single.redact(each)
				return 'ok' in one && one.ok.kind === 'log' ? one.ok.text : undefined
			})
			expect(after).toEqual(expected)
		}),
		{ numRuns: 1000 },
	)
})
