// Words as the store's search tells them apart, made here: the tokenizers that could do it are modules that a server may lack, and every engine must find the same.
import { phrasesOf } from '#storage/store/meaning.ts'

/** Combining marks that belong to a word, as SQLite's unicode61 has them: bits of U+0300 and of U+0320 on. */
const marks = [0x08029fdf, 0x000361f8]
	.flatMap((bits, half) => Array.from({ length: 32 }, (_, bit) => ((bits >>> bit) & 1 ? String.fromCharCode(0x300 + half * 32 + bit) : '')))
	.join('')
const word = new RegExp(`[\\p{L}\\p{N}\\p{Co}][\\p{L}\\p{N}\\p{Co}${marks}]*`, 'gu')
const beyondAscii = /\P{ASCII}/u

/** In lower case, with one space between them. Letters, digits and private use are words; all else parts them. */
export function wordsOf(text: string): string {
	const lower = text.toLowerCase()
	if (!beyondAscii.test(lower)) return lower.replaceAll(/[^a-z0-9]+/g, ' ')
	return (lower.replaceAll('ς', 'σ').match(word) ?? []).join(' ')
}

/** Each phrase of a search, as its words; undefined where there is no word in it. */
export function searchedPhrases(q: string): readonly string[] | undefined {
	const phrases = phrasesOf(q).flatMap((phrase) => wordsOf(phrase).trim() || [])
	return phrases.length === 0 ? undefined : phrases
}
