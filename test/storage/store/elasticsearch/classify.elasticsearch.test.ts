// What a real Elasticsearch answers to every kind of bad bulk request, and what is made of it: row by row.
import { Value } from 'typebox/value'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
	errorIn,
	meaningOfRequest,
	meaningOfRow,
	neverFits,
	serverError,
	shownReason,
	type RequestMeaning,
	type RowMeaning,
} from '#storage/store/elasticsearch/classify.ts'
import { connect, type Connection } from '#storage/store/elasticsearch/client.ts'
import { elasticsearchStoreConfig, type ElasticsearchStoreConfig } from '#storage/store/elasticsearch/config.ts'
import { startElasticsearch, type ElasticsearchServer } from '#test/support/elasticsearch.ts'
import { ask, deletingByPattern } from './support.ts'

let server: ElasticsearchServer
let connection: Connection
beforeAll(async () => {
	server = await startElasticsearch({
		settings: [deletingByPattern, 'http.max_content_length=2mb', 'indexing_pressure.memory.max_operation_size=600kb'],
	})
	connection = connect(Value.Default(elasticsearchStoreConfig, { url: server.url }) as ElasticsearchStoreConfig)
	await ask(server, 'PUT', '/rows', {
		settings: { 'mapping.total_fields.limit': 30, 'mapping.nested_objects.limit': 2, 'mapping.field_name_length.limit': 40 },
		mappings: {
			dynamic: true,
			properties: {
				d: { type: 'date' },
				n: { type: 'long' },
				b: { type: 'boolean' },
				i: { type: 'ip' },
				k: { type: 'keyword' },
				o: { properties: { x: { type: 'keyword' } } },
				f: { type: 'flattened' },
				z: { type: 'date_nanos' },
				s: { type: 'object', dynamic: 'strict', properties: { a: { type: 'keyword' } } },
				l: { type: 'nested' },
			},
		},
	})
})
afterAll(async () => {
	await connection.close()
	await server[Symbol.asyncDispose]()
})

interface Sent {
	readonly status: number
	readonly text: string
	readonly meanings: readonly RowMeaning[]
	readonly whole: RequestMeaning | undefined
	readonly shown: string
}

async function send(lines: string, query: Readonly<Record<string, string>> = {}): Promise<Sent> {
	const { status, text } = await connection.ask({ method: 'POST', path: '/_bulk', body: Buffer.from(lines), query })
	if (status !== 200) {
		const error = errorIn(text)
		return { status, text, meanings: [], whole: meaningOfRequest(status, error), shown: error ? shownReason(error) : '' }
	}
	const { items } = JSON.parse(text) as { items: Record<string, { status: number; error?: unknown }>[] }
	const rows = items.map((item) => Object.values(item)[0] ?? { status: 0 })
	const errors = rows.map(({ error }) => (error === undefined ? undefined : serverError(error)))
	return {
		status,
		text,
		meanings: rows.map((row, index) => meaningOfRow(row.status, errors[index])),
		whole: undefined,
		shown: errors.map((error) => (error ? shownReason(error) : '')).join(''),
	}
}

const create = (id: string, document: string, index = 'rows'): string => `{"create":{"_index":"${index}","_id":"${id}"}}\n${document}\n`
const value = 'v'.repeat(40_000)
const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
let ids = 0
const newId = (): string => `id-${++ids}`

describe('a row', () => {
	it('that is new is stored, and a second time, also within one request, a duplicate', async () => {
		const line = create(newId(), '{"n":1}')
		expect((await send(line + line)).meanings).toEqual(['stored', 'duplicate'])
		expect((await send(line)).meanings).toEqual(['duplicate'])
	})

	it('on condition that it was not changed is a duplicate where it was', async () => {
		const id = newId()
		await send(create(id, '{"n":1}'))
		expect((await send(`{"index":{"_index":"rows","_id":"${id}","if_seq_no":999,"if_primary_term":1}}\n{"n":2}\n`)).meanings).toEqual([
			'duplicate',
		])
		const old = (version: number): string =>
			`{"index":{"_index":"rows","_id":"${id}-v","version":${version},"version_type":"external"}}\n{"n":2}\n`
		expect((await send(old(10) + old(9))).meanings).toEqual(['stored', 'duplicate'])
	})

	it.each([
		['a bad date', '{"d":"yesterday, or so"}'],
		['a bad number', '{"n":"many"}'],
		['a number that is no long', '{"n":9223372036854775808}'],
		['a bad boolean', '{"b":"perhaps"}'],
		['a bad address', '{"i":"300.1.1.1"}'],
		['nanoseconds before 1970', '{"z":"1950-01-01T00:00:00Z"}'],
		['an object for a keyword', '{"k":{"x":1}}'],
		['a value for an object', '{"o":"text"}'],
		['an immense keyword', `{"k":"${value}"}`],
		['an immense flattened value', `{"f":{"x":"${value}"}}`],
		['flattened beyond its depth', `{"f":${deep(25)}}`],
		['a field that a strict mapping does not have', '{"s":{"new":1}}'],
		['more fields than the index may have', `{${Array.from({ length: 40 }, (_, n) => `"m${n}":1`).join(',')}}`],
		['objects beyond the depth', deep(25)],
		['more nested objects than allowed', '{"l":[{"a":1},{"a":2},{"a":3}]}'],
		['an empty name', '{"":1}'],
		['a dotted empty name', '{"a..b":1}'],
		['a name twice', '{"n":1,"n":2}'],
		['an id inside', '{"_id":"x"}'],
		['no object', '[1]'],
		['JSON that ends early', '{"n":1'],
		['JSON beyond 1000 levels', `{"k":${deep(1200)}}`],
		['a number of 1200 digits', `{"n":${'1'.repeat(1200)}}`],
	])('with %s is refused for ever, and its neighbours are stored', async (_, document) => {
		const { meanings, shown } = await send(create(newId(), '{"n":1}') + create(newId(), document) + create(newId(), '{"n":1}'))
		expect([meanings[0], meanings[2]]).toEqual(['stored', 'stored'])
		// One that may be the index' fault is sent alone first, and its refusal is then its own.
		expect(['permanent', 'alone']).toContain(meanings[1])
		expect(shown.length).toBeLessThan(700)
		expect(shown).not.toContain('v'.repeat(30))
		expect(shown).not.toContain('yesterday, or so')
	})

	it('that is larger than one operation may be is refused for ever, in spite of its 429', async () => {
		const { meanings, text } = await send(create(newId(), `{"o":{"y":"${'y'.repeat(700_000)}"}}`))
		expect(text).toContain('"status":429')
		expect(meanings).toEqual(['permanent'])
	})

	const blocked: readonly (readonly [string, string, () => Promise<unknown>, () => Promise<unknown>])[] = [
		['a write block', 'rows', () => settings({ 'index.blocks.write': true }), () => settings({ 'index.blocks.write': null })],
		['a read-only block', 'rows', () => settings({ 'index.blocks.read_only': true }), () => settings({ 'index.blocks.read_only': null })],
		[
			'the flood stage',
			'rows',
			() => settings({ 'index.blocks.read_only_allow_delete': true }),
			() => settings({ 'index.blocks.read_only_allow_delete': null }),
		],
		['a closed index', 'rows', () => ask(server, 'POST', '/rows/_close'), () => ask(server, 'POST', '/rows/_open')],
		[
			'no room for another shard',
			'more',
			() => cluster({ 'cluster.max_shards_per_node': 1 }),
			() => cluster({ 'cluster.max_shards_per_node': null }),
		],
		[
			'an index that may not be made',
			'others',
			() => cluster({ 'action.auto_create_index': 'false' }),
			() => cluster({ 'action.auto_create_index': null }),
		],
	]
	const settings = (of: object): Promise<unknown> => ask(server, 'PUT', '/rows/_settings', of)
	const cluster = (persistent: object): Promise<unknown> => ask(server, 'PUT', '/_cluster/settings', { persistent })

	it.each(blocked)('waits for %s to go', async (_, index, set, lift) => {
		await set()
		const line = create(newId(), '{"n":1}', index)
		const { meanings } = await send(line)
		await lift()
		expect(meanings).toEqual(['wait'])
		expect((await send(line)).meanings).toEqual(['stored'])
	})

	it('waits for copies that are not there', async () => {
		await ask(server, 'PUT', '/copies?wait_for_active_shards=1', { settings: { number_of_replicas: 1, 'write.wait_for_active_shards': 2 } })
		expect((await send(create('1', '{"n":1}', 'copies'), { timeout: '500ms' })).meanings).toEqual(['wait'])
	})

	it('that goes nowhere, or through what is not there, is our own defect', async () => {
		await ask(server, 'PUT', '/one', { aliases: { both: {} } })
		await ask(server, 'PUT', '/two', { aliases: { both: {} } })
		expect((await send(create('1', '{"n":1}', 'both'))).meanings).toEqual(['ours'])
		expect((await send('{"create":{"_index":"rows","_id":"p","pipeline":"none"}}\n{"n":1}\n')).meanings).toEqual(['ours'])
		expect((await send(create('1', '{"n":1}', 'Upper'))).meanings).toEqual(['ours'])
	})
})

describe('a whole request', () => {
	it.each([
		['an id over 512 bytes', create('i'.repeat(513), '{"n":1}')],
		['an unknown action', '{"put":{}}\n{"n":1}\n'],
		['a document on two lines', '{"create":{"_index":"rows"}}\n{"n":\n1}\n'],
		['no last line end', '{"create":{"_index":"rows"}}\n{"n":1}'],
	])('with %s is our own defect', async (_, lines) => {
		expect((await send(lines)).whole).toBe('ours')
	})

	it('over the limit of the server, which answers without a word, is to be smaller', async () => {
		const sent = await send(Array.from({ length: 5 }, () => create(newId(), `{"o":{"y":"${'y'.repeat(500_000)}"}}`)).join(''))
		expect([sent.status, sent.text, sent.whole]).toEqual([413, '', 'smaller'])
	})

	it('to a cluster that is read-only waits', async () => {
		await ask(server, 'PUT', '/_cluster/settings', { persistent: { 'cluster.blocks.read_only': true } })
		const line = create(newId(), '{"n":1}')
		const { meanings, whole } = await send(line)
		await ask(server, 'PUT', '/_cluster/settings', { persistent: { 'cluster.blocks.read_only': null } })
		expect(whole ?? meanings[0]).toBe('wait')
		expect((await send(line)).meanings).toEqual(['stored'])
	})

	it('without an answer is unavailable, and to be sent again', async () => {
		await server.kill()
		await expect(send(create(newId(), '{"n":1}'))).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE', retryable: true })
		await server.restart()
	})
})

describe('memory', () => {
	const reason = (bytes: number): string =>
		`rejected execution of coordinating operation [coordinating_and_primary_bytes=0, replica_bytes=0, all_bytes=0, coordinating_operation_bytes=${bytes}, max_coordinating_bytes=1000]`
	it('that the server will never have is told from memory that it does not have now', () => {
		const type = 'es_rejected_execution_exception'
		expect([neverFits({ type, reason: reason(1001) }), neverFits({ type, reason: reason(999) })]).toEqual([true, false])
		expect(neverFits({ type, reason: 'rejected execution of TimedRunnable{…}' })).toBe(false)
		expect(meaningOfRow(429, { type, reason: reason(1) })).toBe('retry')
		expect(meaningOfRequest(429, { type: 'circuit_breaking_exception', reason: '[parent] Data too large' })).toBe('smaller')
	})
})
