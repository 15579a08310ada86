// Which fields of an item Elasticsearch indexes, and how: one entry for each field of the port's types, so that a new field does not compile before somebody decided.
import type { Item } from '#storage/store/port.ts'
import { elasticLimits } from './limits.ts'

export interface Field {
	readonly type?: string
	readonly path?: string
	readonly dynamic?: false
	readonly enabled?: false
	readonly properties?: Readonly<Record<string, Field>>
	readonly fields?: Readonly<Record<string, Field>>
	readonly ignore_above?: number
	readonly ignore_malformed?: true
	readonly norms?: false
	readonly index?: false
	readonly doc_values?: false
	readonly analyzer?: string
}

export type Fields = Readonly<Record<string, Field>>

export const keyword: Field = { type: 'keyword', ignore_above: elasticLimits.keywordCharacters }
export const long: Field = { type: 'long' }
export const boolean: Field = { type: 'boolean', ignore_malformed: true }
export const ip: Field = { type: 'ip', ignore_malformed: true }
export const date: Field = { type: 'date', ignore_malformed: true }
export const text: Field = { type: 'text', norms: false }
export const flattened: Field = { type: 'flattened', ignore_above: elasticLimits.keywordCharacters }
export const opaque: Field = { type: 'object', enabled: false }
export const object = (properties: Fields): Field => ({ type: 'object', dynamic: false, properties })

/** Kept, and found by nothing. */
const kept = null

type Indexing<T> = Readonly<Record<keyof Required<T>, Field | null>>

function mapped(fields: Readonly<Record<string, Field | null>>): Fields {
	return Object.fromEntries(Object.entries(fields).flatMap(([name, field]) => (field === null ? [] : [[name, field]])))
}

const objectFields: Indexing<NonNullable<Item['object']>> = { resource: keyword, group: keyword, namespace: keyword, name: keyword }

const eventFields: Indexing<NonNullable<Item['event']>> = {
	object: object(mapped(objectFields)),
	reason: keyword,
	message: text,
	type: keyword,
	count: long,
	reporter: keyword,
	regardingRevision: long,
	firstAt: kept,
	lastAt: kept,
}

const auditFields: Indexing<NonNullable<Item['audit']>> = {
	auditID: keyword,
	stage: keyword,
	level: keyword,
	verb: keyword,
	user: keyword,
	groups: keyword,
	impersonated: keyword,
	sourceIPs: { ...keyword, fields: { ip } },
	userAgent: keyword,
	subresource: keyword,
	code: long,
	decision: keyword,
	reason: text,
	requestURI: keyword,
	requestReceivedAt: kept,
	dryRun: boolean,
	responseRevision: long,
	truncated: boolean,
	missing: keyword,
}

const logFields: Indexing<NonNullable<Item['log']>> = {
	namespace: keyword,
	pod: keyword,
	podUid: keyword,
	container: keyword,
	restart: long,
	component: keyword,
	node: keyword,
	stream: keyword,
	level: keyword,
	file: keyword,
	offset: long,
	follows: keyword,
	journal: object({ pid: long, priority: long, bootId: keyword, hostname: keyword, identifier: keyword }),
	flags: keyword,
	textChars: long,
	raw: kept,
	originalBytes: long,
}

const itemFields: Indexing<Item> = {
	id: keyword,
	kind: keyword,
	cluster: keyword,
	source: keyword,
	occurredAt: long,
	occurredBound: kept,
	observedAt: long,
	summary: text,
	severity: keyword,
	object: object(mapped(objectFields)),
	objectKind: keyword,
	uid: keyword,
	space: keyword,
	revision: long,
	operation: keyword,
	sighting: keyword,
	encoding: keyword,
	note: kept,
	folded: kept,
	facets: keyword,
	paths: keyword,
	labels: flattened,
	owners: object({ apiVersion: keyword, kind: keyword, name: keyword, uid: keyword }),
	images: keyword,
	event: object(mapped(eventFields)),
	audit: object(mapped(auditFields)),
	log: object(mapped(logFields)),
}

/** What only records of some kinds have. */
const special = ['event', 'audit', 'log'] as const

/** Of the item of a record of these kinds. */
export function fieldsOfItem(...with_: readonly (typeof special)[number][]): Fields {
	return mapped(
		Object.fromEntries(Object.entries(itemFields).filter(([name]) => !special.some((each) => each === name && !with_.includes(each)))),
	)
}

/** What is worked out of a record so that questions become plain terms. */
export const workedOut: Fields = {
	/** Microseconds; what everything is sorted by. */
	at: long,
	noise: boolean,
	/** Of the object it is about: the namespace that questions mean, the resource with its group, and the kind in lower case. */
	namespace: keyword,
	resource: keyword,
	resourceOnly: keyword,
	kind: keyword,
	/** Cluster, key, kind and uid of that object in one; and cluster and key, of a record that knows no uid. */
	about: keyword,
	nameless: keyword,
	/** Of a version: the key, namespace and name of the object that it is a version of, and whether its body is kept. */
	key: keyword,
	ownNamespace: keyword,
	ownName: keyword,
	bodied: boolean,
	/** Words as the store's search tells them apart, with spaces between them. */
	words: { type: 'text', norms: false, analyzer: 'whitespace' },
	/** Of an amended line: the sequence number that it had at first. */
	first: long,
	/** When it was put, and its place in the put. */
	put: { type: 'long', index: false, doc_values: false },
}
