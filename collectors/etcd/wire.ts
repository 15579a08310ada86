// The bytes of one protobuf value: numbers, texts, maps, and the types whose JSON is not their fields. Everything is checked against where it must end.
import { integerOf, isIndex, readShared } from './exact.ts'
import { durationText, timeText } from './times.ts'

/** Nesting of messages: Kubernetes' deepest built-in type has about twenty. */
const depthMax = 64
/** Messages in one value. An object of 1.5 MiB has far fewer, and each costs memory also where it is empty. */
const messagesMax = 250_000
const badBytes = 'the protobuf is cut off or garbled'
const keyTag = 10
const valueTag = 18
const shortBytesMax = 96
/** Tags and lengths. */
const shortBits = 35
/** Of an integer of up to seven bytes, exact as a number. */
const wideBits = 49

/** Node's own fast ways from bytes to text, which its types leave out. */
interface Slices {
	utf8Slice(start: number, end: number): string
	base64Slice(start: number, end: number): string
	latin1Slice(): string
}

/** Gives what stands between `start` and `end`. */
export type ReadValue = (wire: Wire, start: number, end: number, depth: number) => unknown

export class Wire {
	readonly bytes: Buffer & Slices
	/** metadata.resourceVersion, which is not stored. */
	readonly revision: string
	/** Where the last read ended. */
	at = 0
	/** False once a map had keys that JavaScript puts in an order of its own. */
	inOrder = true
	#latin1: string | undefined
	#messages = 0

	constructor(bytes: Buffer, revision: string) {
		this.bytes = bytes as Buffer & Slices
		this.revision = revision
	}

	/** At the begin of each message. */
	enter(depth: number): void {
		if (depth > depthMax) throw new RangeError('nested too deeply')
		if (++this.#messages > messagesMax) throw new RangeError(`more than ${messagesMax} messages`)
	}

	refuse(): never {
		throw new RangeError(badBytes)
	}

	/** A varint of more than one byte: a tag, a length. */
	long(start: number, end: number, bitsMax = shortBits): number {
		const { bytes } = this
		let at = start
		let value = 0
		let scale = 1
		for (let shift = 0; shift < bitsMax; shift += 7) {
			if (at >= end) this.refuse()
			const byte = bytes[at++] as number
			value += (byte & 127) * scale
			if (byte < 128) {
				this.at = at
				return value
			}
			scale *= 128
		}
		return this.refuse()
	}

	/** A signed number of 64 bits; beyond 2^53 raw JSON, so that no digit is lost. */
	integer(start: number, end: number): unknown {
		const { bytes } = this
		let length = 0
		while ((bytes[start + length] ?? 0) > 127) length += 1
		if (length < 7) return this.long(start, end, wideBits)
		let value = 0n
		for (let index = 0; index <= length; index++) {
			if (start + index >= end || index > 9) this.refuse()
			value |= BigInt((bytes[start + index] ?? 0) & 127) << BigInt(7 * index)
		}
		this.at = start + length + 1
		return integerOf(BigInt.asIntN(64, value))
	}

	double(start: number, end: number): number {
		if (start + 8 > end) this.refuse()
		return this.bytes.readDoubleLE(start)
	}

	/** Short ASCII, which nearly all is, is cut out of one text of the whole: a call into Node for each costs more than looking at its bytes. */
	text(start: number, end: number): string {
		const { bytes } = this
		if (end - start > shortBytesMax) return bytes.utf8Slice(start, end)
		for (let at = start; at < end; at++) if ((bytes[at] as number) > 127) return bytes.utf8Slice(start, end)
		this.#latin1 ??= bytes.latin1Slice()
		return this.#latin1.substring(start, end)
	}

	base64(start: number, end: number): string {
		return this.bytes.base64Slice(start, end)
	}

	/** Past a field that the tables do not know; throws where they know its number with another wire type. Gives where the next one begins. */
	other(tag: number, start: number, end: number, known: readonly (number | undefined)[]): number {
		const number = Math.floor(tag / 8)
		if (number === 0 || known[number] !== undefined) this.refuse()
		return this.#skip(tag % 8, start, end)
	}

	#skip(wireType: number, start: number, end: number): number {
		let at = start
		if (wireType === 0) {
			this.integer(start, end)
			at = this.at
		} else if (wireType === 1) at += 8
		else if (wireType === 2) {
			const length = this.long(start, end)
			at = this.at + length
		} else if (wireType === 5) at += 4
		else this.refuse()
		if (at > end) this.refuse()
		return at
	}

	/** Numbers of a repeated field in one block. */
	packed(list: unknown[], start: number, end: number, isBoolean: boolean): void {
		for (let at = start; at < end; at = this.at) {
			const value = this.integer(at, end)
			list.push(isBoolean ? value !== 0 : value)
		}
	}

	/** The fields of a message that holds texts and messages only. */
	delimited(start: number, end: number, each: (number: number, from: number, to: number) => void): void {
		for (let at = start; at < end;) {
			const tag = this.long(at, end)
			if (tag % 8 !== 2) this.refuse()
			const length = this.long(this.at, end)
			const from = this.at
			at = from + length
			if (at > end) this.refuse()
			each(Math.floor(tag / 8), from, at)
		}
	}

	/** One entry of a map. A value that is not there is read out of no bytes. */
	entry(map: Record<string, unknown>, start: number, end: number, depth: number, read: ReadValue): void {
		let key = ''
		let from = 0
		let to = 0
		for (let at = start; at < end;) {
			const tag = this.long(at, end)
			at = this.at
			if (tag !== keyTag && tag !== valueTag) {
				at = this.other(tag, at, end, [undefined, 1, 2])
				continue
			}
			const length = this.long(at, end)
			at = this.at
			if (at + length > end) this.refuse()
			if (tag === keyTag) key = this.text(at, at + length)
			else {
				from = at
				to = at + length
			}
			at += length
		}
		if (isIndex(key)) this.inOrder = false
		const value = read(this, from, to, depth)
		if (key === '__proto__') Object.defineProperty(map, key, { value, enumerable: true, writable: true, configurable: true })
		else map[key] = value
	}

	/** Time (apimachinery pkg/apis/meta/v1/time_proto.go): seconds=1, nanos=2. Of no bytes null, Go's zero time. */
	time(start: number, end: number): string | null {
		return start === end ? null : timeText(this.#numbers(start, end)[0], 0, 0)
	}

	/** MicroTime (apimachinery pkg/apis/meta/v1/micro_time_proto.go). */
	microTime(start: number, end: number): string | null {
		if (start === end) return null
		const [seconds, nanos] = this.#numbers(start, end)
		return timeText(seconds, nanos, 6)
	}

	/** Duration (apimachinery pkg/apis/meta/v1/duration.go): duration=1. */
	duration(start: number, end: number): string {
		return durationText(this.#numbers(start, end)[0])
	}

	/** Quantity (apimachinery pkg/api/resource/generated.proto): string=1. */
	quantity(start: number, end: number): string {
		return this.#texts(start, end, 1)[0] ?? '0'
	}

	/** IntOrString (apimachinery pkg/util/intstr/generated.proto): type=1 (0 number), intVal=2, strVal=3. */
	intOrString(start: number, end: number): unknown {
		const [type, number] = this.#numbers(start, end)
		return type === 0 ? number : (this.#texts(start, end, 3)[0] ?? '')
	}

	/** A named list of strings in a message of its own (ExtraValue): items=1. */
	strings(start: number, end: number): readonly string[] {
		return this.#texts(start, end, 1)
	}

	/** FieldsV1 and RawExtension: JSON in field 1. */
	json(start: number, end: number): unknown {
		let from = 0
		let to = 0
		this.delimited(start, end, (number, a, z) => {
			if (number !== 1) return
			from = a
			to = z
		})
		if (from === to) return null
		const { value, inOrder } = readShared(this.bytes, from, to)
		if (!inOrder) this.inOrder = false
		return value
	}

	/** Fields 1 and 2 of a message of numbers. */
	#numbers(start: number, end: number): readonly [unknown, unknown] {
		let one: unknown = 0
		let two: unknown = 0
		for (let at = start; at < end; at = this.at) {
			const tag = this.long(at, end)
			if (tag === 8) one = this.integer(this.at, end)
			else if (tag === 16) two = this.integer(this.at, end)
			else this.at = this.#skip(tag % 8, this.at, end)
		}
		return [one, two]
	}

	#texts(start: number, end: number, number: number): string[] {
		const texts: string[] = []
		for (let at = start; at < end;) {
			const tag = this.long(at, end)
			if (tag !== number * 8 + 2) {
				at = this.#skip(tag % 8, this.at, end)
				continue
			}
			const length = this.long(this.at, end)
			at = this.at + length
			if (at > end) this.refuse()
			texts.push(this.text(this.at, at))
		}
		return texts
	}
}
