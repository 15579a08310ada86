// A JSON value as text, whatever it is: String() of an object says nothing, and fails on a number that was kept as it was written.

/** Text as it is, other values as JSON writes them; nothing where there is none. */
export function textOf(value: unknown): string {
	if (typeof value === 'string') return value
	return value === undefined || value === null ? '' : JSON.stringify(value)
}
