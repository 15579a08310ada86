// Where a suspicious word stands in JSON bytes: as a name with a value beside it, as a flag, as a kind, or only in passing. Anything unclear counts as suspicious.

/** `from`, `to`: where the word stands in `bytes`, which end at `end`. */
export type Check = (bytes: Uint8Array, end: number, from: number, to: number) => boolean

const quote = 0x22
const backslash = 0x5c
const colon = 0x3a
const space = 0x20
const tab = 0x09
const apostrophe = 0x27
/** A string is looked at so far to both sides of a word, and the rest of an object so far behind a name. */
const stringBytesMax = 256
const objectBytesMax = 2048
const authorityBytesMax = 1000

const isSpace = (byte: number | undefined): boolean => byte === space || byte === tab || byte === 0x0a || byte === 0x0d
const isNameByte = (byte: number): boolean =>
	(byte >= 0x61 && byte <= 0x7a) ||
	(byte >= 0x41 && byte <= 0x5a) ||
	(byte >= 0x30 && byte <= 0x39) ||
	byte === 0x5f ||
	byte === 0x2d ||
	byte === 0x2e

function backslashesBefore(bytes: Uint8Array, at: number): number {
	let count = 0
	while (at - count > 0 && bytes[at - count - 1] === backslash) count += 1
	return count
}

/** `&`, `<` or `>` as Go's JSON writes them: \u0026, \u003c, \u003e. */
function isMark(bytes: Uint8Array, at: number): boolean {
	if (bytes[at + 1] !== 0x75 || bytes[at + 2] !== 0x30 || bytes[at + 3] !== 0x30 || bytes[at - 1] === backslash) return false
	return bytes[at + 4] === 0x32 ? bytes[at + 5] === 0x36 : bytes[at + 4] === 0x33 && (bytes[at + 5] === 0x63 || bytes[at + 5] === 0x65)
}

/** The string around a word, at whatever level of JSON inside JSON: its quotes are written with `level` backslashes. */
interface Place {
	readonly level: number
	/** Of the quotes themselves. */
	readonly opening: number
	readonly closing: number
}

/** Undefined where the string is too long, holds escapes, or is none: then nothing can be said of it. */
function placeOf(bytes: Uint8Array, end: number, from: number, to: number): Place | undefined {
	let opening = from - 1
	const first = Math.max(0, from - stringBytesMax)
	while (opening >= first && bytes[opening] !== quote) {
		if (bytes[opening] === backslash && !isMark(bytes, opening)) return undefined
		opening -= 1
	}
	if (opening < first) return undefined
	const level = backslashesBefore(bytes, opening)
	if (level !== 0 && level !== 1 && level !== 3) return undefined
	const last = Math.min(end, to + stringBytesMax)
	let closing = to
	while (closing < last && bytes[closing] !== quote && (bytes[closing] !== backslash || isMark(bytes, closing))) closing += 1
	let escapes = 0
	while (escapes < level && bytes[closing] === backslash) {
		escapes += 1
		closing += 1
	}
	return closing < last && escapes === level && bytes[closing] === quote ? { level, opening, closing } : undefined
}

/** A quote of this level begins at `at`. */
function isQuote(bytes: Uint8Array, at: number, level: number): boolean {
	for (let index = 0; index < level; index += 1) if (bytes[at + index] !== backslash) return false
	return bytes[at + level] === quote
}

/** `kind:` stands before the word, as YAML or loosely. */
function isOfKind(bytes: Uint8Array, from: number): boolean {
	const before = (at: number): number => {
		let back = at
		while (bytes[back - 1] === apostrophe || bytes[back - 1] === space || bytes[back - 1] === tab) back -= 1
		return back
	}
	const colonAt = before(from) - 1
	return bytes[colonAt] === colon && wordAt(bytes, before(colonAt) - 4, 'kind')
}

/** Flags, lists, paths of patches, and YAML in one line: what the string's beginning, and what stands before the word in it, make of it. */
function isSuspectInside(bytes: Uint8Array, place: Place, from: number, to: number): boolean {
	let first = place.opening + 1
	while (isSpace(bytes[first])) first += 1
	const begin = bytes[first]
	if (begin === 0x2d || begin === 0x7b || begin === 0x5b) return true
	if (begin === 0x2f && to === place.closing - place.level) return true
	let nameAt = from
	while (nameAt > place.opening + 1 && isNameByte(bytes[nameAt - 1] ?? 0)) nameAt -= 1
	if (bytes[nameAt] === 0x2d || isOfKind(bytes, from)) return true
	for (let at = first; at < from; at += 1) if (bytes[at] === colon && (isSpace(bytes[at + 1]) || bytes[at - 1] === apostrophe)) return true
	return false
}

/** `=` or `:` follows the word, perhaps behind a quote or blanks. */
export const isAssigned: Check = (bytes, end, _from, to) => {
	let at = to
	while (at < end && (bytes[at] === apostrophe || bytes[at] === space || bytes[at] === tab)) at += 1
	return bytes[at] === 0x3d || bytes[at] === colon
}

function wordAt(bytes: Uint8Array, at: number, word: string): boolean {
	for (let index = 0; index < word.length; index += 1) if (bytes[at + index] !== word.charCodeAt(index)) return false
	return true
}

/** The name whose value the string is, and where it begins; none in a list or where it is a name itself. Undefined where that cannot be said. */
function ownerOf(bytes: Uint8Array, place: Place): { readonly name: '' | 'name' | 'kind' | 'other'; readonly at: number } | undefined {
	const { level } = place
	let at = place.opening - level - 1
	while (at > 0 && isSpace(bytes[at])) at -= 1
	if (bytes[at] === 0x2c || bytes[at] === 0x5b || bytes[at] === 0x7b) return { name: '', at }
	if (bytes[at] !== colon) return undefined
	at -= 1
	while (at > 0 && isSpace(bytes[at])) at -= 1
	if (bytes[at] !== quote || backslashesBefore(bytes, at) !== level) return undefined
	const nameEnd = at - level
	const nameFrom = nameEnd - 4
	if (nameFrom - level - 1 < 0 || !isQuote(bytes, nameFrom - level - 1, level)) return { name: 'other', at: nameFrom }
	return { name: wordAt(bytes, nameFrom, 'name') ? 'name' : wordAt(bytes, nameFrom, 'kind') ? 'kind' : 'other', at: nameFrom - level - 1 }
}

/** Behind the value that begins at `at`; -1 where it cannot be told. */
function afterValue(bytes: Uint8Array, end: number, begin: number, level: number): number {
	let depth = 0
	let at = begin
	while (at < end) {
		if (isQuote(bytes, at, level)) {
			at += level + 1
			while (at < end && bytes[at] !== quote && bytes[at] !== backslash) at += 1
			if (!isQuote(bytes, at, level)) return -1
			at += level
		} else if (bytes[at] === 0x7b || bytes[at] === 0x5b) depth += 1
		else if (bytes[at] === 0x7d || bytes[at] === 0x5d) {
			if (depth === 0) return at
			depth -= 1
		} else if (bytes[at] === backslash) return -1
		at += 1
		if (depth === 0 && (bytes[at] === 0x2c || bytes[at] === 0x7d)) return at
	}
	return -1
}

/** The object whose first member is a name that tells of a secret: has it a `value` too? Only names of variables and headers have. */
function mayHaveValue(bytes: Uint8Array, end: number, place: Place, nameAt: number): boolean {
	if (bytes[nameAt - 1] !== 0x7b) return true
	const { level } = place
	const last = Math.min(end, place.closing + objectBytesMax)
	let at = place.closing + 1
	while (at < last && bytes[at] === 0x2c) {
		if (!isQuote(bytes, at + 1, level)) return true
		const keyAt = at + 2 + level
		let keyEnd = keyAt
		while (keyEnd < last && bytes[keyEnd] !== quote && bytes[keyEnd] !== backslash) keyEnd += 1
		if (!isQuote(bytes, keyEnd, level) || bytes[keyEnd + level + 1] !== colon) return true
		if (keyEnd - keyAt === 5 && wordAt(bytes, keyAt, 'value')) return true
		at = afterValue(bytes, last, keyEnd + level + 2, level)
		if (at < 0) return true
	}
	return bytes[at] !== 0x7d
}

/** The word, with what makes one word of it: secretKey, secret_access_key. */
function longer(bytes: Uint8Array, from: number, to: number): number {
	const next = (bytes[to] ?? 0) | 0x20
	// Of all words only `secret` is six letters long; then come `k`, `a`, `-` or `_`.
	if (to - from !== 6 || (next !== 0x6b && next !== 0x61 && next !== 0x2d && next !== 0x7f)) return to
	const tail = /^[_-]?(?:access[_-]?)?key/i.exec(String.fromCharCode(...bytes.subarray(to, to + 12)))
	return tail ? to + tail[0].length : to
}

/** Where PASSWORD1, TOKEN_OF_A end: a line of YAML names a variable so. */
function variableEnd(bytes: Uint8Array, end: number, to: number): number {
	let at = to
	for (let byte = bytes[at] ?? 0; at < end && isNameByte(byte) && !(byte >= 0x61 && byte <= 0x7a); byte = bytes[at] ?? 0) at += 1
	return at
}

/** TOKEN_OF_A: the name of a variable, as in the data of a ConfigMap. */
function isVariable(bytes: Uint8Array, { opening, closing, level }: Place): boolean {
	for (let at = opening + 1; at < closing - level; at += 1) {
		const byte = bytes[at] ?? 0
		if (!isNameByte(byte) || (byte >= 0x61 && byte <= 0x7a)) return false
	}
	return true
}

/** A word that tells of a secret: does a value stand beside it? */
export const isSuspect: Check = (bytes, end, from, to) => {
	const wordEnd = longer(bytes, from, to)
	if (isAssigned(bytes, end, from, to) || isAssigned(bytes, end, from, wordEnd)) return true
	if (isAssigned(bytes, end, from, variableEnd(bytes, end, to))) return true
	const place = placeOf(bytes, end, from, to)
	if (!place || isSuspectInside(bytes, place, from, wordEnd)) return true
	const { closing, level } = place
	let next = closing + 1
	while (next < end && isSpace(bytes[next])) next += 1
	const follower = bytes[next]
	if (follower === colon) {
		if (wordEnd !== closing - level && !isVariable(bytes, place)) return false
		next += 1
		while (next < end && isSpace(bytes[next])) next += 1
		// A text or a number; in JSON inside JSON nothing is certain.
		return level > 0 || bytes[next] === quote || (bytes[next] ?? 0) < 0x3a
	}
	// At the very end of JSON inside JSON comes the outer quote.
	if (follower !== 0x2c && follower !== 0x7d && follower !== 0x5d) return true
	const owner = ownerOf(bytes, place)
	if (!owner || owner.name === 'kind') return true
	return owner.name === 'name' && mayHaveValue(bytes, end, place, owner.at)
}

/** `://user:password@`: an at sign before the authority ends. */
export const isUrlWithPassword: Check = (bytes, end, _from, to) => {
	const last = Math.min(end, to + authorityBytesMax)
	for (let at = to; at < last; at += 1) {
		const byte = bytes[at]
		// What is escaped may be `&`, `<` or `>`, which a password can hold.
		if (byte === 0x40 || (byte === backslash && bytes[at + 1] === 0x75)) return true
		if (byte === 0x2f || byte === quote || byte === apostrophe || byte === backslash || isSpace(byte)) return false
	}
	return false
}
