// The words index: what full-text search finds, and tags by which filters find their records in time order.
import { hash } from 'node:crypto'
import type { Indexed } from '#records/indexed.ts'
import { namespaceOf, phrasesOf } from '#storage/store/meaning.ts'
import { kinds } from './schema.ts'

/** Lines that begin in so many bytes of their file have a tag in common, by which their neighbours are found in the order of the file. */
export const stretchBytes = 32 * 1024

/** A tag is one token: its letter, and the day's number of its text. */
export type TagLetter = 'n' | 'r' | 'u' | 'v' | 'c' | 'd' | 's' | 'a' | 'i' | 'p' | 'o' | 'w' | 'k' | 'f'

export const tagPrefix = 'zq'

type Intern = (text: string) => number

/** Tags of the object a record is about. */
export function objectTags(
	object: { readonly resource: string; readonly group: string; readonly namespace: string; readonly name: string },
	intern: Intern,
): string {
	const inNamespace = namespaceOf(object)
	const namespace = inNamespace === '' ? '' : ` ${tagPrefix}n${intern(inNamespace)}`
	const resource = object.group === '' ? object.resource : `${object.resource}.${object.group}`
	return resource === '' ? namespace : `${namespace} ${tagPrefix}r${intern(resource)}`
}

/** Tags of one record, behind those of its object; `o` is of a cluster event's own object. */
export function tagsOf(indexed: Indexed, ofObject: string, own: number | null, intern: Intern): string {
	const { record } = indexed
	let tags = record.kind === 'change' ? '' : `${tagPrefix}k${kinds.indexOf(record.kind)}`
	const add = (letter: TagLetter, text: string): void => {
		if (text !== '') tags += ` ${tagPrefix}${letter}${intern(text)}`
	}
	tags += ofObject
	if (own !== null) tags += ` ${tagPrefix}o${own}`
	if (indexed.severity !== 'normal') tags += ` ${tagPrefix}w${indexed.severity === 'error' ? 2 : 1}`
	if (record.kind === 'audit') {
		add('u', record.user)
		add('v', record.verb)
		add('s', record.subresource)
		add('d', record.decision)
		add('a', record.userAgent)
		add('c', String(record.code))
		tags += ` ${requestTag(record.auditID)}`
		for (const ip of record.sourceIPs) add('i', ip)
	} else if (record.kind === 'log') {
		add('p', record.pod)
		add('f', record.container)
		add('i', record.node)
		add('s', record.component)
		tags += ` ${fileTag(intern(record.file))}${Math.floor(record.offset / stretchBytes)}`
		// The first lines of a file lead to it from the one before.
		if (record.follows !== undefined && record.offset < stretchBytes) tags += ` ${followsTag(intern(record.follows))}`
	}
	return tags
}

/** Of the stages of one request. Another one may have it too. */
export const requestTag = (auditID: string): string => `${tagPrefix}q${hash('sha256', auditID, 'hex').slice(0, 16)}`
/** Of the lines of a file; the number of the stretch follows. */
export const fileTag = (file: number): string => `${tagPrefix}l${file}x`

/** Of the first lines of a file that goes on where this one ends. */
export const followsTag = (file: number): string => `${tagPrefix}b${file}`

/** A user's text as an FTS5 expression: every word and every "phrase" as an FTS5 string. Null where there is no word in it. */
export function matchOf(q: string): string | null {
	const phrases = phrasesOf(q).map((phrase) => `"${phrase}"`)
	return phrases.length === 0 ? null : `text : (${phrases.join(' AND ')})`
}

export function tagMatch(tags: readonly string[]): string {
	return `tags : (${tags.map((tag) => `"${tagPrefix}${tag}"`).join(' AND ')})`
}
