// Documents that no parser reads (templates, fragments, what was cut off): redacted line by line, and fragments of JSON by their quotes.
import { hashPrefix, isReference, namesSecret, sealBase64, secretKey, tellsOfSecret, type Hash } from './patterns.ts'

const line = /^([ \t]*(?:- +)*)(["']?)([\w./-]{1,253})\2[ \t]*:(?:[ \t](.*))?$/
const blockHeader = /^(?:[&!][^\s]*\s+)*[|>][+\-\d]*(?:\s+#.*)?$/
const template = /^\{\{[\s\S]*\}\}$/
/** `"data":{`, at any level of JSON inside JSON. */
const dataObject = /(?<!\\)(\\{0,15})["'](?:data|stringData)\1["']\s*:\s*\{/g

/** What YAML takes away from a plain or quoted scalar, as far as one line tells. */
function unquoted(value: string): string {
	const inQuotes = (text: string): string | undefined => (/^(["']).*\1$/.test(text) ? text.slice(1, -1) : undefined)
	const comment = value.indexOf(' #')
	const bare = comment < 0 ? value : value.slice(0, comment).trimEnd()
	return inQuotes(value) ?? inQuotes(bare) ?? bare
}

export function redactLines(text: string, hash: Hash): string {
	const ofSecret = tellsOfSecret.test(text)
	/** Indentation of the `data` of a Secret, and of a name whose value goes on in further lines, while below them. */
	let data: number | undefined
	let scalar: number | undefined
	/** The name of the list item above, for `value` beside it. */
	let named = ''
	const sealed = (whole: string, value: string, base64: boolean): string => {
		const plain = unquoted(value)
		if (plain === '' || blockHeader.test(plain) || plain.startsWith(hashPrefix) || isReference(plain)) return whole
		return whole.slice(0, whole.lastIndexOf(value)) + (base64 ? sealBase64(plain, hash) : hash(plain))
	}
	const after = text.split('\n').map((whole) => {
		const trimmed = whole.trim()
		if (trimmed === '') return whole
		const indent = whole.length - whole.trimStart().length
		if (data !== undefined && indent <= data) data = undefined
		if (scalar !== undefined && indent <= scalar) scalar = undefined
		if (template.test(trimmed) || trimmed.startsWith(hashPrefix)) return whole
		if (scalar !== undefined) return whole.slice(0, indent) + hash(trimmed)
		const [matched, before = '', , name = '', rest = ''] = line.exec(whole) ?? []
		const value = rest.trim()
		if (matched === undefined) return data === undefined ? whole : whole.slice(0, indent) + hash(trimmed)
		if (data !== undefined) {
			scalar = before.length
			return sealed(whole, value, true)
		}
		if (name === 'name') named = unquoted(value)
		if (ofSecret && (name === 'data' || name === 'stringData')) {
			data = before.length
			return sealed(whole, value, false)
		}
		if (value === '' || !(secretKey.test(name) || (name === 'value' && namesSecret(named)))) return whole
		scalar = before.length
		return sealed(whole, value, false)
	})
	return ofSecret ? redactFragments(after.join('\n'), hash) : after.join('\n')
}

/** Strings below `"data":{` up to its end, or to the end of the text; the names stay. */
function redactFragments(text: string, hash: Hash): string {
	let result = ''
	let done = 0
	dataObject.lastIndex = 0
	for (let found = dataObject.exec(text); found; found = dataObject.exec(text)) {
		const quote = `${found[1] ?? ''}"`
		let at = dataObject.lastIndex
		result += text.slice(done, at)
		for (;;) {
			const rest = new RegExp(`^[\\s,]*${escaped(quote)}([^"\\\\]{1,253})${escaped(quote)}\\s*:\\s*`).exec(text.slice(at, at + 600))
			if (!rest) break
			result += text.slice(at, at + rest[0].length)
			at += rest[0].length
			const end = text.startsWith(quote, at) ? endOfString(text, at + quote.length, quote) : nextOf(text, at, /[,}]/g)
			const value = text.startsWith(quote, at) ? text.slice(at + quote.length, end) : text.slice(at, end)
			const seal = value === '' ? value : sealBase64(value, hash)
			result += text.startsWith(quote, at) ? quote + seal + (end < text.length ? quote : '') : seal
			at = Math.min(text.length, text.startsWith(quote, at) ? end + quote.length : end)
		}
		// What stands before the end and is no member cannot be told apart.
		const end = nextOf(text, at, /\}/g)
		const odd = text.slice(at, end).trim()
		result += odd === '' || odd.startsWith(hashPrefix) ? text.slice(at, end) : hash(odd)
		done = end
		dataObject.lastIndex = end
	}
	return result + text.slice(done)
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\')

/** The closing quote: of the same level, so not behind more backslashes. */
function endOfString(text: string, from: number, quote: string): number {
	for (let at = text.indexOf(quote, from); at >= 0; at = text.indexOf(quote, at + 1)) if (text[at - 1] !== '\\') return at
	return text.length
}

function nextOf(text: string, from: number, pattern: RegExp): number {
	pattern.lastIndex = from
	return pattern.exec(text)?.index ?? text.length
}
