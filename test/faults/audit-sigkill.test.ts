// The collect role killed at random moments while an audit log is written, rotated and packed: every line is in the record log, entries and garbage alike, each under one id.
import { appendFileSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, it } from 'vitest'
import { systemClock } from '#runtime/clock.ts'
import { openSqliteLog } from '#storage/log/sqlite/log.ts'
import { auditLine } from '#test/collectors/replay/support.ts'
import { startProgram, temporaryFolder, type Program } from '#test/support/program.ts'
import { createRandom, seedOf } from '#test/support/random.ts'

const kills = 5
const linesPerKill = 1500
const seed = seedOf('audit-sigkill.test.ts')
const random = createRandom(seed)
const below = (count: number): number => Math.floor(random() * count)
const folder = temporaryFolder('audit-sigkill')
const [path, data] = [join(folder.path, 'audit.log'), join(folder.path, 'data')]
let program: Program | undefined
afterAll(async () => {
	program?.process.kill('SIGKILL')
	await program?.exited
	folder.remove()
})

/** What an API server does to its file: entries, now and then garbage, rotation by rename, packing of what was rotated. */
const writer = {
	entries: 0,
	garbage: 0,
	rotated: 0,
	pending: '',
	write(lines: number): void {
		for (let line = 0; line < lines; line += 1) {
			// The same garbage every time: only its place tells one line from another.
			const isGarbage = below(20) === 0
			const text = isGarbage ? 'no entry' : auditLine(`id-${writer.entries}`, writer.entries)
			if (isGarbage) writer.garbage += 1
			else writer.entries += 1
			// Written in two halves at times, so that a line is cut by a kill.
			const cut = below(text.length)
			appendFileSync(path, writer.pending + text.slice(0, cut))
			writer.pending = `${text.slice(cut)}\n`
			if (below(3) > 0) writer.finish()
			if (below(400) === 0) writer.rotate()
		}
		writer.finish()
	},
	finish(): void {
		appendFileSync(path, writer.pending)
		writer.pending = ''
	},
	rotate(): void {
		writer.finish()
		writer.rotated += 1
		const stamp = `2026-01-02T03-04-05.${String(writer.rotated).padStart(3, '0')}`
		renameSync(path, join(folder.path, `audit-${stamp}.log`))
		writeFileSync(path, '')
	},
	/** All but the youngest backup, as lumberjack does it: packed beside the plain file, which then goes. */
	pack(): void {
		const backups = readdirSync(folder.path).filter((name) => /^audit-.*\.log$/.test(name))
		for (const name of backups.toSorted().slice(0, -1)) {
			const plain = join(folder.path, name)
			writeFileSync(`${plain}.gz`, gzipSync(readFileSync(plain)))
			rmSync(plain)
		}
	},
}

/** What the record log holds: of each entry and of each rejected line its ids. */
const stored = { entries: new Map<string, Set<string>>(), rejects: new Set<string>(), records: 0 }
let wake = Promise.withResolvers<void>()

async function follow(signal: AbortSignal): Promise<void> {
	await using log = await openSqliteLog({ dir: join(data, 'log'), clock: systemClock })
	for await (const batch of log.read('test', ['records', 'rejects'], signal)) {
		for (const record of batch.records) {
			stored.records += 1
			if (record.kind === 'reject') stored.rejects.add(record.id)
			if (record.kind !== 'audit') continue
			const ids = stored.entries.get(record.auditID) ?? new Set()
			stored.entries.set(record.auditID, ids.add(record.id))
		}
		wake.resolve()
		wake = Promise.withResolvers()
	}
}

/** Never resolves: whoever follows goes on until it is stopped, or fails. */
const endOf = (following: Promise<void>): Promise<never> =>
	following.then(() => {
		throw new Error('the record log ended')
	})

async function until(following: Promise<void>, isSo: () => boolean): Promise<void> {
	while (!isSo()) await Promise.race([wake.promise, endOf(following)])
}

function start(config: string): void {
	program = startProgram(['collect', '--config', config], { KUBETAPE_LOG_LEVEL: 'warn' })
}

it(`survives ${kills} kills (seed ${seed})`, async () => {
	const config = join(folder.path, 'kubetape.yaml')
	writeFileSync(config, `dataDir: ${data}\nclusters: [{ name: c, audit: { path: ${path}, pollMs: 20, lastLineMs: 60000 } }]\n`)
	writeFileSync(path, '')
	const stop = new AbortController()
	const following = follow(stop.signal)
	following.catch(() => undefined) // waited for below
	for (let kill = 0; kill < kills; kill += 1) {
		const [before, least] = [stored.records, 1 + below(linesPerKill)]
		start(config)
		writer.write(1 + below(linesPerKill))
		// Goes on being written while it is read, until so much is stored that it is time to kill.
		while (stored.records < before + least) {
			await Promise.race([wake.promise, endOf(following)])
			writer.write(1 + below(100)) // without another line nobody would be woken up again
		}
		program?.process.kill('SIGKILL')
		await program?.exited
		writer.write(1 + below(300))
		if (below(2) === 0) writer.rotate()
		if (below(2) === 0) writer.pack()
	}
	start(config)
	await until(following, () => stored.entries.size === writer.entries && stored.rejects.size >= writer.garbage)
	program?.process.kill('SIGTERM')
	expect(await program?.exited).toBe(0)
	stop.abort()
	await following
	expect([...stored.entries.values()].filter((ids) => ids.size !== 1)).toEqual([])
	expect([stored.entries.size, stored.rejects.size]).toEqual([writer.entries, writer.garbage])
	expect(writer.rotated).toBeGreaterThan(1)
	expect(writer.garbage).toBeGreaterThan(kills)
})
