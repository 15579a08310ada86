// What the faults of log files share: a writer of numbered lines, and what came of them.
import { closeSync, openSync, writeSync } from 'node:fs'
import type { Gap, LogLine } from '#records/record.ts'
import { criLine } from '#test/collectors/logs/support.ts'

/** Writes numbered lines to a file that it keeps open, as a container's runtime does. */
export class NumberedWriter {
	readonly path: string
	#fd: number
	/** Lines that were written. */
	count = 0

	constructor(path: string) {
		this.path = path
		this.#fd = openSync(path, 'a')
	}

	write(lines: number): void {
		let text = ''
		for (let line = 0; line < lines; line += 1)
			text += criLine(this.count++, `{"n":${this.count - 1},"msg":"${'x'.repeat((this.count * 7) % 300)}"}`)
		writeSync(this.#fd, text)
	}

	/** Opens the file anew, as runtimes do when they are told that it was renamed. */
	reopen(): void {
		closeSync(this.#fd)
		this.#fd = openSync(this.path, 'a')
	}

	close(): void {
		closeSync(this.#fd)
	}
}

export interface Outcome {
	readonly lost: readonly number[]
	/** Numbers that a reader would see twice: with more than one id. */
	readonly duplicated: readonly number[]
	readonly gaps: number
}

/** Of the numbers 0 to `count - 1`. Prints it. */
export function outcomeOf(name: string, lines: readonly LogLine[], gaps: readonly Gap[], count: number): Outcome {
	const ids = new Map<number, Set<string>>()
	for (const { id, text } of lines) {
		const number = Number(/"n":(\d+)/.exec(text)?.[1] ?? -1)
		const known = ids.get(number)
		if (known) known.add(id)
		else ids.set(number, new Set([id]))
	}
	const lost: number[] = []
	for (let number = 0; number < count; number += 1) if (!ids.has(number)) lost.push(number)
	const duplicated = [...ids].filter(([, seen]) => seen.size > 1).map(([number]) => number)
	process.stdout.write(
		`${name}: ${count} written, ${lost.length} lost, ${duplicated.length} duplicated, ${lines.length - ids.size} repeated with the same id, ${gaps.length} gap records\n`,
	)
	return { lost, duplicated, gaps: gaps.length }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
