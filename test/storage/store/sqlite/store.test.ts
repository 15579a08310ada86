// The SQLite store: the contract of every store, and what only files can suffer.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Store } from '#storage/store/port.ts'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'
import type { OpenStore } from '#test/contracts/store-engine.ts'
import { storeContract } from '#test/contracts/store.ts'
import { aChange, dayMicros, fixedClock, noon } from '#test/storage/store/records.ts'
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
