// The store on a real Elasticsearch: the contract of every store.
import { afterAll, beforeAll } from 'vitest'
import { storeContract } from '#test/contracts/store.ts'
import { startElasticsearch, type ElasticsearchServer } from '#test/support/elasticsearch.ts'
import { deletingByPattern, openStore } from './support.ts'

let server: ElasticsearchServer
beforeAll(async () => {
	server = await startElasticsearch({ settings: [deletingByPattern] })
})
afterAll(() => server[Symbol.asyncDispose]())

storeContract({ name: 'elasticsearch', open: () => openStore(server) })
