// How far every file was read, on disk: files by their name, and when lines without a time were read. Bounded: a file that has gone is forgotten.
import type { LocalState } from '#collectors/local-state.ts'
import type { StateChange } from '#collectors/outbox.ts'
import { LogFile, readRow, type FileRow, type Settled, type Stamp } from './file.ts'
import type { Place } from './sources.ts'

const filePrefix = 'file/'
const stampPrefix = 'stamp/'
const bytesOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))

export class Checkpoints {
	readonly #state: LocalState
	/** Files that were known before this process, by family; taken out as their families are found. */
	readonly #known = new Map<string, FileRow[]>()

	constructor(state: LocalState) {
		this.#state = state
		for (const { value } of state.list(filePrefix)) {
			const row = readRow(value)
			if (!row) continue
			const rows = this.#known.get(row.family)
			if (rows) rows.push(row)
			else this.#known.set(row.family, [row])
		}
	}

	/** Families of which files are known that have not been found yet. */
	get missing(): readonly string[] {
		return [...this.#known.keys()]
	}

	/** What was known of a family. */
	filesOf(family: string, place: Place): readonly LogFile[] {
		const rows = this.#known.get(family) ?? []
		this.#known.delete(family)
		return rows.map((row) => {
			const file = new LogFile(row, place, true)
			file.stamps = this.#stampsOf(row.name)
			return file
		})
	}

	/** Its files are not read any more, whoever wrote them. */
	drop(family: string): readonly StateChange[] {
		const rows = this.#known.get(family) ?? []
		this.#known.delete(family)
		return rows.flatMap((row) => this.forgotten(row))
	}

	/** Before lines of these files are handed over: their names, and the times that were made up for their lines. */
	announce(files: Iterable<LogFile>): void {
		const rows: StateChange[] = []
		const told = [...files].filter((file) => !file.isAnnounced || file.hasNewStamps)
		for (const file of told) {
			if (!file.isAnnounced)
				rows.push(
					change(`${filePrefix}${file.name}`, { ...file.row(noneHeld), settled: [0, 0, 0], tail: '', tailBytes: 0, finished: false }),
				)
			if (file.hasNewStamps) rows.push(change(`${stampPrefix}${file.name}`, file.stamps))
		}
		if (rows.length > 0) this.#state.apply(rows, {})
		for (const file of told) {
			file.isAnnounced = true
			file.hasNewStamps = false
		}
	}

	/** After lines are durable. */
	reached(file: LogFile, held: Settled): StateChange {
		const row = file.row(held)
		const settled = Math.min(...row.settled)
		file.stamps = file.stamps.filter((stamp) => stamp.to > settled)
		return change(`${filePrefix}${file.name}`, row)
	}

	forgotten(file: { readonly name: string }): readonly StateChange[] {
		return [filePrefix, stampPrefix].map((prefix) => ({ key: prefix + file.name, revision: 0n, value: null }))
	}

	#stampsOf(name: string): Stamp[] {
		try {
			return JSON.parse(Buffer.from(this.#state.get(stampPrefix + name)?.value ?? Buffer.from('[]')).toString('utf8')) as Stamp[]
		} catch {
			return [] // garbled: the lines are told the time at which they are read again
		}
	}
}

const noneHeld: Settled = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
const change = (key: string, value: unknown): StateChange => ({ key, revision: 0n, value: bytesOf(value) })
