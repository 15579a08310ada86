// Records of a filter in the order of time, page by page and day by day.
import type { Filter, Item, Order, Page, PageRequest } from '#storage/store/port.ts'
import { cursorOf, readCursor } from '#storage/store/cursor.ts'
import { planFor, resolve, type Candidate, type Plan } from './filter.ts'
import { storeLimits } from './limits.ts'
import { soundCandidate, type Partition } from './partition.ts'
import { dayEnd, firstRow, lastRow, slots, timeOf } from './place.ts'
import { itemOf } from './row.ts'
import type { Row } from './schema.ts'

const narrow = 'row, kind, obj, space, flags, traits, sum'

function scanSql(match: boolean, order: Order): string {
	const direction = order === 'asc' ? 'ASC' : 'DESC'
	return match
		? `SELECT r.row, r.kind, r.obj, r.space, r.flags, r.traits, r.sum FROM words CROSS JOIN record r ON r.row = words.rowid WHERE words MATCH ? AND words.rowid BETWEEN ? AND ? ORDER BY words.rowid ${direction}`
		: `SELECT ${narrow} FROM record WHERE row BETWEEN ? AND ? ORDER BY row ${direction}`
}

/** Rows that match, in row order, read in steps so that no statement stays open. */
export function* scan(partition: Partition, plan: Plan, order: Order, first: number, last: number): Generator<Candidate> {
	if (plan.empty || first > last) return
	if (plan.gather) {
		const rows = order === 'asc' ? plan.gather : plan.gather.toReversed()
		for (const row of rows) {
			if (row < first || row > last) continue
			const candidate = partition.get<Candidate>(`SELECT ${narrow} FROM record WHERE row = ?`, row)
			if (candidate && plan.test(soundCandidate(candidate))) yield candidate
		}
		return
	}
	const sql = `${scanSql(plan.match !== null, order)} LIMIT ?`
	let step = 64
	for (let from = first, to = last; from <= to;) {
		const found =
			plan.match === null ? partition.all<Candidate>(sql, from, to, step) : partition.all<Candidate>(sql, plan.match, from, to, step)
		for (const candidate of found) if (plan.test(soundCandidate(candidate))) yield candidate
		const end = found.at(-1)
		if (!end || found.length < step) return
		if (order === 'asc') from = end.row + 1
		else to = end.row - 1
		step = Math.min(step * 2, storeLimits.scanRows * 8)
	}
}

/** Full rows in the exact order: by microsecond, then by id. */
function* ordered(partition: Partition, candidates: Iterable<Candidate>, order: Order): Generator<Row> {
	let group: Row[] = []
	const sorted = (): Row[] => (group.length < 2 ? group : group.toSorted((a, b) => Buffer.compare(a.id, b.id) * (order === 'asc' ? 1 : -1)))
	for (const { row: number } of candidates) {
		const row = partition.row(number)
		if (!row) continue
		if (group[0] && Math.floor(group[0].row / slots) !== Math.floor(number / slots)) {
			yield* sorted()
			group = []
		}
		group.push(row)
	}
	yield* sorted()
}

interface Stand {
	/** Time of its place, and id, of the last item given. */
	readonly t: number
	readonly i: string
}

export function timeline(partitions: readonly Partition[], filter: Filter, page: PageRequest): Page<Item> {
	const order = page.order ?? 'desc'
	const bound = ['timeline', order, filter]
	const stand = page.cursor === undefined ? undefined : readCursor<Stand>(page.cursor, bound)
	let from = filter.from ?? 0
	let to = filter.to ?? Number.MAX_SAFE_INTEGER
	if (stand) {
		if (order === 'asc') from = Math.max(from, stand.t)
		else to = Math.min(to, stand.t)
	}
	const days = partitions.filter((partition) => partition.start <= to && dayEnd(partition.day) >= from)
	const items: Item[] = []
	let last: Stand | undefined
	const resolved = resolve(filter, partitions)
	for (const partition of order === 'asc' ? days : days.toReversed()) {
		const more = partition.guard(() => {
			const rows = ordered(
				partition,
				scan(partition, planFor(partition, resolved), order, firstRow(partition.start, from), lastRow(partition.start, to)),
				order,
			)
			for (const row of rows) {
				const t = timeOf(partition.start, row.row)
				const i = Buffer.from(row.id).toString('hex')
				if (stand && t === stand.t && (order === 'asc' ? i <= stand.i : i >= stand.i)) continue
				if (items.length === page.limit) return true
				items.push(itemOf(partition, row))
				last = { t, i }
			}
			return false
		})
		if (more) return { items, next: last ? cursorOf(last, bound) : null }
	}
	return { items, next: null }
}
