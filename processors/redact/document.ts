// Documents inside strings: manifests, settings and patches as JSON or YAML, in annotations, ConfigMaps, Helm values and audit bodies.
import { parseAllDocuments, stringify } from 'yaml'
import { parseExact } from '#records/exact-json.ts'
import { redactText, tellsOfSecret, words, type Hash } from './patterns.ts'
import { redactLines } from './lines.ts'
import { hasRepeatedNames } from './members.ts'

/** What is done to a value that was read out of a string: the walk, with what it knows of the place. */
export type Walk = (value: unknown, hash: Hash) => unknown

/** Longer YAML is not parsed: it is redacted line by line. So is what comes when a body has had its share: YAML costs some 20 µs a character at worst. */
const yamlCharsMax = 32 * 1024
const yamlCharsOfBody = 64 * 1024
/** Each of these costs as much as all before it. */
const mergesMax = 50
/** Shorter secrets are only replaced where they stand: their text may be a word among others. */
const repeatedCharsMin = 8
/** So many secrets are each looked for in the whole text; of more, only whole words are. */
const searchesMax = 64
const looksLikeJson = /^[ \t\r\n]*[{[]/
/** A line `name:`, perhaps in a list. */
const looksLikeYaml = /(?:^|\n)[ \t]*(?:- +)*["']?[\w./-]{1,128}["']?[ \t]*:(?:[ \t\r\n]|$)/

/** What may still be spent on one body. */
export interface Budget {
	yamlChars: number
}

export const newBudget = (): Budget => ({ yamlChars: yamlCharsOfBody })

/** `certain`: the string stands where every document is secret. */
export function mayBeDocument(text: string, certain: boolean): boolean {
	return (certain || words.test(text)) && (looksLikeJson.test(text) || looksLikeYaml.test(text) || tellsOfSecret.test(text))
}

/** The text with what is secret in it replaced; the very text where nothing is. YAML and JSON that had something to hide are written anew, without comments. */
export function redactDocument(text: string, hash: Hash, budget: Budget, walk: Walk): string {
	if (looksLikeJson.test(text)) {
		const after = redactJson(text, hash, walk)
		if (after !== undefined) return after
	}
	// What was secret in one place is secret in all: an anchor elsewhere, a comment.
	const secrets = new Map<string, string>()
	const keeping: Hash = (secret) => {
		const hashed = hash(secret)
		if (secret.length >= repeatedCharsMin) {
			const bytes = Buffer.from(secret)
			secrets.set(bytes.toString('utf8'), hashed).set(bytes.toString('base64'), hashed)
		}
		return hashed
	}
	const after = (isAffordable(text, budget) ? redactYaml(text, keeping, walk) : undefined) ?? redactLines(text, keeping)
	return redactText(withoutRepeats(after, secrets), hash)
}

function isAffordable(text: string, budget: Budget): boolean {
	if (text.length > yamlCharsMax || text.length > budget.yamlChars || text.split('<<', mergesMax + 1).length > mergesMax) return false
	budget.yamlChars -= text.length
	return true
}

function withoutRepeats(text: string, secrets: ReadonlyMap<string, string>): string {
	if (secrets.size > searchesMax) return text.replaceAll(/[^\s"'`,;:()[\]{}<>]+/g, (word) => secrets.get(word) ?? word)
	let after = text
	for (const [secret, hashed] of secrets) after = after.replaceAll(secret, hashed)
	return after
}

/** Undefined where it is no JSON, or too deep to be walked. */
export function redactJson(text: string, hash: Hash, walk: Walk): string | undefined {
	try {
		const value = parseExact(text)
		const after = walk(value, hash)
		return after === value && !hasRepeatedNames(text, value) ? text : JSON.stringify(after)
	} catch {
		return undefined // not JSON, or nested too deeply: the caller takes it line by line, or hides it whole
	}
}

/** Undefined where it is no YAML: a template, several languages in one text, anchors without measure. */
function redactYaml(text: string, hash: Hash, walk: Walk): string | undefined {
	try {
		const documents = parseAllDocuments(text, { merge: true, logLevel: 'silent', prettyErrors: false })
		if (!Array.isArray(documents)) return undefined
		let changed = false
		const parts: string[] = []
		for (const document of documents) {
			if (document.errors.length > 0) return undefined
			const value: unknown = document.toJS({ maxAliasCount: 100 })
			// What YAML takes for the very text has no structure to go by. In quotes, it may be a document yet.
			if (value === text.trim()) return undefined
			const after = walk(value, hash)
			if (after !== value) changed = true
			parts.push(stringify(after, { lineWidth: 0, aliasDuplicateObjects: false }))
		}
		return changed ? parts.join('---\n') : text
	} catch {
		return undefined // aliases that multiply, or nested too deeply
	}
}
