// The API server's old text form of the audit log (--audit-log-format=legacy), read back into an audit.k8s.io Event. Format: apiserver pkg/audit/format.go, EventString.
import { requestedObject } from './request-uri.ts'

/** Members of an audit.k8s.io Event that the text form does not have, or of which it has a part only. */
export const legacyMissing = [
	'level',
	'stageTimestamp',
	'sourceIPs',
	'user.uid',
	'user.extra',
	'objectRef',
	'responseStatus',
	'requestObject',
	'responseObject',
	'annotations',
] as const

const begin = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})) AUDIT: /
const fieldBegin = / ?([a-z-]{2,10})="/y
const simpleEscapes: Readonly<Record<string, string>> = {
	a: '\x07',
	b: '\b',
	f: '\f',
	n: '\n',
	r: '\r',
	t: '\t',
	v: '\v',
	'\\': '\\',
	'"': '"',
}
const numberedEscapes: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 }

interface Quoted {
	readonly text: string
	/** Behind the closing quote. */
	readonly end: number
}

/** A string as Go's strconv.Quote writes it, from behind its opening quote on. Undefined where it is none. */
function unquote(line: string, from: number): Quoted | undefined {
	let text = ''
	// Bytes that were no UTF-8 are written one by one, and stand for U+FFFD here.
	for (let at = from; at < line.length;) {
		const sign = line[at] as string
		if (sign === '"') return { text, end: at + 1 }
		if (sign !== '\\') {
			text += sign
			at += 1
			continue
		}
		const kind = line[at + 1] ?? ''
		const simple = simpleEscapes[kind]
		const digits = numberedEscapes[kind]
		if (simple !== undefined) {
			text += simple
			at += 2
		} else if (digits !== undefined) {
			const hex = line.slice(at + 2, at + 2 + digits)
			const point = /^[\da-fA-F]+$/.test(hex) && hex.length === digits ? Number.parseInt(hex, 16) : Number.POSITIVE_INFINITY
			if (point > 0x10ffff) return undefined
			text += kind === 'x' && point > 0x7f ? '\ufffd' : String.fromCodePoint(point)
			at += 2 + digits
		} else return undefined
	}
	return undefined
}

/** `"a","b"`: quoted once more inside the field. */
function quotedList(text: string): readonly string[] {
	const items: string[] = []
	for (let at = 0; text[at] === '"';) {
		const item = unquote(text, at + 1)
		if (!item) break
		items.push(item.text)
		at = item.end + 1
	}
	return items
}

/** `response="…"` is the last field and is not quoted by Go: it is a number or `<deferred>`. */
function fieldsOf(line: string, from: number): ReadonlyMap<string, string> | undefined {
	const fields = new Map<string, string>()
	let at = from
	while (at < line.length) {
		fieldBegin.lastIndex = at
		const found = fieldBegin.exec(line)
		const value = found && unquote(line, fieldBegin.lastIndex)
		if (!found || !value) return undefined
		fields.set(found[1] ?? '', value.text)
		at = value.end
	}
	return fields
}

/** The Event as far as the line tells it; undefined where the line is none of this form. The object is the one that the path names. */
export function parseLegacy(line: string): Readonly<Record<string, unknown>> | undefined {
	const time = begin.exec(line)
	const found = time && fieldsOf(line, time[0].length)
	if (!time || !found) return undefined
	const told = (name: string, absent = ''): string | undefined => {
		const text = found.get(name)
		return text === undefined || text === absent ? undefined : text
	}
	const requestURI = told('uri') ?? ''
	const { apiGroup, subresource, ...object } = requestedObject(requestURI) ?? {}
	const user = told('user', '<none>')
	const groups = told('groups', '<none>')
	const asUser = told('as', '<self>')
	const asGroups = told('asgroups', '<lookup>')
	const ip = told('ip', '<unknown>')
	const response = told('response', '<deferred>')
	const impersonated = { username: asUser, ...(asGroups === undefined ? {} : { groups: quotedList(asGroups) }) }
	return {
		kind: 'Event',
		apiVersion: 'audit.k8s.io/v1',
		auditID: told('id'),
		stage: told('stage'),
		requestURI,
		verb: told('method') ?? '',
		user: { ...(user === undefined ? {} : { username: user }), ...(groups === undefined ? {} : { groups: quotedList(groups) }) },
		...(asUser === undefined ? {} : { impersonatedUser: impersonated }),
		...(ip === undefined ? {} : { sourceIPs: [ip] }),
		userAgent: told('user-agent') ?? '',
		...('resource' in object
			? { objectRef: { ...object, ...(apiGroup ? { apiGroup } : {}), ...(subresource ? { subresource } : {}) } }
			: {}),
		...(response === undefined ? {} : { responseStatus: { code: Number(response) } }),
		requestReceivedTimestamp: time[1],
	}
}
