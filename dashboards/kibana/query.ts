// What a panel asks for, as data: said in KQL for Kibana, and open to those who check which fields it names.

interface Is {
	readonly field: string
	/** One of them. */
	readonly values: readonly (string | number | boolean)[]
}
interface Compared {
	readonly field: string
	readonly atLeast: number
}
interface Begins {
	readonly field: string
	readonly prefix: string
}
interface Exists {
	readonly field: string
	readonly exists: true
}
export type Query =
	| Is
	| Compared
	| Begins
	| Exists
	| { readonly all: readonly Query[] }
	| { readonly any: readonly Query[] }
	| { readonly not: Query }

export const is = (field: string, ...values: readonly (string | number | boolean)[]): Query => ({ field, values })
export const atLeast = (field: string, value: number): Query => ({ field, atLeast: value })
export const startsWith = (field: string, prefix: string): Query => ({ field, prefix })
export const exists = (field: string): Query => ({ field, exists: true })
export const all = (...queries: readonly Query[]): Query => ({ all: queries })
export const either = (...queries: readonly Query[]): Query => ({ any: queries })
export const not = (query: Query): Query => ({ not: query })

/** A value as KQL takes it: texts in quotes, in which only backslash and quote are special. */
const literal = (value: string | number | boolean): string =>
	typeof value === 'string' ? `"${value.replaceAll(/[\\"]/g, String.raw`\$&`)}"` : String(value)

/** In the Kibana Query Language; empty where nothing narrows. */
export function kqlOf(query: Query | undefined): string {
	if (!query) return ''
	if ('all' in query) return query.all.map(parenthesized).join(' and ')
	if ('any' in query) return query.any.map(parenthesized).join(' or ')
	if ('not' in query) return `not ${parenthesized(query.not)}`
	if ('exists' in query) return `${query.field}: *`
	if ('prefix' in query) return `${query.field} >= ${literal(query.prefix)} and ${query.field} < ${literal(behind(query.prefix))}`
	if ('atLeast' in query) return `${query.field} >= ${query.atLeast}`
	const [first, ...more] = query.values.map(literal)
	return more.length === 0 ? `${query.field}: ${first}` : `${query.field}: (${[first, ...more].join(' or ')})`
}

/** The first text behind all that begin with this one. A wildcard would say it too, but a colon before it is taken by Kibana only, not by the `kql` query of Elasticsearch. */
const behind = (prefix: string): string => prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)

const parenthesized = (query: Query): string => ('all' in query || 'any' in query || 'prefix' in query ? `(${kqlOf(query)})` : kqlOf(query))

/** Every field that is named, with whether an order of values is asked for. */
export function fieldsOf(query: Query | undefined): readonly { readonly field: string; readonly ordered: boolean }[] {
	if (!query) return []
	if ('all' in query) return query.all.flatMap(fieldsOf)
	if ('any' in query) return query.any.flatMap(fieldsOf)
	if ('not' in query) return fieldsOf(query.not)
	return [{ field: query.field, ordered: 'atLeast' in query }]
}
