// A JSON value as text.
import { expect, it } from 'vitest'
import { describeChange } from '#history/describe.ts'
import { textOf } from '#history/text.ts'
import { parseExact } from '#records/exact-json.ts'

it('tells every value, also a number that is kept as it was written', () => {
	expect(['a', 1, true, null, undefined, { a: 1 }, [1], parseExact('1.0')].map(textOf)).toEqual([
		'a',
		'1',
		'true',
		'',
		'',
		'{"a":1}',
		'[1]',
		'1.0',
	])
})

it('an exit code that is kept as it was written is told, and does not fail', () => {
	const state = (reason: string) =>
		parseExact(`{"status":{"containerStatuses":[{"name":"web","state":${reason}}]}}`) as Record<string, unknown>
	expect(
		describeChange('Pod', 'updated', state('{"running":{}}'), state('{"terminated":{"reason":"Error","exitCode":1.0}}')).summary,
	).toContain('exit code 1.0')
})
