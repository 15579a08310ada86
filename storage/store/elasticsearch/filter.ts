// A filter as a query. What it means by owners and uids is looked up first; everything else is plain terms.
import { resourceName } from '#records/object-key.ts'
import type { RecordKind } from '#records/record.ts'
import type { Filter } from '#storage/store/port.ts'
import { clusterKey } from './document.ts'
import { leftOut } from './item.ts'
import { elasticLimits } from './limits.ts'
import { recordClasses, classOf } from './names.ts'
import type { Registry } from './registry.ts'
import type { Between, Query, Searcher } from './search.ts'
import { searchedPhrases } from './words.ts'

export interface Asking {
	readonly searcher: Searcher
	readonly registry: Registry
}

/** Undefined where nothing can match. */
export interface Asked {
	/** Indices it is asked of. */
	readonly index: string
	readonly query: Query
	readonly between: Between
}

type Clause = Readonly<Record<string, unknown>>

const auditFields = ['user', 'verb', 'resource', 'subresource', 'code', 'decision', 'sourceIP', 'userAgent'] as const
const logFields = ['pod', 'container', 'node', 'unit', 'level', 'stream', 'restart'] as const

/** Where the item has it. */
const paths: Readonly<Record<string, string>> = {
	user: 'audit.user',
	verb: 'audit.verb',
	subresource: 'audit.subresource',
	code: 'audit.code',
	decision: 'audit.decision',
	sourceIP: 'audit.sourceIPs',
	userAgent: 'audit.userAgent',
	pod: 'log.pod',
	container: 'log.container',
	node: 'log.node',
	unit: 'log.component',
	level: 'log.level',
	stream: 'log.stream',
	restart: 'log.restart',
}

const mayBeLeftOut: ReadonlySet<string> = new Set(
	Object.entries(leftOut).flatMap(([part, texts]) => Object.keys(texts).map((name) => `${part}.${name}`)),
)

const present = (filter: Filter, fields: readonly (keyof Filter)[]): boolean => fields.some((field) => filter[field] !== undefined)
export const item = (path: string): string => `kubetape.item.${path}`
export const worked = (path: string): string => `kubetape.${path}`
export const term = (field: string, value: unknown): Clause => ({ term: { [field]: value } })
export const anyOf = (clauses: readonly Clause[]): Clause => ({ bool: { should: clauses, minimum_should_match: 1 } })

/** One of the values, of whatever number. */
export function terms(field: string, values: readonly string[]): Clause {
	const parts: Clause[] = []
	for (let at = 0; at < values.length; at += elasticLimits.termsMax)
		parts.push({ terms: { [field]: values.slice(at, at + elasticLimits.termsMax) } })
	return parts.length === 1 && parts[0] ? parts[0] : anyOf(parts)
}

export function timeRange(from: number | undefined, to: number | undefined): readonly Clause[] {
	if (from === undefined && to === undefined) return []
	return [
		{
			range: {
				[worked('at')]: { ...(from === undefined ? {} : { gte: Math.ceil(from) }), ...(to === undefined ? {} : { lte: Math.floor(to) }) },
			},
		},
	]
}

function kindsOf(filter: Filter): readonly RecordKind[] | undefined {
	let wanted = filter.include
	if (present(filter, auditFields)) wanted = (wanted ?? ['audit']).filter((kind) => kind === 'audit')
	if (present(filter, logFields)) wanted = (wanted ?? ['log']).filter((kind) => kind === 'log')
	return wanted
}

/** The resources that a kind's or resource's name means; undefined where no record knows it. */
async function resourcesNamed(wanted: string, registry: Registry): Promise<readonly string[] | undefined> {
	const named = (await registry.kinds()).filter(
		(known) =>
			known.kind.toLowerCase() === wanted || known.resource === wanted || (known.resource !== '' && resourceName(known) === wanted),
	)
	return named.length === 0 ? undefined : [...new Set(named.filter(({ resource }) => resource !== '').map(resourceName))]
}

/** What selects the objects themselves; undefined where the kind is not known. */
async function selection(filter: Filter, registry: Registry): Promise<Clause[] | undefined> {
	const clauses: Clause[] = []
	if (filter.cluster !== undefined) clauses.push(term(item('cluster'), filter.cluster))
	if (filter.namespace !== undefined) clauses.push(term(worked('namespace'), filter.namespace))
	if (filter.name !== undefined) clauses.push(term(item('object.name'), filter.name))
	if (filter.uid !== undefined) clauses.push(term(item('uid'), filter.uid))
	if (filter.kind !== undefined) {
		const wanted = filter.kind.toLowerCase()
		const resources = await resourcesNamed(wanted, registry)
		if (!resources) return undefined
		clauses.push(anyOf([...(resources.length > 0 ? [terms(worked('resource'), resources)] : []), term(worked('kind'), wanted)]))
	}
	return clauses
}

interface About {
	readonly about: string
	readonly cluster: string
	readonly key: string
	readonly uid: string
}

async function aboutsOf(searcher: Searcher, index: string, filter: readonly Clause[]): Promise<readonly About[]> {
	const found: About[] = []
	const sources = [{ about: { terms: { field: worked('about') } } }]
	for await (const { key } of searcher.buckets<{ key: { about: string } }>(index, { bool: { filter } }, sources)) {
		const [cluster = '', name = '', , uid = ''] = key.about.split('\n')
		found.push({ about: key.about, cluster, key: name, uid })
	}
	return found
}

/** The objects that a uid means, or a name with its owned; also the records of the same key that know no uid, as most audit entries. */
async function objectsClause({ searcher }: Asking, filter: Filter, selected: readonly Clause[]): Promise<Clause | undefined> {
	const { names } = searcher
	const chosen = await aboutsOf(searcher, names.every([...recordClasses, 'keyframes']), selected)
	const uids =
		filter.owner !== true ? [] : filter.uid === undefined ? chosen.map(({ uid }) => uid).filter((uid) => uid !== '') : [filter.uid]
	const inCluster = filter.cluster === undefined ? [] : [term(item('cluster'), filter.cluster)]
	const owned =
		uids.length === 0
			? []
			: await aboutsOf(searcher, names.every(['changes', 'keyframes']), [terms(item('owners.uid'), uids), ...inCluster])
	const all = [...chosen, ...owned]
	if (all.length === 0) return undefined
	const nameless = filter.uid === undefined && uids.length === 0 ? owned : all
	return anyOf([
		terms(worked('about'), [...new Set(all.map(({ about }) => about))]),
		...(nameless.length === 0
			? []
			: [terms(worked('nameless'), [...new Set(nameless.map(({ cluster, key }) => clusterKey(cluster, key)))])]),
	])
}

export async function askedBy(asking: Asking, filter: Filter): Promise<Asked | undefined> {
	const wanted = kindsOf(filter)
	const phrases = filter.q === undefined || filter.q.trim() === '' ? [] : searchedPhrases(filter.q)
	if (!phrases || wanted?.length === 0) return undefined
	const clauses: Clause[] = [...timeRange(filter.from, filter.to)]
	const selected = await selection(filter, asking.registry)
	if (!selected) return undefined
	const looksUp = filter.uid !== undefined || (filter.owner === true && filter.name !== undefined)
	const objects = looksUp ? await objectsClause(asking, filter, selected) : undefined
	if (looksUp && !objects) return undefined
	clauses.push(...(objects ? [objects] : selected))
	if (wanted) clauses.push(terms(item('kind'), wanted))
	if (filter.noise !== true) clauses.push(term(worked('noise'), false))
	if (filter.severity !== undefined) clauses.push(term(item('severity'), filter.severity))
	for (const words of phrases) clauses.push({ match_phrase: { [worked('words')]: words } })
	for (const [field, path] of Object.entries(paths)) {
		const value = filter[field as keyof Filter]
		if (value === '' && mayBeLeftOut.has(path)) clauses.push({ bool: { must_not: [{ exists: { field: item(path) } }] } })
		else if (value !== undefined) clauses.push(term(item(path), value))
	}
	if (filter.resource !== undefined) {
		const resource = filter.resource.toLowerCase()
		clauses.push(anyOf([term(worked('resourceOnly'), resource), term(worked('resource'), resource)]))
	}
	const classes = wanted === undefined ? recordClasses : [...new Set(wanted.map(classOf))]
	return {
		index: asking.searcher.names.every(classes),
		query: { bool: { filter: clauses } },
		between: { from: filter.from, to: filter.to },
	}
}
