// The full-text index of a damaged day: copied where it is whole, else made anew of what the records themselves still say.
import type { DatabaseSync } from 'node:sqlite'
import type { Indexed } from '#records/indexed.ts'
import type { Item } from '#storage/store/port.ts'
import type { Partition } from './partition.ts'
import { itemOf } from './row.ts'
import { readColumns, type Row } from './schema.ts'
import { searchedText } from '#storage/store/meaning.ts'
import { objectTags, tagsOf } from './words.ts'

const rowsAtOnce = 500

/** Copies the full-text index as it is, where none of its pages is damaged. */
export function copyWords(source: DatabaseSync, target: Partition, pages: readonly number[] | undefined): boolean {
	try {
		const damaged = pages === undefined || pages.length === 0 ? [] : namesOf(source, pages)
		if (damaged.some((name) => name.startsWith('words'))) return false
		target.db.enableDefensive(false)
		try {
			for (const table of ['words_data', 'words_idx', 'words_config']) {
				target.prepare(`DELETE FROM ${table}`).run()
				for (const row of source.prepare(`SELECT * FROM ${table}`).iterate() as Iterable<
					Record<string, string | number | Uint8Array | null>
				>)
					target
						.prepare(
							`INSERT INTO ${table} VALUES(${Object.keys(row)
								.map(() => '?')
								.join(', ')})`,
						)
						.run(...Object.values(row))
			}
		} finally {
			target.db.enableDefensive(true)
		}
		return true
	} catch {
		return false // made anew from the records, and told
	}
}

/** Tables and indexes that have these pages. */
function namesOf(source: DatabaseSync, pages: readonly number[]): string[] {
	const wanted = new Set(pages)
	const names = new Set<string>()
	for (const { name, pageno } of source.prepare('SELECT name, pageno FROM dbstat').iterate() as Iterable<{ name: string; pageno: number }>)
		if (wanted.delete(pageno)) names.add(name)
	// The first page, and those that no table has.
	return [...names]
}

/** In a new connection, as SQLite keeps the outline of an index in memory. Whether the copy is an index. */
export function areWordsWhole(target: Partition): boolean {
	try {
		target.prepare("INSERT INTO words(words) VALUES('integrity-check')").run()
		return true
	} catch {
		return false // made anew from the records, and told
	}
}

/** Full text of summaries, names, images and uids; what else there was of words is lost. */
export function makeWordsAgain(target: Partition): void {
	target.prepare("INSERT INTO words(words) VALUES('delete-all')").run()
	const words = target.prepare('INSERT INTO words(rowid, text, tags) VALUES(?, ?, ?)')
	const sql = `SELECT row, ${readColumns} FROM record WHERE row > ? ORDER BY row LIMIT ?`
	for (let rows = target.all<Row>(sql, -1, rowsAtOnce); rows.length > 0; rows = target.all<Row>(sql, rows.at(-1)?.row ?? 0, rowsAtOnce))
		for (const row of rows) words.run(row.row, ...wordsAgain(target, itemOf(target, row), row))
}

/** Words and tags of a record of which only the item is left. */
function wordsAgain(target: Partition, item: Item, row: Row): [text: string, tags: string] {
	const { object } = item
	const record =
		item.kind === 'event'
			? { kind: 'event', regarding: object, object: item.event?.object }
			: { kind: item.kind, object: object ?? null, ...item.audit, ...item.log }
	const text = [...(item.images ?? []), item.uid ?? ''].join(' ')
	const indexed = { record, summary: item.summary, severity: item.severity, text } as unknown as Indexed
	const intern = (each: string): number => target.intern(each)
	return [searchedText(indexed), tagsOf(indexed, object ? objectTags(object, intern) : '', row.own, intern)]
}
