// Live tails: the puts in the order they were made. Every day keeps its own; the writer numbers them through.
import type { Filter, Item } from '#storage/store/port.ts'
import { cursorOf, readCursor } from '#storage/store/cursor.ts'
import { putSum } from './check.ts'
import { DamageError } from './errors.ts'
import { planFor, resolve, type Candidate } from './filter.ts'
import type { Partition } from './partition.ts'
import { slots } from './place.ts'
import { itemOf } from './row.ts'
import type { Row } from './schema.ts'

export function lastSeq(partitions: readonly Partition[]): number {
	return Math.max(0, ...partitions.map((partition) => partition.lastSeq))
}

interface StoredPut {
	readonly seq: number
	readonly rows: Uint8Array
	readonly sum: number
}

function sound(put: StoredPut): StoredPut {
	if (!(put.rows instanceof Uint8Array) || put.sum !== putSum(put.seq, put.rows)) throw new DamageError(`put ${put.seq} fails its checksum`)
	return put
}

/** Row numbers, as they were put. */
export function numbersOf(rows: Uint8Array): Float64Array {
	return new Float64Array(rows.slice().buffer)
}

interface Put {
	readonly partition: Partition
	readonly seq: number
	readonly rows: Uint8Array
}

/** Puts of one day read at once: each has a number for each of its records. */
const putsAtOnce = 100

function putsBehind(partitions: readonly Partition[], seq: number): Put[] {
	const sql = 'SELECT seq, rows, sum FROM put WHERE seq > ? ORDER BY seq LIMIT ?'
	const read = (): Put[] => {
		let upTo = Number.POSITIVE_INFINITY
		const puts = partitions
			.filter((partition) => partition.lastSeq > seq)
			.flatMap((partition) => {
				const found = partition.guard(() => partition.all<StoredPut>(sql, seq, putsAtOnce).map((put) => ({ partition, ...sound(put) })))
				// More follow in this day: what others hold behind them waits.
				if (found.length === putsAtOnce) upTo = Math.min(upTo, found.at(-1)?.seq ?? 0)
				return found
			})
		return puts.filter((put) => put.seq <= upTo).toSorted((a, b) => a.seq - b.seq)
	}
	const puts = read()
	const whole = puts.every((put, index) => put.seq === seq + 1 + index)
	// A number is missing: an earlier put became visible after its day was read.
	return whole ? puts : read()
}

export function tail(
	partitions: readonly Partition[],
	filter: Filter,
	after: string | undefined,
	limit: number,
): { readonly items: readonly (Item & { readonly token: string })[]; readonly token: string } {
	const token = (s: number, n: number): string => cursorOf({ s, n }, 'tail')
	if (after === undefined) return { items: [], token: token(lastSeq(partitions), 0) }
	// s: number of the put, n: how many of its rows were looked at; 0: all.
	const stand = readCursor<{ s: number; n: number }>(after, 'tail')
	const items: (Item & { token: string })[] = []
	let end = { s: stand.s, n: stand.n }
	const resolved = resolve(filter, partitions)
	for (const { partition, seq, rows } of putsBehind(partitions, stand.n > 0 ? stand.s - 1 : stand.s)) {
		const row = (number: number): Row | undefined => partition.guard(() => partition.row(number))
		const plan = planFor(partition, resolved)
		// Bound as an integer: FTS5 does not look at a rowid that is bound as a floating-point number, and finds any row.
		const matching = partition.prepare('SELECT 1 FROM words WHERE words MATCH ? AND rowid = ?')
		const numbers = numbersOf(rows)
		for (const [index, number] of numbers.entries()) {
			if (stand.n > 0 && seq === stand.s && index < stand.n) continue
			if (items.length === limit) return { items, token: token(end.s, end.n) }
			end = { s: seq, n: index + 1 === numbers.length ? 0 : index + 1 }
			if (plan.empty) continue
			const found = row(number)
			if (!found || !plan.test(found satisfies Candidate) || (plan.match !== null && !matching.get(plan.match, BigInt(number)))) continue
			if (
				(filter.from !== undefined && number < (filter.from - partition.start) * slots) ||
				(filter.to !== undefined && number >= (filter.to + 1 - partition.start) * slots)
			)
				continue
			items.push({ ...itemOf(partition, found), token: token(end.s, end.n) })
		}
		end = { s: seq, n: 0 }
	}
	return { items, token: token(end.s, end.n) }
}
