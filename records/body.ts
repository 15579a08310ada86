// A JSON document that is kept in whatever form it came in, and turned into the others only when asked. Numbers stay as they were written.
import { parseExact } from './exact-json.ts'

/** One JSON value as text, bytes or value. Conversions are made once and kept. Treat the value as read-only. */
export class Body {
	#value: unknown
	#text: string | undefined
	#bytes: Uint8Array | undefined
	#parsed: boolean

	private constructor(value: unknown, text: string | undefined, bytes: Uint8Array | undefined, parsed: boolean) {
		this.#value = value
		this.#text = text
		this.#bytes = bytes
		this.#parsed = parsed
	}

	static ofValue(value: unknown): Body {
		return new Body(value, undefined, undefined, true)
	}

	/** `text` must be JSON: it is parsed when the value is asked for, and throws SyntaxError then if it is not. `value`: what it parses to, where that is known. */
	static ofText(text: string, value?: unknown): Body {
		return new Body(value, text, undefined, value !== undefined)
	}

	/** `bytes` must be JSON in UTF-8. They are kept, not copied. */
	static ofBytes(bytes: Uint8Array): Body {
		return new Body(undefined, undefined, bytes, false)
	}

	get value(): unknown {
		if (!this.#parsed) {
			this.#value = parseExact(this.text)
			this.#parsed = true
		}
		return this.#value
	}

	/** The value for one look: unless it is kept already, it is parsed and not kept, so that a batch of bodies does not hold all their values. */
	read(): unknown {
		return this.#parsed ? this.#value : parseExact(this.#text ?? textOf(this.#bytes))
	}

	/** Makes the text, and forgets the value: who keeps a body for long then keeps a fraction of the memory. */
	settle(): void {
		this.#text ??= this.text
		this.#value = undefined
		this.#parsed = false
	}

	get text(): string {
		if (this.#text === undefined) {
			this.#text = this.#bytes ? textOf(this.#bytes) : JSON.stringify(this.#value)
		}
		return this.#text
	}

	get bytes(): Uint8Array {
		this.#bytes ??= Buffer.from(this.text, 'utf8')
		return this.#bytes
	}

	/** No fewer bytes than `writeTo` writes. */
	get bytesAtMost(): number {
		return this.#bytes ? this.#bytes.byteLength : this.text.length * 3
	}

	/** Writes the UTF-8 bytes at `at`, without keeping them, and gives their number. `target` must have `bytesAtMost` left. */
	writeTo(target: Buffer, at: number): number {
		if (!this.#bytes) return target.write(this.text, at, 'utf8')
		target.set(this.#bytes, at)
		return this.#bytes.byteLength
	}

	/** The value as an object; an empty one where it is none. */
	get object(): Readonly<Record<string, unknown>> {
		return fieldsOf(this.value)
	}

	/** The same of `read`. */
	readObject(): Readonly<Record<string, unknown>> {
		return fieldsOf(this.read())
	}
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

function textOf(bytes: Uint8Array | undefined): string {
	return bytes ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8') : ''
}
