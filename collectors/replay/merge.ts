// Several files as one run of items, roughly in the order of time. Of each file only one page is held, and only so many files are open at once.
import type { Micros } from '#records/time.ts'
import type { Item, Source } from './source.ts'

/** A file that is not opened before its time has come. */
export interface LateSource {
	readonly firstAt: Micros
	open(): Source
}

export interface Merged {
	readonly source: Source
	readonly item: Item
}

/** Files that are open at the same time; more wait until one has ended. */
const openFilesMax = 128

interface Reading {
	readonly source: Source
	page: readonly Item[]
	at: number
}

/** Items of one source keep their order. Closes what it opened, also when it is left early. */
export async function* merge(now: readonly Source[], later: readonly LateSource[]): AsyncGenerator<Merged> {
	const waiting = later.toSorted((a, b) => b.firstAt - a.firstAt)
	const reading: Reading[] = []
	const begin = async (source: Source): Promise<void> => {
		const page = await source.next()
		if (page) reading.push({ source, page, at: 0 })
		else await source.close()
	}
	try {
		for (const source of now) await begin(source)
		for (;;) {
			const [first, second] = earliest(reading)
			const next = waiting.at(-1)
			if (next && reading.length < openFilesMax && (!first || next.firstAt <= headOf(first))) {
				waiting.pop()
				await begin(next.open())
				continue
			}
			if (!first) return
			// As long as this file is the earliest it goes on, without asking the others again.
			const until = Math.min(second ? headOf(second) : Number.POSITIVE_INFINITY, next ? next.firstAt : Number.POSITIVE_INFINITY)
			do {
				const item = first.page[first.at]
				if (!item) break
				first.at += 1
				yield { source: first.source, item }
			} while (headOf(first) <= until)
			if (first.at < first.page.length) continue
			const page = await first.source.next()
			if (page) [first.page, first.at] = [page, 0]
			else {
				reading.splice(reading.indexOf(first), 1)
				await first.source.close()
			}
		}
	} finally {
		await Promise.all(reading.map(({ source }) => source.close()))
	}
}

const headOf = (reading: Reading): Micros => reading.page[reading.at]?.at ?? Number.POSITIVE_INFINITY

function earliest(reading: readonly Reading[]): readonly [Reading | undefined, Reading | undefined] {
	let first: Reading | undefined
	let second: Reading | undefined
	for (const candidate of reading) {
		if (!first || headOf(candidate) < headOf(first)) [first, second] = [candidate, first]
		else if (!second || headOf(candidate) < headOf(second)) second = candidate
	}
	return [first, second]
}
