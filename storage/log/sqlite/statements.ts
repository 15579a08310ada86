// The statements of the SQLite record log, prepared once per handle.
import type { DatabaseSync } from 'node:sqlite'

// oxlint-disable-next-line typescript/explicit-function-return-type -- the shape is the list of statements below
export function prepare(db: DatabaseSync) {
	const statement = (sql: string): ReturnType<DatabaseSync['prepare']> => {
		const prepared = db.prepare(sql)
		prepared.setReadBigInts(true)
		return prepared
	}
	return {
		head: statement('SELECT first, next FROM head WHERE stream = ? AND part = ?'),
		putHead: statement('INSERT INTO head VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET next = excluded.next'),
		putBatch: statement('INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?)'),
		maxPart: statement('SELECT max(part) AS part FROM head WHERE stream = ?'),
		position: statement('SELECT next, crc FROM position WHERE grp = ? AND stream = ? AND part = ?'),
		putPosition: statement(
			'INSERT INTO position VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET next = excluded.next, crc = excluded.crc WHERE excluded.next > next',
		),
		batchAt: statement(
			'SELECT stream, part, first, count, crc, data FROM batch WHERE stream = ? AND part = ? AND first <= ? ORDER BY first DESC LIMIT 1',
		),
		partitions: statement('SELECT stream, part, first, next FROM head'),
		slowest: statement('SELECT min(next) AS next FROM position WHERE stream = ? AND part = ?'),
		firstKept: statement('SELECT min(first) AS first FROM batch WHERE stream = ? AND part = ? AND (at >= ? OR first + count > ?)'),
		oldest: statement(
			'SELECT batch.stream, batch.part, batch.first, batch.count FROM head CROSS JOIN batch USING (stream, part, first) ORDER BY batch.at LIMIT 1',
		),
		bytes: statement(
			'SELECT (SELECT page_count FROM pragma_page_count()) * (SELECT page_size FROM pragma_page_size()) - (SELECT freelist_count FROM pragma_freelist_count()) * (SELECT page_size FROM pragma_page_size()) AS bytes',
		),
		remove: statement('DELETE FROM batch WHERE stream = ? AND part = ? AND first + count <= ?'),
		moveFirst: statement('UPDATE head SET first = ? WHERE stream = ? AND part = ?'),
	}
}
