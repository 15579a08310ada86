// One process per role and data directory: a lock file that names its holder and is taken over when the holder is gone.
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDirectory } from './directory.ts'
import { KubetapeError, messageOf } from './errors.ts'

interface Holder {
	readonly pid: number
	/** Start time of the process in clock ticks (field 22 of /proc/PID/stat), so that a reused pid is not taken for the holder; empty where there is no /proc. */
	readonly started: string
}

function startOf(pid: number): string {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
		return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
	} catch {
		return '' // no /proc here, or no such process
	}
}

function alive(holder: Holder): boolean {
	try {
		process.kill(holder.pid, 0)
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
	}
	return holder.started === '' || startOf(holder.pid) === holder.started
}

function read(path: string): Holder | undefined {
	try {
		const holder = JSON.parse(readFileSync(path, 'utf8')) as Partial<Holder> | null
		// Signal 0 to pid 0 or below would ask about whole process groups.
		return typeof holder?.pid === 'number' && holder.pid > 0 ? { pid: holder.pid, started: holder.started ?? '' } : undefined
	} catch {
		return undefined // no lock of ours, which appear whole: nobody holds it
	}
}

/** Takes `dir`/`name`.lock, making the directory. Throws RUNTIME_DATA_DIR_LOCKED while a live process holds it, RUNTIME_NO_PERMISSION where it cannot be written. */
export function takeLock(dir: string, name: string): Disposable {
	const path = join(dir, `${name}.lock`)
	const draft = `${path}.${process.pid}`
	try {
		makeDirectory(dir)
		for (let tries = 0; ; tries++) {
			try {
				// Linked when it is whole: another process never sees a lock without its holder.
				writeFileSync(draft, JSON.stringify({ pid: process.pid, started: startOf(process.pid) } satisfies Holder), { mode: 0o640 })
				linkSync(draft, path)
				break
			} catch (error) {
				if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries > 3) throw error
				const holder = read(path)
				if (holder && alive(holder)) {
					throw new KubetapeError(
						'RUNTIME_DATA_DIR_LOCKED',
						`${dir} is in use by process ${holder.pid} (${name}): stop it, or choose another with --data-dir`,
					)
				}
				rmSync(path, { force: true })
			} finally {
				rmSync(draft, { force: true })
			}
		}
	} catch (error) {
		if (error instanceof KubetapeError) throw error
		throw new KubetapeError('RUNTIME_NO_PERMISSION', `${path}: ${messageOf(error)}`, { cause: error })
	}
	return { [Symbol.dispose]: () => rmSync(path, { force: true }) }
}
