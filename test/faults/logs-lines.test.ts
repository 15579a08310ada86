// Lines that break other collectors, and clocks that step: every line arrives once, in its order.
import { appendFileSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock, type Clock } from '#runtime/clock.ts'
import { collect, podFolder, type Collecting } from '#test/collectors/logs/support.ts'
import { temporaryFolder } from '#test/support/program.ts'
import { createRandom, seedOf } from '#test/support/random.ts'
import { NumberedWriter, oddLines, outcomeOf, pause } from './logs-support.ts'

const seed = seedOf('logs-lines.test.ts')
let folder: ReturnType<typeof temporaryFolder>
let path: string
let collecting: Collecting | undefined

beforeEach(() => {
	folder = temporaryFolder('logs-lines')
	mkdirSync(join(folder.path, 'pods'))
	path = join(podFolder(join(folder.path, 'pods')), '0.log')
})
afterEach(async () => {
	await collecting?.stop()
	collecting = undefined
	folder.remove()
})
const start = (clock: Clock = systemClock): Collecting =>
	(collecting = collect(join(folder.path, 'state'), { pods: { root: join(folder.path, 'pods') } }, { clock }))

describe(`seed ${seed}`, () => {
	it('F7 giant lines, invalid UTF-8, NUL, parts of lines, no last line end, written in pieces of any size', async () => {
		const random = createRandom(seed)
		const odd = oddLines(random, 400, 400_000)
		const wanted = odd.map(({ text }) => text)
		const bytes = Buffer.concat(odd.map((line) => line.bytes))
		const running = start()
		for (let at = 0; at < bytes.length;) {
			const anywhere = at + Math.ceil(random() ** 3 * 500_000)
			// Runtimes go on in another file behind a whole line.
			const isHalf = at < bytes.length / 2 && anywhere >= bytes.length / 2
			const to = isHalf ? bytes.indexOf('\n', anywhere) + 1 : anywhere
			appendFileSync(path, bytes.subarray(at, to))
			if (isHalf) renameSync(path, `${path}.20261124-100000`)
			at = to
			await pause(random() < 0.5 ? 0 : 15)
		}
		await running.lineCount(wanted.length)
		const lost = wanted.filter((text) => !running.lines.some((line) => line.text === text)).length
		const ids = new Set(running.lines.map(({ id }) => id)).size
		process.stdout.write(
			`F7: ${wanted.length} written in ${bytes.length} bytes, ${lost} lost, ${running.lines.length - wanted.length} duplicated, ${running.gaps.length} gap records\n`,
		)
		expect(running.texts().toSorted()).toEqual(wanted.toSorted())
		expect([ids, running.rejects, running.gaps]).toEqual([wanted.length, [], []])
	})

	it('F15 the clock steps an hour back and forth', async () => {
		const random = createRandom(seed)
		let step = 0
		const clock: Clock = {
			nowMicros: () => systemClock.nowMicros() + step * 3_600_000_000,
			sleep: (ms, signal) => systemClock.sleep(ms, signal),
		}
		const running = start(clock)
		const writer = new NumberedWriter(path)
		for (let round = 0; round < 40; round += 1) {
			step = Math.floor(random() * 3) - 1
			writer.write(200)
			if (round % 10 === 9) {
				renameSync(path, `${path}.20261124-1000${round}`)
				writer.reopen()
			}
			await pause(10)
		}
		await running.lineCount(writer.count)
		writer.close()
		expect(outcomeOf('F15', running.lines, running.gaps, writer.count)).toEqual({ lost: [], duplicated: [], gaps: 0 })
		expect(running.lines.map(({ text }) => Number(/\d+/.exec(text)?.[0]))).toEqual(
			Array.from({ length: writer.count }, (_, index) => index),
		)
	})
})
