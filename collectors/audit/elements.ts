// Pieces of bytes to the JSON values that stand in them, one after another, or inside one document as the elements of its list: a document may be far larger than memory.

export interface Element {
	readonly bytes: Buffer
	/** Where it begins in the input, in bytes. */
	readonly offset: number
}

/** Lists that are read element by element: an array, or one of these members of the outermost object. `events`: `aws logs filter-log-events`; `results`: Logs Insights; `records`: Azure; `items`: an EventList. */
const lists: ReadonlySet<string> = new Set(['events', 'results', 'records', 'items'])
const nameBytesMax = 64

const quote = 0x22
const backslash = 0x5c
const opening = new Set(Buffer.from('{['))
const closing = new Set(Buffer.from('}]'))
const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

export type ElementError = 'something stands between the values' | 'a value is too long' | 'the document breaks off'

/** Only where values begin and end is looked at; whether they are JSON is found out by whoever reads them. */
export class ElementSplitter {
	readonly #elementBytesMax: number
	#parts: Buffer[] = []
	#bytes = 0
	#offset = 0
	#elementAt = 0
	/** Open brackets; those of the list that is read element by element are not counted. */
	#depth = 0
	#inString = false
	#escaped = false
	/** Outside of any value: in the document's list, or between documents. */
	#inList = 0
	/** The list is a member of an object, which goes on behind it. */
	#listInObject = false
	#name = ''
	#inName = false
	failure: ElementError | undefined

	constructor(options: { readonly elementBytesMax: number }) {
		this.#elementBytesMax = options.elementBytesMax
	}

	/** Bytes of a value that has not ended. */
	get pendingBytes(): number {
		return this.#bytes
	}

	get offset(): number {
		return this.#offset
	}

	/** Ends early, with `failure` set, where what follows cannot be told apart. */
	*push(chunk: Buffer): Generator<Element> {
		let from = 0
		for (let at = 0; at < chunk.length && !this.failure; at += 1) {
			const byte = chunk[at] as number
			if (this.#depth === 0) {
				const what = this.#outside(byte)
				if (what !== 'begin') continue
				from = at
				this.#elementAt = this.#offset + at
				this.#depth = 1
				continue
			}
			if (this.#inString) {
				this.#string(byte)
				continue
			}
			if (byte === quote) {
				this.#inString = true
				this.#inName = this.#depth === 1 && this.#inList === 0
				if (this.#inName) this.#name = ''
			} else if (opening.has(byte)) {
				if (byte === 0x5b && this.#depth === 1 && this.#inList === 0 && lists.has(this.#name)) {
					// What stood before the list in the object is none of its elements.
					this.#drop()
					from = at + 1
					this.#depth = 0
					this.#inList = 1
					this.#listInObject = true
				} else this.#depth += 1
			} else if (closing.has(byte)) {
				this.#depth -= 1
				if (this.#depth > 0) continue
				this.#parts.push(chunk.subarray(from, at + 1))
				const bytes = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts)
				this.#drop()
				from = at + 1
				if (this.#listInObject && this.#inList === 0) this.#listInObject = false
				else yield { bytes, offset: this.#elementAt }
			}
		}
		if (this.#depth > 0 && from < chunk.length) this.#keep(chunk.subarray(from))
		this.#offset += chunk.length
	}

	/** Call it at the end of the input. */
	end(): ElementError | undefined {
		if (!this.failure && (this.#depth > 0 || this.#inList > 0)) this.failure = 'the document breaks off'
		return this.failure
	}

	#keep(part: Buffer): void {
		this.#bytes += part.length
		if (this.#bytes > this.#elementBytesMax) {
			this.#drop()
			this.failure = 'a value is too long'
		} else this.#parts.push(part)
	}

	#drop(): void {
		this.#parts = []
		this.#bytes = 0
	}

	#string(byte: number): void {
		if (this.#escaped) this.#escaped = false
		else if (byte === backslash) this.#escaped = true
		else if (byte === quote) {
			this.#inString = false
			this.#inName = false
		} else if (this.#inName && this.#name.length < nameBytesMax) this.#name += String.fromCharCode(byte)
	}

	/** Between values: where one begins. Of a list's object, what comes behind the list is passed over as a value that is not given. */
	#outside(byte: number): 'begin' | undefined {
		if (isSpace(byte)) return undefined
		if (byte === 0x2c && (this.#inList > 0 || this.#listInObject)) {
			if (this.#inList === 0) return 'begin'
			return undefined
		}
		if (byte === 0x5d && this.#inList > 0) {
			this.#inList = 0
			return undefined
		}
		if (byte === 0x7d && this.#listInObject && this.#inList === 0) {
			this.#listInObject = false
			return undefined
		}
		if (byte === 0x5b && this.#inList === 0) {
			this.#inList = 1
			return undefined
		}
		if (opening.has(byte)) return 'begin'
		this.failure = 'something stands between the values'
		return undefined
	}
}
