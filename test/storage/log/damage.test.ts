// Damage to the SQLite record log's file: what is read is what was appended, up to the damage, and a loss is never silent.
import {
	closeSync,
	copyFileSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	readFileSync,
	rmSync,
	statSync,
	truncateSync,
	utimesSync,
	writeFileSync,
	writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Redacted } from '#records/record.ts'
import { systemClock } from '#runtime/clock.ts'
import { KubetapeError } from '#runtime/errors.ts'
import type { RecordLog } from '#storage/log/port.ts'
import { openSqliteLog } from '#storage/log/sqlite/log.ts'
import type { Damage } from '#storage/log/sqlite/repair.ts'
import { numberedRecord as numbered, plain } from '#test/support/records.ts'
import { createRandom, seedOf } from '#test/support/random.ts'

const seed = seedOf('damage.test.ts')
const trials = 60
const partitions = 2
const batchesAppended = 150
const suffixes = ['', '-wal', '-shm']
let root = ''

/** As storage/log/sqlite/checked.ts writes it: what it says of the file as it is now. */
function noteFor(file: string): string {
	const { ino, size, mtimeNs } = statSync(file, { bigint: true })
	return `${ino} ${size} ${mtimeNs}`
}

/** Where in the file the data of some batch is. */
function placeOfBatch(file: string): number {
	const db = new DatabaseSync(file, { readOnly: true })
	const row = db.prepare('SELECT data FROM batch ORDER BY stream, part, first LIMIT 1 OFFSET 20').get()
	db.close()
	const data = Buffer.from(row?.['data'] as Uint8Array)
	const place = readFileSync(file).indexOf(data.subarray(16, 48))
	expect(place).toBeGreaterThan(0)
	return place
}

type Contents = Map<number, ReturnType<typeof plain>[]>

/** Everything a group is given, per partition, until the log says that nothing is left or fails. */
async function readAll(log: RecordLog, group: string): Promise<{ contents: Contents; code: string | undefined }> {
	const contents: Contents = new Map(Array.from({ length: partitions }, (_, partition) => [partition, []]))
	let left = (await log.lag(group, ['records'])).reduce((sum, { records }) => sum + records, 0n)
	try {
		if (left > 0n) {
			for await (const { next, records } of log.read(group, ['records'], AbortSignal.timeout(10_000))) {
				contents.get(next[0]?.partition ?? -1)?.push(...records.map((record) => plain(record)))
				left -= BigInt(records.length)
				if (left <= 0n) break
			}
		}
		return { contents, code: undefined }
	} catch (error) {
		if (!(error instanceof KubetapeError)) throw error
		return { contents, code: error.code }
	}
}

describe('damage to the record log', () => {
	const appended: Contents = new Map()
	let left: Contents = new Map()

	beforeAll(async () => {
		root = mkdtempSync(join(tmpdir(), 'kubetape-damage-'))
		const log = await openSqliteLog({ dir: join(root, 'whole'), partitions, clock: systemClock })
		const random = createRandom(seed)
		let number = 0
		for (let batch = 0; batch < batchesAppended; batch++) {
			const records: Redacted[] = Array.from({ length: 1 + Math.floor(random() * 12) }, () =>
				numbered(++number, `pod-${Math.floor(random() * 1e6)}`),
			)
			await log.append('records', records)
		}
		// A part of each partition; the rest is what the group is still to be given.
		const positions = (await log.lag('store', ['records'])).map(({ stream, partition, records }) => ({
			stream,
			partition,
			offset: (records * 2n) / 5n,
		}))
		await log.commit('store', positions)
		for (const [partition, records] of (await readAll(log, 'model')).contents) appended.set(partition, records)
		left = (await readAll(log, 'store')).contents
		// As a SIGKILL leaves it: with what was not yet moved into the file.
		mkdirSync(join(root, 'left'))
		for (const suffix of suffixes) copyFileSync(join(root, 'whole', `records.db${suffix}`), join(root, 'left', `records.db${suffix}`))
		await log[Symbol.asyncDispose]()
	})
	afterAll(() => rmSync(root, { recursive: true, force: true }))

	/** Opens a damaged copy, and holds every promise about it. True where something was lost. */
	async function check(name: string, damage: (file: string) => void, from: 'whole' | 'left' = 'whole'): Promise<boolean> {
		const dir = join(root, name)
		mkdirSync(dir)
		for (const suffix of suffixes) {
			const file = join(root, from, `records.db${suffix}`)
			if (existsSync(file)) copyFileSync(file, join(dir, `records.db${suffix}`))
		}
		damage(join(dir, 'records.db'))
		const told: Damage[] = []
		const log = await openSqliteLog({ dir, partitions, clock: systemClock, onDamage: (found) => told.push(found) })
		try {
			const all = await readAll(log, 'fresh')
			let lost = 0
			for (const [partition, records] of all.contents) {
				const expected = appended.get(partition) ?? []
				expect(
					isDeepStrictEqual(records, expected.slice(0, records.length)),
					`${name}: partition ${partition} is a prefix of what was appended`,
				).toBe(true)
				lost += expected.length - records.length
			}
			const rest = await readAll(log, 'store')
			const detected = told.length > 0 || all.code === 'STORAGE_CORRUPT' || rest.code === 'STORAGE_CORRUPT'
			if (lost > 0) expect(detected, `${name}: ${lost} lost records are told`).toBe(true)
			for (const [partition, records] of rest.contents) {
				const passedOver = (left.get(partition) ?? []).length - records.length
				if (passedOver > 0) expect(detected, `${name}: the group misses ${passedOver} records and is told`).toBe(true)
			}
			for (const each of told) expect(existsSync(each.setAside), 'the damaged file is kept').toBe(true)
			// Repaired on opening, the log goes on: what is appended now reaches the old and the new group.
			if (told.length > 0) {
				expect(all.code, `${name}: repaired`).toBeUndefined()
				await log.append('records', [numbered(1_000_000)])
				for (const group of ['store', 'fresh']) {
					const { contents } = await readAll(log, group)
					expect(
						[...contents.values()].flat().at(-1) !== undefined &&
							[...contents.values()].some((list) => list.at(-1)?.['revision'] === 1_000_000n),
						`${name}: ${group} reads what comes after`,
					).toBe(true)
				}
			}
			return lost > 0
		} finally {
			await log[Symbol.asyncDispose]()
			rmSync(dir, { recursive: true, force: true })
		}
	}

	it('the undamaged file is whole and nothing is reported', async () => {
		expect([...appended.values()].flat().length).toBeGreaterThan(batchesAppended)
		for (const records of left.values()) expect(records.length).toBeGreaterThan(batchesAppended)
		expect(await check('sound', () => undefined)).toBe(false)
	})

	it(`flips and cuts at ${trials} places (seed ${seed})`, async () => {
		const random = createRandom(seed + 1)
		let losses = 0
		for (let trial = 0; trial < trials; trial++) {
			const cut = trial % 4 === 0
			const share = random()
			const mask = 1 + Math.floor(random() * 255)
			const lost = await check(`trial-${trial}-${cut ? 'cut' : 'flip'}-${share}-${mask}`, (file) => {
				const bytes = readFileSync(file)
				const at = Math.floor(share * bytes.length)
				if (cut) return truncateSync(file, at)
				bytes[at] = (bytes[at] ?? 0) ^ mask
				writeFileSync(file, bytes)
			})
			if (lost) losses += 1
		}
		// Cuts alone lose something: a run that saw no loss has not damaged anything.
		expect(losses).toBeGreaterThan(trials / 8)
	}, 120_000)

	it('a write-ahead log that was left behind: whole it loses nothing, damaged it is told', async () => {
		expect(await check('left-whole', () => undefined, 'left')).toBe(false)
		const random = createRandom(seed + 2)
		let losses = 0
		for (let trial = 0; trial < trials / 2; trial++) {
			const share = random()
			const lost = await check(
				`left-${trial}-${share}`,
				(file) => {
					const bytes = readFileSync(`${file}-wal`)
					const at = Math.floor(share * bytes.length)
					if (trial % 3 === 0) return truncateSync(`${file}-wal`, at)
					bytes[at] = (bytes[at] ?? 0) ^ 0x10
					writeFileSync(`${file}-wal`, bytes)
					if (trial % 3 === 1) rmSync(`${file}-shm`)
				},
				'left',
			)
			if (lost) losses += 1
		}
		expect(losses).toBeGreaterThan(trials / 8)
	}, 120_000)

	it('what was found sound is not read whole again, and is once damage was met', async () => {
		const dir = join(root, 'noted')
		mkdirSync(dir)
		copyFileSync(join(root, 'whole', 'records.db'), join(dir, 'records.db'))
		await (await openSqliteLog({ dir, partitions, clock: systemClock }))[Symbol.asyncDispose]()
		const file = join(dir, 'records.db')
		const { atime, mtime } = statSync(file)
		// Damage that leaves no trace on the file's times, as a failing disk does it.
		const place = placeOfBatch(file)
		const handle = openSync(file, 'r+')
		writeSync(handle, Buffer.from([(readFileSync(file)[place] ?? 0) ^ 0xff]), 0, 1, place)
		closeSync(handle)
		utimesSync(file, atime, mtime)
		writeFileSync(`${file}.checked`, noteFor(file))
		const told: Damage[] = []
		const open = (): Promise<RecordLog> => openSqliteLog({ dir, partitions, clock: systemClock, onDamage: (found) => told.push(found) })
		const log = await open()
		expect(told).toEqual([])
		expect((await readAll(log, 'fresh')).code).toBe('STORAGE_CORRUPT')
		await log[Symbol.asyncDispose]()
		const repaired = await open()
		expect(told).toHaveLength(1)
		expect((await readAll(repaired, 'fresh')).code).toBeUndefined()
		await repaired[Symbol.asyncDispose]()
	})

	it('an emptied file is told', async () => {
		expect(await check('emptied', (file) => truncateSync(file, 0))).toBe(true)
	})

	it('bytes that are no database are told', async () => {
		expect(await check('garbage', (file) => writeFileSync(file, Buffer.alloc(8192, 0x5a)))).toBe(true)
	})
})
