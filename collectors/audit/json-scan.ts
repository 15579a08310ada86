// A strict reader of JSON bytes that makes values only of the members that were asked for: the bodies in an audit entry are checked and passed over.
import { limits } from '#runtime/limits.ts'

/** Members that are wanted of an object: their values, the places of a list's elements, or of an object again some members only. */
export interface Plan {
	readonly [name: string]: Plan | 'value' | 'elements'
}

export interface Span {
	readonly from: number
	/** Behind the last byte. */
	readonly to: number
}

export interface Member extends Span {
	readonly name: string
	/** What was found of an object that has a plan of its own. */
	readonly found?: Readonly<Record<string, unknown>>
	/** Of a list whose elements are wanted. */
	readonly elements?: readonly Span[]
}

interface Wanted {
	readonly name: string
	readonly bytes: Uint8Array
	readonly next: Prepared | 'value' | 'elements'
}

/** A plan, made ready once. */
export type Prepared = readonly Wanted[]

export function prepare(plan: Plan): Prepared {
	return Object.entries(plan).map(([name, next]) => ({
		name,
		bytes: Buffer.from(name),
		next: typeof next === 'string' ? next : prepare(next),
	}))
}

/** Why the bytes are not read. `escaped name`: a name that might be one of those wanted is written with escapes; a parser must tell. */
export type Refusal = 'not JSON' | 'nested too deeply' | 'escaped name'

class RefusalError extends Error {
	readonly refusal: Refusal

	constructor(refusal: Refusal) {
		super(refusal)
		this.refusal = refusal
	}
}

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const openObject = 0x7b
const closeObject = 0x7d
const openList = 0x5b
const closeList = 0x5d

const plain = 0
const special = 1
/** Bytes that end the run of plain bytes in a string: quote, backslash, control characters. */
const kinds = new Uint8Array(256).fill(plain)
kinds.fill(special, 0, 0x20)
kinds[quote] = special
kinds[backslash] = special
const escapes = new Set(Buffer.from('"\\/bfnrt'))

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39
const isHex = (byte: number | undefined): boolean => isDigit(byte) || (byte !== undefined && (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66)

/** Reads `bytes`, which must be UTF-8, from their begin. Every byte is checked against RFC 8259, as JSON.parse does. */
export class JsonScan {
	readonly #bytes: Buffer
	#at = 0
	#depth = 0
	/** Of each open bracket in `#skip`: is it an object's? */
	readonly #isObject = new Uint8Array(limits.jsonDepthMax + 1)

	constructor(bytes: Buffer) {
		this.#bytes = bytes
	}

	/** The wanted members of the object that the bytes hold, in order, repeated ones each time. None where they hold something else. */
	members(plan: Prepared): readonly Member[] | Refusal {
		try {
			const found: Member[] = []
			this.#space()
			if (this.#bytes[this.#at] === openObject) this.#object(plan, (member) => found.push(member))
			else this.#skip()
			this.#space()
			return this.#at === this.#bytes.length ? found : 'not JSON'
		} catch (error) {
			if (error instanceof RefusalError) return error.refusal
			throw error
		}
	}

	/** Undefined where the bytes are JSON, whatever its names. */
	check(): Refusal | undefined {
		try {
			this.#space()
			this.#skip()
			this.#space()
			return this.#at === this.#bytes.length ? undefined : 'not JSON'
		} catch (error) {
			if (error instanceof RefusalError) return error.refusal
			throw error
		}
	}

	#isSpace(at: number): boolean {
		const byte = this.#bytes[at]
		return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
	}

	#space(): void {
		while (this.#isSpace(this.#at)) this.#at += 1
	}

	#enter(): void {
		this.#depth += 1
		if (this.#depth > limits.jsonDepthMax) throw new RefusalError('nested too deeply')
		this.#at += 1
		this.#space()
	}

	#leave(): void {
		this.#depth -= 1
		this.#at += 1
	}

	/** Behind a value: a comma, and the next one begins; or the end, which is not passed. */
	#isMore(close: number): boolean {
		this.#space()
		const byte = this.#bytes[this.#at]
		if (byte !== comma && byte !== close) throw new RefusalError('not JSON')
		if (byte === close) return false
		this.#at += 1
		return true
	}

	#object(plan: Prepared, tell: (member: Member) => void): void {
		const bytes = this.#bytes
		this.#enter()
		for (let more = bytes[this.#at] !== closeObject; more; more = this.#isMore(closeObject)) {
			this.#space()
			const nameFrom = this.#at + 1
			this.#string()
			const wanted = this.#wantedOf(plan, nameFrom, this.#at - 1)
			this.#space()
			if (bytes[this.#at] !== colon) throw new RefusalError('not JSON')
			this.#at += 1
			this.#space()
			const from = this.#at
			if (wanted === undefined) this.#skip()
			else tell(this.#member(wanted, from))
		}
		this.#leave()
	}

	#member({ name, next }: Wanted, from: number): Member {
		const begin = this.#bytes[from]
		if (next === 'elements' && begin === openList) {
			const elements = this.#elements()
			return { name, from, to: this.#at, elements }
		}
		if (typeof next === 'object' && begin === openObject) {
			const found: Record<string, unknown> = {}
			// The last of several members of a name counts, as for a parser.
			this.#object(next, (member) => (found[member.name] = member.found ?? this.#value(member)))
			return { name, from, to: this.#at, found }
		}
		this.#skip()
		return { name, from, to: this.#at }
	}

	#elements(): readonly Span[] {
		const found: Span[] = []
		this.#enter()
		for (let more = this.#bytes[this.#at] !== closeList; more; more = this.#isMore(closeList)) {
			this.#space()
			const from = this.#at
			this.#skip()
			found.push({ from, to: this.#at })
		}
		this.#leave()
		return found
	}

	#wantedOf(plan: Prepared, from: number, to: number): Wanted | undefined {
		const bytes = this.#bytes
		const size = to - from
		for (const wanted of plan) {
			if (wanted.bytes.length !== size) continue
			let at = 0
			while (at < size && bytes[from + at] === wanted.bytes[at]) at += 1
			if (at === size) return wanted
		}
		for (let at = from; at < to; at += 1) if (bytes[at] === backslash) throw new RefusalError('escaped name')
		return undefined
	}

	#value({ from, to }: Span): unknown {
		return JSON.parse(this.#bytes.toString('utf8', from, to))
	}

	/** Over any value. */
	#skip(): void {
		const bytes = this.#bytes
		const outside = this.#depth
		for (;;) {
			this.#space()
			const byte = bytes[this.#at]
			if (byte === openObject || byte === openList) {
				this.#enter()
				this.#isObject[this.#depth] = byte === openObject ? 1 : 0
				if (bytes[this.#at] !== (byte === openObject ? closeObject : closeList)) {
					if (byte === openObject) this.#name()
					continue
				}
				this.#leave()
			} else if (byte === quote) this.#string()
			else this.#literal(byte)
			// Behind a value: out of all that ends here, and on to the next.
			for (;;) {
				if (this.#depth === outside) return
				const isObject = this.#isObject[this.#depth] === 1
				if (this.#isMore(isObject ? closeObject : closeList)) {
					if (isObject) this.#name()
					break
				}
				this.#leave()
			}
		}
	}

	#name(): void {
		this.#space()
		this.#string()
		this.#space()
		if (this.#bytes[this.#at] !== colon) throw new RefusalError('not JSON')
		this.#at += 1
	}

	#string(): void {
		const bytes = this.#bytes
		let at = this.#at
		if (bytes[at] !== quote) throw new RefusalError('not JSON')
		at += 1
		for (;;) {
			while (kinds[bytes[at] as number] === plain) at += 1
			const byte = bytes[at]
			if (byte === quote) break
			if (byte !== backslash) throw new RefusalError('not JSON')
			const escape = bytes[at + 1] as number
			if (escape === 0x75) {
				for (let digit = 2; digit < 6; digit += 1) if (!isHex(bytes[at + digit])) throw new RefusalError('not JSON')
				at += 6
			} else if (escapes.has(escape)) at += 2
			else throw new RefusalError('not JSON')
		}
		this.#at = at + 1
	}

	#literal(byte: number | undefined): void {
		if (byte === 0x74) return this.#word('true')
		if (byte === 0x66) return this.#word('false')
		if (byte === 0x6e) return this.#word('null')
		const bytes = this.#bytes
		let at = byte === 0x2d ? this.#at + 1 : this.#at
		const digits = (): void => {
			if (!isDigit(bytes[at])) throw new RefusalError('not JSON')
			while (isDigit(bytes[at])) at += 1
		}
		if (bytes[at] === 0x30) at += 1
		else digits()
		if (bytes[at] === 0x2e) {
			at += 1
			digits()
		}
		if (bytes[at] === 0x65 || bytes[at] === 0x45) {
			at += 1
			if (bytes[at] === 0x2b || bytes[at] === 0x2d) at += 1
			digits()
		}
		this.#at = at
	}

	#word(word: string): void {
		for (let index = 0; index < word.length; index += 1)
			if (this.#bytes[this.#at + index] !== word.charCodeAt(index)) throw new RefusalError('not JSON')
		this.#at += word.length
	}
}
