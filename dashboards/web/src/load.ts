// Loading records for one query: the density of all of them, then the newest; of very many first those that matter, over the whole range.
import type { WireBucket, WireItem } from '#api/wire.ts'
import { api, type Query } from './api.ts'
import { isHuman, isLoud, isPerson } from './items.ts'

/** Records that are held at once; the page says so when there are more. */
export const itemsMax = 10_000
export const bucketsAsked = 160
const firstPageItems = 200
const pageItems = 1000
const peopleMax = 8
const perPerson = 300
/** Of what is older than those, what matters: as much as is loaded of it at most. */
const mattersMax = 2 * pageItems + peopleMax * perPerson

export interface RecordSet {
	/** Newest first. */
	readonly items: readonly WireItem[]
	readonly buckets: readonly WireBucket[]
	/** How many match, held or not. */
	readonly total: number
	/** Everything at or after this time (ms) is held; -Infinity where everything is. */
	readonly since: number
	/** Of what is older, every warning and error at or after this time (ms) is held. */
	readonly loudSince: number
}

export const emptySet: RecordSet = {
	items: [],
	buckets: [],
	total: 0,
	since: Number.POSITIVE_INFINITY,
	loudSince: Number.POSITIVE_INFINITY,
}

export function totalOf(buckets: readonly WireBucket[]): number {
	return buckets.reduce((sum, { counts }) => sum + Object.values(counts).reduce((a, b) => a + b, 0), 0)
}

/** Newest first; each record once. */
export function merge(held: readonly WireItem[], more: readonly WireItem[]): readonly WireItem[] {
	const known = new Set(held.map(({ id }) => id))
	const fresh = more.filter(({ id }) => !known.has(id) && known.add(id))
	if (fresh.length === 0) return held
	return [...held, ...fresh].toSorted((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : a.id < b.id ? 1 : -1))
}

/** The newest records, and of the older ones what matters: as it is loaded. Newest first, as they come. */
export function mostOf(items: readonly WireItem[], loudSince: number): Pick<RecordSet, 'items' | 'loudSince'> {
	if (items.length <= itemsMax) return { items, loudSince }
	const older = items.slice(itemsMax).filter((item) => isLoud(item) || isHuman(item))
	const kept = older.slice(0, mattersMax)
	const since = kept.length < older.length ? Date.parse(kept.at(-1)?.time ?? '') : loudSince
	return { items: [...items.slice(0, itemsMax), ...kept], loudSince: Math.max(since, loudSince) }
}

/** Warnings, errors and what people asked for, over the whole range: at most 3 + peopleMax requests. */
async function loadWhatMatters(query: Query, signal: AbortSignal): Promise<Pick<RecordSet, 'items' | 'loudSince'>> {
	const pages: ReturnType<typeof api.timeline>[] = []
	if (query['severity'] === undefined) {
		pages.push(api.timeline({ ...query, severity: 'error', limit: String(pageItems) }, signal))
		pages.push(api.timeline({ ...query, severity: 'warning', limit: String(pageItems) }, signal))
	}
	const kinds = (query['include'] ?? '').split(',')
	if (kinds.includes('audit') && query['user'] === undefined && query['kind'] === undefined) {
		const { include: _include, owner: _owner, uid: _uid, severity, ...rest } = query
		const filter = severity === undefined ? rest : { ...rest, severity }
		const users = await api.usersByCount(auditQuery(filter), signal)
		const people = users.items.filter(({ value }) => isPerson(value)).slice(0, peopleMax)
		for (const { value } of people) pages.push(api.timeline({ ...query, include: 'audit', user: value, limit: String(perPerson) }, signal))
	}
	const found = await Promise.all(pages)
	const loud = query['severity'] === undefined ? found.slice(0, 2) : []
	return { items: found.flatMap(({ items }) => items), loudSince: Math.max(Number.NEGATIVE_INFINITY, ...loud.map(sinceOf)) }
}

/** What /audit/top takes of a timeline's query. */
function auditQuery(query: Query): Query {
	const taken = ['cluster', 'namespace', 'name', 'from', 'to', 'verb', 'code', 'resource', 'subresource', 'sourceIP', 'q', 'severity']
	return Object.fromEntries(Object.entries(query).filter(([name]) => taken.includes(name)))
}

/** Calls `show` as records arrive, at last with `since` as it stays. Throws Problem, or what the signal was aborted with. */
export async function loadRecords(query: Query, signal: AbortSignal, show: (set: RecordSet) => void): Promise<void> {
	const histogram = api.histogram({ ...query, buckets: String(bucketsAsked) }, signal)
	const newest = api.timeline({ ...query, limit: String(firstPageItems) }, signal)
	histogram.catch(() => undefined) // both are awaited below: the first that fails is told
	let page = await newest
	const { items: buckets } = await histogram
	let set: RecordSet = { items: page.items, buckets, total: totalOf(buckets), since: sinceOf(page), loudSince: sinceOf(page) }
	show(set)
	const many = set.total > itemsMax
	if (page.next !== null && many) {
		const { items, loudSince } = await loadWhatMatters(query, signal)
		set = { ...set, items: merge(set.items, items), loudSince }
		show(set)
	}
	for (let held = page.items.length; page.next !== null && held < itemsMax; held += page.items.length) {
		const limit = String(Math.min(pageItems, itemsMax - held))
		page = await api.timeline({ ...query, limit, cursor: page.next }, signal)
		set = { ...set, items: merge(set.items, page.items), since: sinceOf(page) }
		show(set)
	}
}

function sinceOf(page: { readonly items: readonly WireItem[]; readonly next: string | null }): number {
	const oldest = page.items.at(-1)
	if (page.next === null) return Number.NEGATIVE_INFINITY
	return oldest ? Date.parse(oldest.time) : Number.POSITIVE_INFINITY
}
