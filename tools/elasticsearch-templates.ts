// The reference page of the templates: the exact requests that the store sends to Elasticsearch, with the options' defaults.
import { Value } from 'typebox/value'
import { elasticsearchStoreConfig, type ElasticsearchStoreConfig } from '#storage/store/elasticsearch/config.ts'
import { templateRequests } from '#storage/store/elasticsearch/templates.ts'

export function elasticsearchTemplates(notice: string): object {
	const config = Value.Default(elasticsearchStoreConfig, {}) as ElasticsearchStoreConfig
	const requests = templateRequests({ ...config, flattened: true }).map(({ path, body }) => [`PUT ${path}`, body])
	return { notice, ...Object.fromEntries(requests) }
}
