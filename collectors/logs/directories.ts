// The folders of the sources: found, watched where the file system tells of changes, looked at now and then everywhere.
import { lstatSync, readdirSync, readlinkSync, realpathSync, statSync, watch, type FSWatcher } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { rotatedName } from '#collectors/tail/siblings.ts'
import { statOf, type Entry } from './file.ts'
import { mayHave, type Source } from './sources.ts'

/** Folders beyond are only looked at. */
const watchersMax = 8192
/** A folder that tells of more changes between two looks is not listened to while it is busy: its files are looked at often enough then. */
const eventsMax = 8
const linksMax = 40

export interface Found {
	/** Files of one log, oldest first; `path` is that of the one that is written. */
	files(source: Source, path: string, entries: readonly Entry[]): void
	/** Something was written to the file, perhaps. */
	changed(path: string): void
	/** A folder has changed: `scan` should be called soon. */
	dirty(): void
	failed(path: string, error: unknown): void
}

interface Folder {
	/** Of its source, among the sources. */
	readonly index: number
	readonly path: string
	readonly source: Source
	readonly depth: number
	modifiedMs: number
	/** It had changed when it was listed: what changed right behind that may have the same time of modification. */
	again: boolean
	watcher: FSWatcher | undefined
	events: number
	/** Of logs that were found here. */
	logs: Set<string>
	/** Of a folder that only links lead to: the folders that they are in, and the logs by the names of their files. It is never listed itself. */
	readonly owners: Set<Folder> | undefined
	readonly names: Map<string, string>
}

type Grouped = Map<string, (Entry & { readonly order: string })[]>

export class Directories implements Disposable {
	readonly #found: Found
	readonly #folders = new Map<string, Folder>()
	readonly #dirty = new Set<Folder>()
	readonly #busy = new Set<Folder>()
	readonly #sources: readonly Source[]
	/** Which log a file is of, by where it really is: several names may lead to one. */
	readonly #logs = new Map<string, string>()
	readonly #reals = new Map<string, string>()
	#watchers = 0

	constructor(sources: readonly Source[], found: Found) {
		this.#found = found
		this.#sources = sources
		for (const [index, source] of sources.entries()) this.#add(index, source, source.root, 0)
	}

	[Symbol.dispose](): void {
		for (const folder of this.#folders.values()) this.#unwatch(folder)
	}

	/** Lists the folders that have changed. */
	scan(): void {
		for (const folder of this.#dirty) {
			this.#dirty.delete(folder)
			this.#list(folder)
		}
	}

	/** Looks at every folder: those that have changed are listed by the next `scan`. */
	look(): void {
		this.#busy.clear()
		for (const folder of this.#folders.values()) {
			this.#lookAt(folder)
			if (!folder.watcher) this.#watch(folder)
			folder.events = 0
		}
	}

	/** As `look`, at those that are too busy to be listened to. */
	lookBusy(): void {
		for (const folder of this.#busy) this.#lookAt(folder)
	}

	/** The folder of a log is listed anew. */
	rescan(path: string): void {
		for (const folder of this.#folders.values()) if (folder.logs.has(path)) this.#dirty.add(folder)
	}

	/** What there is now of a log, oldest first. */
	entriesOf(path: string): readonly Entry[] {
		for (const folder of this.#folders.values())
			if (folder.logs.has(path)) return this.#group(folder, readdirSync(folder.path)).get(path) ?? []
		return []
	}

	#lookAt(folder: Folder): void {
		const modifiedMs = statOf(folder.path)?.mtimeMs ?? -1
		if (!folder.again && modifiedMs === folder.modifiedMs) return
		if (!folder.owners) this.#dirty.add(folder)
		else {
			folder.again = modifiedMs !== folder.modifiedMs
			folder.modifiedMs = modifiedMs
			for (const owner of folder.owners) this.#dirty.add(owner)
		}
	}

	#add(index: number, source: Source, path: string, depth: number): void {
		const key = `${index}:${path}`
		if (this.#folders.has(key)) return
		const state = {
			modifiedMs: -1,
			again: false,
			watcher: undefined,
			events: 0,
			logs: new Set<string>(),
			owners: undefined,
			names: new Map(),
		}
		const folder: Folder = { index, path, source, depth, ...state }
		this.#folders.set(key, folder)
		this.#watch(folder)
		this.#dirty.add(folder)
	}

	#watch(folder: Folder): void {
		if (this.#watchers >= watchersMax) return
		try {
			const watcher = watch(folder.path, { persistent: false }, (event, name) => this.#told(folder, event, name))
			watcher.on('error', () => this.#unwatch(folder))
			folder.watcher = watcher
			this.#watchers += 1
		} catch {
			folder.watcher = undefined // it is not there yet, or cannot be watched: it is looked at
		}
	}

	#unwatch(folder: Folder): void {
		if (!folder.watcher) return
		folder.watcher.close()
		folder.watcher = undefined
		this.#watchers -= 1
	}

	#told(folder: Folder, event: string, name: string | null): void {
		folder.events += 1
		if (event === 'rename' || name === null) {
			for (const changed of folder.owners ?? [folder]) this.#dirty.add(changed)
			this.#found.dirty()
		} else this.#found.changed(folder.names.get(name) ?? join(folder.path, name))
		if (folder.events <= eventsMax) return
		this.#unwatch(folder)
		this.#busy.add(folder)
	}

	#list(folder: Folder): void {
		let names: string[]
		try {
			const { mtimeMs } = statSync(folder.path)
			folder.again = mtimeMs !== folder.modifiedMs
			folder.modifiedMs = mtimeMs
			names = readdirSync(folder.path)
		} catch (error) {
			return this.#vanished(folder, error)
		}
		if (folder.depth === folder.source.patterns.length - 1) return this.#listFiles(folder, names)
		const pattern = folder.source.patterns[folder.depth]
		for (const name of names) {
			const path = join(folder.path, name)
			if (pattern?.test(name) && statOf(path)?.isDirectory()) this.#add(folder.index, folder.source, path, folder.depth + 1)
		}
	}

	/** A folder below the root is forgotten with what was in it; the root may come again. */
	#vanished(folder: Folder, error: unknown): void {
		folder.modifiedMs = -1
		for (const path of folder.logs) this.#gone(folder, path)
		folder.logs.clear()
		const { code } = error as NodeJS.ErrnoException
		if (folder.depth === 0 || (code !== 'ENOENT' && code !== 'ENOTDIR')) return this.#found.failed(folder.path, error)
		this.#unwatch(folder)
		this.#busy.delete(folder)
		this.#folders.delete(`${folder.index}:${folder.path}`)
	}

	#listFiles(folder: Folder, names: readonly string[]): void {
		const logs = this.#group(folder, names)
		for (const path of folder.logs) if (!logs.has(path)) this.#gone(folder, path)
		folder.logs = new Set(logs.keys())
		for (const [path, entries] of logs) this.#found.files(folder.source, path, entries)
	}

	#gone(folder: Folder, log: string): void {
		this.#found.files(folder.source, log, [])
		this.#logs.delete(this.#reals.get(log) ?? '')
		this.#reals.delete(log)
		for (const [key, target] of this.#folders) {
			if (target.owners?.has(folder) !== true) continue
			for (const [name, known] of target.names) if (known === log) target.names.delete(name)
			if (target.names.size > 0) continue
			this.#unwatch(target)
			this.#busy.delete(target)
			this.#folders.delete(key)
		}
	}

	/** Files by the log that they are of, oldest first. */
	#group(folder: Folder, names: readonly string[]): Grouped {
		const pattern = folder.source.patterns[folder.depth]
		const logs: Grouped = new Map()
		for (const { name, base, order } of rotated(names)) {
			const isRotated = base !== undefined && pattern?.test(base)
			const current = isRotated ? base : name
			if (!isRotated && pattern?.test(name) !== true) continue
			const log = this.#logOf(folder, join(folder.path, current))
			if (log !== undefined) addEntry(logs, log, join(folder.path, name), isRotated ? order : undefined)
		}
		for (const { path, log, order } of this.#besideTargets(folder, logs)) addEntry(logs, log, path, order)
		for (const entries of logs.values()) entries.sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0))
		return logs
	}

	/** Rotated files stand beside what a link leads to. */
	*#besideTargets(folder: Folder, logs: Grouped): Generator<{ readonly path: string; readonly log: string; readonly order: string }> {
		for (const target of this.#folders.values()) {
			if (target.owners?.has(folder) !== true) continue
			let names: string[]
			try {
				names = readdirSync(target.path)
			} catch {
				continue // it has gone: the link leads nowhere then
			}
			for (const { name, base, order } of rotated(names)) {
				const log = base === undefined ? undefined : target.names.get(base)
				if (log !== undefined && logs.has(log)) yield { path: join(target.path, name), log, order }
			}
		}
	}

	/** The log that a name leads to, link by link: the last one that a source names. Undefined where it is another one's already. */
	#logOf(folder: Folder, path: string): string | undefined {
		let log = path
		let at = path
		let real = path
		try {
			for (let links = 0; links < linksMax && lstatSync(at).isSymbolicLink(); links += 1) {
				at = resolve(dirname(at), readlinkSync(at))
				const named = at
				if (this.#sources.some((source) => mayHave(source, named))) log = named
			}
			real = realpathSync(path)
		} catch {
			return log // only rotated files are there, or it leads nowhere
		}
		const known = this.#logs.get(real)
		if (known !== undefined && known !== log) return undefined
		const before = this.#reals.get(log)
		if (before !== undefined && before !== real) this.#logs.delete(before)
		this.#logs.set(real, log)
		this.#reals.set(log, real)
		// Where a source names its place, that one has it, and what is beside it.
		if (
			at !== path &&
			(log === path || dirname(real) !== dirname(log)) &&
			folder.source === this.#sources.find((source) => mayHave(source, log))
		)
			this.#watchTarget(folder, real, log)
		return log
	}

	#watchTarget(folder: Folder, real: string, log: string): void {
		const path = dirname(real)
		const key = `target:${path}`
		let target = this.#folders.get(key)
		if (!target) {
			const state = { modifiedMs: statOf(path)?.mtimeMs ?? -1, again: true, watcher: undefined, events: 0 }
			target = { index: -1, path, source: folder.source, depth: 0, logs: new Set(), owners: new Set(), names: new Map(), ...state }
			this.#folders.set(key, target)
			this.#watch(target)
		}
		target.owners?.add(folder)
		target.names.set(basename(real), log)
	}
}

/** Names with what they were before they were rotated. A packed file whose plain one is still there is being made, and left out. */
function* rotated(
	names: readonly string[],
): Generator<{ readonly name: string; readonly base: string | undefined; readonly order: string }> {
	const all = new Set(names)
	for (const name of names) {
		const plain = name.replace(/\.gz$/, '')
		if (plain !== name && all.has(plain)) continue
		const before = rotatedName(name)
		yield { name, base: before?.base, order: before?.order ?? '' }
	}
}

/** `order`: undefined for the file that is written. */
function addEntry(logs: Grouped, log: string, path: string, order: string | undefined): void {
	const stats = statOf(path)
	if (!stats?.isFile()) return
	const isCurrent = order === undefined
	const entry = { path, device: stats.dev, inode: stats.ino, size: stats.size, isCurrent, order: order ?? '~' }
	const known = logs.get(log)
	if (known) known.push(entry)
	else logs.set(log, [entry])
}
