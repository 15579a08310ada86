// The faults that log files and their collectors go through: each writes numbered lines, does its harm meanwhile, and leaves it to others to count.
import { appendFileSync, copyFileSync, renameSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { sleep } from '#bench/subject.ts'
import { backupStamp, giveInodeOutAgain, oddLines, packBackups, type NumberedWriter } from '#test/faults/logs-support.ts'
import type { Subject } from './subjects.ts'

export interface Field {
	readonly subject: Subject
	readonly writer: NumberedWriter
	readonly path: string
	/** Where the subject keeps what it keeps. */
	readonly disk: string
	/** On the file system of the log. */
	readonly spare: string
	readonly random: () => number
	/** Sets the subject's clock off, in hours. */
	stepClock(hours: number): void
}

export interface Fault {
	readonly name: string
	readonly needs?: 'a disk of its own' | 'a clock of its own'
	/** Gives how many lines were written. */
	run(field: Field): Promise<number>
}

const linesPerSecond = 20_000
const tickMs = 10

/** Lines at the rate, with `act` every so many seconds. */
async function writeFor(
	writer: NumberedWriter,
	seconds: number,
	everySeconds = seconds + 1,
	act: (round: number) => void = () => undefined,
): Promise<void> {
	const [begin, before] = [performance.now(), writer.count]
	for (let round = 0; ;) {
		const passed = (performance.now() - begin) / 1000
		writer.write(Math.max(0, Math.floor(Math.min(passed, seconds) * linesPerSecond) - (writer.count - before)))
		if (passed >= seconds) return
		if (passed >= (round + 1) * everySeconds) act(round++)
		await sleep(tickMs)
	}
}

async function seen(field: Field, count: number, seconds = 5): Promise<void> {
	const end = performance.now() + seconds * 1000
	while (field.subject.tally.count < count && performance.now() < end) await sleep(20)
}

function rotate({ path, writer }: Field, round: number): void {
	renameSync(path, `${path}.${backupStamp(round)}`)
	// The runtime goes on in the renamed file until it is told.
	writer.write(50)
	writer.reopen()
}

export const faults: readonly Fault[] = [
	{
		name: 'F1 rename and create every 2 s',
		async run(field) {
			await writeFor(field.writer, 10, 2, (round) => rotate(field, round))
			return field.writer.count
		},
	},
	{
		name: 'F2 copy and truncate every 2 s',
		async run({ path, writer }) {
			await writeFor(writer, 10, 2, (round) => {
				copyFileSync(path, `${path}.${backupStamp(round)}`)
				truncateSync(path)
			})
			return writer.count
		},
	},
	{
		name: 'F3 backups packed and removed, stopped for 4.5 s meanwhile',
		async run(field) {
			let stopping: Promise<void> = Promise.resolve()
			await writeFor(field.writer, 12, 2, (round) => {
				rotate(field, round)
				packBackups(field.path, 4)
				if (round === 1)
					stopping = field.subject
						.stop()
						.then(() => sleep(4500))
						.then(() => field.subject.start())
			})
			await stopping
			return field.writer.count
		},
	},
	{
		name: 'F4 inode given out again, while running and while stopped',
		async run(field) {
			for (let round = 0; round < 6; round += 1) {
				field.writer.write(500)
				await seen(field, field.writer.count)
				if (round % 2 === 1) await field.subject.stop()
				giveInodeOutAgain(field.path, `${field.spare}-${round}`)
				field.writer.reopen()
				if (round % 2 === 1) field.subject.start()
			}
			field.writer.write(500)
			return field.writer.count
		},
	},
	{
		name: 'F5 SIGKILL ×4',
		async run({ subject, writer, random }) {
			for (let life = 0; life < 4; life += 1) {
				await writeFor(writer, 1 + random() * 1.5)
				await subject.kill()
				await writeFor(writer, random() * 0.3)
				subject.start()
			}
			await writeFor(writer, 1)
			return writer.count
		},
	},
	{
		name: 'F6 SIGKILL while what it writes to is stalled',
		async run({ subject, writer }) {
			await writeFor(writer, 1)
			subject.stall()
			await writeFor(writer, 1.5)
			await subject.kill()
			subject.resume()
			subject.start()
			await writeFor(writer, 1)
			return writer.count
		},
	},
	{
		name: 'F7 lines up to 2 MB, invalid UTF-8, NUL, lines in parts, no last line end',
		async run({ writer, path, random }) {
			const lines = oddLines(random, 400, 2_000_000, writer.count)
			const bytes = Buffer.concat(lines.map((line) => line.bytes))
			for (let at = 0; at < bytes.length;) {
				const to = Math.min(bytes.length, at + Math.ceil(random() ** 3 * 2_000_000))
				appendFileSync(path, bytes.subarray(at, to))
				at = to
				await sleep(random() < 0.5 ? 0 : 15)
			}
			return writer.count + lines.length
		},
	},
	{
		name: 'F8 the disk of state and queue is full for 4 s, what it writes to stalled',
		needs: 'a disk of its own',
		async run({ subject, writer, disk }) {
			await writeFor(writer, 1)
			subject.stall()
			fill(join(disk, 'ballast'))
			await writeFor(writer, 4)
			rmSync(join(disk, 'ballast'))
			subject.resume()
			await writeFor(writer, 1)
			return writer.count
		},
	},
	{
		name: 'F15 the clock steps by an hour, back and forth, across a rename and a restart',
		needs: 'a clock of its own',
		async run(field) {
			for (const [round, hours] of [1, 0, -1, 0, 1, -1].entries()) {
				field.stepClock(hours)
				await writeFor(field.writer, 1)
				if (round === 2) rotate(field, round)
				if (round === 3) {
					await field.subject.stop()
					field.subject.start()
				}
			}
			return field.writer.count
		},
	},
]

/** Until nothing more goes in. */
function fill(path: string): void {
	for (let size = 1 << 20; size >= 1; size = Math.floor(size / 4)) {
		try {
			for (;;) appendFileSync(path, Buffer.alloc(size))
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
		}
	}
}
