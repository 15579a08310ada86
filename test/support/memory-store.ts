// The store's port in memory, as small as it can be: a model for tests of what asks a store. It keeps nothing and knows no partitions.
import { objectKey, resourceName } from '#records/object-key.ts'
import type { Indexed } from '#records/indexed.ts'
import type { Coverage, Gap, KubetapeRecord, RecordKind, Reject } from '#records/record.ts'
import { KubetapeError } from '#runtime/errors.ts'
import type { At, Filter, Item, Page, PageRequest, Store, Version } from '#storage/store/port.ts'

type Entry = Indexed & { readonly sequence: number }

function itemOf({ record, summary, severity, facets, paths, labels, owners, images }: Indexed): Item {
	const { id, kind, cluster, source, occurredAt, occurredBound, observedAt } = record
	const common = { id, kind, cluster, source, occurredAt, occurredBound, observedAt, summary, severity }
	if (record.kind === 'change' || record.kind === 'event') {
		const { space, revision, operation, sighting, encoding, object, objectKind, uid } = record
		const version = { ...common, space, revision, operation, sighting, encoding, object, objectKind, uid, facets, paths, labels, owners, images }
		if (record.kind === 'change') return version
		const { reason, message, type, count, reporter, regarding, firstAt, lastAt } = record
		return { ...version, object: regarding, objectKind: regarding.kind, event: { object, reason, message, type, count, reporter, regardingRevision: regarding.revision, firstAt, lastAt } }
	}
	if (record.kind === 'audit') return { ...common, ...(record.object ? { object: record.object } : {}), audit: record }
	if (record.kind === 'log') return { ...common, log: record }
	return common
}

const auditFields = ['user', 'verb', 'subresource', 'code', 'decision', 'userAgent'] as const
const logFields = ['pod', 'container', 'node'] as const

function matches(item: Item, filter: Filter): boolean {
	const object = item.object
	const kind = filter.kind?.toLowerCase()
	const about = kind === undefined || (object !== undefined && [object.resource, resourceName(object), item.objectKind?.toLowerCase()].includes(kind))
	const words = filter.q?.toLowerCase().split(/\s+/) ?? []
	return (
		about &&
		(filter.include?.includes(item.kind) ?? true) &&
		(filter.cluster ?? item.cluster) === item.cluster &&
		(filter.namespace ?? object?.namespace ?? item.log?.namespace) === (object?.namespace ?? item.log?.namespace) &&
		(filter.name ?? object?.name) === object?.name &&
		(filter.uid ?? item.uid) === item.uid &&
		(filter.resource ?? object?.resource) === object?.resource &&
		(filter.severity ?? item.severity) === item.severity &&
		item.occurredAt >= (filter.from ?? -Infinity) &&
		item.occurredAt <= (filter.to ?? Infinity) &&
		auditFields.every((field) => filter[field] === undefined || filter[field] === item.audit?.[field]) &&
		logFields.every((field) => filter[field] === undefined || filter[field] === item.log?.[field]) &&
		(filter.unit === undefined || filter.unit === item.log?.component) &&
		(filter.sourceIP === undefined || (item.audit?.sourceIPs.includes(filter.sourceIP) ?? false)) &&
		words.every((word) => `${item.summary} ${object?.name ?? ''}`.toLowerCase().includes(word))
	)
}

/** The cursor is the place in the sorted list: enough where nothing is put between two pages. */
function paged<T>(all: readonly T[], { limit, cursor }: PageRequest): Page<T> {
	const begin = cursor === undefined ? 0 : Number(/^m(\d{1,9})$/.exec(cursor)?.[1] ?? NaN)
	if (Number.isNaN(begin)) throw new KubetapeError('CURSOR_INVALID', 'the cursor does not belong to this query')
	return { items: all.slice(begin, begin + limit), next: begin + limit < all.length ? `m${begin + limit}` : null }
}

export function createMemoryStore(): Store {
	const entries = new Map<string, Entry>()
	const list = (): readonly Entry[] => [...entries.values()]
	const recordsOf = <R extends KubetapeRecord>(kind: RecordKind): readonly R[] => list().map((entry) => entry.record as KubetapeRecord).filter((record) => record.kind === kind) as R[]
	const sorted = (filter: Filter, order: 'asc' | 'desc'): readonly Item[] => {
		const items = list().map(itemOf).filter((item) => matches(item, filter)).sort((a, b) => a.occurredAt - b.occurredAt || (a.id < b.id ? -1 : 1))
		return order === 'desc' ? items.reverse() : items
	}
	const versionOf = (entry: Entry): Version => {
		const { record } = entry
		const body = record.kind === 'change' || record.kind === 'event' ? record.after : record.kind === 'audit' ? record.body : null
		return { ...itemOf(entry), body }
	}
	const historyOf = (cluster: string, key: string): readonly Entry[] =>
		list()
			.filter(({ record }) => (record.kind === 'change' || record.kind === 'event') && record.cluster === cluster && objectKey(record.object) === key)
			.sort((a, b) => Number((itemOf(a).revision ?? 0n) - (itemOf(b).revision ?? 0n)))
	const standing = (cluster: string, key: string, at: At): Entry | undefined =>
		historyOf(cluster, key).findLast((entry) => ('revision' in at ? (itemOf(entry).revision ?? 0n) <= at.revision : entry.record.occurredAt <= at.time))
	return {
		put: async (records) => {
			const fresh = records.filter(({ record }) => !entries.has(record.id))
			for (const entry of fresh) entries.set(entry.record.id, { ...entry, sequence: entries.size })
			return { stored: fresh.length, duplicates: records.length - fresh.length }
		},
		timeline: async (filter, page) => paged(sorted(filter, page.order ?? 'desc'), page),
		histogram: async (filter, buckets) => {
			const items = sorted(filter, 'asc')
			const from = filter.from ?? items[0]?.occurredAt ?? 0
			const width = Math.max(1, Math.ceil(((filter.to ?? items.at(-1)?.occurredAt ?? 0) - from + 1) / buckets))
			return items.length === 0 ? [] : Array.from({ length: buckets }, (_, index) => {
				const begin = from + index * width
				const inside = items.filter((item) => item.occurredAt >= begin && item.occurredAt < begin + width)
				const counts: Partial<Record<RecordKind, number>> = {}
				for (const { kind } of inside) counts[kind] = (counts[kind] ?? 0) + 1
				return { from: begin, to: begin + width, counts, warnings: inside.filter((item) => item.severity !== 'normal').length }
			})
		},
		tail: async (filter, after, limit) => {
			if (after !== undefined && !/^t\d{1,9}$/.test(after)) throw new KubetapeError('CURSOR_INVALID', 'the token was not given by this store')
			const begin = after === undefined ? entries.size : Number(after.slice(1))
			const items = list().slice(begin).map((entry) => ({ ...itemOf(entry), token: `t${entry.sequence + 1}` })).filter((item) => matches(item, filter)).slice(0, limit)
			return { items, token: items.length === limit ? (items.at(-1)?.token ?? `t${begin}`) : `t${entries.size}` }
		},
		auditTop: async (filter, by, limit) => {
			const counts = new Map<string, number>()
			for (const { audit, object } of sorted(filter, 'asc')) {
				const value = String(by === 'resource' ? object?.resource : by === 'namespace' ? object?.namespace : by === 'sourceIP' ? audit?.sourceIPs[0] : audit?.[by])
				counts.set(value, (counts.get(value) ?? 0) + 1)
			}
			return [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count).slice(0, limit)
		},
		history: async (cluster, object, page) => {
			const items = historyOf(cluster, objectKey(object)).map(itemOf).filter((item) => item.occurredAt >= (page.from ?? -Infinity) && item.occurredAt <= (page.to ?? Infinity))
			return paged(page.order === 'desc' ? items.reverse() : items, page)
		},
		versionAt: async (cluster, object, at) => {
			const entry = standing(cluster, objectKey(object), at)
			return entry && versionOf(entry)
		},
		get: async (_cluster, id) => {
			const entry = entries.get(id)
			return entry && versionOf(entry)
		},
		stateAt: async (cluster, at, selector, page) => {
			const refs = new Map(list().flatMap(({ record }) => (record.kind === 'change' ? [[objectKey(record.object), record.object] as const] : [])))
			const versions = [...refs.keys()].sort().flatMap((key) => {
				const entry = standing(cluster, key, at)
				return entry && itemOf(entry).operation !== 'deleted' ? [versionOf(entry)] : []
			})
			const chosen = versions.filter((version) => {
				const wanted = { ...(selector.kind ? { kind: selector.kind } : {}), ...(selector.namespace ? { namespace: selector.namespace } : {}), ...(selector.name ? { name: selector.name } : {}) }
				return matches(version, wanted) && (selector.labels?.(version.labels ?? {}) ?? true) && (selector.fields?.(version.body?.object ?? {}) ?? true)
			})
			const revisions = versions.map((version) => version.revision ?? 0n)
			return { ...paged(chosen, page), revision: revisions.length === 0 ? null : revisions.reduce((a, b) => (a > b ? a : b)) }
		},
		ledger: async () => ({ gaps: recordsOf<Gap>('gap'), coverage: recordsOf<Coverage>('coverage') }),
		rejects: async (page) => paged(recordsOf<Reject>('reject'), page),
		clusters: async () =>
			[...new Set(list().map(({ record }) => record.cluster))].map((name) => {
				const own = list().map(itemOf).filter((item) => item.cluster === name)
				const counts: Partial<Record<RecordKind, number>> = {}
				for (const { kind } of own) counts[kind] = (counts[kind] ?? 0) + 1
				const times = own.map((item) => item.occurredAt)
				return { name, firstAt: Math.min(...times), lastAt: Math.max(...times), counts, spaces: [{ space: 'main', firstRevision: 1n, lastRevision: 99n }] }
			}),
		retain: async () => ({ removedPartitions: [] }),
		[Symbol.asyncDispose]: async () => undefined,
	}
}

