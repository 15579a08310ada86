// Cursors: opaque, and bound to the question they came from.
import { hash } from 'node:crypto'
import { KubetapeError } from '#runtime/errors.ts'

function digest(question: unknown): string {
	const sorted = (_key: string, value: unknown): unknown => {
		if (typeof value === 'bigint') return value.toString()
		return typeof value === 'object' && value !== null && !Array.isArray(value)
			? Object.fromEntries(
					Object.entries(value)
						.filter(([, part]) => part !== undefined)
						.toSorted(([a], [b]) => (a < b ? -1 : 1)),
				)
			: value
	}
	return hash('sha256', JSON.stringify(question, sorted), 'hex').slice(0, 12)
}

export function cursorOf(stand: object, question: unknown): string {
	return Buffer.from(JSON.stringify({ ...stand, q: digest(question) }), 'utf8').toString('base64url')
}

/** Throws CURSOR_INVALID where it is no cursor of this question. */
export function readCursor<T>(cursor: string, question: unknown): T {
	try {
		const stand = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as { q?: unknown }
		if (stand.q === digest(question)) return stand as T
	} catch {
		// Not one of ours: answered below.
	}
	throw new KubetapeError('CURSOR_INVALID', 'the cursor does not belong to this query')
}
