// The SQLite store: the contract of every store, and what only files can suffer.
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Store } from '#storage/store/port.ts'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'
import type { OpenStore } from '#test/contracts/store-engine.ts'
import { storeContract } from '#test/contracts/store.ts'
import { aChange, dayMicros, fixedClock, noon } from '#test/storage/store/records.ts'

async function open(): Promise<OpenStore & { readonly dir: string }> {
	const dir = mkdtempSync(join(tmpdir(), 'kubetape-store-'))
	let current: Store = await openSqliteStore({ dir, clock: fixedClock, config: { synchronous: 'normal' } })
	return {
		dir,
		store: current,
		place: { module: new URL('./reader.ts', import.meta.url).href, where: dir },
		damage: () => Promise.reject(new Error('not yet')),
		async reopen() {
			await current[Symbol.asyncDispose]()
			return (current = await openSqliteStore({ dir, clock: fixedClock }))
		},
		async cleanup() {
			await current[Symbol.asyncDispose]()
			rmSync(dir, { recursive: true })
		},
	}
}

storeContract({ name: 'sqlite', open })

it('9 a damaged day is named, the others go on answering', async () => {
	const { dir, store, reopen, cleanup } = await open()
	await store.put([aChange({ revision: 1, at: noon - dayMicros }), aChange({ revision: 2 })])
	await store[Symbol.asyncDispose]()
	const victim = join(dir, '2026-11-22.db')
	truncateSync(victim, 5000)
	const damaged = await reopen()
	await expect(damaged.timeline({}, { limit: 9 })).rejects.toMatchObject({
		code: 'STORAGE_CORRUPT',
		message: expect.stringContaining('2026-11-22') as string,
	})
	expect((await damaged.timeline({ from: noon }, { limit: 9 })).items).toHaveLength(1)
	await damaged[Symbol.asyncDispose]()
	writeFileSync(victim, 'not a database')
	const replaced = await reopen()
	await expect(replaced.timeline({ to: noon - dayMicros }, { limit: 9 })).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
	expect(await replaced.put([aChange({ revision: 3 })])).toEqual({ stored: 1, duplicates: 0 })
	await cleanup()
})

it('4 a reader sees what the writer puts, and new days', async () => {
	const { dir, store, cleanup } = await open()
	await using reader = await openSqliteStore({ dir, readOnly: true, clock: fixedClock })
	const { token } = await reader.tail({}, undefined, 1)
	await store.put([aChange({ revision: 1 })])
	expect((await reader.timeline({}, { limit: 9 })).items).toHaveLength(1)
	await store.put([aChange({ revision: 2, at: noon - dayMicros }), aChange({ revision: 3, object: { name: 'new' } })])
	expect((await reader.timeline({ name: 'new' }, { limit: 9 })).items).toHaveLength(1)
	expect((await reader.tail({}, token, 9)).items).toHaveLength(3)
	await cleanup()
})

it('a time far ahead of the clock goes to the day it was observed on, and keeps its own time', async () => {
	const { dir, store, cleanup } = await open()
	const change = aChange({ revision: 1, at: noon + 400 * dayMicros })
	await store.put([{ ...change, record: { ...change.record, observedAt: noon } }])
	expect(readdirSync(dir).filter((name) => name.endsWith('.db'))).toEqual(['2026-11-23.db'])
	expect((await store.get('blue', change.record.id))?.occurredAt).toBe(noon + 400 * dayMicros)
	await cleanup()
})
