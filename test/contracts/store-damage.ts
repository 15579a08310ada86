// Promise 9 of every store: damage at rest is named, and nothing wrong is served as right.
import { expect } from 'vitest'
import type { Store } from '#storage/store/port.ts'
import { aChange, dayMicros, noon } from '#test/storage/store/records.ts'
import type { Promised, StorePlace } from './store-engine.ts'

const open = async ({ module, where }: StorePlace): Promise<Store> => {
	const { openReader } = (await import(module)) as { openReader: (where: string) => Promise<Store> }
	return openReader(where)
}

export function damagePromises(promise: Promised): void {
	promise('9 a damaged partition is named, the others go on answering', async ({ store, place, damage, reopen }) => {
		const yesterday = Array.from({ length: 40 }, (_, n) =>
			aChange({
				revision: n + 1,
				at: noon - dayMicros + n,
				object: { name: `o-${n}` },
				more: { summary: `the ${n}th change of that day` },
			}),
		)
		const today = aChange({ revision: 100, at: noon })
		await store.put([...yesterday, today])
		await store[Symbol.asyncDispose]()
		const victim = yesterday[20]?.record.id ?? ''
		await damage(victim)

		const range = { from: noon - dayMicros, to: noon - dayMicros + 1000 }
		const named = { code: 'STORAGE_CORRUPT', details: { partition: expect.any(String) as string } }
		const reader = await open(place)
		await expect(reader.timeline(range, { limit: 100 })).rejects.toMatchObject(named)
		await expect(reader.get('blue', victim)).rejects.toMatchObject(named)
		expect((await reader.timeline({ from: noon }, { limit: 9 })).items.map(({ id }) => id)).toEqual([today.record.id])
		await reader[Symbol.asyncDispose]()

		// Whoever writes it goes on, and either still names the damage or tells what is missing; what precedes it is kept.
		const again = await reopen()
		expect(await again.put([aChange({ revision: 101, at: noon + 1 })])).toEqual({ stored: 1, duplicates: 0 })
		const answer = await again.timeline({ ...range, include: ['change'] }, { limit: 100, order: 'asc' }).catch((error: unknown) => error)
		if (answer instanceof Error) return expect(answer).toMatchObject(named)
		const { items } = answer as Awaited<ReturnType<Store['timeline']>>
		const rest = yesterday.filter(({ record }) => record.id !== victim)
		expect(items.map(({ summary }) => summary)).toEqual(rest.map(({ summary }) => summary))
		const { gaps } = await again.ledger('blue', { from: noon - 2 * dayMicros, to: noon })
		expect(gaps).toMatchObject([{ reason: 'corrupt' }])
		expect(gaps[0]?.fromAt).toBeLessThanOrEqual(range.from)
		expect(gaps[0]?.toAt).toBeGreaterThanOrEqual(range.to)
	})
}
