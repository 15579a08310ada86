// The head of a day's shared index (https://www.sqlite.org/walformat.html), read without SQLite: it tells whether something was put, of a day that is not open.
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'

const headBytes = 48

/**
 * Keeps the files open that it has read: closing any handle of a file drops all locks of the process on it (fcntl(2)), also those that
 * SQLite's readers hold there against a writer in another process.
 */
export class WalIndexHeads {
	readonly #files = new Map<string, { readonly inode: number; readonly file: number }>()

	/** Of the index at `path`, in hex; empty where nobody has the day open. */
	of(path: string): string {
		const inode = statSync(path, { throwIfNoEntry: false })?.ino
		let known = this.#files.get(path)
		if (known && known.inode !== inode) {
			// Removed when the last one closed it: nobody holds a lock there.
			closeSync(known.file)
			this.#files.delete(path)
			known = undefined
		}
		if (inode === undefined) return ''
		known ??= this.#open(path)
		if (!known) return ''
		const head = Buffer.alloc(headBytes)
		return head.toString('hex', 0, readSync(known.file, head, 0, headBytes, 0))
	}

	#open(path: string): { readonly inode: number; readonly file: number } | undefined {
		try {
			const file = openSync(path, 'r')
			const opened = { inode: fstatSync(file).ino, file }
			this.#files.set(path, opened)
			return opened
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
			throw error
		}
	}

	[Symbol.dispose](): void {
		for (const { file } of this.#files.values()) closeSync(file)
		this.#files.clear()
	}
}
