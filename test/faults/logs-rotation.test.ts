// Log files that are rotated while they are written and read: by rename, by copy and truncate, packed, removed, with inodes given out again. Nothing is lost without a gap that says so, nothing twice.
import { copyFileSync, mkdirSync, renameSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { collect, podFolder, type Collecting } from '#test/collectors/logs/support.ts'
import { temporaryFolder } from '#test/support/program.ts'
import { createRandom, seedOf } from '#test/support/random.ts'
import { backupStamp, giveInodeOutAgain, NumberedWriter, outcomeOf, packBackups, pause } from './logs-support.ts'

const seed = seedOf('logs-rotation.test.ts')
let folder: ReturnType<typeof temporaryFolder>
let dir: string
let path: string
let collecting: Collecting | undefined
let random: () => number

beforeEach(() => {
	folder = temporaryFolder('logs-rotation')
	const root = join(folder.path, 'pods')
	mkdirSync(root)
	dir = podFolder(root)
	path = join(dir, '0.log')
	random = createRandom(seed)
})
afterEach(async () => {
	await collecting?.stop()
	collecting = undefined
	folder.remove()
})

const start = (): Collecting => (collecting = collect(join(folder.path, 'state'), { pods: { root: join(folder.path, 'pods') } }))
const all = (running: Collecting, count: number): Promise<void> =>
	running.until(() => new Set(running.lines.map(({ text }) => text)).size >= count)

/** So many lines, in bursts of about 10 ms, with `act` after every so many. */
async function write(writer: NumberedWriter, lines: number, every: number, act: (round: number) => void): Promise<void> {
	let next = every
	for (let round = 0; writer.count < lines;) {
		writer.write(100 + Math.floor(random() * 200))
		if (writer.count >= next) {
			act(round++)
			next += every
		}
		await pause(10)
	}
}

describe(`seed ${seed}`, () => {
	it('F1 rename and create every 200 ms at 20,000 lines/s; the writer goes on in the renamed file for a while', async () => {
		const running = start()
		const writer = new NumberedWriter(path)
		await write(writer, 100_000, 4000, (round) => {
			renameSync(path, `${path}.${backupStamp(round)}`)
			writer.write(50)
			writer.reopen()
		})
		await all(running, writer.count)
		writer.close()
		expect(outcomeOf('F1', running.lines, running.gaps, writer.count)).toEqual({ lost: [], duplicated: [], gaps: 0 })
		expect(running.rejects).toEqual([])
	})

	it('F2 copy and truncate: nothing is missing, and no gap is left where the copy was read whole', async () => {
		const running = start()
		const writer = new NumberedWriter(path)
		await write(writer, 40_000, 4000, (round) => {
			copyFileSync(path, `${path}.${backupStamp(round)}`)
			truncateSync(path)
		})
		await all(running, writer.count)
		writer.close()
		expect(outcomeOf('F2 with copies', running.lines, running.gaps, writer.count)).toEqual({ lost: [], duplicated: [], gaps: 0 })
		expect(running.rejects).toEqual([])
	})

	it('F2 more was read than the copy has: nothing is read twice, and the gap begins where reading stopped', async () => {
		const running = start()
		const writer = new NumberedWriter(path)
		const missing: number[] = []
		const reached: number[] = []
		for (let round = 0; round < 12; round += 1) {
			const size = writer.write(200)
			copyFileSync(path, `${path}.${backupStamp(round)}`)
			reached.push(size + writer.write(50))
			await all(running, writer.count - missing.length)
			const unseen = random() < 0.5 ? 0 : 30
			writer.write(unseen)
			missing.push(...Array.from({ length: unseen }, (_, index) => writer.count - unseen + index))
			truncateSync(path)
			await running.until(() => running.gaps.length > round)
		}
		writer.write(1)
		await all(running, writer.count - missing.length)
		writer.close()
		const { lost, duplicated } = outcomeOf('F2 read beyond the copy', running.lines, running.gaps, writer.count)
		expect([lost, duplicated]).toEqual([missing, []])
		expect(running.gaps.map(({ detail }) => Number(/from byte (\d+) on/.exec(detail)?.[1]))).toEqual(reached)
	})

	it('F2 truncate without a copy, behind: the gap names the first byte, and when the file was last seen whole', async () => {
		const running = start()
		const writer = new NumberedWriter(path)
		writer.write(1000)
		await all(running, 1000)
		const before = statSync(path).size
		// In one turn of the event loop: nobody can have seen it.
		writer.write(500)
		truncateSync(path)
		writer.write(1000)
		await all(running, 2000)
		writer.close()
		const { lost, duplicated } = outcomeOf('F2 without copy', running.lines, running.gaps, writer.count)
		expect(duplicated).toEqual([])
		expect(lost).toEqual(Array.from({ length: 500 }, (_, index) => 1000 + index))
		expect(running.gaps).toMatchObject([{ reason: 'truncated' }])
		expect(running.gaps[0]?.detail).toContain(`from byte ${before} on, how many is not known`)
		expect(running.gaps[0]?.detail).toContain(`it was ${before} bytes long at 20`)
	})

	it('F2 truncate while the log takes nothing: the gap says how long the file was seen to be', async () => {
		let release = (): void => {}
		let stalled: Promise<void> | undefined
		collecting = collect(join(folder.path, 'state'), { pods: { root: join(folder.path, 'pods') } }, { beforeAppend: async () => stalled })
		const running = collecting
		const writer = new NumberedWriter(path)
		writer.write(1000)
		await all(running, 1000)
		stalled = new Promise((resolve) => (release = resolve))
		writer.write(40_000)
		const size = statSync(path).size
		// Batches are on their way, and the file is looked at twice.
		await pause(400)
		truncateSync(path)
		await pause(300)
		writer.write(500)
		release()
		await running.until(
			() =>
				running.gaps.length > 0 &&
				running
					.texts()
					.at(-1)
					?.includes(`"n":${writer.count - 1},`) === true,
		)
		writer.close()
		const { lost, duplicated } = outcomeOf('F2 while the log is stalled', running.lines, running.gaps, writer.count)
		expect(duplicated).toEqual([])
		const [, from, to, bytes] = /bytes (\d+) to (\d+) at least \((\d+) bytes\)/.exec(running.gaps[0]?.detail ?? '') ?? []
		expect([Number(to), Number(bytes)]).toEqual([size, size - Number(from)])
		const lines = running.lines.filter(({ file }) => file === running.lines[0]?.file)
		expect(Number(from)).toBeGreaterThan(lines.at(-1)?.offset ?? Infinity)
		expect(lost).toEqual(Array.from({ length: lost.length }, (_, index) => lines.length + index))
		expect(lost.at(-1)).toBe(40_999)
	})

	it('F2 a writer that does not append leaves a hole: the gap names the missing bytes exactly, and the hole is no line', async () => {
		const running = start()
		const writer = new NumberedWriter(path, false)
		const wanted: string[] = []
		const missing: number[] = []
		let size = 0
		for (let round = 0; round < 6; round += 1) {
			size += writer.write(300)
			await all(running, writer.count - missing.length)
			if (round % 2 === 0) {
				const bytes = writer.write(80)
				missing.push(...Array.from({ length: 80 }, (_, index) => writer.count - 80 + index))
				wanted.push(`bytes ${size} to ${size + bytes} (${bytes} bytes)`)
				size += bytes
			}
			truncateSync(path)
		}
		writer.write(100)
		await all(running, writer.count - missing.length)
		writer.close()
		const { lost, duplicated } = outcomeOf('F2 without O_APPEND', running.lines, running.gaps, writer.count)
		expect([lost, duplicated]).toEqual([missing, []])
		const exact = running.gaps.map(({ detail }) => /bytes \d+ to \d+ \(\d+ bytes\)/.exec(detail)?.[0]).filter((text) => text !== undefined)
		expect(exact).toEqual(wanted)
		expect(running.rejects).toEqual([])
	})

	it('F3 backups are packed and the oldest removed, while running and while stopped', async () => {
		let running = start()
		const writer = new NumberedWriter(path)
		const lines: (typeof running.lines)[number][] = []
		const gaps: (typeof running.gaps)[number][] = []
		let restarts = 0
		let restarting: Promise<void> = Promise.resolve()
		await write(writer, 60_000, 4000, (round) => {
			renameSync(path, `${path}.${backupStamp(round)}`)
			writer.reopen()
			packBackups(path, 6)
			if (round % 5 !== 3) return
			restarts += 1
			restarting = restarting.then(async () => {
				const before = running
				await before.stop()
				lines.push(...before.lines)
				gaps.push(...before.gaps)
				// Two more rotations may come meanwhile.
				await pause(400)
				running = start()
			})
		})
		await restarting
		await running.until(() => new Set([...lines, ...running.lines].map(({ text }) => text)).size >= writer.count)
		writer.close()
		expect(restarts).toBeGreaterThan(1)
		expect(outcomeOf('F3', [...lines, ...running.lines], [...gaps, ...running.gaps], writer.count)).toEqual({
			lost: [],
			duplicated: [],
			gaps: 0,
		})
	})

	it('F4 an inode is given out again, while running and while stopped', async () => {
		let running = start()
		const lines: (typeof running.lines)[number][] = []
		let count = 0
		let reused = 0
		for (let round = 0; round < 6; round += 1) {
			const writer = new NumberedWriter(path)
			writer.count = count
			writer.write(500)
			count = writer.count
			writer.close()
			await running.until(() => new Set([...lines, ...running.lines].map(({ text }) => text)).size >= count)
			if (round % 2 === 1) {
				await running.stop()
				lines.push(...running.lines)
			}
			if (giveInodeOutAgain(path, join(folder.path, `spare-${round}`))) reused += 1
			if (round % 2 === 1) running = start()
		}
		const { lost, duplicated } = outcomeOf(`F4 (${reused} inodes given out again)`, [...lines, ...running.lines], running.gaps, count)
		expect([lost, duplicated]).toEqual([[], []])
	})
})
