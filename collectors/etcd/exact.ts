// JSON whose numbers and keys stay as they were written: what JavaScript would round, or put in an order of its own.

import { isRawNumber, parseExact, rawNumber } from '#records/exact-json.ts'

/** A number; beyond 2^53 raw JSON, so that no digit is lost. */
export function integerOf(value: bigint): unknown {
	const number = Number(value)
	return Number.isSafeInteger(number) ? number : rawNumber(value.toString())
}

/** A property name that JavaScript puts before all others (ECMA-262, array index). */
export function isIndex(key: string): boolean {
	const first = key.charCodeAt(0)
	return first >= 48 && first <= 57 && /^(?:0|[1-9]\d{0,9})$/.test(key)
}

const quote = 0x22
const backslash = 0x5c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d
const indexKey = /"(?:0|[1-9]\d{0,9})"\s*:/
export interface ReadJson {
	readonly value: unknown
	/** False where an object has keys that JavaScript puts in an order of its own. */
	readonly inOrder: boolean
}

/** Whoever walks an object calls itself once a level. Objects that people make have some twenty levels, definitions of resources twice that. */
const depthMax = 500

/** Numbers that JavaScript would write another way are raw JSON. Throws SyntaxError, and RangeError where it is nested too deeply. */
export function readJson(text: string): ReadJson {
	if (text.length > 2 * depthMax && depthOf(text) > depthMax) throw new RangeError('nested too deeply')
	return { value: parseExact(text), inOrder: !indexKey.test(text) }
}

function depthOf(text: string): number {
	let depth = 0
	let deepest = 0
	let isText = false
	for (let at = 0; at < text.length; at++) {
		const char = text.charCodeAt(at)
		if (isText) {
			if (char === backslash) at++
			else if (char === quote) isText = false
		} else if (char === quote) isText = true
		else if (char === openBracket || char === openBrace) deepest = Math.max(deepest, ++depth)
		else if (char === closeBracket || char === closeBrace) depth--
	}
	return deepest
}

const sharedMax = 2000
const sharedBytesMax = 4096
const shared = new Map<number, ReadJson & { readonly bytes: Buffer }>()

/** The managedFields of an object's versions repeat: parsed values are shared, up to a number and a length. Treat them as read-only. */
export function readShared(bytes: Buffer, start: number, end: number): ReadJson {
	const length = end - start
	if (length > sharedBytesMax) return readJson(bytes.toString('utf8', start, end))
	const sample = sampleOf(bytes, start, end)
	const known = shared.get(sample)
	if (known?.bytes.length === length && bytes.compare(known.bytes, 0, length, start, end) === 0) return known
	const read = readJson(bytes.toString('utf8', start, end))
	if (shared.size >= sharedMax) shared.delete(shared.keys().next().value ?? 0)
	shared.set(sample, { ...read, bytes: Buffer.from(bytes.subarray(start, end)) })
	return read
}

/** Differs for most texts that differ: of the length and some of the bytes. */
function sampleOf(bytes: Buffer, start: number, end: number): number {
	const step = 1 + ((end - start) >> 5)
	let sample = end - start
	for (let at = end - 1; at >= start; at -= step) sample = (Math.imul(sample, 31) + (bytes[at] as number)) | 0
	return sample
}

/** JSON text with the keys of maps in Go's order, that of their bytes, where JavaScript's own is another. */
export function writeJson(value: unknown): string {
	if (typeof value !== 'object' || value === null || isRawNumber(value)) return JSON.stringify(value)
	if (Array.isArray(value)) return `[${value.map(writeJson).join(',')}]`
	const entries = Object.entries(value)
	if (entries.some(([key]) => isIndex(key))) entries.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
	return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${writeJson(entry)}`).join(',')}}`
}

const marks = /[<>&\u2028\u2029]/
const allMarks = new RegExp(marks, 'g')

/** JSON text with what Go's encoder escapes and others need not (encoding/json, Encoder.SetEscapeHTML): as the API server writes it, byte for byte. */
export function escapeAsGo(text: string): string {
	return marks.test(text) ? text.replace(allMarks, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`) : text
}
