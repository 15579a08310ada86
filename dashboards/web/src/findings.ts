// What stands out in a set of records: what went wrong and what came just before, who was refused, which writes have no request, who touched access. Nothing is guessed: each finding lists its records.
import type { WireItem } from '#api/wire.ts'
import { actsOf } from './acts.ts'
import { isLoud, isPerson, isWanted, isWrite, nameOf, reasonOf, requestsOf, wasDone } from './items.ts'

export interface Breakage {
	/** Of the topmost owner, or of the object itself. */
	readonly kind: string
	readonly namespace: string
	readonly name: string
	/** Most frequent first. */
	readonly reasons: readonly { readonly reason: string; readonly count: number }[]
	readonly count: number
	readonly first: WireItem
	readonly last: WireItem
	/** The newest change of what was wanted of it before the first warning. */
	readonly before?: WireItem
	/** Changes that people made to other objects of the namespace in the minute before. */
	readonly nearby: readonly WireItem[]
}

const beforeMs = 10 * 60_000
const nearbyMs = 60_000
const nearbyMax = 2
/** Around a change, within which a request for it must have been answered; the bound of its time comes on top. */
const requestMs = 5000
/** Requests may be stored so much later than the changes they made: until then, nothing is said of what is newer than the newest request. */
const lateMs = 120_000
/** So many changes of a resource without a request, and more than half of them: its requests are not recorded. */
const unrecordedMin = 5
/** Written by the API server for itself, without a request: they are no objects of the API. */
const bookkeeping = new Set(['masterleases', 'peerserverleases', 'ranges', 'etcdkeys'])

const millis = (item: WireItem): number => Date.parse(item.time)

/** Warnings of changes and cluster events by topmost owner. Those that a person's change came before first, in order of time; then by number. */
export function breakagesOf(items: readonly WireItem[]): readonly Breakage[] {
	const groups = new Map<string, { kind: string; namespace: string; name: string; items: WireItem[] }>()
	for (const item of items) {
		if (!isLoud(item) || !item.object || (item.kind !== 'change' && item.kind !== 'event')) continue
		const owner = item.owners?.at(-1)
		const kind = owner?.kind ?? item.objectKind ?? item.object.resource
		const name = owner?.name ?? item.object.name
		const key = `${kind}/${item.object.namespace}/${name}`
		const group = groups.get(key)
		if (group) group.items.push(item)
		else groups.set(key, { kind, namespace: item.object.namespace, name, items: [item] })
	}
	const wanted = items.filter((item) => isWanted(item))
	const byPeople = actsOf(items).flatMap(({ change }) => (change ? [change] : []))
	const people = new Set(byPeople.map(({ id }) => id))
	const found = [...groups.values()].map((group) => breakage(group, wanted, byPeople))
	const caused = (item: Breakage): boolean => item.before !== undefined && people.has(item.before.id)
	return found.toSorted((a, b) =>
		caused(a) && caused(b) ? millis(a.first) - millis(b.first) : Number(caused(b)) - Number(caused(a)) || b.count - a.count,
	)
}

function breakage(
	group: { readonly kind: string; readonly namespace: string; readonly name: string; readonly items: readonly WireItem[] },
	wanted: readonly WireItem[],
	byPeople: readonly WireItem[],
): Breakage {
	const { kind, namespace, name } = group
	const sorted = group.items.toSorted((a, b) => millis(a) - millis(b))
	const first = sorted[0] as WireItem
	const last = sorted.at(-1) as WireItem
	const counts = new Map<string, number>()
	for (const item of sorted) counts.set(reasonOf(item), (counts.get(reasonOf(item)) ?? 0) + 1)
	const reasons = [...counts].map(([reason, count]) => ({ reason, count })).toSorted((a, b) => b.count - a.count)
	const start = millis(first) + first.timeBoundSeconds * 1000
	const earlier = (item: WireItem, ms: number): boolean => item !== first && millis(item) <= start && start - millis(item) <= ms
	const own = (item: WireItem): boolean => item.objectKind === kind && item.object?.name === name && item.object.namespace === namespace
	const newest = (list: readonly WireItem[]): readonly WireItem[] => list.toSorted((a, b) => millis(b) - millis(a))
	const before = newest(wanted.filter((item) => own(item) && earlier(item, beforeMs)))[0]
	const near = byPeople.filter(
		(item) => !own(item) && isWanted(item) && item.operation === 'updated' && item.object?.namespace === namespace,
	)
	const nearby = namespace === '' ? [] : newest(near.filter((item) => earlier(item, nearbyMs))).slice(0, nearbyMax)
	return { kind, namespace, name, reasons, count: sorted.length, first, last, nearby, ...(before ? { before } : {}) }
}

export interface Group {
	readonly user: string
	readonly what: readonly string[]
	readonly items: readonly WireItem[]
}

function byUser(requests: readonly WireItem[], say: (item: WireItem) => string): readonly Group[] {
	const groups = new Map<string, WireItem[]>()
	for (const item of requests) {
		const user = item.audit?.impersonated || item.audit?.user || ''
		groups.set(user, [...(groups.get(user) ?? []), item])
	}
	return [...groups]
		.map(([user, items]) => ({ user, items, what: [...new Set(items.map(say))] }))
		.toSorted((a, b) => b.items.length - a.items.length)
}

function target(item: WireItem): string {
	const resource = (item.object?.resource ?? '') + (item.audit?.subresource ? `/${item.audit.subresource}` : '')
	return [resource, item.object ? nameOf(item.object) : ''].filter((part) => part !== '').join(' ')
}

/** Requests of people that were answered 401 or 403, by user. */
export function refusalsOf(items: readonly WireItem[]): readonly Group[] {
	const refused = requestsOf(items).filter(({ audit }) => audit && isPerson(audit.user) && (audit.code === 403 || audit.code === 401))
	return byUser(refused, (item) => `${item.audit?.verb} ${target(item)}`)
}

/** Requests of people that touched roles and bindings, read or wrote Secrets, or went into containers: done, by user. */
export function accessOf(items: readonly WireItem[]): readonly Group[] {
	const touches = requestsOf(items).filter((item) => {
		const { audit, object } = item
		if (!audit || !object || !isPerson(audit.user) || !wasDone(item)) return false
		if (object.group === 'rbac.authorization.k8s.io') return isWrite(item)
		if (object.resource === 'secrets' && audit.subresource === '') return audit.verb !== 'watch'
		return /^(?:exec|attach|portforward|ephemeralcontainers|token)$/.test(audit.subresource)
	})
	return byUser(touches, (item) => `${item.audit?.verb} ${target(item)}`)
}

export interface Unrequested {
	/** Changes that no recorded request explains. */
	readonly items: readonly WireItem[]
	/** Resources most of whose changes have none: requests about them are not recorded, so that nothing follows from it. */
	readonly unrecorded: readonly { readonly resource: string; readonly count: number }[]
}

/** Times of successful writes, by object; by collection where the request names no object. */
function writeTimes(items: readonly WireItem[]): ReadonlyMap<string, readonly number[]> {
	const writes = new Map<string, number[]>()
	for (const item of items) {
		if (!item.object || !isWrite(item) || !wasDone(item)) continue
		const { resource, group, namespace, name } = item.object
		const key = `${resource}.${group}/${namespace}/${name}`
		const list = writes.get(key)
		if (list) list.push(millis(item))
		else writes.set(key, [millis(item)])
	}
	return writes
}

/** Up to this time (ms) every request is here that comes at all. */
function settledAt(items: readonly WireItem[]): number {
	let [newest, newestRequest] = [0, 0]
	for (const item of items) {
		const at = millis(item)
		newest = Math.max(newest, at)
		if (item.kind === 'audit') newestRequest = Math.max(newestRequest, at)
	}
	return Math.max(newestRequest, newest - lateMs)
}

/**
 * Changes around whose time no write to the object, nor to its whole collection, was answered well.
 * Only where requests are recorded at all, and at or after `since` (milliseconds): before it not everything is held.
 */
export function unrequestedOf(items: readonly WireItem[], since: number): Unrequested {
	const writes = writeTimes(items)
	if (writes.size === 0) return { items: [], unrecorded: [] }
	const settled = settledAt(items)
	const changes = new Map<string, { all: number; readonly unexplained: WireItem[] }>()
	for (const item of items) {
		if (item.kind !== 'change' || item.sighting !== 'watch' || item.folded || !item.object || bookkeeping.has(item.object.resource))
			continue
		const at = millis(item)
		const reach = requestMs + item.timeBoundSeconds * 1000
		if (at - reach < since || at + reach > settled) continue
		const { resource, group, namespace, name } = item.object
		const type = `${resource}.${group}`
		const seen = changes.get(type) ?? { all: 0, unexplained: [] }
		changes.set(type, seen)
		seen.all++
		const places = [`${namespace}/${name}`, `${namespace}/`, '/'].map((place) => `${type}/${place}`)
		if (!places.some((place) => writes.get(place)?.some((time) => Math.abs(time - at) <= reach))) seen.unexplained.push(item)
	}
	const isUnrecorded = ({ all, unexplained }: { readonly all: number; readonly unexplained: readonly WireItem[] }): boolean =>
		unexplained.length >= unrecordedMin && unexplained.length > all / 2
	return {
		items: [...changes.values()].flatMap((seen) => (isUnrecorded(seen) ? [] : seen.unexplained)),
		unrecorded: [...changes]
			.filter(([, seen]) => isUnrecorded(seen))
			.map(([type, { unexplained }]) => ({ resource: type.replace(/\.$/, ''), count: unexplained.length })),
	}
}

export interface Findings {
	readonly breakages: readonly Breakage[]
	readonly refusals: readonly Group[]
	readonly access: readonly Group[]
	readonly unrequested: Unrequested
	/** There are requests: without them nobody knows who did what. */
	readonly audited: boolean
}

export function findingsOf(items: readonly WireItem[], since: number): Findings {
	return {
		breakages: breakagesOf(items),
		refusals: refusalsOf(items),
		access: accessOf(items),
		unrequested: unrequestedOf(items, since),
		audited: items.some((item) => item.kind === 'audit'),
	}
}
