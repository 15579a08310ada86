// Stores of tests on one real Elasticsearch: each under a prefix of its own, removed with everything it made; and damage to what lies on the server's disk.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock, type Clock } from '#runtime/clock.ts'
import type { ElasticsearchStoreConfig } from '#storage/store/elasticsearch/config.ts'
import { openElasticsearchStore } from '#storage/store/elasticsearch/store.ts'
import type { Store } from '#storage/store/port.ts'
import type { OpenStore } from '#test/contracts/store-engine.ts'
import { fixedClock } from '#test/storage/store/records.ts'
import type { ElasticsearchServer } from '#test/support/elasticsearch.ts'
import { eventually } from '#test/support/program.ts'

let opened = 0
/** The time is that of the records, and a wait is one: a server has its moments. */
export const patientClock: Clock = { nowMicros: () => fixedClock.nowMicros(), sleep: (ms, signal) => systemClock.sleep(ms, signal) }

/** A request of the test itself; rejects where it is refused. */
export async function ask<T>(server: Pick<ElasticsearchServer, 'url'>, method: string, path: string, body?: object): Promise<T> {
	const answer = await fetch(server.url + path, {
		method,
		...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
	})
	const text = await answer.text()
	if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 500)}`)
	return (text === '' ? undefined : JSON.parse(text)) as T
}

export const newPrefix = (): string => `t${process.pid}_${++opened}`

export async function removeAll(server: Pick<ElasticsearchServer, 'url'>, prefix: string): Promise<void> {
	await ask(server, 'DELETE', `/${prefix}-*?expand_wildcards=all`)
	await ask(server, 'DELETE', `/_index_template/${prefix}-*`)
	await ask(server, 'DELETE', `/_component_template/${prefix}-*`)
}

/** Elasticsearch of tests lets indices be deleted by a pattern. */
export const deletingByPattern = 'action.destructive_requires_name=false'

export async function openStore(
	server: ElasticsearchServer,
	config: Partial<ElasticsearchStoreConfig> = {},
	clock: Clock = patientClock,
): Promise<OpenStore & { readonly prefix: string }> {
	const prefix = config.prefix ?? newPrefix()
	const open = (): Promise<Store> =>
		openElasticsearchStore({ config: { url: server.url, prefix, refreshMs: 0, replicas: '0', ...config }, clock })
	let current = await open()
	return {
		store: current,
		prefix,
		place: { module: new URL('./reader.ts', import.meta.url).href, where: `${config.url ?? server.url} ${prefix}` },
		damage: (id) => damage(server, prefix, id),
		async reopen() {
			await current[Symbol.asyncDispose]()
			return (current = await open())
		},
		async cleanup() {
			await current[Symbol.asyncDispose]()
			await removeAll(server, prefix)
		},
	}
}

/** Flips a byte in the description of every segment of the index that holds the record, while it is closed. */
async function damage(server: ElasticsearchServer, prefix: string, id: string): Promise<void> {
	const found = await ask<{ hits: { hits: { _index: string }[] } }>(server, 'POST', `/${prefix}-*/_search`, {
		query: { ids: { values: [id] } },
	})
	const name = found.hits.hits[0]?._index ?? ''
	const settings = await ask<Record<string, { settings: { index: { uuid: string } } }>>(server, 'GET', `/${name}/_settings`)
	await ask(server, 'POST', `/${name}/_close`)
	const dir = join(server.dir, 'data', 'indices', settings[name]?.settings.index.uuid ?? '', '0', 'index')
	const files = readdirSync(dir).filter((file) => file.endsWith('.si'))
	if (files.length === 0) throw new Error(`${dir} has no segment to damage`)
	for (const file of files) {
		const bytes = readFileSync(join(dir, file))
		const at = Math.floor(bytes.length / 2)
		bytes[at] = (bytes[at] ?? 0) ^ 0xff
		writeFileSync(join(dir, file), bytes)
	}
	await ask(server, 'POST', `/${name}/_open?wait_for_active_shards=0`)
	await eventually(
		() => ask<{ status: string }>(server, 'GET', `/_cluster/health/${name}`),
		({ status }) => status === 'red',
	)
}
