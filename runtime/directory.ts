// Makes a directory and what is missing above it, in as many steps as its path has: Node's own recursive mkdir never ends where the system refuses with ENOENT (/proc).
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { KubetapeError, messageOf } from './errors.ts'

function isDirectory(path: string): boolean {
	return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/** Made directories have `mode`, readable by the owner and its group unless it says otherwise. Throws RUNTIME_NO_PERMISSION where it cannot be made. */
export function makeDirectory(path: string, mode = 0o750): void {
	const missing: string[] = []
	for (let at = resolve(path); !existsSync(at) && at !== dirname(at); at = dirname(at)) missing.push(at)
	for (const at of missing.toReversed()) {
		try {
			mkdirSync(at, { mode })
		} catch (error) {
			// Another process may have made it in between.
			if (!isDirectory(at)) throw new KubetapeError('RUNTIME_NO_PERMISSION', `${at} cannot be made: ${messageOf(error)}`, { cause: error })
		}
	}
	if (!isDirectory(path)) throw new KubetapeError('RUNTIME_NO_PERMISSION', `${resolve(path)} is no directory`)
}
