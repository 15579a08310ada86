// Records that belong together otherwise than by time or object: the lines of one log in its own order, from one file to the next, and the stages of one request.
import type { Item } from '#storage/store/port.ts'
import { storeLimits } from './limits.ts'
import type { Partition } from './partition.ts'
import { itemOf } from './row.ts'
import { fileTag, followsTag, requestTag, stretchBytes } from './words.ts'

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
	readonly #days: readonly { readonly partition: Partition; readonly number: number }[]
	readonly #cluster: string
	readonly #file: string

	constructor(partitions: readonly Partition[], cluster: string, file: string) {
		this.#cluster = cluster
		this.#file = file
		this.#days = partitions.flatMap((partition) => {
			const number = partition.guard(() => partition.findText(file))
			return number === undefined ? [] : [{ partition, number }]
		})
	}

	#lines(match: (tag: string) => string, rest?: string): Line[] {
		return this.#days
			.flatMap(({ partition, number }) => itemsOf(partition, `tags : (${match(fileTag(number))})`, rest))
			.filter((item): item is Line => item.log?.file === this.#file && item.cluster === this.#cluster)
			.toSorted((a, b) => a.log.offset - b.log.offset)
	}

	/** All that begin in these stretches of it. */
	#within(first: number, last: number): Line[] {
		const stretches = Array.from({ length: last - first + 1 }, (_, index) => first + index)
		return this.#lines((tag) => stretches.map((stretch) => `"${tag}${stretch}"`).join(' OR '))
	}

	/** Some of its first and of its last by time. */
	#ends(): Line[] {
		return (['ASC', 'DESC'] as const).flatMap((order) =>
			this.#lines((tag) => `"${tag}"*`, `ORDER BY rowid ${order} LIMIT ${storeLimits.fileEndLines}`),
		)
	}

	/** Those around `offset`, a line of it: as far as `isEnough` asks for, or all. */
	near(offset: number, isEnough: (lines: readonly Line[]) => boolean): readonly Line[] {
		const stretch = Math.floor(offset / stretchBytes)
		// A line may be longer than a stretch, and a gap longer than many.
		for (let reach = 1; reach <= storeLimits.fileReachBytes / stretchBytes; reach *= 4) {
			const lines = this.#within(Math.max(0, stretch - reach), stretch + reach)
			const [first, last] = [lines[0]?.log.offset ?? 0, lines.at(-1)?.log.offset ?? 0]
			if (isEnough(lines) || !this.#ends().some(({ log }) => log.offset < first || log.offset > last)) return lines
		}
		return this.#lines((tag) => `"${tag}"*`)
	}

	first(count: number): readonly Line[] {
		const offsets = this.#ends().map(({ log }) => log.offset)
		return offsets.length === 0 ? [] : this.near(Math.min(...offsets), (lines) => lines.length >= count).slice(0, count)
	}

	last(count: number): readonly Line[] {
		const offsets = this.#ends().map(({ log }) => log.offset)
		return offsets.length === 0 ? [] : this.near(Math.max(...offsets), (lines) => lines.length >= count).slice(-count)
	}

	/** The file in which the log goes on. */
	next(): string | undefined {
		for (const { partition, number } of this.#days)
			for (const { log, cluster } of itemsOf(partition, `tags : "${followsTag(number)}"`, `LIMIT ${storeLimits.fileEndLines}`))
				if (log?.follows === this.#file && cluster === this.#cluster) return log.file
		return undefined
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
	const fileOf = (name: string): LineFile => new LineFile(partitions, cluster, name)
	const placeIn = (lines: readonly Line[]): number => lines.findIndex((other) => other.id === line.id)
	const near = fileOf(line.log.file).near(line.log.offset, (lines) => placeIn(lines) >= before && lines.length - placeIn(lines) > after)
	const at = placeIn(near)
	const items = near.slice(Math.max(0, at - before), at + after + 1)
	const seen = new Set([line.log.file])
	const isNew = (name: string | undefined): name is string => name !== undefined && !seen.has(name) && seen.add(name).size > 0
	for (let missing = before - at; missing > 0;) {
		const name = items[0]?.log.follows
		if (!isNew(name)) break
		const lines = fileOf(name).last(missing)
		items.unshift(...lines)
		missing -= lines.length
	}
	for (let missing = at + after + 1 - near.length; missing > 0;) {
		const name = fileOf(items.at(-1)?.log.file ?? '').next()
		if (!isNew(name)) break
		const lines = fileOf(name).first(missing)
		items.push(...lines)
		missing -= lines.length
	}
	return items
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
