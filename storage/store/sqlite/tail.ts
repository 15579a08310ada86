// Live tails: the puts in the order they were made. Every day keeps its own; the writer numbers them through.
import type { Filter, Item } from '#storage/store/port.ts'
import { cursorOf, readCursor } from './cursor.ts'
import { planFor, resolve, type Candidate } from './filter.ts'
import type { Partition } from './partition.ts'
import { slots } from './place.ts'
import { itemOf } from './row.ts'

export function lastSeq(partitions: readonly Partition[]): number {
	let last = 0
	for (const partition of partitions)
		last = Math.max(
			last,
			partition.guard(() => partition.get<{ seq: number | null }>('SELECT max(seq) AS seq FROM put')?.seq ?? 0),
		)
	return last
}

interface Put {
	readonly partition: Partition
	readonly seq: number
	readonly rows: string
}

function putsBehind(partitions: readonly Partition[], seq: number): Put[] {
	const sql = 'SELECT seq, rows FROM put WHERE seq > ? ORDER BY seq LIMIT 1000'
	const read = (): Put[] =>
		partitions
			.flatMap((partition) => partition.all<{ seq: number; rows: string }>(sql, seq).map((put) => ({ partition, ...put })))
			.toSorted((a, b) => a.seq - b.seq)
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
		const plan = planFor(partition, resolved)
		const matching = partition.prepare('SELECT 1 FROM words WHERE words MATCH ? AND rowid = ?')
		const numbers = JSON.parse(rows) as number[]
		for (const [index, number] of numbers.entries()) {
			if (stand.n > 0 && seq === stand.s && index < stand.n) continue
			if (items.length === limit) return { items, token: token(end.s, end.n) }
			end = { s: seq, n: index + 1 === numbers.length ? 0 : index + 1 }
			if (plan.empty) continue
			const row = partition.row(number)
			if (!row || !plan.test(row satisfies Candidate) || (plan.match !== null && !matching.get(plan.match, number))) continue
			if (
				(filter.from !== undefined && number < (filter.from - partition.start) * slots) ||
				(filter.to !== undefined && number >= (filter.to + 1 - partition.start) * slots)
			)
				continue
			items.push({ ...itemOf(partition, row), token: token(end.s, end.n) })
		}
		end = { s: seq, n: 0 }
	}
	return { items, token: token(end.s, end.n) }
}
