// Keyframes: what stood when a day began, in an index of its own, so that a past state is read from a day, and stays right when the days before it are removed.
import { hash } from 'node:crypto'
import type { Clock } from '#runtime/clock.ts'
import { KubetapeError } from '#runtime/errors.ts'
import type { Bulk } from './bulk.ts'
import type { Line } from './document.ts'
import { item, term, terms, timeRange, worked, type Asking } from './filter.ts'
import type { Hit, Source } from './item.ts'
import { elasticLimits } from './limits.ts'
import { dayStart } from './names.ts'
import type { Query, Searcher } from './search.ts'
import { whole } from './versions.ts'

interface Marker {
	readonly type: 'keyframe'
	readonly day: string
	readonly state: 'making' | 'complete'
	/** When its making began, in microseconds. */
	readonly firstAt: number
}

const daysMax = 10_000
const idOf = (day: string): string => hash('sha256', `keyframe\0${day}`, 'hex').slice(0, 32)

async function markers(searcher: Searcher): Promise<readonly Marker[]> {
	const hits = await searcher.hits(searcher.names.registry, { query: { bool: { filter: [term('type', 'keyframe')] } }, size: daysMax })
	return hits.map((hit) => hit._source as unknown as Marker).toSorted((a, b) => (a.day < b.day ? -1 : 1))
}

/** Days whose keyframe can be read, the first one first. */
export async function completeKeyframes(searcher: Searcher): Promise<readonly string[]> {
	return (await markers(searcher)).filter(({ state }) => state === 'complete').map(({ day }) => day)
}

interface SpaceBucket {
	readonly key: string
	readonly newest: { readonly hits: { readonly hits: readonly Hit[] } }
}

interface KeyBucket {
	readonly key: { readonly cluster: string; readonly key: string }
	readonly spaces: { readonly buckets: readonly SpaceBucket[] }
}

export class Keyframes {
	readonly #asking: Asking
	readonly #bulk: Bulk
	readonly #clock: Clock

	constructor(asking: Asking, bulk: Bulk, clock: Clock) {
		this.#asking = asking
		this.#bulk = bulk
		this.#clock = clock
	}

	/**
	 * Makes the keyframe of a day; resolves when it is complete, or at once where another process is making it. Who puts changes of before that day sees the mark and carries them on; who puts
	 * them before the mark is there has put them before they are read here. So none is missing.
	 */
	async make(day: string): Promise<boolean> {
		const { searcher } = this.#asking
		const { names } = searcher
		if (!(await this.#mark(day))) return false
		await searcher.refreshSound(names.every(['changes']))
		const before = (await completeKeyframes(searcher)).findLast((other) => other < day)
		const index = [names.every(['changes']), ...(before === undefined ? [] : [names.of('keyframes', before)])].join(',')
		const since =
			before === undefined
				? []
				: [{ bool: { should: [...timeRange(dayStart(before), undefined), term('_index', names.of('keyframes', before))] } }]
		await this.#copy(day, index, since)
		await this.#write({ type: 'keyframe', day, state: 'complete', firstAt: this.#clock.nowMicros() })
		return true
	}

	/** Changes that were put when keyframes of later days were there: what stood when those days began is looked for anew. */
	async carryOn(changes: readonly { readonly cluster: string; readonly key: string; readonly at: number }[]): Promise<void> {
		const { searcher } = this.#asking
		const { names } = searcher
		const oldest = changes.reduce((at, change) => Math.min(at, change.at), Number.POSITIVE_INFINITY)
		const later = (await markers(searcher)).filter(({ day }) => dayStart(day) > oldest)
		if (later.length === 0) return
		await searcher.refreshSound(names.every(['changes']))
		for (const { day } of later) {
			const late = changes.filter(({ at }) => at < dayStart(day))
			const byCluster = Map.groupBy(late, ({ cluster }) => cluster)
			for (const [cluster, ofCluster] of byCluster) {
				const keys = [...new Set(ofCluster.map(({ key }) => key))]
				const index = `${names.every(['changes'])},${names.of('keyframes', day)}`
				await this.#copy(day, index, [term(item('cluster'), cluster), terms(worked('key'), keys)], true)
			}
		}
	}

	/** Copies the newest version of each object from before the day. `deleted`: also where that is a deletion. */
	async #copy(day: string, index: string, filter: readonly Query[], deleted = false): Promise<void> {
		const { searcher, registry } = this.#asking
		const target = searcher.names.of('keyframes', day)
		const ranks = new Map<string, readonly string[]>()
		const newest = { top_hits: { size: 1, sort: [{ [item('revision')]: 'desc' }] } }
		const aggs = { spaces: { terms: { field: item('space'), size: 1000 }, aggs: { newest } } }
		const query = { bool: { filter: [term(item('kind'), 'change'), ...timeRange(undefined, dayStart(day) - 1), ...filter] } }
		const sources = [{ cluster: { terms: { field: item('cluster') } } }, { key: { terms: { field: worked('key') } } }]
		let lines: Line[] = []
		for await (const { key, spaces } of searcher.buckets<KeyBucket>(index, query, sources, { aggs, size: elasticLimits.stateObjects })) {
			let order = ranks.get(key.cluster)
			if (!order) ranks.set(key.cluster, (order = await registry.spaces(key.cluster)))
			const rankOf = (space: string): number => order.indexOf(space)
			const hit = spaces.buckets.toSorted((a, b) => rankOf(b.key) - rankOf(a.key))[0]?.newest.hits.hits[0]
			if (!hit || hit._index === target) continue
			const version = await whole(this.#asking, hit._source)
			if (version.operation === 'deleted' && !deleted) continue
			lines.push(lineOf(target, hit._id, hit._source, version.body?.value))
			if (lines.length < elasticLimits.stateObjects) continue
			await this.#send(lines)
			lines = []
		}
		await this.#send(lines)
		if ((await searcher.connection.ask({ method: 'HEAD', path: `/${target}` })).status === 200) await searcher.refresh(target)
	}

	async #send(lines: readonly Line[]): Promise<void> {
		for (const outcome of await this.#bulk.send(lines))
			if (typeof outcome === 'object')
				throw new KubetapeError('INTERNAL', `a version that was stored is refused in a keyframe: ${outcome.refused.type}`)
	}

	/** False where another process makes it, or has made it. One that was begun long ago and never ended is begun again. */
	async #mark(day: string): Promise<boolean> {
		const { searcher } = this.#asking
		const now = this.#clock.nowMicros()
		const known = (await markers(searcher)).find((marker) => marker.day === day)
		if (known?.state === 'complete') return false
		if (known && known.firstAt > now - elasticLimits.keyframeMsMax * 1000) return false
		const marker: Marker = { type: 'keyframe', day, state: 'making', firstAt: now }
		if (known) {
			await this.#write(marker)
			return true
		}
		const made = await searcher.connection.ask({
			method: 'PUT',
			path: `/${searcher.names.registry}/_create/${idOf(day)}`,
			query: { refresh: 'true' },
			body: marker,
		})
		return made.status === 201
	}

	async #write(marker: Marker): Promise<void> {
		const { searcher } = this.#asking
		await searcher.ask({
			method: 'PUT',
			path: `/${searcher.names.registry}/_doc/${idOf(marker.day)}`,
			query: { refresh: 'true' },
			body: marker,
		})
	}

	async isComplete(day: string): Promise<boolean> {
		return (await completeKeyframes(this.#asking.searcher)).includes(day)
	}

	/** Removes keyframes of days before this one. */
	async removeBefore(day: string): Promise<void> {
		const { searcher } = this.#asking
		for (const { day: old } of await markers(searcher)) {
			if (old >= day) continue
			await searcher.connection.ask({ method: 'DELETE', path: `/${searcher.names.registry}/_doc/${idOf(old)}`, query: { refresh: 'true' } })
			await searcher.connection.ask({
				method: 'DELETE',
				path: `/${searcher.names.of('keyframes', old)}`,
				query: { ignore_unavailable: 'true' },
			})
		}
	}
}

/** A version as it stands in a keyframe: with the body of a folded Lease, and without what only its own day needs. */
function lineOf(index: string, id: string, source: Source, body: unknown): Line {
	const { words: _, put: _put, ...kubetape } = source.kubetape as Source['kubetape'] & { readonly words?: string }
	const folded = source.kubetape.item['folded'] !== undefined && body !== undefined ? { body, bodied: true } : {}
	const document = { ...source, kubetape: { ...kubetape, ...folded } }
	return { id, index, bytes: Buffer.from(`{"create":{"_index":"${index}","_id":"${id}"}}\n${JSON.stringify(document)}\n`) }
}
