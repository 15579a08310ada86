// The scan that most bodies only go through: does anything in these JSON bytes call for a walk? It steps over two bytes at a time, and says "clean" only where a walk would change nothing.
import type { Body } from '#records/body.ts'
import { type Check, isAssigned, isSuspect, isUrlWithPassword } from './context.ts'

interface Anchor {
	/** In lower case; the three letters from `at` on are what the scan looks for. */
	readonly word: string
	readonly at: number
	readonly check: Check
}

const always: Check = () => true

/** Case counts. */
function exact(text: string, at: number): Anchor {
	const wanted = Buffer.from(text, 'latin1')
	const check: Check = (bytes, _end, from) => wanted.every((byte, index) => bytes[from + index] === byte)
	return { word: text.toLowerCase(), at, check }
}
const word = (text: string, at: number, check: Check = isSuspect): Anchor => ({ word: text, at, check })

/** Two hexadecimal digits that a JSON writer need not escape, except `&`, `<` and `>` (which Go escapes): they may hide a word. */
const isHidden: Check = (bytes, _end, _from, to) => {
	const high = bytes[to] ?? 0
	const low = (bytes[to + 1] ?? 0) | 0x20
	if (high < 0x30 || high > 0x37) return false
	return !((high === 0x32 && low === 0x36) || (high === 0x33 && (low === 0x63 || low === 0x65)))
}

const apiGroup = Buffer.from('.k8s.io')
const isApiGroup = (bytes: Uint8Array, at: number): boolean => apiGroup.every((byte, index) => bytes[at + index] === byte)

/** `at` is chosen so that the three letters are rare in Kubernetes' JSON. */
const anchors: readonly Anchor[] = [
	word('passwd', 3),
	word('password', 3),
	word('passphrase', 4),
	word('secret', 1),
	word('token', 1),
	word('credential', 7),
	// Not the API group, which is in every audit entry.
	word('authorization', 6, (bytes, end, from, to) => !isApiGroup(bytes, to) && isSuspect(bytes, end, from, to)),
	word('cookie', 1),
	...['', '_', '-'].flatMap((join) => [word(`api${join}key`, 2), word(`private${join}key`, join === '-' ? 7 : 6)]),
	...['auth"', 'auth\\'].map((text) => word(text, 2, (bytes, end, from, to) => isSuspect(bytes, end, from, to - 1))),
	exact('PRIVATE KEY', 6),
	exact('eyJ', 0),
	...['bearer ', 'bearer\\'].map((text) => word(text, 1, always)),
	...['basic ', 'basic\\'].map((text) => word(text, 3, always)),
	...['AKIA', 'ASIA', 'AIza'].map((text) => exact(text, 1)),
	...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'].map((text) => exact(text, 1)),
	exact('github_pat_', 5),
	exact('glpat-', 0),
	exact('xox', 0),
	...['k_live_', 'k_test_'].map((text) => exact(text, 0)),
	exact('whsec_', 3),
	exact('npm_', 1),
	...['hvs.', 'hvb.', 'hvr.'].map((text) => exact(text, 0)),
	exact('SG.', 0),
	...['sk-proj-', 'sk-ant-', 'sk-svcacct-', 'sk-admin-'].map((text) => exact(text, 0)),
	exact('dckr_pat_', 2),
	exact('glsa_', 2),
	exact('hf_', 0),
	exact('pypi-AgE', 3),
	exact('sha256~', 4),
	exact('AGE-SECRET-KEY-', 12),
	word('slack.com/services', 4, always),
	word('accountkey', 6, isAssigned),
	word('sharedaccesskey', 11, isAssigned),
	word('sig=', 1, always),
	word('signature=', 1, always),
	word('://', 0, isUrlWithPassword),
	exact('H4sI', 0),
	word('/value', 0, (bytes, _end, _from, to) => bytes[to] === 0x22 || bytes[to] === 0x5c),
	// Characters that are written as escapes could spell anything.
	word('\\u00', 0, isHidden),
	word('\\/', -1, always),
]

/** Of a pair of bytes, as they lie in memory: it begins, it ends the three letters of some anchor. */
const begins = 1
const ends = 2
const marks = new Uint8Array(65_536)
const anchorsOf = new Map<number, Anchor[]>()

const casesOf = (letter: number): readonly number[] => (letter >= 0x61 && letter <= 0x7a ? [letter, letter - 0x20] : [letter])
const anyByte = Array.from({ length: 256 }, (_, byte) => byte)

const isLittle = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1
/** The pair as a Uint16Array over the bytes gives it on this machine. */
const pairOf = (first: number, second: number): number => (isLittle ? first | (second << 8) : (first << 8) | second)

for (const anchor of anchors) {
	const [first, second, third] = [0, 1, 2].map((index) =>
		anchor.at + index < 0 ? anyByte : casesOf(anchor.word.charCodeAt(anchor.at + index)),
	)
	for (const middle of second ?? []) {
		for (const byte of first ?? []) marks[pairOf(byte, middle)] = (marks[pairOf(byte, middle)] ?? 0) | begins
		for (const byte of third ?? []) {
			const pair = pairOf(middle, byte)
			marks[pair] = (marks[pair] ?? 0) | ends
			anchorsOf.set(pair, [...(anchorsOf.get(pair) ?? []), anchor])
		}
	}
}

/** Where the anchor begins, if its word stands there and `check` agrees (or is not asked); -1 otherwise. */
function placeOf(anchor: Anchor, bytes: Uint8Array, end: number, pairAt: number, isChecked: boolean): number {
	const from = pairAt - 1 - anchor.at
	const to = from + anchor.word.length
	if (from < 0 || to > end) return -1
	for (let index = 0; index < anchor.word.length; index += 1) {
		const byte = bytes[from + index] ?? 0
		if ((byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) !== anchor.word.charCodeAt(index)) return -1
	}
	if (!isChecked && looksAround.has(anchor.check)) return from
	return anchor.check(bytes, end, from, to) ? from : -1
}

/** These look at what stands before the word too: among texts that stand one behind the other, they would look into another one. */
const looksAround = new Set<Check>([isSuspect])
for (const anchor of anchors) if (anchor.word.startsWith('auth')) looksAround.add(anchor.check)

/** Four pairs are looked at together: nearly always none of them means anything. */
const stride = 4
const bytesFirst = 256 * 1024
const bytesMax = 4 * 1024 * 1024

/** Looks at bodies in a buffer of its own, at an even address. */
export class Scanner {
	#bytes = Buffer.alloc(0)
	#pairs = new Uint16Array()
	/** Behind what is looked at. */
	#end = 0

	constructor() {
		this.#reserve(bytesFirst)
	}

	#reserve(size: number): void {
		const memory = new ArrayBuffer(size)
		this.#bytes = Buffer.from(memory)
		this.#pairs = new Uint16Array(memory)
	}

	/** True where the body may hold something secret; false only where a walk would change nothing. */
	mayNeedWalk(body: Body): boolean {
		this.#makeRoom(body.bytesAtMost)
		this.#end = body.writeTo(this.#bytes, 0)
		this.#bytes.fill(0, this.#end, this.#end + 2 * stride)
		return this.#scan(0, true) >= 0
	}

	/** As `mayNeedWalk`, of a text by itself. */
	mayHold(text: Uint8Array): boolean {
		this.load(text)
		return this.#scan(0, true) >= 0
	}

	/** Takes texts that stand one behind the other, for `nextWord`. */
	load(texts: Uint8Array): void {
		this.#makeRoom(texts.length)
		this.#bytes.set(texts, 0)
		this.#end = texts.length
		this.#bytes.fill(0, this.#end, this.#end + 2 * stride)
	}

	/** Where, at `from` or behind it, something begins that may tell of a secret; what stands around it is not looked at. -1 where nothing does. */
	nextWord(from: number): number {
		return this.#scan(from, false)
	}

	#makeRoom(bytes: number): void {
		const size = bytes + 4 * stride
		if (size > this.#bytes.length || this.#bytes.length > bytesMax) this.#reserve(Math.max(bytesFirst, size + (size % 2)))
	}

	#scan(from: number, isChecked: boolean): number {
		const pairs = this.#pairs
		const end = this.#end
		for (let at = Math.floor(from / 2 / stride) * stride; at * 2 < end; at += stride) {
			const first = (marks[pairs[at] as number] as number) | (marks[pairs[at + 1] as number] as number)
			const second = (marks[pairs[at + 2] as number] as number) | (marks[pairs[at + 3] as number] as number)
			if ((first | second) === 0) continue
			for (let pair = at; pair < at + stride; pair += 1) {
				const found = this.#marked(pair * 2, marks[pairs[pair] as number] as number, from, isChecked)
				if (found >= 0) return found
			}
		}
		return -1
	}

	/** Three letters that begin at an odd place end in a pair that is looked at; those that begin at an even place end one byte further. */
	#marked(at: number, mark: number, from: number, isChecked: boolean): number {
		if (mark === 0) return -1
		const found = (mark & ends) === 0 ? -1 : this.#anchored(at, from, isChecked)
		return found >= 0 || (mark & begins) === 0 ? found : this.#anchored(at + 1, from, isChecked)
	}

	#anchored(pairAt: number, from: number, isChecked: boolean): number {
		const bytes = this.#bytes
		const pair = pairOf(bytes[pairAt] ?? 0, bytes[pairAt + 1] ?? 0)
		if (((marks[pair] ?? 0) & ends) === 0) return -1
		for (const anchor of anchorsOf.get(pair) ?? []) {
			const place = placeOf(anchor, bytes, this.#end, pairAt, isChecked)
			if (place >= from) return place
		}
		return -1
	}
}
