// Cuts an EventList into the texts of its items, as the API server wrote them: nothing is parsed and written anew.

const quote = 0x22
const backslash = 0x5c

/** Behind the string that begins at `at`. */
function afterString(text: string, at: number): number {
	for (let next = at + 1; next < text.length; next += 1) {
		const char = text.charCodeAt(next)
		if (char === backslash) next += 1
		else if (char === quote) return next + 1
	}
	return text.length
}

const isSpace = (char: number): boolean => char === 0x20 || char === 0x0a || char === 0x0d || char === 0x09

function afterSpace(text: string, at: number): number {
	let next = at
	while (next < text.length && isSpace(text.charCodeAt(next))) next += 1
	return next
}

/** Behind the JSON value that begins at `at`. */
function afterValue(text: string, at: number): number {
	let depth = 0
	let next = at
	while (next < text.length) {
		const char = text.charCodeAt(next)
		if (char === quote) {
			next = afterString(text, next)
			if (depth === 0) return next
			continue
		}
		if (char === 0x7b || char === 0x5b) depth += 1
		else if (char === 0x7d || char === 0x5d) {
			if (depth === 0) return next
			depth -= 1
			if (depth === 0) return next + 1
		} else if (depth === 0 && (char === 0x2c || isSpace(char))) return next
		next += 1
	}
	return next
}

/** `text` must be JSON. Undefined where it is no object with a list `items`. */
export function splitItems(text: string): readonly string[] | undefined {
	let at = afterSpace(text, 0)
	if (text[at] !== '{') return undefined
	at = afterSpace(text, at + 1)
	let found: readonly string[] | undefined
	while (at < text.length && text.charCodeAt(at) === quote) {
		const end = afterString(text, at)
		const name = text.slice(at, end)
		at = afterSpace(text, afterSpace(text, end) + 1)
		// As JSON.parse: the last of several fields of a name counts.
		if (name === '"items"') found = text[at] === '[' ? elementsOf(text, at) : undefined
		at = afterSpace(text, afterValue(text, at))
		if (text[at] === ',') at = afterSpace(text, at + 1)
	}
	return found
}

function elementsOf(text: string, from: number): readonly string[] {
	const elements: string[] = []
	let at = afterSpace(text, from + 1)
	while (at < text.length && text[at] !== ']') {
		const end = afterValue(text, at)
		elements.push(text.slice(at, end))
		at = afterSpace(text, end)
		if (text[at] === ',') at = afterSpace(text, at + 1)
	}
	return elements
}
