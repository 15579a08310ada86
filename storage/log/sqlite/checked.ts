// Remembers which state of the file was found sound, so that roles that open it one after another, or after a clean end, do not each read it whole.
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'

const noteOf = (path: string): string => `${path}.checked`

/** Changes with every byte that SQLite, or anybody else, writes into the file. */
function stateOf(path: string): string {
	const { ino, size, mtimeNs } = statSync(path, { bigint: true })
	return `${ino} ${size} ${mtimeNs}`
}

/** True where nothing was written since: neither into the file nor into the write-ahead log beside it. */
export function isAsChecked(path: string): boolean {
	try {
		if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) return false
		return readFileSync(noteOf(path), 'utf8') === stateOf(path)
	} catch {
		return false // no note: nothing is known
	}
}

/** The file as it is now is sound: just checked, or closed by its last user. */
export function noteChecked(path: string): void {
	try {
		writeFileSync(noteOf(path), stateOf(path))
	} catch {
		// Without the note the file is read whole the next time: slower, and right.
	}
}

/** Damage was met in the file: the next one to open it must look at all of it. */
export function forgetChecked(path: string): void {
	rmSync(noteOf(path), { force: true })
}
