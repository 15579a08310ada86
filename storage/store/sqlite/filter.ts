// A filter against one day: which objects it means, by what index to find its records, and the exact test of each.
import type { Filter } from '#storage/store/port.ts'
import { ownerSum } from './check.ts'
import { DamageError } from './errors.ts'
import { storeLimits } from './limits.ts'
import { namespaceOf } from '#storage/store/meaning.ts'
import { resourceName } from '#records/object-key.ts'
import type { Partition } from './partition.ts'
import type { Traits } from './row.ts'
import { kinds, noiseFlag, severities, type StoredObject } from './schema.ts'
import { keyOf } from './state.ts'
import { matchOf, tagMatch } from './words.ts'

/** What the test needs of a row. */
export interface Candidate {
	readonly row: number
	readonly kind: number
	readonly obj: number | null
	readonly space: number | null
	readonly flags: number
	readonly traits: number | null
	readonly sum: number
}

export interface Plan {
	/** Nothing in this day can match. */
	readonly empty: boolean
	/** Leads through the words index. */
	readonly match: string | null
	/** Leads through the object index: few records in all. */
	readonly gather: readonly number[] | null
	test(candidate: Candidate): boolean
}

/** With more objects than this, tags lead where there are some. */
const gatherObjectsMax = 200
const auditFields = ['user', 'verb', 'resource', 'subresource', 'code', 'decision', 'sourceIP', 'userAgent'] as const
const logFields = ['pod', 'container', 'node', 'unit', 'level', 'stream', 'restart'] as const

const present = (filter: Filter, fields: readonly (keyof Filter)[]): boolean => fields.some((field) => filter[field] !== undefined)

/** What a filter means over all days: uids whose owned objects it includes, and the resources that its kind names. */
export interface Resolved {
	readonly filter: Filter
	readonly ownerUids: ReadonlySet<string>
	/** Undefined where the filter names no kind; empty where only objects of unknown resource are of the kind. */
	readonly resources: ReadonlySet<string> | undefined
	/** The filter names a kind that no day knows. */
	readonly unknown: boolean
}

export function resolve(filter: Filter, partitions: readonly Partition[]): Resolved {
	const wanted = filter.kind?.toLowerCase()
	const resources = wanted === undefined ? undefined : new Set<string>()
	let unknown = wanted !== undefined
	if (resources && wanted !== undefined) {
		for (const partition of partitions) {
			const named = partition.kinds().byName.get(wanted)
			for (const resource of named ?? []) resources.add(resource)
			if (named) unknown = false
		}
	}
	const ownerUids = new Set<string>()
	const resolved = { filter, ownerUids, resources, unknown }
	if (filter.owner !== true) return resolved
	if (filter.uid !== undefined) ownerUids.add(filter.uid)
	else if (filter.name !== undefined) {
		for (const partition of partitions)
			for (const object of partition.guard(() => selected(partition, resolved))) if (object.uid !== '') ownerUids.add(object.uid)
	}
	return resolved
}

/** Whether the object fields of the filter select the object itself. */
function isSelected(object: StoredObject, { filter, resources }: Resolved): boolean {
	if (filter.cluster !== undefined && object.cluster !== filter.cluster) return false
	if (filter.namespace !== undefined && namespaceOf(object) !== filter.namespace) return false
	if (filter.name !== undefined && object.name !== filter.name) return false
	if (filter.uid !== undefined && object.uid !== filter.uid) return false
	return (
		resources === undefined ||
		resources.has(resourceName(object)) ||
		(filter.kind !== undefined && object.kind.toLowerCase() === filter.kind.toLowerCase())
	)
}

/** The objects of a day that a filter with a name or a uid selects: few. */
function selected(partition: Partition, resolved: Resolved): StoredObject[] {
	const { uid, name } = resolved.filter
	const found = uid === undefined ? partition.objects.where('name = ?', name ?? '') : partition.objects.where('uid = ?', uid)
	return found.filter((object) => isSelected(object, resolved))
}

/** Audit entries often know no uid: by key they belong to the objects of that key. */
function addNameless(partition: Partition, chosen: Set<number>): void {
	for (const id of chosen) {
		const object = partition.object(id)
		for (const same of partition.objectsOf(object.cluster, keyOf(object))) if (same.uid === '') chosen.add(same.id)
	}
}

/** The objects that a filter by name, uid or owner means; undefined where it asks for none in particular. */
function objectsOf(partition: Partition, resolved: Resolved): Set<number> | undefined {
	const { filter } = resolved
	if (!present(filter, ['name', 'uid'])) return undefined
	const chosen = new Set(selected(partition, resolved).map(({ id }) => id))
	if (filter.uid !== undefined || resolved.ownerUids.size > 0) addNameless(partition, chosen)
	const owned = new Set<number>()
	for (const uid of resolved.ownerUids) {
		for (const { obj, sum } of partition.all<{ obj: number; sum: number }>('SELECT obj, sum FROM owner WHERE uid = ?', uid)) {
			if (sum !== ownerSum(uid, obj)) throw new DamageError(`an owner of object ${obj} fails its checksum`)
			if (filter.cluster === undefined || partition.object(obj).cluster === filter.cluster) owned.add(obj)
		}
	}
	addNameless(partition, owned)
	for (const id of owned) chosen.add(id)
	return chosen
}

/** Whether a record is about what the filter says of objects: those chosen, or each looked at once. */
function objectTest(partition: Partition, resolved: Resolved, chosen: ReadonlySet<number> | undefined): (candidate: Candidate) => boolean {
	const { filter } = resolved
	if (chosen) return ({ obj }) => obj !== null && chosen.has(obj)
	if (!present(filter, ['namespace', 'kind']))
		return ({ obj, space }) =>
			filter.cluster === undefined || (obj === null ? partition.text(space ?? 0) : partition.object(obj).cluster) === filter.cluster
	const known = new Map<number, boolean>()
	return ({ obj }) => {
		if (obj === null) return false
		let answer = known.get(obj)
		if (answer === undefined) known.set(obj, (answer = isSelected(partition.object(obj), resolved)))
		return answer
	}
}

/** Tags that every match carries; undefined where one of them is not known in this day: nothing matches then. */
function tagsOf(partition: Partition, filter: Filter): string[] | undefined {
	const tags: string[] = []
	const wanted: readonly (readonly [string, string | undefined])[] = [
		['n', filter.owner === true ? undefined : filter.namespace || undefined],
		['u', filter.user],
		['v', filter.verb],
		['s', filter.subresource ?? filter.unit],
		['d', filter.decision],
		['a', filter.userAgent],
		['c', filter.code === undefined ? undefined : String(filter.code)],
		['i', filter.sourceIP ?? filter.node],
		['p', filter.pod],
		['f', filter.container],
	]
	for (const [letter, text] of wanted) {
		if (text === undefined || text === '') continue
		const id = partition.findText(text)
		if (id === undefined) return undefined
		tags.push(letter + id)
	}
	if (filter.severity !== undefined && filter.severity !== 'normal') tags.push(`w${severities.indexOf(filter.severity)}`)
	return tags
}

/** One of these tags: the resources of the filter's kind. */
function resourceMatch(partition: Partition, resolved: Resolved): string | undefined {
	if (resolved.filter.owner === true || !resolved.resources || resolved.resources.size === 0) return undefined
	const ids = [...resolved.resources].flatMap((resource) => partition.findText(resource) ?? [])
	return ids.length === 0 ? undefined : `tags : (${ids.map((id) => `"zqr${id}"`).join(' OR ')})`
}

function kindsOf(filter: Filter): Set<number> | undefined {
	let wanted = filter.include
	if (present(filter, auditFields)) wanted = (wanted ?? ['audit']).filter((kind) => kind === 'audit')
	if (present(filter, logFields)) wanted = (wanted ?? ['log']).filter((kind) => kind === 'log')
	return wanted && new Set(wanted.map((kind) => kinds.indexOf(kind)))
}

/** The records of these objects, where they are few. */
function gather(partition: Partition, objects: ReadonlySet<number>): number[] | null {
	const rows: number[] = []
	for (const id of objects) {
		rows.push(...partition.rowsOf(id, 0, Number.MAX_SAFE_INTEGER, storeLimits.gatherRecordsMax + 1 - rows.length))
		if (rows.length > storeLimits.gatherRecordsMax) return null
	}
	return rows.toSorted((a, b) => a - b)
}

function auditMatches(filter: Filter, sent: Readonly<Record<string, unknown>>): boolean {
	return (
		(filter.user === undefined || sent['user'] === filter.user) &&
		(filter.verb === undefined || sent['verb'] === filter.verb) &&
		(filter.subresource === undefined || sent['subresource'] === filter.subresource) &&
		(filter.code === undefined || sent['code'] === filter.code) &&
		(filter.decision === undefined || sent['decision'] === filter.decision) &&
		(filter.userAgent === undefined || sent['userAgent'] === filter.userAgent) &&
		(filter.sourceIP === undefined || (sent['sourceIPs'] as readonly string[]).includes(filter.sourceIP))
	)
}

function logMatches(filter: Filter, sent: Readonly<Record<string, unknown>>): boolean {
	return (
		(filter.pod === undefined || sent['pod'] === filter.pod) &&
		(filter.container === undefined || sent['container'] === filter.container) &&
		(filter.node === undefined || sent['node'] === filter.node) &&
		(filter.unit === undefined || sent['component'] === filter.unit) &&
		(filter.level === undefined || sent['level'] === filter.level) &&
		(filter.stream === undefined || sent['stream'] === filter.stream) &&
		(filter.restart === undefined || sent['restart'] === filter.restart)
	)
}

/** Counters per minute answer these filters; the rest is counted record by record. */
export function isCountable(filter: Filter): boolean {
	return !present(filter, ['kind', 'name', 'uid', 'q', ...auditFields, ...logFields])
}

const nothing: Plan = { empty: true, match: null, gather: null, test: () => false }

function resourceTest(partition: Partition, filter: Filter): (candidate: Candidate) => boolean {
	const wanted = filter.resource?.toLowerCase()
	return ({ obj }) => {
		if (wanted === undefined) return true
		if (obj === null) return false
		const object = partition.object(obj)
		return object.resource === wanted || resourceName(object) === wanted
	}
}

export function planFor(partition: Partition, resolved: Resolved): Plan {
	const { filter } = resolved
	const wantedKinds = kindsOf(filter)
	const q = filter.q === undefined || filter.q.trim() === '' ? undefined : matchOf(filter.q)
	const tags = tagsOf(partition, filter)
	if (q === null || tags === undefined || resolved.unknown || wantedKinds?.size === 0) return nothing
	const objects = objectsOf(partition, resolved)
	if (objects?.size === 0) return nothing
	const matches: string[] = []
	if (q !== undefined) matches.push(q)
	if (tags.length > 0) matches.push(tagMatch(tags))
	const ofResource = resourceMatch(partition, resolved)
	if (ofResource !== undefined) matches.push(ofResource)
	if (wantedKinds && !wantedKinds.has(0)) matches.push(`tags : (${[...wantedKinds].map((kind) => `"zqk${kind}"`).join(' OR ')})`)
	const hasAudit = present(filter, auditFields)
	const hasLog = present(filter, logFields)
	const severity = filter.severity === undefined ? undefined : severities.indexOf(filter.severity)
	const resourceIs = resourceTest(partition, filter)
	const objectIs = objectTest(partition, resolved, objects)
	return {
		empty: false,
		match: matches.length === 0 ? null : matches.map((match) => `(${match})`).join(' AND '),
		gather: objects && q === undefined && (matches.length === 0 || objects.size <= gatherObjectsMax) ? gather(partition, objects) : null,
		test(candidate) {
			if (wantedKinds && !wantedKinds.has(candidate.kind)) return false
			if ((candidate.flags & noiseFlag) !== 0 && filter.noise !== true) return false
			if (severity !== undefined && (candidate.flags & 3) !== severity) return false
			if (!objectIs(candidate)) return false
			if (!hasAudit && !hasLog) return true
			const sent = candidate.traits === null ? {} : ((partition.json(candidate.traits) as Traits).c ?? {})
			return (!hasAudit || (auditMatches(filter, sent) && resourceIs(candidate))) && (!hasLog || logMatches(filter, sent))
		},
	}
}
