// What the store's questions mean by a record, the same on every engine: the object it is about, its namespace and kind, its body, the text that is searched.
import { Body } from '#records/body.ts'
import type { Indexed } from '#records/indexed.ts'
import { resourceName, type ObjectRef } from '#records/object-key.ts'
import type { LogLine } from '#records/record.ts'

/** The namespace that a question means: a Namespace lies in none, and what is about it belongs to the one that it is, as in the audit log's own objectRef. */
export const namespaceOf = (object: Pick<ObjectRef, 'resource' | 'group' | 'namespace' | 'name'>): string =>
	object.namespace === '' && object.resource === 'namespaces' && object.group === '' ? object.name : object.namespace

/** Whether `wanted`, in lower case, is its kind, its resource or its resource with group. */
export function isOfKind(object: { readonly kind: string; readonly resource: string; readonly group: string }, wanted: string): boolean {
	return object.kind.toLowerCase() === wanted || object.resource === wanted || resourceName(object) === wanted
}

export function isNoise({ record }: Indexed): boolean {
	if (record.kind === 'change') return record.folded !== undefined
	return record.kind === 'event' && record.operation === 'deleted'
}

/** The object a record is about; of a cluster event what it regards, of a container's line the Pod. */
export function aboutOf({ record }: Indexed): { readonly object: ObjectRef; readonly kind: string; readonly uid: string } | undefined {
	if (record.kind === 'change') return { object: record.object, kind: record.objectKind, uid: record.uid }
	if (record.kind === 'event') return { object: record.regarding, kind: record.regarding.kind, uid: record.regarding.uid }
	if (record.kind === 'audit' && record.object) return { object: record.object, kind: '', uid: record.responseUid }
	if (record.kind !== 'log' || record.pod === '') return undefined
	const object: ObjectRef = { resource: 'pods', group: '', namespace: record.namespace, name: record.pod }
	return { object, kind: 'Pod', uid: record.podUid }
}

/** Whether the summary is all of a line's text. */
export const isWholeInSummary = (line: LogLine, summary: string): boolean => line.text === summary

export function bodyToStore({ record, summary }: Indexed): Body | null {
	if (record.kind === 'log')
		return isWholeInSummary(record, summary)
			? null
			: Body.ofValue({ text: record.text, ...(record.raw === undefined ? {} : { raw: record.raw }) })
	if (record.kind === 'change' || record.kind === 'event')
		return record.operation === 'deleted' ? (record.before ?? record.after) : record.after
	return record.kind === 'audit' ? record.body : null
}

/** What full-text search finds, in parts. */
export function searchedParts({ record, summary, text }: Indexed): string[] {
	const parts = text !== '' && text !== summary ? [summary, text] : [summary]
	if (record.kind === 'change' || record.kind === 'audit') parts.push(record.object?.name ?? '')
	else if (record.kind === 'event') parts.push(record.regarding.name, record.object.name)
	return parts
}

export const searchedText = (indexed: Indexed): string => searchedParts(indexed).join('\n')

/** The words and "phrases" of what people search for that have a letter or digit in them. */
export function phrasesOf(q: string): readonly string[] {
	return [...q.matchAll(/"([^"]*)"?|([^\s"]+)/g)]
		.map((match) => (match[1] ?? match[2] ?? '').replaceAll('\0', ' '))
		.filter((phrase) => /[\p{L}\p{N}\p{Co}]/u.test(phrase))
}
