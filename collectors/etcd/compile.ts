// Makes the code that reads one kind of message: one straight line per field, so that the engine knows each place's types. Go's rules of what is left out when empty are in it.
import { compileFunction } from 'node:vm'
import type { Field, Message } from './types.ts'
import type { Wire } from './wire.ts'

/** Reads the message between `start` and `end`, into `into` where it is written inline. Throws RangeError on bytes that are no such message. */
export type ReadMessage = (wire: Wire, start: number, end: number, depth: number, into?: Record<string, unknown>) => Record<string, unknown>

/** Of ObjectMeta (apimachinery pkg/apis/meta/v1/types.go). */
const resourceVersionNumber = 6
const readers = new WeakMap<Message, ReadMessage>()

/** Compiled at the first use. The code is made of the tables and of nothing else. */
export function readerOf(message: Message): ReadMessage {
	let read = readers.get(message)
	if (!read) {
		const of = (index: number): ReadMessage => readerOf(message.fields[index]?.message ?? message)
		read = compileFunction(codeOf(message), ['of', 'known', 'isZero'])(of, message.byNumber, isZero) as ReadMessage
		readers.set(message, read)
	}
	return read
}

function isZero(value: unknown): boolean {
	if (value === null || value === '' || value === 0 || value === false) return true
	if (Array.isArray(value)) return value.length === 0
	return typeof value === 'object' && Object.values(value).every(isZero)
}

/** The types whose JSON is not their fields, and how they are read (wire.ts). */
const forms: Readonly<Record<string, string>> = {
	s: 'text',
	y: 'base64',
	T: 'time',
	U: 'microTime',
	D: 'duration',
	Q: 'quantity',
	I: 'intOrString',
	L: 'strings',
	F: 'json',
	R: 'json',
}
/** What they are where nothing is stored; null for the others. */
const empties: Readonly<Record<string, string>> = { s: "''", b: 'false', i: '0', d: '0', D: "'0s'", Q: "'0'", I: '0' }

function codeOf(message: Message): string {
	const { fields, byNumber, typeMeta } = message
	const revision = message.name === 'meta/v1.ObjectMeta' ? byNumber[resourceVersionNumber] : undefined
	const subs = fields.flatMap((field, index) => (field.message ? [`let m${index}`] : []))
	return `${subs.join('\n')}
return function read(r, at, end, depth, into) {
r.enter(depth)
const b = r.bytes
let tag = 0, size = 0, stop = 0
${fields.map((field, index) => (field.inline ? `let v${index} = 0, e${index} = 0` : `let v${index}`)).join('\n')}
while (at < end) {
tag = b[at]
if (tag < 128) at++
else { tag = r.long(at, end); at = r.at }
switch (tag) {
${byNumber.map((index, number) => (index === undefined ? '' : caseOf(fields[index] as Field, index, number))).join('')}
default: at = r.other(tag, at, end, known)
}
}
if (at !== end) r.refuse()
const o = into ?? {${typeMeta ? ` kind: ${JSON.stringify(typeMeta.kind)}, apiVersion: ${JSON.stringify(typeMeta.apiVersion)} ` : ''}};
${revision === undefined ? '' : `if (depth === 1) v${revision} = r.revision\n`}${fields.map(store).join(';\n')}
return o
}`
}

const sub = (index: number): string => `(m${index} ??= of(${index}))`

/** One field of the wire: the tag says its number and wire type. */
function caseOf(field: Field, index: number, number: number): string {
	const { kind, container } = field
	const isList = container === 'list'
	const take = (value: string): string => (isList ? `(v${index} ??= []).push(${value})` : `v${index} = ${value}`)
	if (kind === 'i' || kind === 'b') {
		const value = `r.integer(at, end)${kind === 'b' ? ' !== 0' : ''}`
		const one = `case ${number * 8}:\n${take(value)}; at = r.at; break\n`
		return isList ? one + delimited(number, `r.packed(v${index} ??= [], at, stop, ${kind === 'b'})`) : one
	}
	if (kind === 'd') return `case ${number * 8 + 1}:\n${take('r.double(at, end)')}; at += 8; break\n`
	if (field.inline) return delimited(number, `v${index} = at; e${index} = stop`)
	if (container === 'map') {
		const read = kind === 'm' ? sub(index) : `(r, from, to) => r.${forms[kind]}(from, to)`
		return delimited(number, `r.entry(v${index} ??= {}, at, stop, depth + 1, ${read})`)
	}
	return delimited(number, take(kind === 'm' ? `${sub(index)}(r, at, stop, depth + 1)` : `r.${forms[kind]}(at, stop)`))
}

/** After its length, between `at` and `stop`. */
function delimited(number: number, action: string): string {
	return `case ${number * 8 + 2}:
size = b[at]
if (size < 128) at++
else { size = r.long(at, end); at = r.at }
stop = at + size
if (stop > end) r.refuse();
${action}
at = stop
break
`
}

/** Go's encoding/json: a pointer, list or map that is nil is null, or left out with omitempty; a struct is always written. */
function store(field: Field, index: number): string {
	const { kind, container, pointer, omitempty, omitzero } = field
	const value = `v${index}`
	const to = `o[${JSON.stringify(field.json)}]`
	if (field.inline) return `${sub(index)}(r, v${index}, e${index}, depth + 1, o)`
	if (omitzero && !pointer && container === 'one') return `if (${value} !== undefined && !isZero(${value})) ${to} = ${value}`
	if (container !== 'one' || pointer) {
		return omitempty || omitzero ? `if (${value} !== undefined) ${to} = ${value}` : `${to} = ${value} === undefined ? null : ${value}`
	}
	if (kind === 'm') return `${to} = ${value} ?? ${sub(index)}(r, 0, 0, depth + 1)`
	if (omitempty && 'sbidy'.includes(kind)) return `if (${value}) ${to} = ${value}`
	return `${to} = ${value} === undefined ? ${empties[kind] ?? 'null'} : ${value}`
}
