// Damage to the files of the SQLite store: whatever byte is flipped, wherever a file is cut, it is noticed, named, and what can be read is kept.
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Indexed } from '#records/indexed.ts'
import { KubetapeError } from '#runtime/errors.ts'
import type { Store } from '#storage/store/port.ts'
import type { StoreDamage } from '#storage/store/sqlite/repair.ts'
import { openSqliteStore, type SqliteStore } from '#storage/store/sqlite/store.ts'
import { aChange, anAudit, anEvent, dayMicros, fixedClock, noon } from '#test/storage/store/records.ts'
import { createRandom, seedOf } from '#test/support/random.ts'

const seed = seedOf('store/sqlite/damage.test.ts')
const trials = 24
const putRecords = 30
const config = { synchronous: 'normal', cacheKibibytes: 1024 } as const
let root = ''

function recordsOf(): Indexed[] {
	const random = createRandom(seed)
	return Array.from({ length: 900 }, (_, n) => {
		const at = noon - (n % 3 === 0 ? dayMicros : 0) + Math.floor(random() * 3_600_000_000)
		if (n % 10 === 7) return anEvent({ revision: n + 1, at, name: `e-${n}`, regarding: `o-${n % 50}` })
		if (n % 10 === 8) return anAudit({ n, at, user: `user-${n % 5}`, name: `o-${n % 50}` })
		return aChange({
			revision: n + 1,
			at,
			object: { name: `o-${n % 50}` },
			operation: random() < 0.05 ? 'deleted' : 'updated',
			more: { summary: `change ${n} of ${random()}`, paths: [`spec.p${n % 9}`], labels: { app: `a-${n % 7}` }, text: `word${n % 11}` },
		})
	})
}

type Served = Map<string, unknown>

/** Everything that is served, by id: items with their bodies. `failed`: a read that named damage. */
async function serve(store: Store, ids: readonly string[]): Promise<{ served: Served; failed: boolean }> {
	const served: Served = new Map()
	let failed = false
	const attempt = async (work: () => Promise<void>): Promise<void> => {
		try {
			await work()
		} catch (error) {
			if (
				!(error instanceof KubetapeError) ||
				error.code !== 'STORAGE_CORRUPT' ||
				!/^\d{4}-\d{2}-\d{2}\.db$/.test(String(error.details['partition']))
			)
				throw error
			failed = true
		}
	}
	for (const id of ids) {
		await attempt(async () => {
			const version = await store.get('blue', id)
			if (version) served.set(id, { ...version, body: version.body?.value ?? null })
		})
	}
	for (const filter of [{}, { q: 'word3' }, { user: 'user-2' }, { name: 'o-7' }]) {
		for (const from of [noon - dayMicros, noon]) {
			await attempt(async () => {
				for (const item of (await store.timeline({ ...filter, from, to: from + 3_600_000_000 }, { limit: 2000 })).items) {
					const { body: _, ...known } = (served.get(item.id) ?? { ...item }) as { body?: unknown }
					expect(item).toEqual(known)
				}
			})
		}
	}
	return { served, failed }
}

describe('damage to the store', () => {
	const records = recordsOf()
	const ids = records.map(({ record }) => record.id)
	let whole: Served = new Map()

	beforeAll(async () => {
		root = mkdtempSync(join(tmpdir(), 'kubetape-store-damage-'))
		await using store = await openSqliteStore({ dir: join(root, 'whole'), clock: fixedClock, config })
		for (let at = 0; at < records.length; at += putRecords) await store.put(records.slice(at, at + putRecords))
		const all = await serve(store, ids)
		whole = all.served
		if (all.failed || whole.size !== records.length)
			throw new Error(`${whole.size} of ${records.length} records are there before anything is damaged`)
		// As a crash leaves it: the puts in the write-ahead logs.
		cpSync(join(root, 'whole'), join(root, 'crashed'), { recursive: true, filter: (path) => !/(lock|-shm)$/.test(path) })
	})
	afterAll(() => rmSync(root, { recursive: true, force: true }))

	/** What is served is right, whatever is missing of it. */
	function expectRight(name: string, served: Served): void {
		for (const [id, version] of served) {
			const expected = whole.get(id) as Record<string, unknown>
			const note = (version as { note?: string }).note
			const right = isDeepStrictEqual(version, note === undefined ? expected : { ...expected, body: null, note })
			if (!right) expect(version, `${name}: ${id} is served as it was put`).toEqual(expected)
		}
	}

	async function openAndCheck(dir: string): Promise<{ store: SqliteStore; told: StoreDamage[] }> {
		const told: StoreDamage[] = []
		const store = await openSqliteStore({ dir, clock: fixedClock, config, onDamage: (damage) => told.push(damage) })
		await store.checked
		return { store, told }
	}

	/** Damages a copy, and holds every promise about it; gives how many records were lost. */
	async function check(name: string, from: string, damage: (dir: string) => void): Promise<{ lost: number; told: StoreDamage[] }> {
		const dir = join(root, name)
		cpSync(join(root, from), dir, { recursive: true })
		try {
			damage(dir)
			const reader = await openSqliteStore({ dir, readOnly: true, clock: fixedClock, config })
			expectRight(`${name}, read before it is repaired`, (await serve(reader, ids)).served)
			await reader[Symbol.asyncDispose]()
			const { store, told } = await openAndCheck(dir)
			const { served, failed } = await serve(store, ids)
			expect(failed, `${name}: repaired`).toBe(false)
			expectRight(name, served)
			const lost = records.length - served.size
			for (const each of told) expect(existsSync(each.setAside), `${name}: the damaged file is kept`).toBe(true)
			const { gaps } = await store.ledger('blue', {})
			if (told.some((each) => each.lost !== 0 || each.bodiesLost > 0 || each.wordsLost))
				expect(gaps, name).toMatchObject([{ reason: 'corrupt' }])
			if (lost > 0) {
				const counted = told.map((each) => each.lost)
				if (!counted.includes(undefined))
					expect(
						counted.reduce<number>((sum, count) => sum + (count ?? 0), 0),
						name,
					).toBe(lost)
			}
			// What was lost can be put again.
			expect(await store.put(records), name).toEqual({ stored: lost, duplicates: records.length - lost })
			expect((await serve(store, ids)).served.size, name).toBe(records.length)
			await store[Symbol.asyncDispose]()
			const after = await openAndCheck(dir)
			expect(after.told, `${name}: repaired for good`).toEqual([])
			await after.store[Symbol.asyncDispose]()
			return { lost, told }
		} finally {
			rmSync(dir, { recursive: true, force: true })
		}
	}

	it('an undamaged store is whole and nothing is reported', async () => {
		expect(await check('sound', 'whole', () => undefined)).toEqual({ lost: 0, told: [] })
		expect(await check('sound-crashed', 'crashed', () => undefined)).toEqual({ lost: 0, told: [] })
	})

	it(`every flip and cut of a day's file is noticed, at ${trials} places (seed ${seed})`, async () => {
		const random = createRandom(seed + 1)
		let losses = 0
		for (let trial = 0; trial < trials; trial++) {
			const cut = trial % 4 === 0
			const [day, share, mask] = [random() < 0.5 ? '2026-11-22.db' : '2026-11-23.db', random(), 1 + Math.floor(random() * 255)]
			const name = `trial-${trial}-${cut ? 'cut' : 'flip'}-${day}-${share}-${mask}`
			const { lost, told } = await check(name, 'whole', (dir) => {
				const bytes = readFileSync(join(dir, day))
				const at = Math.floor(share * bytes.length)
				if (cut) return truncateSync(join(dir, day), at)
				bytes[at] = (bytes[at] ?? 0) ^ mask
				writeFileSync(join(dir, day), bytes)
			})
			expect(told, `${name} is told`).toMatchObject([{ day: day.slice(0, 10) }])
			if (lost > 0) losses += 1
		}
		expect(losses).toBeGreaterThan(trials / 8)
	}, 300_000)

	it('a day whose first page is gone, by which all others are found, is read nevertheless', async () => {
		for (const [name, bytes] of [
			['headless', Buffer.alloc(8192)],
			['headless-schema', Buffer.from('garbage')],
		] as const) {
			const { lost, told } = await check(name, 'whole', (dir) => {
				const file = readFileSync(join(dir, '2026-11-23.db'))
				bytes.copy(file, name === 'headless' ? 0 : file.indexOf('observed INTEGER'))
				writeFileSync(join(dir, '2026-11-23.db'), file)
			})
			expect({ lost, told }).toMatchObject({ lost: 0, told: [{ kept: 600, lost: 0, bodiesLost: 0, wordsLost: false }] })
		}
	})

	it('a day that is emptied, or is no database, is told and begun anew', async () => {
		for (const [name, bytes] of [
			['emptied', Buffer.alloc(0)],
			['garbage', Buffer.alloc(9000, 0x5a)],
		] as const) {
			const { lost, told } = await check(name, 'whole', (dir) => writeFileSync(join(dir, '2026-11-22.db'), bytes))
			expect(lost).toBe(300)
			expect(told).toMatchObject([{ day: '2026-11-22', kept: 0, lost: undefined }])
		}
	})

	it('a day whose checksums are lost or damaged is read row by row, and nothing of it is lost', async () => {
		for (const [name, damage] of [
			['no-sums', (dir: string) => rmSync(join(dir, '2026-11-23.sums'))],
			['cut-sums', (dir: string) => truncateSync(join(dir, '2026-11-23.sums'), 40)],
		] as const) {
			const { lost, told } = await check(name, 'whole', damage)
			expect({ lost, told }).toMatchObject({ lost: 0, told: [{ kept: 600, lost: 0, bodiesLost: 0, wordsLost: false, told: false }] })
		}
	})

	it(`of a write-ahead log that a crash left, no more than its last put is lost without a word (seed ${seed})`, async () => {
		const random = createRandom(seed + 2)
		const lostUntold: number[] = []
		for (let trial = 0; trial < 8; trial++) {
			const [day, share, mask] = [random() < 0.5 ? '2026-11-22.db' : '2026-11-23.db', random(), 1 + Math.floor(random() * 255)]
			const name = `wal-${trial}-${day}-${share}-${mask}`
			const { lost, told } = await check(name, 'crashed', (dir) => {
				const bytes = readFileSync(join(dir, `${day}-wal`))
				const at = Math.floor(share * bytes.length)
				bytes[at] = (bytes[at] ?? 0) ^ mask
				writeFileSync(join(dir, `${day}-wal`), bytes)
			})
			if (told.length === 0) lostUntold.push(lost)
		}
		expect(lostUntold.filter((lost) => lost > putRecords)).toEqual([])
	}, 120_000)

	it('a day of another format is refused by its number, and left as it is', async () => {
		const dir = join(root, 'format')
		cpSync(join(root, 'whole'), dir, { recursive: true })
		rmSync(join(dir, '2026-11-22.sums'))
		const bytes = readFileSync(join(dir, '2026-11-22.db'))
		bytes.writeUInt32BE(1, 60)
		writeFileSync(join(dir, '2026-11-22.db'), bytes)
		const refused = { code: 'STORAGE_FORMAT', message: expect.stringContaining('2026-11-22.db has format 1') as string }
		await expect(openSqliteStore({ dir, clock: fixedClock, config })).rejects.toMatchObject(refused)
		await using reader = await openSqliteStore({ dir, readOnly: true, clock: fixedClock, config })
		await expect(reader.timeline({}, { limit: 5000 })).rejects.toMatchObject(refused)
		expect(readdirSync(dir).some((name) => name.includes('damaged'))).toBe(false)
	})
})
