// A private key that is printed into a log takes many lines, and each comes by itself: what follows its first line is hidden too.
import type { Hash } from './patterns.ts'

const begin = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/
const end = /-----END /
/** Base64 of some length anywhere in a line, as loggers put their own words before it; or the last word, which may be the short end of a key. */
const encoded = /(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]{32,}={0,2}|[A-Za-z0-9+/]{1,31}={0,2}[ \t\r]*$)/g
const isLong = /[A-Za-z0-9+/]{32}/
/** Lines of one key; and so many lines of something else say that it is over. */
const linesMax = 200
const othersMax = 3
const filesMax = 1000

interface Open {
	lines: number
	others: number
}

/** Knows of each file whether a key is being printed. Lines of a file must come in their order. */
export class KeyLines {
	readonly #open = new Map<string, Open>()

	/** The next line of the file may belong to a key. */
	isOpen(file: string): boolean {
		return this.#open.size > 0 && this.#open.has(file)
	}

	redact(file: string, text: string, hash: Hash): string {
		const open = this.#open.size === 0 ? undefined : this.#open.get(file)
		if (!open) {
			if (text.includes('PRIVATE KEY') && begin.test(text) && !end.test(text)) this.#begin(file)
			return text
		}
		open.lines += 1
		open.others = isLong.test(text) ? 0 : open.others + 1
		if (end.test(text) || open.lines >= linesMax || open.others >= othersMax) this.#open.delete(file)
		return text.replace(encoded, (secret) => hash(secret))
	}

	#begin(file: string): void {
		const [oldest] = this.#open.keys()
		if (this.#open.size >= filesMax && oldest !== undefined) this.#open.delete(oldest)
		this.#open.set(file, { lines: 0, others: 0 })
	}
}
