// An object's body, read for its description: without metadata.managedFields, which no description tells of and which is often half of the text.
import type { Body } from '#records/body.ts'
import { parseExact } from '#records/exact-json.ts'

type Fields = Readonly<Record<string, unknown>>

const marker = Buffer.from(',"managedFields":[')
const labelsKey = Buffer.from('"labels"')
const metadataKey = '"metadata":'
const quote = 0x22
const backslash = 0x5c

const viewOf = ({ bytes }: Body): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Throws SyntaxError where the body is no JSON. The value is not kept. */
export function readForDescription(body: Body): Fields {
	const bytes = viewOf(body)
	// Quotes inside of a string are escaped: what looks so is a key. Elsewhere in a custom resource it means something.
	const start = bytes.indexOf(marker)
	if (start < 0 || !isInMetadata(bytes, start)) return body.readObject()
	const end = endOf(bytes, start + marker.length)
	if (end < 0) return body.readObject()
	return parseExact(bytes.toString('utf8', 0, start) + bytes.toString('utf8', end)) as Fields
}

/** Those of an object of which nothing else is looked at: Kubernetes' Events have none, mostly, and are then not parsed. */
export function labelsOf(body: Body | null): Readonly<Record<string, string>> {
	if (!body || viewOf(body).indexOf(labelsKey) < 0) return {}
	return stringsOf((readForDescription(body)['metadata'] as Fields | undefined)?.['labels'])
}

/** The members that are texts. */
export function stringsOf(value: unknown): Readonly<Record<string, string>> {
	if (typeof value !== 'object' || value === null) return {}
	return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

/** Whether `at` is directly inside the metadata of the whole. */
function isInMetadata(bytes: Buffer, at: number): boolean {
	let depth = 0
	let opened = 0
	for (let index = 0; index < at; index++) {
		const byte = bytes[index]
		if (byte === quote) index = endOfString(bytes, index)
		else if (byte === 0x5b || byte === 0x7b) {
			if (++depth === 2) opened = index
		} else if (byte === 0x5d || byte === 0x7d) depth--
	}
	return depth === 2 && bytes.toString('latin1', opened - metadataKey.length, opened) === metadataKey
}

/** `from` is behind the bracket that opens a list; gives the place behind the one that closes it, or -1. */
function endOf(bytes: Buffer, from: number): number {
	let depth = 1
	for (let index = from; index < bytes.length; index++) {
		const byte = bytes[index]
		if (byte === quote) index = endOfString(bytes, index)
		else if (byte === 0x5b || byte === 0x7b) depth++
		else if ((byte === 0x5d || byte === 0x7d) && --depth === 0) return index + 1
	}
	return -1
}

/** From the quote that opens a string to the one that closes it. */
function endOfString(bytes: Buffer, from: number): number {
	let at = from + 1
	while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1
	return at
}
