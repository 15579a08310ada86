// Asking Elasticsearch: answers are whole or an error, never a part that looks like all; what a damaged or missing index cannot answer is told by its name.
import { parseExact } from '#records/exact-json.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { errorIn, shownReason, type ServerError } from './classify.ts'
import type { Answer, Asked, Connection } from './client.ts'
import type { Hit } from './item.ts'
import { elasticLimits } from './limits.ts'
import { dayEnd, dayStart, type DayIndex, type Names } from './names.ts'

export type Query = Readonly<Record<string, unknown>>
export type Sort = readonly Readonly<Record<string, 'asc' | 'desc'>>[]

/** Times that an answer can lie in; indices that have nothing of them need not be there. */
export interface Between {
	readonly from?: number | undefined
	readonly to?: number | undefined
}

export interface SearchBody {
	readonly query?: Query
	readonly sort?: Sort
	readonly size?: number
	readonly source?: readonly string[] | boolean
	readonly after?: readonly (number | string)[]
	readonly aggs?: Readonly<Record<string, unknown>>
	/** The sequence number of each hit comes along. */
	readonly seqNo?: boolean
	/** No body of Kubernetes' comes along: all numbers are ours, and those are JavaScript's. */
	readonly withoutBodies?: boolean
}

interface SearchAnswer {
	readonly pit_id?: string
	readonly hits: { readonly hits: readonly Hit[] }
	readonly aggregations?: Readonly<Record<string, unknown>>
	readonly _shards: { readonly total: number; readonly failed: number }
	readonly timed_out: boolean
}

/** Of a shard that cannot be opened for what lies on its disk (StoreException and its causes, as `_shard_stores` tells them). */
const damaged = /corrupt|translog|checksum|codec|footer|unexpected end of file|EOF/i

const requestBody = (body: SearchBody, size: number, source: readonly string[] | boolean): object => ({
	size,
	track_total_hits: false,
	_source: source,
	...(body.query ? { query: body.query } : {}),
	...(body.sort ? { sort: body.sort } : {}),
	...(body.after ? { search_after: body.after } : {}),
	...(body.aggs ? { aggs: body.aggs } : {}),
	...(body.seqNo === true ? { seq_no_primary_term: true } : {}),
})

export class Searcher {
	readonly connection: Connection
	readonly names: Names

	constructor(connection: Connection, names: Names) {
		this.connection = connection
		this.names = names
	}

	/** A request that is no search; rejects where it is refused. */
	async ask<T>(asked: Asked): Promise<T> {
		const answer = await this.connection.ask(asked)
		if (answer.status >= 300) throw refusedError(answer)
		return JSON.parse(answer.text) as T
	}

	/** Hits of one page, at most 10,000. */
	async hits(index: string, body: SearchBody, between: Between = {}): Promise<readonly Hit[]> {
		const { hits } = await this.#search(
			index,
			requestBody(body, body.size ?? elasticLimits.pageDocuments, body.source ?? true),
			between,
			body.withoutBodies !== true,
		)
		return hits.hits
	}

	/** Of these ids, those that the indices have; undefined where there is no index. */
	async idsOf(index: string, ids: readonly string[]): Promise<readonly string[] | undefined> {
		const body = requestBody({ query: { ids: { values: ids } } }, ids.length, false)
		const { hits, _shards: shards } = await this.#search(index, body, {}, false)
		return shards.total === 0 ? undefined : hits.hits.map(({ _id }) => _id)
	}

	/** Of one shard of one index. */
	async shardHits(index: string, shard: string, body: SearchBody): Promise<readonly Hit[]> {
		const asked = requestBody(body, body.size ?? elasticLimits.pageDocuments, body.source ?? true)
		const query = { allow_partial_search_results: 'false', preference: `_shards:${shard}`, ignore_unavailable: 'true' }
		const answer = await this.connection.ask({ method: 'POST', path: `/${index}/_search`, query, body: asked })
		if (answer.status >= 300) throw refusedError(answer)
		return parsedAnswer(answer, body.withoutBodies !== true).hits.hits
	}

	/** What was put into them so far is seen by searches that begin behind it. */
	async refresh(index: string): Promise<void> {
		await this.ask({ method: 'POST', path: `/${index}/_refresh`, query: { ignore_unavailable: 'true', filter_path: '_shards.failed' } })
	}

	/** The same, without indices that are out of order: the server would wait a minute for each. */
	async refreshSound(index: string): Promise<void> {
		const all = await this.#health(index)
		const sound = all.filter(({ sick }) => !sick)
		if (sound.length > 0) await this.refresh([index, ...all.flatMap(({ index: { name }, sick }) => (sick ? [`-${name}`] : []))].join(','))
	}

	/** Several aggregations over one point in time. */
	async pinned<T>(
		index: string,
		between: Between,
		work: (aggregate: <A>(query: Query | undefined, aggs: Readonly<Record<string, unknown>>) => Promise<A | undefined>) => Promise<T>,
	): Promise<T> {
		const { id } = await this.#pit(index, between)
		try {
			return await work(async <A>(query: Query | undefined, aggs: Readonly<Record<string, unknown>>) => {
				const body = {
					...requestBody({ aggs, ...(query ? { query } : {}) }, 0, false),
					pit: { id, keep_alive: elasticLimits.pitKeepAlive },
				}
				const answer = await this.#searchOnce(undefined, body, false)
				if (!('hits' in answer)) throw refusedError(answer)
				return answer.aggregations as A | undefined
			})
		} finally {
			await this.#unpin(id)
		}
	}

	async #unpin(id: string): Promise<void> {
		await this.connection.ask({ method: 'DELETE', path: '/_pit', body: { id } }).catch(() => undefined) // it ends by itself
	}

	/** All hits, in pages of one point in time. */
	async *all(
		index: string,
		body: SearchBody & { readonly sort: Sort },
		between: Between = {},
		limit = Number.POSITIVE_INFINITY,
	): AsyncGenerator<Hit> {
		let left = limit
		let after = body.after
		const size = Math.min(left, elasticLimits.pageDocuments)
		const first = await this.#pit(index, between)
		let pit = first.id
		try {
			while (left > 0) {
				const page = {
					...requestBody({ ...body, ...(after ? { after } : {}) }, size, body.source ?? true),
					pit: { id: pit, keep_alive: elasticLimits.pitKeepAlive },
				}
				const answer = await this.#searchOnce(undefined, page, body.withoutBodies !== true)
				if (!('hits' in answer)) throw refusedError(answer)
				pit = answer.pit_id ?? pit
				const { hits } = answer.hits
				for (const hit of hits.slice(0, left)) yield hit
				left -= hits.length
				after = hits.at(-1)?.sort
				if (hits.length < size || !after) return
			}
		} finally {
			await this.#unpin(pit)
		}
	}

	async aggregate<T>(
		index: string,
		query: Query | undefined,
		aggs: Readonly<Record<string, unknown>>,
		between: Between = {},
	): Promise<T | undefined> {
		const body = requestBody({ aggs, ...(query ? { query } : {}) }, 0, false)
		return (await this.#search(index, body, between, false)).aggregations as T | undefined
	}

	/** All buckets of a composite aggregation, page by page. Documents in them come as they were put. */
	async *buckets<B>(
		index: string,
		query: Query,
		sources: readonly Readonly<Record<string, unknown>>[],
		how: {
			readonly aggs?: Readonly<Record<string, unknown>>
			readonly between?: Between
			readonly size?: number
			readonly after?: Readonly<Record<string, unknown>>
		} = {},
	): AsyncGenerator<B> {
		let { after } = how
		do {
			const composite = { size: how.size ?? elasticLimits.pageBuckets, sources, ...(after ? { after } : {}) }
			const body = requestBody({ query, aggs: { all: { composite, ...(how.aggs ? { aggs: how.aggs } : {}) } } }, 0, false)
			const found = (await this.#search(index, body, how.between ?? {}, true)).aggregations as
				| { readonly all: { readonly buckets: readonly B[]; readonly after_key?: Readonly<Record<string, unknown>> } }
				| undefined
			yield* found?.all.buckets ?? []
			after = found?.all.after_key
		} while (after)
	}

	async #pit(index: string, between: Between): Promise<{ readonly id: string }> {
		const open = (expression: string): Promise<Answer> =>
			this.connection.ask({
				method: 'POST',
				path: `/${expression}/_pit`,
				query: { keep_alive: elasticLimits.pitKeepAlive, ignore_unavailable: 'true' },
			})
		const answer = await open(index)
		if (answer.status < 300) return JSON.parse(answer.text) as { id: string }
		const again = await open(await this.#without(index, between, answer))
		if (again.status >= 300) throw refusedError(again)
		return JSON.parse(again.text) as { id: string }
	}

	async #search(index: string, body: object, between: Between, exact: boolean): Promise<SearchAnswer> {
		const answer = await this.#searchOnce(index, body, exact)
		if ('hits' in answer) return answer
		const again = await this.#searchOnce(await this.#without(index, between, answer), body, exact)
		if ('hits' in again) return again
		throw refusedError(again)
	}

	async #searchOnce(index: string | undefined, body: object, exact: boolean): Promise<SearchAnswer | Answer> {
		const answer = await this.connection.ask({
			method: 'POST',
			path: index === undefined ? '/_search' : `/${index}/_search`,
			query: { allow_partial_search_results: 'false', ...(index === undefined ? {} : { ignore_unavailable: 'true' }) },
			body,
		})
		if (answer.status >= 300) return answer
		const parsed = parsedAnswer(answer, exact)
		if (parsed.timed_out || parsed._shards.failed > 0)
			throw new KubetapeError('STORAGE_UNAVAILABLE', 'Elasticsearch answered a part of a search only')
		return parsed
	}

	/** The expression without indices that are out of order and have nothing of these times; rejects with the name of one that has. */
	async #without(index: string, between: Between, answer: Answer): Promise<string> {
		if (answer.status < 500) throw refusedError(answer)
		const sick = await this.#sick(index)
		const asked = sick.find((each) => isAsked(each, between))
		if (asked) throw await this.#sickError(asked)
		if (sick.length === 0) throw refusedError(answer)
		return [index, ...sick.map(({ name }) => `-${name}`)].join(',')
	}

	/** Indices without a primary shard that answers. */
	async #sick(index: string): Promise<readonly DayIndex[]> {
		return (await this.#health(index)).flatMap(({ index: each, sick }) => (sick ? [each] : []))
	}

	async #health(index: string): Promise<readonly { readonly index: DayIndex; readonly sick: boolean }[]> {
		const query = { level: 'indices', ignore_unavailable: 'true', filter_path: 'indices.*.status' }
		const answer = await this.connection.ask({ method: 'GET', path: `/_cluster/health/${index}`, query })
		const { indices = {} } = JSON.parse(answer.text) as { indices?: Readonly<Record<string, { readonly status: string }>> }
		return Object.entries(indices).flatMap(([name, { status }]) => {
			const parsed = this.names.parse(name)
			return parsed ? [{ index: parsed, sick: status === 'red' }] : []
		})
	}

	async #sickError({ name }: DayIndex): Promise<KubetapeError> {
		const stores = await this.connection.ask({ method: 'GET', path: `/${name}/_shard_stores`, query: { status: 'red' } })
		const options = { details: { partition: name } }
		const explained = await this.connection.ask({
			method: 'POST',
			path: '/_cluster/allocation/explain',
			body: { index: name, shard: 0, primary: true },
		})
		if (
			damaged.test(/"store_exception":\{.{0,2000}/.exec(stores.text)?.[0] ?? '') ||
			damaged.test(/"details":"[^"]{0,2000}/.exec(explained.text)?.[0] ?? '')
		)
			return new KubetapeError('STORAGE_CORRUPT', `the index ${name} is damaged: restore it from a snapshot, or delete it`, options)
		return new KubetapeError('STORAGE_UNAVAILABLE', `the index ${name} has no shard that answers`, options)
	}
}

const parsedAnswer = ({ text }: Answer, exact: boolean): SearchAnswer => (exact ? parseExact(text) : JSON.parse(text)) as SearchAnswer

/** Versions can lie in a day that is later than they are: an old object that was found then. */
function isAsked({ class: of, day }: DayIndex, { from, to }: Between): boolean {
	const ownDaysOnly = of === 'audit' || of === 'logs' || of === 'ledger'
	return (from === undefined || dayEnd(day) >= from) && (to === undefined || !ownDaysOnly || dayStart(day) <= to)
}

function refusedError(answer: Answer): KubetapeError {
	const error: ServerError = errorIn(answer.text) ?? { type: `HTTP ${answer.status}`, reason: '' }
	const what = `Elasticsearch refuses: ${shownReason(error)}`
	if (answer.status === 429) return new KubetapeError('STORAGE_BUSY', what)
	return new KubetapeError(answer.status >= 500 ? 'STORAGE_UNAVAILABLE' : 'INTERNAL', what)
}
