// What the faults of the store on Elasticsearch have in common: puts that are repeated until they are acknowledged, as the indexer does, and the account of what a reader then sees.
import { expect } from 'vitest'
import type { Indexed } from '#records/indexed.ts'
import { systemClock } from '#runtime/clock.ts'
import { KubetapeError } from '#runtime/errors.ts'
import type { Metrics } from '#runtime/metrics.ts'
import { openElasticsearchStore } from '#storage/store/elasticsearch/store.ts'
import type { Item, Store } from '#storage/store/port.ts'
import { tellFault } from '#test/support/fault-line.ts'
import { eventually } from '#test/support/program.ts'

const pauseMs = 100

export function open(url: string, prefix: string, refreshMs = 200, metrics?: Metrics): Promise<Store> {
	return openElasticsearchStore({ config: { url, prefix, refreshMs, replicas: '0' }, clock: systemClock, ...(metrics ? { metrics } : {}) })
}

/** Until it is acknowledged; only errors that say that trying again helps are tried again. Gives how often it failed. */
export async function putUntilAcknowledged(store: Store, records: readonly Indexed[]): Promise<number> {
	for (let failed = 0; ; failed++) {
		try {
			await store.put(records)
			return failed
		} catch (error) {
			if (!(error instanceof KubetapeError) || !error.retryable) throw error
			await systemClock.sleep(pauseMs)
		}
	}
}

export interface Account {
	readonly lost: number
	readonly duplicated: number
	/** Records that are in the store and were never put. */
	readonly strange: number
}

async function everything(store: Store): Promise<readonly Item[]> {
	const items: Item[] = []
	let cursor: string | undefined
	do {
		const page = await store.timeline({ include: ['change', 'log'] }, { limit: 1000, ...(cursor === undefined ? {} : { cursor }) })
		items.push(...page.items)
		cursor = page.next ?? undefined
	} while (cursor !== undefined)
	return items
}

/** What a reader sees once it is due, against what was acknowledged. Printed, and none of it may be. */
export async function expectExactlyOnce(
	what: string,
	store: Store,
	acknowledged: readonly Indexed[],
	run: Readonly<Record<string, unknown>>,
): Promise<void> {
	const ids = new Set(acknowledged.map(({ record }) => record.id))
	const items = await eventually(
		() => everything(store),
		(found) => found.length >= ids.size,
		60_000,
	).catch(() => everything(store))
	const seen = new Map<string, number>()
	for (const { id } of items) seen.set(id, (seen.get(id) ?? 0) + 1)
	const account: Account = {
		lost: [...ids].filter((id) => !seen.has(id)).length,
		duplicated: [...seen.values()].filter((count) => count > 1).length,
		strange: [...seen.keys()].filter((id) => !ids.has(id)).length,
	}
	const { gaps } = await store.ledger('blue', {})
	const { items: rejects } = await store.rejects({ limit: 1000 })
	const { lost, duplicated } = account
	tellFault(`F13 ${what}`, { acknowledged: ids.size, lost, duplicated, gaps: gaps.length, rejects: rejects.length }, run)
	expect(account).toEqual({ lost: 0, duplicated: 0, strange: 0 })
	for (const { record } of acknowledged.slice(-3)) {
		const version = await store.get(record.cluster, record.id)
		expect(version?.body?.value).toEqual(record.kind === 'change' ? record.after?.value : undefined)
	}
}
