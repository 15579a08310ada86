// A change in one sentence, for people; and how alarming it is.
import type { Facet, Severity } from '#records/indexed.ts'
import type { Operation } from '#records/record.ts'
import { diff, type FieldChange } from './diff.ts'
import { endpointsPhrase } from './endpoints.ts'
import { alarming, phrase, shown } from './phrases.ts'
import { textOf } from './text.ts'

export interface Description {
	readonly summary: string
	readonly severity: Severity
	readonly facets: readonly Facet[]
	readonly paths: readonly string[]
	readonly images: readonly string[]
	readonly changes: readonly FieldChange[]
}

type Fields = Readonly<Record<string, unknown>>
const phrasesMax = 4
const pathsMax = 200

const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** Images of a Pod or of a Pod template, in order, each once. */
export function imagesOf(body: Fields): readonly string[] {
	const spec = fields(body['spec'])
	const job = fields(fields(spec['jobTemplate'])['spec'])
	const pod = fields(fields(spec['template'] ?? job['template'])['spec'])
	const images = new Set<string>()
	for (const holder of [spec, pod]) {
		for (const name of ['initContainers', 'containers', 'ephemeralContainers']) {
			for (const container of list(holder[name])) {
				const image = fields(container)['image']
				if (typeof image === 'string') images.add(image)
			}
		}
	}
	return [...images]
}

/** What was written: `operation` with the object before and after, as far as they are known. */
export function describeChange(kind: string, operation: Operation, before: Fields | null, after: Fields | null): Description {
	const body = after ?? before ?? {}
	const images = imagesOf(body)
	if (operation === 'deleted') return { summary: 'deleted', severity: 'normal', facets: [], paths: [], images, changes: [] }
	if (after === null)
		return { summary: `${operation}: its value cannot be read`, severity: 'normal', facets: [], paths: [], images, changes: [] }
	if (operation === 'created' || before === null)
		return { summary: created(kind, operation, after, images), severity: 'normal', facets: [], paths: [], images, changes: [] }
	const changes = diff(before, after)
	const facets = [...new Set(changes.map((change) => change.facet))]
	const paths = changes.slice(0, pathsMax).map((change) => change.path)
	if (changes.length === 0) return { summary: 'written again without a change', severity: 'normal', facets, paths, images, changes }
	return { summary: sentence(kind, changes, before, after), severity: alarming(kind, changes), facets, paths, images, changes }
}

function created(kind: string, operation: Operation, after: Fields, images: readonly string[]): string {
	const spec = fields(after['spec'])
	const parts: string[] = []
	if (images.length > 0) parts.push(`image ${images.slice(0, 3).map(shown).join(', ')}`)
	if (typeof spec['replicas'] === 'number') parts.push(`replicas ${spec['replicas']}`)
	const role = fields(after['roleRef'])
	if (typeof role['name'] === 'string') {
		const subjects = list(after['subjects']).map((subject) => textOf(fields(subject)['name']))
		parts.push(`${textOf(role['kind'] ?? 'role')} ${role['name']} to ${subjects.join(', ') || 'nobody'}`)
	}
	if (kind === 'ConfigMap' || kind === 'Secret') parts.push(`keys ${Object.keys(fields(after['data'])).slice(0, 8).join(', ') || 'none'}`)
	const verb = operation === 'created' ? 'created' : 'as found'
	return parts.length === 0 ? verb : `${verb}: ${parts.join(', ')}`
}

/** Order in which a reader wants to know: what was wanted, then what came of it, then the rest. */
const rank: Readonly<Record<Facet, number>> = { spec: 0, data: 0, status: 1, metadata: 2 }

function sentence(kind: string, changes: readonly FieldChange[], before: Fields, after: Fields): string {
	const counted = endpointsPhrase(kind, before, after)
	if (counted !== undefined) return counted
	const phrases: string[] = []
	const ranked = changes.toSorted((a, b) => rank[a.facet] - rank[b.facet])
	let more = 0
	for (const change of ranked) {
		const text = phrase(kind, change, before, after)
		if (text === undefined) continue
		if (phrases.includes(text)) continue
		if (phrases.length < phrasesMax) phrases.push(text)
		else more += 1
	}
	if (phrases.length === 0) return 'times and bookkeeping only'
	return phrases.join(', ') + (more > 0 ? `, ${more} more` : '')
}
