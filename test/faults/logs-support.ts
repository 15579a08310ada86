// What the faults of log files share: a writer of numbered lines, and what came of them.
import { closeSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Gap, LogLine } from '#records/record.ts'
import { criLine } from '#test/collectors/logs/support.ts'

/** The number stands at both ends: whoever has both has all of it. */
const numbered = (number: number, message: string): string => `{"n":${number},"msg":"${message}","end":${number}}`

/** Writes numbered lines to a file that it keeps open, as a container's runtime does. */
export class NumberedWriter {
	readonly path: string
	#fd: number
	/** Lines that were written. */
	count = 0

	/** `appends`: as with O_APPEND; else it goes on where it was, also where the file was cut off. */
	constructor(path: string, appends = true) {
		this.path = path
		this.#fd = openSync(path, appends ? 'a' : 'w')
	}

	/** Gives how many bytes that were. */
	write(lines: number): number {
		let text = ''
		for (let line = 0; line < lines; line += 1) text += criLine(this.count, numbered(this.count++, 'x'.repeat((this.count * 7) % 300)))
		writeSync(this.#fd, text)
		return Buffer.byteLength(text)
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

/** The suffix of a backup, later ones behind earlier ones in the alphabet. */
export const backupStamp = (round: number): string => `20261124-${String(100_000 + round).padStart(6, '0')}`

/** As the kubelet does: all backups but the youngest are packed, under another name first; the oldest of more than `kept` go. */
export function packBackups(path: string, kept: number): void {
	const dir = dirname(path)
	const backups = readdirSync(dir)
		.filter((name) => name !== basename(path))
		.toSorted()
	for (const name of backups.slice(0, -1).filter((backup) => !backup.endsWith('.gz'))) {
		writeFileSync(join(dir, `${name}.tmp`), gzipSync(readFileSync(join(dir, name)), { level: 1 }))
		renameSync(join(dir, `${name}.tmp`), join(dir, `${name}.gz`))
		rmSync(join(dir, name))
	}
	for (const name of backups.slice(0, -kept)) rmSync(join(dir, name), { force: true })
}

/** Removes the file and makes an empty one with the same inode, or gives false where the file system does not give numbers out again. */
export function giveInodeOutAgain(path: string, spare: string): boolean {
	const { ino } = statSync(path)
	rmSync(path)
	for (let attempt = 0; attempt < 50; attempt += 1) {
		writeFileSync(path, '')
		if (statSync(path).ino === ino) return true
		renameSync(path, `${spare}-${attempt}`)
	}
	writeFileSync(path, '')
	return false
}

export interface OddLine {
	/** As a reader is to see it. */
	readonly text: string
	readonly bytes: Buffer
}

/** Numbered lines: some giant, some with bytes that are no UTF-8 and NUL, some in two parts. The last one has no end. */
export function oddLines(random: () => number, count: number, giantMax: number, first = 0): readonly OddLine[] {
	const lines: OddLine[] = []
	for (let number = first; number < first + count; number += 1) {
		const kind = number === first + count - 1 ? 3 : Math.floor(random() * 5)
		const size = Math.floor(random() ** 4 * giantMax)
		const text = numbered(number, (kind === 1 ? 'g' : 'p').repeat(kind === 1 || kind === 2 ? size : 0))
		if (kind === 0) {
			const [head = '', tail = ''] = text.split('""')
			const bytes = Buffer.concat([Buffer.from(`${head}"`), Buffer.from([0xff, 0x00, 0xc3, 0x28]), Buffer.from(`"${tail}`)])
			const whole = Buffer.concat([Buffer.from(criLine(number, '').slice(0, -1)), bytes, Buffer.from('\n')])
			lines.push({ text: bytes.toString('utf8'), bytes: whole })
		} else if (kind === 2) {
			const cut = Math.floor(random() * text.length)
			lines.push({ text, bytes: Buffer.from(criLine(number, text.slice(0, cut), 'P') + criLine(number, text.slice(cut), 'F:TAG')) })
		} else lines.push({ text, bytes: Buffer.from(criLine(number, text)) })
	}
	const last = lines.pop()
	return last ? [...lines, { text: last.text, bytes: last.bytes.subarray(0, -1) }] : []
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
