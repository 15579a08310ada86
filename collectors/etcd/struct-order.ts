// Puts the fields of JSON into the order in which the API server writes them: that of the Go struct, where there is one.
import type { Message } from './types.ts'

type Fields = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What the tables do not know stays, behind the rest. */
export function inStructOrder(value: unknown, message: Message): unknown {
	if (Array.isArray(value)) return value.map((item) => inStructOrder(item, message))
	if (!isObject(value)) return value
	const { kind, apiVersion, ...rest } = value
	const typed: Fields = message.typeMeta
		? { ...(kind === undefined ? {} : { kind }), ...(apiVersion === undefined ? {} : { apiVersion }) }
		: {}
	const ordered: Record<string, unknown> = { ...typed }
	const known = message.typeMeta ? rest : value
	take(known, message, ordered)
	for (const [key, entry] of Object.entries(known)) if (!Object.hasOwn(ordered, key)) put(ordered, key, entry)
	return ordered
}

function take(value: Fields, message: Message, into: Record<string, unknown>): void {
	for (const field of message.fields) {
		if (field.inline && field.message) take(value, field.message, into)
		else if (Object.hasOwn(value, field.json)) {
			const entry = value[field.json]
			const { message: of } = field
			put(into, field.json, !of ? entry : field.container === 'map' ? eachEntry(entry, of) : inStructOrder(entry, of))
		}
	}
}

function eachEntry(value: unknown, message: Message): unknown {
	if (!isObject(value)) return value
	const entries: Record<string, unknown> = {}
	for (const [key, entry] of Object.entries(value)) put(entries, key, inStructOrder(entry, message))
	return entries
}

function put(object: Record<string, unknown>, key: string, value: unknown): void {
	if (key === '__proto__') Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true })
	else object[key] = value
}
