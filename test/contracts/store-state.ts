// Promise 6 of every store: past states, against a naive model, whatever the order of the puts, of several clusters and revision spaces.
import * as fc from 'fast-check'
import { expect } from 'vitest'
import type { Indexed } from '#records/indexed.ts'
import type { At, Store } from '#storage/store/port.ts'
import { aChange, anAudit, anEvent, aPodRef, dayMicros, noon } from '#test/storage/store/records.ts'
import type { Promised, StoreEngine } from './store-engine.ts'

const hourMicros = 3_600_000_000

interface Write {
	readonly cluster: string
	readonly name: string
	readonly deleted: boolean
	/** Hours since the write before. */
	readonly step: number
	/** The cluster's etcd was restored before this write: a new revision space begins, at a low revision. */
	readonly restored: boolean
}

interface Written {
	readonly record: Indexed
	readonly cluster: string
	readonly name: string
	readonly deleted: boolean
	readonly at: number
	readonly space: string
	readonly revision: bigint
}

const writeOf = (clusters: readonly string[]): fc.Arbitrary<Write> =>
	fc.record({
		cluster: fc.constantFrom(...clusters),
		name: fc.constantFrom('a', 'b', 'c', 'd'),
		deleted: fc.boolean(),
		step: fc.integer({ min: 1, max: 36 }),
		restored: clusters.length > 1 ? fc.integer({ min: 0, max: 3 }).map((n) => n === 0) : fc.constant(false),
	})

/** Records of the writes; revisions of each cluster run through its spaces, as far apart as clusters are. */
function recordsOf(writes: readonly Write[]): Written[] {
	let at = noon - 21 * dayMicros
	const stands = new Map<string, { space: number; revision: number }>()
	return writes.map(({ cluster, name, deleted, step, restored }) => {
		const before = stands.get(cluster) ?? { space: 0, revision: cluster === 'blue' ? 0 : 5000 }
		const stand = restored ? { space: before.space + 1, revision: 1 } : { ...before, revision: before.revision + 1 }
		stands.set(cluster, stand)
		at += step * hourMicros
		const space = stand.space === 0 ? 'main' : `restored-${stand.space}`
		const record = aChange({
			cluster,
			space,
			revision: stand.revision,
			at,
			object: { name },
			operation: deleted ? 'deleted' : 'updated',
		})
		return { record, cluster, name, deleted, at, space, revision: BigInt(stand.revision) }
	})
}

/** Ids of what lives after these writes, by name. */
function liveOf(writes: readonly Written[]): string[] {
	const live = new Map<string, string>()
	for (const { record, name, deleted } of writes) {
		if (deleted) live.delete(name)
		else live.set(name, record.record.id)
	}
	return [...live].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, id]) => id)
}

async function holdsAt(store: Store, cluster: string, written: readonly Written[], now: Written): Promise<void> {
	const upTo = written.slice(0, written.indexOf(now) + 1).filter((write) => write.cluster === cluster)
	const byTime = await store.stateAt(cluster, { time: now.at }, {}, { limit: 100 })
	expect(byTime.items.map((item) => item.id)).toEqual(liveOf(upTo))
	expect(byTime.items.every((item) => item.body !== null && item.cluster === cluster)).toBe(true)
	expect(byTime.revision).toBe(upTo.at(-1)?.revision ?? null)
	if (now.cluster !== cluster) return
	const { space, revision } = now
	const byRevision = await store.stateAt(cluster, { revision, space }, {}, { limit: 100 })
	expect(byRevision.items.map((item) => item.id)).toEqual(liveOf(upTo.filter((write) => write.space === space)))
	expect(byRevision.revision).toBe(revision)
	const version = await store.versionAt(cluster, aPodRef(now.name), { revision, space })
	expect(version?.id).toBe(now.record.record.id)
}

export function statePromises(engine: StoreEngine, promise: Promised): void {
	const holds = async (clusters: readonly string[], numRuns: number): Promise<void> => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(writeOf(clusters), { minLength: 1, maxLength: 12 }),
				fc.infiniteStream(fc.nat()),
				fc.nat(),
				async (writes, order, index) => {
					const written = recordsOf(writes)
					const shuffled = written.map((write) => ({ write, by: order.next().value ?? 0 })).toSorted((a, b) => a.by - b.by)
					const now = written[index % written.length]
					const open = await engine.open()
					try {
						for (const { write } of shuffled) await open.store.put([write.record])
						for (const cluster of clusters) if (now) await holdsAt(open.store, cluster, written, now)
					} finally {
						await open.cleanup()
					}
				},
			),
			{ numRuns },
		)
	}

	promise('6 stateAt equals a naive model, in whatever order the puts came', () => holds(['blue'], 12))

	promise('6 stateAt equals it for several clusters, and through restores that set revisions back', () => holds(['blue', 'red'], 20))

	promise('6 the revision of a past state is of the cluster that was asked for', async ({ store }) => {
		await store.put([aChange({ revision: 7, at: noon }), aChange({ revision: 9000, at: noon + 1000, cluster: 'red' })])
		expect((await store.stateAt('blue', { time: noon + 5000 }, {}, { limit: 9 })).revision).toBe(7n)
		expect((await store.stateAt('red', { time: noon + 5000 }, {}, { limit: 9 })).revision).toBe(9000n)
		expect((await store.stateAt('red', { time: noon }, {}, { limit: 9 })).revision).toBeNull()
	})

	promise('6 an object that was deleted days later is in the state before that', async ({ store }) => {
		await store.put([
			aChange({ revision: 1, at: noon - 5 * dayMicros }),
			aChange({ revision: 2, at: noon - 5 * dayMicros, object: { name: 'b' } }),
		])
		await store.put([aChange({ revision: 3, at: noon - 4 * dayMicros, operation: 'deleted' })])
		for (const days of [3, 2, 1]) await store.put([anAudit({ n: days, at: noon - days * dayMicros })])
		const state = await store.stateAt('blue', { revision: 2n }, {}, { limit: 9 })
		expect(state.items.map((item) => item.object?.name)).toEqual(['b', 'web-7f9c'])
	})

	promise('6 cluster events are objects too: each at its version, also over midnight, until they are gone', async ({ store }) => {
		const midnight = noon - (noon % dayMicros)
		const late = midnight - 600_000_000
		const object = { resource: 'events', group: '', namespace: 'shop', name: 'web-7f9c.17a' }
		await store.put([
			aChange({ revision: 1, at: late }),
			anEvent({ revision: 2, at: late + 1000 }),
			anEvent({ revision: 3, at: late + 2000, operation: 'updated' }),
			anEvent({ revision: 4, at: late + 3000, name: 'other.17b' }),
			anEvent({ revision: 6, at: midnight + 3_000_000, operation: 'deleted' }),
			aChange({ revision: 7, at: midnight + 4_000_000, object: { name: 'b' } }),
		])
		const versions: [bigint, bigint | undefined][] = []
		for (const revision of [1n, 2n, 3n, 5n, 6n, 7n])
			versions.push([revision, (await store.versionAt('blue', object, { revision }))?.revision])
		expect(versions).toEqual([
			[1n, undefined],
			[2n, 2n],
			[3n, 3n],
			[5n, 3n],
			[6n, 6n],
			[7n, 6n],
		])
		expect((await store.versionAt('blue', object, { time: midnight + 1000 }))?.revision).toBe(3n)
		expect((await store.versionAt('blue', object, { time: midnight + 5_000_000 }))?.operation).toBe('deleted')
		const names = async (at: At, kind?: string): Promise<(string | undefined)[]> =>
			(await store.stateAt('blue', at, kind === undefined ? {} : { kind }, { limit: 9 })).items.map(
				(item) => item.event?.object.name ?? item.object?.name,
			)
		expect(await names({ time: midnight + 1000 }, 'Event')).toEqual(['other.17b', 'web-7f9c.17a'])
		expect(await names({ time: midnight + 5_000_000 }, 'events')).toEqual(['other.17b'])
		expect(await names({ revision: 3n })).toEqual(['web-7f9c.17a', 'web-7f9c'])
		expect(await names({ revision: 7n }, 'Pod')).toEqual(['b', 'web-7f9c'])
	})
}
