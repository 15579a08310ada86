// The folders of the sources: found, watched where the file system tells of changes, looked at now and then everywhere.
import { readdirSync, realpathSync, statSync, watch, type FSWatcher } from 'node:fs'
import { join } from 'node:path'
import { rotatedName } from '#collectors/tail/siblings.ts'
import type { Entry } from './file.ts'
import type { Source } from './sources.ts'

/** Folders beyond are only looked at. */
const watchersMax = 8192
/** A folder that tells of more changes between two looks is not listened to while it is busy: its files are looked at often enough then. */
const eventsMax = 8

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
}

export class Directories implements Disposable {
	readonly #found: Found
	readonly #folders = new Map<string, Folder>()
	readonly #dirty = new Set<Folder>()
	readonly #busy = new Set<Folder>()
	#watchers = 0

	constructor(sources: readonly Source[], found: Found) {
		this.#found = found
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
		if (folder.again || statSync(folder.path, { throwIfNoEntry: false })?.mtimeMs !== folder.modifiedMs) this.#dirty.add(folder)
	}

	#add(index: number, source: Source, path: string, depth: number): void {
		const key = `${index}:${path}`
		if (this.#folders.has(key)) return
		const folder: Folder = { index, path, source, depth, modifiedMs: -1, again: false, watcher: undefined, events: 0, logs: new Set() }
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
			this.#dirty.add(folder)
			this.#found.dirty()
		} else this.#found.changed(join(folder.path, name))
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
			if (pattern?.test(name) && statSync(path, { throwIfNoEntry: false })?.isDirectory())
				this.#add(folder.index, folder.source, path, folder.depth + 1)
		}
	}

	/** A folder below the root is forgotten with what was in it; the root may come again. */
	#vanished(folder: Folder, error: unknown): void {
		folder.modifiedMs = -1
		for (const path of folder.logs) this.#found.files(folder.source, path, [])
		folder.logs.clear()
		const { code } = error as NodeJS.ErrnoException
		if (folder.depth === 0 || (code !== 'ENOENT' && code !== 'ENOTDIR')) return this.#found.failed(folder.path, error)
		this.#unwatch(folder)
		this.#busy.delete(folder)
		this.#folders.delete(`${folder.index}:${folder.path}`)
	}

	#listFiles(folder: Folder, names: readonly string[]): void {
		const logs = this.#group(folder, names)
		for (const path of folder.logs) if (!logs.has(path)) this.#found.files(folder.source, path, [])
		folder.logs = new Set(logs.keys())
		for (const [path, entries] of logs) this.#found.files(folder.source, path, entries)
	}

	/** Files by the log that they are of, oldest first. */
	#group(folder: Folder, names: readonly string[]): Map<string, Entry[]> {
		const pattern = folder.source.patterns[folder.depth]
		const all = new Set(names)
		const logs = new Map<string, (Entry & { readonly order: string })[]>()
		for (const name of names) {
			const plain = name.replace(/\.gz$/, '')
			// A packed file whose plain one is still there is being made.
			if (plain !== name && all.has(plain)) continue
			const rotated = rotatedName(name)
			const base = rotated && pattern?.test(rotated.base) ? rotated.base : pattern?.test(name) ? name : undefined
			if (base === undefined) continue
			const path = join(folder.path, name)
			const stats = statSync(path, { throwIfNoEntry: false })
			if (!stats?.isFile()) continue
			const isCurrent = name === base
			const entry = {
				path,
				device: stats.dev,
				inode: stats.ino,
				size: stats.size,
				isCurrent,
				order: isCurrent ? '~' : (rotated?.order ?? ''),
			}
			const log = this.#realPath(join(folder.path, base))
			const known = logs.get(log)
			if (known) known.push(entry)
			else logs.set(log, [entry])
		}
		for (const entries of logs.values()) entries.sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0))
		return logs
	}

	/** `containers/` is full of links: a log is what they lead to. */
	#realPath(path: string): string {
		try {
			return realpathSync(path)
		} catch {
			return path // only rotated files are there
		}
	}
}
