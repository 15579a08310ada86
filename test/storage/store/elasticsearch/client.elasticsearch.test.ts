// The connection to a real Elasticsearch: answers whatever their status, and what is said where there is no answer.
import { Value } from 'typebox/value'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect } from '#storage/store/elasticsearch/client.ts'
import { elasticsearchStoreConfig, type ElasticsearchStoreConfig } from '#storage/store/elasticsearch/config.ts'
import { startElasticsearch, type ElasticsearchServer } from '#test/support/elasticsearch.ts'

let server: ElasticsearchServer
beforeAll(async () => {
	server = await startElasticsearch()
})
afterAll(() => server[Symbol.asyncDispose]())

const config = (more: Partial<ElasticsearchStoreConfig>): ElasticsearchStoreConfig =>
	Value.Default(elasticsearchStoreConfig, more) as ElasticsearchStoreConfig

it('gives answers and refusals as they are, also through a server that was killed and started again', async () => {
	const connection = connect(config({ url: server.url }))
	expect(JSON.parse((await connection.ask({ method: 'GET', path: '/' })).text)).toMatchObject({ version: { number: '9.5.3' } })
	const lines = Buffer.from('{"create":{"_index":"a","_id":"1"}}\n{"n":9007199254740993}\n')
	for (const status of [201, 409]) {
		const answer = await connection.ask({ method: 'POST', path: '/_bulk', body: lines })
		expect([answer.status, (JSON.parse(answer.text) as { items: { create: { status: number } }[] }).items[0]?.create.status]).toEqual([
			200,
			status,
		])
	}
	expect((await connection.ask({ method: 'GET', path: '/a/_doc/1' })).text).toContain('{"n":9007199254740993}')
	expect((await connection.ask({ method: 'POST', path: '/none/_search', body: { query: { match_all: {} } } })).status).toBe(404)
	await server.kill()
	await expect(connection.ask({ method: 'GET', path: '/' })).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
	await server.restart()
	expect((await connection.ask({ method: 'GET', path: '/a/_doc/1' })).status).toBe(200)
	await connection.close()
})
