// Names that occur twice in one JSON object: a parser keeps the last, and what the others hold would be passed on unseen.
import { isRawNumber } from '#records/exact-json.ts'

/** Members that the text has, of all objects: a colon outside of strings stands in each. `text` must be JSON. */
function countMembers(text: string): number {
	let count = 0
	for (let at = 0; at < text.length; at += 1) {
		const char = text.charCodeAt(at)
		if (char === 0x3a) count += 1
		else if (char === 0x22) {
			at += 1
			while (at < text.length && text.charCodeAt(at) !== 0x22) at += text.charCodeAt(at) === 0x5c ? 2 : 1
		}
	}
	return count
}

function countNames(value: unknown): number {
	if (typeof value !== 'object' || value === null || isRawNumber(value)) return 0
	let count = 0
	if (Array.isArray(value)) {
		for (const item of value) count += countNames(item)
		return count
	}
	for (const name of Object.keys(value)) count += 1 + countNames((value as Record<string, unknown>)[name])
	return count
}

/** `value` must be what `text` parses to. */
export function hasRepeatedNames(text: string, value: unknown): boolean {
	return countMembers(text) !== countNames(value)
}
