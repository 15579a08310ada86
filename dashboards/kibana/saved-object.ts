// What Kibana imports: a saved object, its references, and the oldest versions of their formats that hold what we write.
import type { View } from './panel.ts'

export interface Reference {
	readonly name: string
	readonly type: SavedObjectType
	readonly id: string
}

export type SavedObjectType = keyof typeof typeVersions

export interface SavedObject {
	readonly type: SavedObjectType
	readonly id: string
	readonly attributes: Readonly<Record<string, unknown>>
	readonly references: readonly Reference[]
	readonly coreMigrationVersion: string
	readonly typeMigrationVersion: string
	readonly managed: false
}

/** Kibana takes what is of its own version or older, and brings it up to date: these are at most those of 9.0 (`modelVersions` and `migrations` of each type in Kibana's source). */
const typeVersions = {
	'index-pattern': '8.0.0',
	dashboard: '10.2.0',
	search: '10.2.0',
	visualization: '8.5.0',
	links: '10.1.0',
} as const
const coreVersion = '8.8.0'

export function savedObject(
	type: SavedObjectType,
	id: string,
	attributes: Readonly<Record<string, unknown>>,
	references: readonly Reference[] = [],
): SavedObject {
	return {
		type,
		id,
		attributes,
		references,
		coreMigrationVersion: coreVersion,
		typeMigrationVersion: typeVersions[type],
		managed: false,
	}
}

export const reference = (name: string, type: SavedObjectType, id: string): Reference => ({ name, type, id })

export const dataViewId = (prefix: string, view: View): string => `${prefix}-${view}`
export const savedObjectId = (prefix: string, what: string): string => `${prefix}-${what}`

/** Titles of an installation with another prefix are told apart by it. */
export const titleOf = (prefix: string, title: string): string => `[${prefix === 'kubetape' ? 'Kubetape' : `Kubetape ${prefix}`}] ${title}`

/** Of a saved object without a data view, or with the one that the reference names. */
export function searchSource(kql: string, indexRefName?: string): string {
	return JSON.stringify({
		query: { query: kql, language: 'kuery' },
		filter: [],
		...(indexRefName === undefined ? {} : { indexRefName }),
	})
}
