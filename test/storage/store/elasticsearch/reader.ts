// How another thread opens a store on Elasticsearch for reading.
import type { Store } from '#storage/store/port.ts'
import { openElasticsearchStore } from '#storage/store/elasticsearch/store.ts'
import { patientClock } from './support.ts'

export function openReader(where: string): Promise<Store> {
	const [url = '', prefix = ''] = where.split(' ')
	return openElasticsearchStore({ config: { url, prefix, refreshMs: 0 }, readOnly: true, clock: patientClock })
}
