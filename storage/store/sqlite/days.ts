// The days of a store: which there are, and which of them are open.
import { readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { dayOf } from '#records/time.ts'
import { messageOf } from '#runtime/errors.ts'
import type { Logger } from '#runtime/log.ts'
import type { SqliteStoreConfig } from './config.ts'
import { storageError } from './errors.ts'
import { storeLimits } from './limits.ts'
import { sumsPath } from './pages.ts'
import { Partition, suffixes } from './partition.ts'

export interface DaysOptions {
	readonly dir: string
	readonly readOnly: boolean
	readonly config: SqliteStoreConfig
	readonly log: Logger | undefined
}

/** Makes a new day under another name, so that readers never see half of it. `steps` write what it begins with, each in a connection of its own; `place` gives it its name. */
export function makeDay(
	options: DaysOptions,
	day: string,
	steps: readonly ((partition: Partition) => void)[],
	place: (making: string) => void,
): void {
	const making = join(options.dir, `${day}.making`)
	const forget = (): void => {
		for (const path of suffixes(making)) rmSync(path, { force: true })
	}
	forget()
	const partition = new Partition(options.dir, day, { config: options.config, readOnly: false, making })
	try {
		for (const step of steps) {
			partition.transact(() => step(partition))
			partition.abandon()
		}
		partition.finish()
		renameSync(sumsPath(making), sumsPath(join(options.dir, `${day}.db`)))
		place(making)
	} catch (error) {
		partition.abandon()
		forget()
		throw storageError(error, `${day}.db`)
	}
}

export class Days {
	readonly options: DaysOptions
	readonly #known = new Map<string, Partition>()
	/** Those that are open, the last used last. */
	readonly #open = new Set<Partition>()
	readonly #inode = new Map<string, number>()

	constructor(options: DaysOptions) {
		this.options = options
	}

	/** Oldest first. */
	list(): readonly Partition[] {
		let names: string[]
		try {
			names = readdirSync(this.options.dir)
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
			throw error
		}
		const days = names.flatMap((name) => (/^\d{4}-\d{2}-\d{2}\.db$/.test(name) ? name.slice(0, -3) : [])).toSorted()
		for (const day of this.#known.keys()) if (!days.includes(day)) this.forget(day)
		return days.map((day) => this.get(day))
	}

	get(day: string): Partition {
		const known = this.#known.get(day)
		// A day that was repaired is another file.
		if (known && (!this.options.readOnly || !known.isOpen || this.#inode.get(day) === inodeOf(known.path))) return known
		if (known) this.forget(day)
		const { dir, config, readOnly } = this.options
		const onUse = (used: Partition): void => {
			this.#open.delete(used)
			this.#open.add(used)
			this.#inode.set(used.day, inodeOf(used.path))
		}
		const partition = new Partition(dir, day, { config, readOnly, onUse })
		this.#known.set(day, partition)
		return partition
	}

	/** Days within the range, oldest first. They are opened when they are read, and throw STORAGE_CORRUPT then where they are damaged. */
	all(from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY): readonly Partition[] {
		const low = from > 0 ? dayOf(Math.min(from, 8.64e18)) : ''
		const high = to < 8.64e18 ? dayOf(Math.max(0, to)) : '9999'
		return this.list().filter(({ day }) => day >= low && day <= high)
	}

	/** Those that can be opened: for what must go on beside a damaged one. */
	sound(except?: string): readonly Partition[] {
		return this.list().filter((partition) => {
			if (partition.day === except) return false
			try {
				partition.spans()
				return true
			} catch (error) {
				this.options.log?.warn({ day: partition.day, err: messageOf(error) }, 'a day of the store cannot be read')
				return false
			}
		})
	}

	has(day: string): boolean {
		return this.list().some((partition) => partition.day === day)
	}

	/** A new day, with what `fill` gives it to begin with. */
	create(day: string, fill: (partition: Partition) => void): void {
		makeDay(this.options, day, [fill], (making) => renameSync(making, join(this.options.dir, `${day}.db`)))
	}

	/** The question is answered: its snapshots are let go, and only the days used last stay open. */
	answered(): void {
		for (const partition of this.#open) partition.answered()
		for (const partition of this.#open) {
			if (this.#open.size <= storeLimits.openDaysMax) break
			this.#open.delete(partition)
			partition.rest()
		}
	}

	/** Those that are open now. */
	opened(): readonly Partition[] {
		return [...this.#open]
	}

	forget(day: string): void {
		const partition = this.#known.get(day)
		if (!partition) return
		this.#known.delete(day)
		this.#open.delete(partition)
		partition.abandon()
	}

	remove(day: string): void {
		this.forget(day)
		const setAside = readdirSync(this.options.dir).filter((name) => name.startsWith(`${day}.db.damaged-`))
		for (const path of [...suffixes(join(this.options.dir, `${day}.db`)), ...setAside.map((name) => join(this.options.dir, name))])
			rmSync(path, { force: true })
	}

	close(): void {
		const failures: unknown[] = []
		for (const partition of this.#open) {
			try {
				partition.rest()
			} catch (error) {
				failures.push(error)
			}
		}
		this.#open.clear()
		if (failures.length > 0) this.options.log?.warn({ err: messageOf(failures[0]) }, 'a day of the store was closed without a checkpoint')
	}
}

function inodeOf(path: string): number {
	return statSync(path, { throwIfNoEntry: false })?.ino ?? 0
}
