// A store's files, damaged on purpose.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export const dayFiles = (dir: string): string[] =>
	readdirSync(dir)
		.filter((name) => name.endsWith('.db'))
		.toSorted()

/** Flips one byte of the record's summary, where it is kept. The store is closed, and the summary is no other record's. */
export function flipSummary(dir: string, id: string): void {
	for (const name of dayFiles(dir)) {
		const db = new DatabaseSync(join(dir, name), { readOnly: true })
		const row = db.prepare('SELECT summary FROM record WHERE id = ?').get(Buffer.from(id, 'hex')) as { summary: string } | undefined
		db.close()
		if (!row) continue
		const bytes = readFileSync(join(dir, name))
		const at = bytes.indexOf(Buffer.from(row.summary))
		if (at < 0) throw new Error(`the summary of ${id} is not in ${name}`)
		bytes[at] = (bytes[at] ?? 0) ^ 1
		writeFileSync(join(dir, name), bytes)
		return
	}
	throw new Error(`no day holds ${id}`)
}
