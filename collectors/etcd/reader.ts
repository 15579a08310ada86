// Reads protobuf by the tables of types.ts straight into the value that the API server would serve: Go's rules of what is left out when empty included.
import type { Field, Message } from './types.ts'

/** Nesting of messages: Kubernetes' deepest built-in type has about twenty. */
const depthMax = 64
const badBytes = 'the protobuf is cut off or garbled'

/** Of ObjectMeta (apimachinery pkg/apis/meta/v1/types.go). */
const resourceVersionNumber = 6

/** Field 1, length-delimited: the key of a map's entry. */
const keyTag = 10

const shortBytesMax = 96

/** Of an integer of up to seven bytes, exact as a number. */
const wideBits = 49

const zeros: Readonly<Record<string, unknown>> = { s: '', b: false, i: 0, d: 0 }

/** Node's own fast ways from bytes to text, which its types leave out. */
interface Slices {
	utf8Slice(start: number, end: number): string
	base64Slice(start: number, end: number): string
	latin1Slice(): string
}

/** `revision` becomes metadata.resourceVersion, which is not stored. Throws RangeError on bytes that are no such message. */
export function readMessage(bytes: Buffer, message: Message, revision: string): Record<string, unknown> {
	return new Reader(bytes, revision).message(message, 0, bytes.length, 0)
}

class Reader {
	readonly #bytes: Buffer & Slices
	readonly #revision: string
	#latin1: string | undefined
	#at = 0

	constructor(bytes: Buffer, revision: string) {
		this.#bytes = bytes as Buffer & Slices
		this.#revision = revision
	}

	message(type: Message, start: number, end: number, depth: number): Record<string, unknown> {
		if (depth > depthMax) throw new RangeError('nested too deeply')
		const { fields, byNumber } = type
		const values = blank(fields.length)
		this.#at = start
		while (this.#at < end) {
			const tag = this.#varint(end)
			const index = byNumber[tag >>> 3]
			if (index === undefined) {
				this.#skip(tag & 7, end)
				continue
			}
			const field = fields[index] as Field
			if (field.container === 'list') {
				const list = (values[index] ??= []) as unknown[]
				list.push(this.#value(field, tag & 7, end, depth))
			} else if (field.container === 'map') this.#entry(field, (values[index] ??= {}) as Record<string, unknown>, tag & 7, end, depth)
			else values[index] = this.#value(field, tag & 7, end, depth)
		}
		if (this.#at !== end) throw new RangeError(badBytes)
		// The object's own metadata, not that of a template inside it.
		if (depth === 1 && type.name === 'meta/v1.ObjectMeta') values[byNumber[resourceVersionNumber] ?? 0] = this.#revision
		return this.#object(type, values, depth)
	}

	#object(type: Message, values: readonly unknown[], depth: number): Record<string, unknown> {
		const object: Record<string, unknown> = {}
		if (type.typeMeta) {
			object['kind'] = type.typeMeta.kind
			object['apiVersion'] = type.typeMeta.apiVersion
		}
		const { fields } = type
		for (let index = 0; index < fields.length; index++) {
			const field = fields[index] as Field
			let value = values[index]
			if (value === undefined) {
				if (field.pointer || field.omitzero) continue
				if (field.container === 'one' && field.kind === 'm' && field.message) value = this.message(field.message, 0, 0, depth + 1)
				else if (field.omitempty && (field.container !== 'one' || !special.has(field.kind))) continue
				else value = emptyOf(field)
			} else if (field.omitempty && !field.pointer && isEmpty(value)) continue
			else if (field.omitzero && isZero(value)) continue
			if (field.inline) Object.assign(object, value)
			else object[field.json] = value
		}
		return object
	}

	#value(field: Field, wire: number, end: number, depth: number): unknown {
		switch (field.kind) {
			case 'i':
				if (wire !== 0) throw new RangeError(badBytes)
				return this.#integer(end)
			case 'b':
				if (wire !== 0) throw new RangeError(badBytes)
				return this.#varint(end) !== 0
			case 'd': {
				if (wire !== 1) throw new RangeError(badBytes)
				const at = this.#take(8, end)
				return this.#bytes.readDoubleLE(at)
			}
			default: {
				if (wire !== 2) throw new RangeError(badBytes)
				const length = this.#varint(end)
				const at = this.#take(length, end)
				return this.#delimited(field, at, at + length, depth)
			}
		}
	}

	#delimited(field: Field, start: number, end: number, depth: number): unknown {
		if (field.kind === 's') return this.#text(start, end)
		if (field.kind === 'y') return this.#bytes.base64Slice(start, end)
		const back = end
		const value =
			field.kind === 'm' && field.message ? this.message(field.message, start, end, depth + 1) : this.#special(field.kind, start, end)
		this.#at = back
		return value
	}

	/** The types with JSON forms of their own (apimachinery: meta/v1 time.go, micro_time.go, duration.go; api/resource; util/intstr; runtime). */
	#special(kind: string, start: number, end: number): unknown {
		const { numbers, texts } = this.#flat(start, end)
		switch (kind) {
			case 'T':
				return formatSeconds(numbers[1] ?? 0, numbers[2] ?? 0, 0)
			case 'U':
				return formatSeconds(numbers[1] ?? 0, numbers[2] ?? 0, 6)
			case 'D':
				return formatDuration(numbers[1] ?? 0)
			case 'Q':
				return texts[1]?.[0] ?? '0'
			case 'I':
				return (numbers[1] ?? 0) === 0 ? (numbers[2] ?? 0) : (texts[3]?.[0] ?? '')
			case 'L':
				return texts[1] ?? []
			default: {
				// FieldsV1 and RawExtension hold JSON.
				const raw = texts[1]?.[0]
				return raw === undefined || raw === '' ? null : parseShared(raw)
			}
		}
	}

	/** A message of scalars: numbers and texts by field number. */
	#flat(start: number, end: number): { numbers: number[]; texts: string[][] } {
		const numbers: number[] = []
		const texts: string[][] = []
		this.#at = start
		while (this.#at < end) {
			const tag = this.#varint(end)
			const number = tag >>> 3
			if ((tag & 7) === 0) numbers[number] = Number(this.#integer(end))
			else if ((tag & 7) === 2) {
				const length = this.#varint(end)
				const at = this.#take(length, end)
				;(texts[number] ??= []).push(this.#text(at, at + length))
			} else this.#skip(tag & 7, end)
		}
		return { numbers, texts }
	}

	#entry(field: Field, map: Record<string, unknown>, wire: number, end: number, depth: number): void {
		if (wire !== 2) throw new RangeError(badBytes)
		const length = this.#varint(end)
		const at = this.#take(length, end)
		const stop = at + length
		this.#at = at
		let key = ''
		let value: unknown
		while (this.#at < stop) {
			const tag = this.#varint(stop)
			if (tag === keyTag) {
				const size = this.#varint(stop)
				const from = this.#take(size, stop)
				key = this.#text(from, from + size)
			} else if (tag >>> 3 === 2) value = this.#value(field, tag & 7, stop, depth)
			else this.#skip(tag & 7, stop)
		}
		this.#at = stop
		const entry = value ?? emptyOf({ ...field, container: 'one' })
		if (key === '__proto__') Object.defineProperty(map, key, { value: entry, enumerable: true, writable: true, configurable: true })
		else map[key] = entry
	}

	/** A number; beyond 2^53 raw JSON, so that no digit is lost. */
	#integer(end: number): unknown {
		const start = this.#at
		let length = 0
		while ((this.#bytes[start + length] ?? 0) > 127) length += 1
		if (length < 4) return this.#varint(end)
		if (length < 7) return this.#varint(end, wideBits)
		let value = 0n
		for (let index = 0; index <= length; index++) {
			if (start + index >= end || index > 9) throw new RangeError(badBytes)
			value |= BigInt((this.#bytes[start + index] ?? 0) & 127) << BigInt(7 * index)
		}
		this.#at = start + length + 1
		const signed = BigInt.asIntN(64, value)
		const number = Number(signed)
		return Number.isSafeInteger(number) ? number : rawJson(signed.toString())
	}

	#varint(end: number, bitsMax = 35): number {
		const bytes = this.#bytes
		let at = this.#at
		let value = 0
		let scale = 1
		for (let shift = 0; shift < bitsMax; shift += 7) {
			if (at >= end) throw new RangeError(badBytes)
			const byte = bytes[at++] as number
			value += (byte & 127) * scale
			if (byte < 128) {
				this.#at = at
				return value
			}
			scale *= 128
		}
		throw new RangeError(badBytes)
	}

	/** Short ASCII, which nearly all is, is cut out of one text of the whole: a call into Node for each costs more than looking at its bytes. */
	#text(start: number, end: number): string {
		const bytes = this.#bytes
		if (end - start > shortBytesMax) return bytes.utf8Slice(start, end)
		for (let at = start; at < end; at++) if ((bytes[at] as number) > 127) return bytes.utf8Slice(start, end)
		this.#latin1 ??= bytes.latin1Slice()
		return this.#latin1.substring(start, end)
	}

	#take(length: number, end: number): number {
		const at = this.#at
		if (length > end - at) throw new RangeError(badBytes)
		this.#at = at + length
		return at
	}

	#skip(wire: number, end: number): void {
		if (wire === 0) this.#integer(end)
		else if (wire === 1) this.#take(8, end)
		else if (wire === 2) this.#take(this.#varint(end), end)
		else if (wire === 5) this.#take(4, end)
		else throw new RangeError(badBytes)
	}
}

const blanks: unknown[][] = []

/** An array of so many undefined: a copy is many times faster than making one. */
function blank(length: number): unknown[] {
	const known = (blanks[length] ??= Array.from({ length }))
	return known.slice()
}

/** The managedFields of an object's versions repeat: parsed values are shared, up to a number and a length. */
const sharedMax = 2000
const sharedLengthMax = 4096
const shared = new Map<string, unknown>()

function parseShared(text: string): unknown {
	const known = shared.get(text)
	if (known !== undefined) return known
	const value: unknown = JSON.parse(text)
	if (text.length > sharedLengthMax || typeof value !== 'object' || value === null) return value
	if (shared.size >= sharedMax) shared.delete(shared.keys().next().value ?? '')
	shared.set(text, value)
	return value
}

/** Go structs without a pointer are written also when they are empty; of these types the empty form is not `{}`. */
const special = new Set(['T', 'U', 'D', 'Q', 'I', 'F', 'R'])

function emptyOf(field: Field): unknown {
	if (field.container !== 'one' || field.kind === 'y' || field.kind === 'L') return null
	if (field.kind === 'Q') return '0'
	if (field.kind === 'I') return 0
	if (field.kind === 'D') return '0s'
	return field.kind in zeros ? zeros[field.kind] : null
}

function isEmpty(value: unknown): boolean {
	if (value === '' || value === 0 || value === false) return true
	return Array.isArray(value) && value.length === 0
}

function isZero(value: unknown): boolean {
	if (value === null || isEmpty(value)) return true
	return typeof value === 'object' && !Array.isArray(value) && Object.values(value).every(isZero)
}

const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON

/** RFC 3339 in UTC with so many digits; null for Go's zero time. */
function formatSeconds(seconds: number, nanos: number, digits: number): string | null {
	if (seconds === 0 && nanos === 0) return null
	const ms = seconds * 1000
	if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) throw new RangeError('a time out of range')
	const text = secondsText(seconds)
	return digits === 0 ? `${text}Z` : `${text}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`
}

const secondsOfDay = 86_400
const two = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'))
let lastDay = Number.NaN
let lastDate = ''

/** `2026-11-23T16:19:01`: the date is made once a day, as the making of it is slow. */
function secondsText(seconds: number): string {
	const day = Math.floor(seconds / secondsOfDay)
	if (day !== lastDay) {
		lastDate = new Date(day * secondsOfDay * 1000).toISOString().slice(0, -13)
		lastDay = day
	}
	const rest = seconds - day * secondsOfDay
	return `${lastDate}${two[Math.floor(rest / 3600)]}:${two[Math.floor(rest / 60) % 60]}:${two[rest % 60]}`
}

/** Go's time.Duration.String(): `1h2m3.5s`, `0s`. */
function formatDuration(nanos: number): string {
	if (nanos === 0) return '0s'
	const sign = nanos < 0 ? '-' : ''
	let rest = Math.abs(nanos)
	if (rest < 1e9) return sign + (rest < 1e3 ? `${rest}ns` : rest < 1e6 ? `${rest / 1e3}µs` : `${rest / 1e6}ms`)
	const hours = Math.floor(rest / 3.6e12)
	rest -= hours * 3.6e12
	const minutes = Math.floor(rest / 6e10)
	const seconds = (rest - minutes * 6e10) / 1e9
	return `${sign}${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds}s`
}
