// Our mapping as a table of fields, for tests: what type each has in which class of records.
import { Value } from 'typebox/value'
import { views, type View } from '#dashboards/kibana/panel.ts'
import { elasticsearchStoreConfig, type ElasticsearchStoreConfig } from '#storage/store/elasticsearch/config.ts'
import type { Field, Fields } from '#storage/store/elasticsearch/fields.ts'
import { mappingOf } from '#storage/store/elasticsearch/templates.ts'

export interface MappedField {
	readonly type: string
	/** Whether values of it can be counted, and documents found by it. */
	readonly aggregatable: boolean
	readonly searchable: boolean
}

export const classesOf = (view: View): readonly Exclude<View, 'everything'>[] =>
	views.filter((each): each is Exclude<View, 'everything'> => each !== 'everything' && (view === 'everything' || view === each))

const notAggregatable = new Set(['text', 'match_only_text', 'object'])

function* leavesOf(fields: Fields, before: string): Generator<readonly [string, Field]> {
	for (const [name, field] of Object.entries(fields)) {
		const path = before === '' ? name : `${before}.${name}`
		if (field.type !== undefined && field.type !== 'object') yield [path, field]
		if (field.properties) yield* leavesOf(field.properties, path)
		if (field.fields) yield* leavesOf(field.fields, path)
	}
}

/** By dotted name; an alias is what it leads to. */
export function fieldsIn(of: Exclude<View, 'everything'>): ReadonlyMap<string, MappedField> {
	const config = Value.Default(elasticsearchStoreConfig, {}) as ElasticsearchStoreConfig
	const leaves = new Map(leavesOf(mappingOf(of, { ...config, flattened: true }), ''))
	return new Map(
		[...leaves].map(([name, own]): [string, MappedField] => {
			const field = own.type === 'alias' ? leaves.get(own.path ?? '') : own
			if (field?.type === undefined) throw new Error(`${name} leads to ${own.path}, which is no field of ${of}`)
			const searchable = field.index !== false && field.enabled !== false
			return [name, { type: field.type, searchable, aggregatable: field.doc_values !== false && !notAggregatable.has(field.type) }]
		}),
	)
}
