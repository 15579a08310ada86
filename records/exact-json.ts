// JSON whose numbers stay as they were written: those that JavaScript would round or write another way are kept as raw JSON (TC39, JSON.parse source text access).

interface RawJson {
	rawJSON(text: string): unknown
	isRawJSON(value: unknown): boolean
	parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown
}
const json = JSON as unknown as RawJson

/** Behind a key, and in a list: a number that may be one of them. What only looks so, in a string, costs time and changes nothing. Two plain patterns are searched faster than one. Sixteen digits that begin with less than 9, as times in microseconds do, are exact. */
const oddBehindKey = /":\s*(?:-?(?:9\d{15}|\d{17}|\d+[.eE])|-0)/
const rootNumber = /^\s*-?\d/
const oddInList = /[[,]\s*(?:-?(?:9\d{15}|\d{17}|\d+[.eE])|-0)/

/** Throws SyntaxError. */
export function parseExact(text: string): unknown {
	return oddBehindKey.test(text) || oddInList.test(text) || rootNumber.test(text) ? json.parse(text, asWritten) : JSON.parse(text)
}

function asWritten(_key: string, value: unknown, context: { readonly source?: string }): unknown {
	return typeof value === 'number' && context.source !== undefined && context.source !== String(value)
		? json.rawJSON(context.source)
		: value
}

/** A number as it was written; JSON.stringify writes it so again. */
export function rawNumber(text: string): unknown {
	return json.rawJSON(text)
}

export function isRawNumber(value: unknown): boolean {
	return typeof value === 'object' && value !== null && json.isRawJSON(value)
}
