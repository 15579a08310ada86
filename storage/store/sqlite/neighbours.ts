// Records that belong together otherwise than by time or object: the lines of one file in its own order, the stages of one request.
import type { Item } from '#storage/store/port.ts'
import { storeLimits } from './limits.ts'
import type { Partition } from './partition.ts'
import { itemOf } from './row.ts'
import { fileTag, requestTag, stretchBytes } from './words.ts'

const wordsSql = 'SELECT rowid AS row FROM words WHERE words MATCH ?'

/** Items of the rows that a match leads to. */
function itemsOf(partition: Partition, match: string, rest = ''): Item[] {
	return partition.guard(() =>
		partition.all<{ row: number }>(`${wordsSql} ${rest}`, match).flatMap(({ row }) => {
			const found = partition.row(row)
			return found ? [itemOf(partition, found)] : []
		}),
	)
}

type Line = Item & { readonly log: NonNullable<Item['log']> }

/** One file in all days it has lines in. */
class LineFile {
	readonly #days: readonly { readonly partition: Partition; readonly tag: string }[]
	readonly #line: Line

	constructor(partitions: readonly Partition[], line: Line) {
		this.#line = line
		this.#days = partitions.flatMap((partition) => {
			const file = partition.guard(() => partition.findText(line.log.file))
			return file === undefined ? [] : [{ partition, tag: fileTag(file) }]
		})
	}

	#lines(match: (tag: string) => string, rest?: string): Line[] {
		return this.#days
			.flatMap(({ partition, tag }) => itemsOf(partition, `tags : (${match(tag)})`, rest))
			.filter((item): item is Line => item.log?.file === this.#line.log.file && item.cluster === this.#line.cluster)
			.toSorted((a, b) => a.log.offset - b.log.offset)
	}

	/** All that begin in these stretches of it. */
	within(first: number, last: number): Line[] {
		const stretches = Array.from({ length: last - first + 1 }, (_, index) => first + index)
		return this.#lines((tag) => stretches.map((stretch) => `"${tag}${stretch}"`).join(' OR '))
	}

	whole(): Line[] {
		return this.#lines((tag) => `"${tag}"*`)
	}

	/** Whether lines farther off than these offsets are among its first or last by time. */
	reachesBeyond(first: number, last: number): boolean {
		return (['ASC', 'DESC'] as const).some((order) =>
			this.#lines((tag) => `"${tag}"*`, `ORDER BY rowid ${order} LIMIT ${storeLimits.fileEndLines}`).some(
				({ log }) => log.offset < first || log.offset > last,
			),
		)
	}
}

export function around(partitions: readonly Partition[], cluster: string, id: string, before: number, after: number): Item[] | undefined {
	const line = partitions
		.flatMap((partition) => {
			const row = partition.mayHold(id) ? partition.guard(() => partition.rowById(id)) : undefined
			return row ? [itemOf(partition, row)] : []
		})
		.find((item): item is Line => item.log !== undefined && item.cluster === cluster)
	if (!line) return undefined
	const file = new LineFile(partitions, line)
	const stretch = Math.floor(line.log.offset / stretchBytes)
	const cut = (lines: readonly Line[]): { readonly items: Item[]; readonly enough: boolean } => {
		const at = lines.findIndex((other) => other.id === line.id)
		return { items: lines.slice(Math.max(0, at - before), at + after + 1), enough: at >= before && lines.length - at > after }
	}
	// A line may be longer than a stretch, and a gap longer than many.
	for (let reach = 1; reach <= storeLimits.fileReachBytes / stretchBytes; reach *= 4) {
		const lines = file.within(Math.max(0, stretch - reach), stretch + reach)
		const { items, enough } = cut(lines)
		if (enough || !file.reachesBeyond(lines[0]?.log.offset ?? 0, lines.at(-1)?.log.offset ?? 0)) return items
	}
	return cut(file.whole()).items
}

export function stages(partitions: readonly Partition[], cluster: string, auditIDs: readonly string[]): Item[] {
	const found: Item[] = []
	for (const auditID of new Set(auditIDs)) {
		const match = `tags : "${requestTag(auditID)}"`
		const items = partitions.flatMap((partition) => itemsOf(partition, match, `LIMIT ${storeLimits.stagesOfRequest}`))
		found.push(...items.filter((item) => item.audit?.auditID === auditID && item.cluster === cluster))
	}
	return found.toSorted((a, b) => a.occurredAt - b.occurredAt || (a.id < b.id ? -1 : 1))
}
