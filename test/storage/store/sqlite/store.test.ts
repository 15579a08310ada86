// The SQLite store: the contract of every store, and what only files can suffer.
import { mkdtempSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Store } from '#storage/store/port.ts'
import { storeLimits } from '#storage/store/sqlite/limits.ts'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'
import type { OpenStore } from '#test/contracts/store-engine.ts'
import { storeContract } from '#test/contracts/store.ts'
import { aChange, aPodRef, dayMicros, fixedClock, noon } from '#test/storage/store/records.ts'
import { eventually } from '#test/support/program.ts'
import { flipSummary } from './files.ts'

async function open(): Promise<OpenStore & { readonly dir: string }> {
	const dir = mkdtempSync(join(tmpdir(), 'kubetape-store-'))
	let current: Store = await openSqliteStore({ dir, clock: fixedClock, config: { synchronous: 'normal' } })
	return {
		dir,
		store: current,
		place: { module: new URL('./reader.ts', import.meta.url).href, where: dir },
		damage: (id) => Promise.resolve(flipSummary(dir, id)),
		async reopen() {
			await current[Symbol.asyncDispose]()
			const store = await openSqliteStore({ dir, clock: fixedClock, config: { synchronous: 'normal' } })
			await store.checked
			return (current = store)
		},
		async cleanup() {
			await current[Symbol.asyncDispose]()
			rmSync(dir, { recursive: true })
		},
	}
}

storeContract({ name: 'sqlite', open })

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

const openFiles = (dir: string): number =>
	new Set(
		readdirSync('/proc/self/fd').flatMap((fd) => {
			try {
				const path = readlinkSync(`/proc/self/fd/${fd}`)
				return path.startsWith(dir) && path.endsWith('.db') ? [path] : []
			} catch {
				return [] // it was closed meanwhile
			}
		}),
	).size

it('whatever is asked, few days stay open, and what they hold is known of the others', async () => {
	const { dir, store, cleanup } = await open()
	for (let day = 8; day >= 0; day--) await store.put([aChange({ revision: 9 - day, at: noon - day * dayMicros })])
	expect(openFiles(dir)).toBeLessThanOrEqual(storeLimits.openDaysMax)
	await using reader = await openSqliteStore({ dir, readOnly: true, clock: fixedClock })
	await store[Symbol.asyncDispose]()
	expect((await reader.timeline({ kind: 'Pod' }, { limit: 99 })).items).toHaveLength(9)
	expect((await reader.history('blue', aPodRef(), { limit: 99 })).items).toHaveLength(9)
	expect(openFiles(dir)).toBeLessThanOrEqual(storeLimits.openDaysMax)
	expect((await reader.clusters())[0]?.counts).toEqual({ change: 9 })
	expect((await reader.get('blue', aChange({ revision: 1, at: noon - 8 * dayMicros }).record.id))?.revision).toBe(1n)
	await cleanup()
})

it('the write-ahead log is emptied when nothing is put for a while', async () => {
	const { dir, store, cleanup } = await open()
	await store.put([aChange({ revision: 1 })])
	const wal = join(dir, '2026-11-23.db-wal')
	expect(statSync(wal).size).toBeGreaterThan(0)
	await eventually(
		() => Promise.resolve(statSync(wal).size),
		(size) => size === 0,
	)
	expect((await store.timeline({}, { limit: 9 })).items).toHaveLength(1)
	await cleanup()
})
