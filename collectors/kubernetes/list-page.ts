// One page of a list, cut into its items without decoding them: numbers keep every digit, and only one item at a time becomes a value.

export interface ListPage {
	readonly items: readonly Buffer[]
	readonly resourceVersion: string
	readonly continue: string
}

const quote = 0x22
const backslash = 0x5c
const itemsName = '"items"'

/** Undefined where the bytes are no Kubernetes list. */
export function splitPage(page: Buffer): ListPage | undefined {
	const array = findItems(page)
	if (!array) return undefined
	try {
		const rest = JSON.parse(page.toString('utf8', 0, array.from) + 'null' + page.toString('utf8', array.to)) as Readonly<
			Record<string, unknown>
		> | null
		const metadata = rest?.['metadata'] as Readonly<Record<string, unknown>> | undefined
		const text = (value: unknown): string => (typeof value === 'string' ? value : '')
		return { items: array.items, resourceVersion: text(metadata?.['resourceVersion']), continue: text(metadata?.['continue']) }
	} catch {
		return undefined
	}
}

interface Items {
	readonly items: Buffer[]
	readonly from: number
	readonly to: number
}

/** The value of `items` at the top level: where it begins and ends, and its elements. */
function findItems(page: Buffer): Items | undefined {
	const items: Buffer[] = []
	let depth = 0
	let from = -1
	let begin = -1
	for (let at = 0; at < page.length; at += 1) {
		const byte = page[at]
		if (byte === quote) {
			const end = endOfString(page, at)
			if (end < 0) return undefined
			// A string without a colon behind it is no name.
			if (depth === 1 && from < 0 && end - at === itemsName.length && page.toString('latin1', at, end) === itemsName) {
				const value = afterColon(page, end)
				if (page[value] === 0x6e) return { items, from: value, to: value + 4 }
				if (page[value] === 0x5b) {
					from = value
					at = value - 1
					continue
				}
			}
			at = end - 1
		} else if (byte === 0x7b || byte === 0x5b) {
			if (from >= 0 && depth === 2 && begin < 0) begin = at
			depth += 1
		} else if (byte === 0x7d || byte === 0x5d) {
			depth -= 1
			if (begin >= 0 && depth === 2) {
				items.push(page.subarray(begin, at + 1))
				begin = -1
			} else if (from >= 0 && depth === 1) return { items, from, to: at + 1 }
		}
	}
	return undefined
}

function endOfString(page: Buffer, start: number): number {
	for (let at = page.indexOf(quote, start + 1); at >= 0; at = page.indexOf(quote, at + 1)) {
		let slashes = 0
		while (page[at - 1 - slashes] === backslash) slashes += 1
		if (slashes % 2 === 0) return at + 1
	}
	return -1
}

/** Where the value begins; -1 where no colon follows. */
function afterColon(page: Buffer, from: number): number {
	let at = from
	let colon = false
	for (; at < page.length; at += 1) {
		const byte = page[at] ?? 0
		if (byte === 0x3a && !colon) colon = true
		else if (byte > 0x20) break
	}
	return colon ? at : -1
}
