// A log file and its rotated fellows in the order in which they were written. Names: lumberjack (`a-2026-11-23T16-19-01.123.log`), logrotate (`a.log.1`, `a.log-20261123`), each also as `.gz`.
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'

interface Sibling {
	readonly path: string
	/** Orders by name within one way of naming: text for stamps, and the number from high to low. */
	readonly order: string
	readonly modifiedMs: number
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
const backupsMax = 10_000

export interface RotatedName {
	/** The name that the file had while it was written. */
	readonly base: string
	/** Orders by name within one way of naming. */
	readonly order: string
}

const ofLumberjack = /^(.*)-(\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}\.\d{3})(\.[^.]*)?$/
const ofDate = /^(.+)[-.](\d{8}[\dT_-]{0,9})$/
const ofNumber = /^(.+)\.(\d{1,6})$/

/** What a rotated file was called before, told by its name; undefined where the name is no rotated file's. The kubelet's are dated: `0.log.20261124-101500.gz`. */
export function rotatedName(name: string): RotatedName | undefined {
	const plain = name.replace(/\.gz$/, '')
	const lumberjack = ofLumberjack.exec(plain)
	if (lumberjack) return { base: `${lumberjack[1]}${lumberjack[3] ?? ''}`, order: lumberjack[2] ?? '' }
	const dated = ofDate.exec(plain)
	if (dated) return { base: dated[1] ?? '', order: dated[2] ?? '' }
	const numbered = ofNumber.exec(plain)
	if (numbered) return { base: numbered[1] ?? '', order: String(1_000_000 - Number(numbered[2])).padStart(7, '0') }
	return undefined
}

async function siblingAt(path: string, order: string): Promise<Sibling | undefined> {
	try {
		return { path, order, modifiedMs: (await stat(path)).mtimeMs }
	} catch {
		return undefined // not there any more
	}
}

/** Oldest first, the file itself last (also when it is not there yet). A packed file whose plain one is still there is not listed: it is being made. */
export async function listRotated(path: string): Promise<readonly string[]> {
	const dir = dirname(path)
	const base = basename(path)
	const extension = extname(base)
	const stem = base.slice(0, base.length - extension.length)
	const lumberjack = new RegExp(`^${escaped(stem)}-(\\d{4}-\\d{2}-\\d{2}T\\d{2}-\\d{2}-\\d{2}\\.\\d{3})${escaped(extension)}$`)
	const numbered = new RegExp(`^${escaped(base)}\\.(\\d{1,6})$`)
	const dated = new RegExp(`^${escaped(base)}[-.](\\d{8}[\\dT_-]{0,9})$`)
	let names: string[]
	try {
		names = await readdir(dir)
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [path]
		throw error
	}
	const all = new Set(names)
	const found: Sibling[] = []
	for (const name of names.slice(0, backupsMax)) {
		const plain = name.replace(/\.gz$/, '')
		if (plain !== name && all.has(plain)) continue
		const number = numbered.exec(plain)?.[1]
		const stamp = lumberjack.exec(plain)?.[1] ?? dated.exec(plain)?.[1]
		const order = number === undefined || number.length >= 8 ? stamp : String(1_000_000 - Number(number)).padStart(7, '0')
		if (order === undefined) continue
		// Where it is gone since the folder was read, it was packed, or deleted as the oldest.
		const sibling =
			(await siblingAt(join(dir, name), order)) ?? (plain === name ? await siblingAt(join(dir, `${name}.gz`), order) : undefined)
		if (sibling) found.push(sibling)
	}
	found.sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : a.modifiedMs - b.modifiedMs))
	return [...found.map((sibling) => sibling.path), path]
}
