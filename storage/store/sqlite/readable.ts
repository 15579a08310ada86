// Reads a damaged table as far as it can be read: what stands on a damaged page is left out, what stands behind it is found again.
import type { DatabaseSync } from 'node:sqlite'

type Found = Readonly<Record<string, unknown>>

const keyMax = 2 ** 53 - 1

/** Rows of a table in the order of `key`, an integer that is the table's own number; `columns` without it. What cannot be read is passed over. */
export function* readableRows(db: DatabaseSync, table: string, key: string, columns: string): Generator<Found & { readonly key: number }> {
	const sql = `SELECT ${key} AS key, ${columns} FROM ${table} WHERE ${key} > ? ORDER BY ${key} LIMIT 1`
	/** The row behind a key; null at the end; undefined where it cannot be read. */
	const behind = (after: number): (Found & { readonly key: number }) | null | undefined => {
		try {
			const row = db.prepare(sql).get(after) as (Found & { readonly key: number }) | undefined
			if (!row) return null
			// A damaged page can hold a key that does not belong there.
			return typeof row.key === 'number' && row.key > after ? row : undefined
		} catch {
			return undefined // counted as lost by whoever asked
		}
	}
	let last = -1
	for (;;) {
		const row = behind(last)
		if (row === null) return
		if (row) {
			yield row
			last = row.key
			continue
		}
		const next = nextReadable(last, (key_) => behind(key_) !== undefined)
		if (next === undefined) return
		last = next
	}
}

/** The first key behind which something can be read: found by steps that double, and then by halving the last one. */
function nextReadable(last: number, isReadable: (key: number) => boolean): number | undefined {
	let low = last
	let step = 1
	for (; !isReadable(last + step); step *= 2) {
		low = last + step
		if (last + step * 2 > keyMax) return undefined
	}
	let high = last + step
	while (high - low > 1) {
		const middle: number = low + Math.floor((high - low) / 2)
		if (isReadable(middle)) high = middle
		else low = middle
	}
	return high
}

/** Rows of a query as far as they can be read, from either end. */
export function* readableFromEnds(db: DatabaseSync, sql: string, order: string): Generator<Found> {
	for (const direction of ['ASC', 'DESC']) {
		let broken = false
		try {
			for (const row of db.prepare(`${sql} ORDER BY ${order.replaceAll('$', direction)}`).iterate()) yield row
		} catch {
			broken = true // what lies between the ends is lost, and counted by whoever asked
		}
		if (!broken) return
	}
}
