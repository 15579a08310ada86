// The store on Elasticsearch: one index a day and class of record. Any number of processes write and read.
import { Value } from 'typebox/value'
import type { Clock } from '#runtime/clock.ts'
import { KubetapeError } from '#runtime/errors.ts'
import type { Logger } from '#runtime/log.ts'
import type { Metrics } from '#runtime/metrics.ts'
import type { Store } from '#storage/store/port.ts'
import { Bulk } from './bulk.ts'
import { connect } from './client.ts'
import { elasticsearchStoreConfig, type ElasticsearchStoreConfig } from './config.ts'
import type { Asking } from './filter.ts'
import { auditTop, histogram } from './histogram.ts'
import { Keyframes } from './keyframes.ts'
import { clusters, ledger, rejects } from './ledger.ts'
import { Names } from './names.ts'
import { around, stages } from './neighbours.ts'
import { Registry } from './registry.ts'
import { retain } from './retention.ts'
import { Searcher } from './search.ts'
import { checkServer, installTemplates } from './setup.ts'
import { withPatience } from './starting.ts'
import { stateAt } from './state.ts'
import { tail } from './tail.ts'
import { timeline } from './timeline.ts'
import { get, history, versionAt } from './versions.ts'
import { Writer } from './writer.ts'

export interface ElasticsearchStoreOptions {
	readonly config: Partial<ElasticsearchStoreConfig>
	/** Opened for reading it changes nothing on the server. */
	readonly readOnly?: boolean
	readonly clock: Clock
	readonly metrics?: Metrics
	readonly log?: Logger
	/** When it aborts, requests that were not answered reject with STORAGE_UNAVAILABLE, and so does every later one. */
	readonly until?: AbortSignal
}

/**
 * Rejects with STORAGE_UNAVAILABLE where no server answers, STORAGE_AUTH where it refuses, STORAGE_TLS where the two do not trust each other, CONFIG_INVALID where it is not the server that the
 * configuration says. What a put has stored is seen by every reader within `refreshMs`.
 */
export async function openElasticsearchStore(options: ElasticsearchStoreOptions): Promise<Store> {
	const config = Value.Default(elasticsearchStoreConfig, { ...options.config }) as ElasticsearchStoreConfig
	const connection = connect(config, options.until)
	const searcher = new Searcher(withPatience(connection, options.clock), new Names(config.prefix))
	try {
		await checkServer(connection, config)
		if (options.readOnly !== true) await installTemplates(searcher, config)
		return storeOf({ searcher, registry: new Registry(searcher) }, config, options)
	} catch (error) {
		await connection.close()
		throw error
	}
}

function storeOf(asking: Asking, config: ElasticsearchStoreConfig, { readOnly, clock, metrics, log }: ElasticsearchStoreOptions): Store {
	const { searcher, registry } = asking
	const requests = metrics?.counter('kubetape_store_bulk_requests_total', 'Bulk requests sent to Elasticsearch', ['result'])
	const bytes = metrics?.counter('kubetape_store_bulk_bytes_total', 'Bytes of these requests')
	const refused = metrics?.counter('kubetape_store_refused_total', 'Records that Elasticsearch took in no form: each is a reject')
	const bulk = new Bulk({
		connection: searcher.connection,
		clock,
		onRequest: (result, size) => {
			requests?.inc({ result })
			bytes?.inc(size)
		},
	})
	const keyframes = new Keyframes(asking, bulk, clock)
	const made = new Writer({ asking, bulk, keyframes, clock, log, refreshMs: config.refreshMs, onRefused: () => refused?.inc() })
	const writer = (): Writer => {
		if (readOnly === true) throw new KubetapeError('INTERNAL', 'a store that was opened for reading cannot be written')
		return made
	}
	let closed: Promise<void> | undefined
	return {
		put: async (records) => (records.length === 0 ? { stored: 0, duplicates: 0 } : writer().put(records)),
		amend: async (cluster, amendments) => writer().amend(cluster, amendments),
		show: () => made.show(),
		timeline: (filter, page) => timeline(asking, filter, page),
		histogram: (filter, buckets) => histogram(asking, filter, buckets),
		tail: (filter, after, limit) => tail(asking, filter, after, limit),
		auditTop: (filter, by, limit) => auditTop(asking, filter, by, limit),
		history: (cluster, object, page) => history(asking, cluster, object, page),
		versionAt: (cluster, object, at) => versionAt(asking, cluster, object, at),
		get: (cluster, id) => get(asking, cluster, id),
		around: (cluster, id, before, after) => around(asking, cluster, id, before, after),
		stages: (cluster, auditIDs) => stages(asking, cluster, auditIDs),
		stateAt: (cluster, at, selector, page) => stateAt(asking, cluster, at, selector, page),
		ledger: (cluster, range) => ledger(asking, cluster, range),
		rejects: (page) => rejects(asking, page),
		clusters: () => clusters(asking),
		kinds: async () =>
			(await registry.kinds()).filter(({ resource }) => resource !== '').map(({ resource, group, kind }) => ({ resource, group, kind })),
		retain: async (policy) => {
			writer()
			return retain(searcher, keyframes, policy, config.retention, clock.nowMicros())
		},
		[Symbol.asyncDispose]: () => (closed ??= made.close().then(() => searcher.connection.close())),
	}
}
