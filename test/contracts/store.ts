// What every store promises (storage/store/port.ts), run on any engine.
import * as fc from 'fast-check'
import { describe, expect } from 'vitest'
import type { Indexed } from '#records/indexed.ts'
import type { Filter, Store } from '#storage/store/port.ts'
import { aChange, aGap, aLine, aPodRef, aReject, anAudit, anEvent, dayMicros, noon } from '#test/storage/store/records.ts'
import { promisesOf, type StoreEngine } from './store-engine.ts'
import { damagePromises } from './store-damage.ts'
import { linePromises } from './store-lines.ts'
import { readerPromises } from './store-readers.ts'
import { statePromises } from './store-state.ts'

async function pages(store: Store, filter: Filter, limit: number, order: 'asc' | 'desc' = 'asc'): Promise<string[]> {
	const ids: string[] = []
	let cursor: string | undefined
	do {
		const page = await store.timeline(filter, { limit, order, ...(cursor === undefined ? {} : { cursor }) })
		ids.push(...page.items.map((item) => item.id))
		cursor = page.next ?? undefined
	} while (cursor !== undefined)
	return ids
}

const idsOf = (records: readonly Indexed[]): string[] =>
	records
		.toSorted((a, b) => a.record.occurredAt - b.record.occurredAt || (a.record.id < b.record.id ? -1 : 1))
		.map(({ record }) => record.id)

/** Every promise on one engine. */
export function storeContract(engine: StoreEngine): void {
	const promise = promisesOf(engine)

	describe(`store contract: ${engine.name}`, () => {
		statePromises(engine, promise)
		readerPromises(promise)
		linePromises(promise)
		damagePromises(promise)

		promise('1 durability: what was put is there after reopening', async ({ store, reopen }) => {
			const change = aChange({ revision: 1 })
			await store.put([change])
			const again = await reopen()
			expect((await again.get('blue', change.record.id))?.body?.value).toEqual(
				change.record.kind === 'change' ? change.record.after?.value : 0,
			)
		})

		promise('2 idempotence: the first one stays, whatever day the second one names', async ({ store }) => {
			expect(await store.put([aChange({ revision: 1 }), aChange({ revision: 1 })])).toEqual({ stored: 1, duplicates: 1 })
			expect(await store.put([aChange({ revision: 1, at: noon - dayMicros }), aChange({ revision: 2 })])).toEqual({
				stored: 1,
				duplicates: 1,
			})
			expect((await store.timeline({}, { limit: 10, order: 'asc' })).items.map((item) => item.occurredAt)).toEqual([
				noon + 1000,
				noon + 2000,
			])
		})

		promise('11 together: puts that are called while others are under way are as if one behind the other', async ({ store }) => {
			const line = aLine({ at: noon })
			const results = await Promise.all([
				store.put([aChange({ revision: 1 }), aChange({ revision: 2 })]),
				store.put([aChange({ revision: 1, at: noon - dayMicros }), aChange({ revision: 2 }), aChange({ revision: 3 })]),
				store.put([aChange({ revision: 3, at: noon + dayMicros }), line]),
				store.amend('blue', [{ id: line.record.id, labels: { app: 'web' }, owners: [], images: [], node: '' }]),
				store.put([aChange({ revision: 1 }), line, aChange({ revision: 4, at: noon - dayMicros })]),
			])
			expect(results).toEqual([
				{ stored: 2, duplicates: 0 },
				{ stored: 1, duplicates: 2 },
				{ stored: 1, duplicates: 1 },
				undefined,
				{ stored: 1, duplicates: 2 },
			])
			const { items } = await store.timeline({ include: ['change'] }, { limit: 10, order: 'asc' })
			expect(items.map(({ revision, occurredAt }) => [revision, occurredAt])).toEqual([
				[4n, noon - dayMicros],
				[1n, noon + 1000],
				[2n, noon + 2000],
				[3n, noon + 3000],
			])
			expect((await store.get('blue', line.record.id))?.labels).toEqual({ app: 'web' })
		})

		promise('5 order: by time then id, paging never repeats nor leaves out, both ways', async ({ store }) => {
			const records = Array.from({ length: 60 }, (_, n) =>
				aChange({ revision: n + 1, at: noon + Math.floor(n / 20) * 7 - (n % 3 === 0 ? dayMicros : 0), object: { name: `p-${n % 7}` } }),
			)
			await store.put(records.toReversed())
			for (const limit of [1, 7, 100]) {
				expect(await pages(store, {}, limit)).toEqual(idsOf(records))
				expect(await pages(store, {}, limit, 'desc')).toEqual(idsOf(records).toReversed())
			}
			await expect(
				store.timeline({ name: 'other' }, { limit: 1, cursor: (await store.timeline({}, { limit: 1 })).next ?? '' }),
			).rejects.toMatchObject({ code: 'CURSOR_INVALID' })
		})

		promise('filters: object, kind, time, record kinds, audit fields, noise', async ({ store }) => {
			const pod = aChange({ revision: 1 })
			const other = aChange({ revision: 2, object: { name: 'db-1', namespace: 'data' } })
			const deployment = aChange({ revision: 3, object: { resource: 'deployments', group: 'apps', name: 'web' }, kind: 'Deployment' })
			const event = anEvent({ revision: 4 })
			const audit = anAudit({ n: 5, user: 'bob', code: 403 })
			const lease = aChange({
				revision: 6,
				object: { resource: 'leases', group: 'coordination.k8s.io', name: 'l' },
				kind: 'Lease',
				renewTime: 't',
			})
			await store.put([pod, other, deployment, event, audit, lease])
			const expected: readonly [Filter, readonly Indexed[]][] = [
				[{}, [pod, other, deployment, event, audit]],
				[{ noise: true }, [pod, other, deployment, event, audit, lease]],
				[{ namespace: 'shop' }, [pod, deployment, event, audit]],
				[{ namespace: 'none' }, []],
				[{ kind: 'POD' }, [pod, other, event, audit]],
				[{ kind: 'deployments.apps' }, [deployment]],
				[{ kind: 'Deployments', name: 'web' }, [deployment]],
				[{ name: 'web-7f9c' }, [pod, event, audit]],
				[{ uid: 'uid-web-7f9c' }, [pod, event, audit]],
				[{ include: ['audit', 'event'] }, [event, audit]],
				[{ severity: 'warning' }, [event]],
				[{ user: 'bob' }, [audit]],
				[{ user: 'alice' }, []],
				[{ code: 403, verb: 'patch', resource: 'pods' }, [audit]],
				[{ sourceIP: '10.0.0.1', decision: 'allow', userAgent: 'kubectl/1.36' }, [audit]],
				[{ from: noon + 2000, to: noon + 3000 }, [other, deployment]],
				[{ cluster: 'red' }, []],
			]
			for (const [filter, records] of expected) {
				expect(await pages(store, filter, 2), JSON.stringify(filter)).toEqual(idsOf(records))
				const buckets = await store.histogram(filter, 4)
				expect(
					buckets.flatMap(({ counts }) => Object.values(counts)).reduce((sum, count) => sum + count, 0),
					JSON.stringify(filter),
				).toBe(records.length)
			}
			expect(await store.auditTop({}, 'user', 5)).toEqual([{ value: 'bob', count: 1 }])
		})

		promise('owner: what is owned at any depth comes along', async ({ store }) => {
			const owners = [
				{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', uid: 'rs' },
				{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'dep' },
			]
			const deployment = aChange({
				revision: 1,
				object: { resource: 'deployments', group: 'apps', name: 'web' },
				kind: 'Deployment',
				uid: 'dep',
			})
			const pod = aChange({ revision: 2, more: { owners } })
			await store.put([deployment, pod, aChange({ revision: 3, object: { name: 'alone' } })])
			expect(await pages(store, { uid: 'dep', owner: true }, 9)).toEqual(idsOf([deployment, pod]))
			expect(await pages(store, { kind: 'Deployment', name: 'web', owner: true }, 9)).toEqual(idsOf([deployment, pod]))
		})

		promise('q: words, phrases and parts of names; nothing in it is syntax', async ({ store }) => {
			const event = anEvent({ revision: 4 })
			await store.put([event, aChange({ revision: 5 })])
			expect(await pages(store, { q: 'restarting container' }, 9)).toEqual([event.record.id])
			expect(await pages(store, { q: '"restarting container"' }, 9)).toEqual([])
			expect(await pages(store, { q: '"failed container"' }, 9)).toEqual([event.record.id])
			expect(await pages(store, { q: '7f9c' }, 9)).toHaveLength(2)
			await fc.assert(
				fc.asyncProperty(
					fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('NOT', 'text:a', '^x*', '"', 'a OR b', 'NEAR(a b)')),
					async (q) => void (await store.timeline({ q }, { limit: 1 })),
				),
				{ numRuns: 30 },
			)
		})

		promise('5 history: by revision, of the object only', async ({ store }) => {
			const versions = [3, 1, 2].map((revision) => aChange({ revision, at: noon + (revision === 3 ? -5 : revision) }))
			await store.put([...versions, anEvent({ revision: 9 }), aChange({ revision: 4, object: { name: 'b' } })])
			const first = await store.history('blue', aPodRef(), { limit: 2 })
			expect(first.items.map((item) => item.revision)).toEqual([1n, 2n])
			expect((await store.history('blue', aPodRef(), { limit: 2, cursor: first.next ?? '' })).items.map((item) => item.revision)).toEqual([
				3n,
			])
			expect((await store.history('blue', { ...aPodRef('web-7f9c.17a'), resource: 'events' }, { limit: 9 })).items).toHaveLength(1)
		})

		promise('folded leases have a body made from the version before', async ({ store }) => {
			const object = { resource: 'leases', group: 'coordination.k8s.io', name: 'l' }
			await store.put([
				aChange({ revision: 1, object, body: { metadata: { resourceVersion: '1' }, spec: { renewTime: 'a', holder: 'h' } } }),
				aChange({ revision: 2, object, renewTime: 'b' }),
			])
			const version = await store.versionAt('blue', { ...aPodRef(), ...object }, { revision: 2n })
			expect(version?.body?.value).toEqual({ metadata: { resourceVersion: '2' }, spec: { renewTime: 'b', holder: 'h' } })
		})

		promise('7 retention removes whole days; states in what remains stay right', async ({ store }) => {
			await store.put([aChange({ revision: 1, at: noon - 3 * dayMicros })])
			await store.put([aChange({ revision: 2, object: { name: 'b' } })])
			expect((await store.retain({ ageMs: 86_400_000, bytesMax: 0 })).removedPartitions).toHaveLength(1)
			expect((await store.timeline({}, { limit: 9 })).items).toHaveLength(1)
			const state = await store.stateAt('blue', { time: noon + 9000 }, {}, { limit: 9 })
			expect(state.items.map((item) => item.object?.name)).toEqual(['b', 'web-7f9c'])
		})

		promise('8 emptiness: an empty store answers empty pages', async ({ store }) => {
			expect((await store.timeline({ q: 'x' }, { limit: 1 })).items).toEqual([])
			expect(await store.histogram({}, 10)).toEqual([])
			expect((await store.stateAt('blue', { revision: 1n }, {}, { limit: 1 })).items).toEqual([])
			expect(await store.versionAt('blue', aPodRef(), { time: noon })).toBeUndefined()
			expect(await store.clusters()).toEqual([])
			expect(await store.kinds()).toEqual([])
			expect((await store.tail({}, undefined, 1)).items).toEqual([])
		})

		promise('tail and ledger: in the order of puts, behind a token', async ({ store }) => {
			const { token } = await store.tail({}, undefined, 10)
			await store.put([aChange({ revision: 2 }), aChange({ revision: 1, at: noon - dayMicros })])
			await store.put([aGap(noon), anAudit({ n: 9 })])
			const first = await store.tail({}, token, 3)
			const rest = await store.tail({}, first.token, 3)
			expect([...first.items, ...rest.items]).toHaveLength(4)
			expect((await store.tail({}, rest.token, 3)).items).toEqual([])
			expect((await store.tail({ q: 'change 2' }, token, 9)).items.map(({ summary }) => summary)).toEqual(['change 2'])
			expect((await store.ledger('blue', {})).gaps).toMatchObject([{ fromRevision: 5n, reason: 'compacted' }])
			expect((await store.clusters())[0]?.counts).toEqual({ change: 2, gap: 1, audit: 1 })
		})

		promise('namespace: what is about the Namespace itself belongs to it, in every question', async ({ store }) => {
			const shop = { resource: 'namespaces', group: '', namespace: '', name: 'shop' }
			const deleted = anAudit({ n: 5, verb: 'delete' })
			await store.put([
				aChange({ revision: 1, object: shop, kind: 'Namespace' }),
				aChange({ revision: 2 }),
				aChange({ revision: 3, object: { ...shop, name: 'pay' }, kind: 'Namespace' }),
				aChange({ revision: 4, object: { resource: 'nodes', namespace: '', name: 'shop' }, kind: 'Node' }),
				{ ...deleted, record: { ...deleted.record, object: shop } as typeof deleted.record },
				anAudit({ n: 6 }),
			])
			const about = { namespace: 'shop' }
			const found = (await store.timeline(about, { limit: 10, order: 'asc' })).items
			expect(found.map(({ kind, object }) => `${kind} ${object?.resource} ${object?.namespace}`)).toEqual([
				'change namespaces ',
				'change pods shop',
				'audit namespaces ',
				'audit pods shop',
			])
			expect((await store.timeline({ ...about, verb: 'delete' }, { limit: 10 })).items).toHaveLength(1)
			expect((await store.timeline({ ...about, kind: 'namespaces' }, { limit: 10 })).items).toHaveLength(2)
			expect(await store.auditTop({}, 'namespace', 10)).toEqual([{ value: 'shop', count: 2 }])
			const range = { from: noon - 120_000_000, to: noon + 119_999_999 }
			expect((await store.histogram({ ...about, ...range }, 2)).map(({ counts }) => counts)).toEqual([{}, { change: 2, audit: 2 }])
			expect((await store.history('blue', shop, { limit: 10 })).items).toHaveLength(1)
		})

		promise('histogram: as many buckets as asked for, of equal length, each with what is in it', async ({ store }) => {
			const times = fc.sample(fc.integer({ min: 0, max: 7_000_000_000 }), { numRuns: 300, seed: 7 })
			await store.put(times.map((at, index) => aChange({ revision: index + 1, at: noon + at })))
			for (const buckets of [1, 2, 7, 61, 120, 1000])
				for (const [from, to] of [
					[noon, noon + 7_000_000_000],
					[noon + 1, noon + 6_543_210_987],
					[noon - dayMicros, noon + dayMicros],
					[noon + 5, noon + 9],
				] as const) {
					const made = await store.histogram({ from, to }, buckets)
					const expected = Math.min(buckets, to - from + 1)
					expect([made.length, made[0]?.from, made.at(-1)?.to]).toEqual([expected, from, to])
					for (const [index, bucket] of made.entries()) {
						if (index > 0) expect(bucket.from).toBe((made[index - 1]?.to ?? 0) + 1)
						expect(Math.abs(bucket.to - bucket.from + 1 - (to - from + 1) / expected)).toBeLessThan(1.001)
						const inside = times.filter((at) => noon + at >= bucket.from && noon + at <= bucket.to).length
						expect(bucket.counts.change ?? 0, `${buckets} buckets, number ${index}`).toBe(inside)
					}
				}
			// Without a range it is that of the cluster, wherever others have records.
			await store.put([aReject('green', noon - dayMicros), aReject('green', noon + dayMicros / 6)])
			const own = await store.histogram({ cluster: 'blue' }, 10)
			expect([own[0]?.from, own.at(-1)?.to]).toEqual([noon + Math.min(...times), noon + Math.max(...times)])
			const all = await store.histogram({}, 10)
			expect([all[0]?.from, all.at(-1)?.to]).toEqual([noon - dayMicros, noon + dayMicros / 6])
		})

		promise('kinds and rejects: every kind that a record is about, and what was refused, by cluster and time', async ({ store }) => {
			await store.put([aChange({ revision: 1 }), aChange({ revision: 2, at: noon + dayMicros }), anAudit({ n: 1 })])
			const kinds = (await store.kinds()).map(({ resource, group, kind }) => [resource, group, kind].join('/'))
			expect(kinds.toSorted()).toEqual(['pods//', 'pods//Pod'])
			await store.put([aChange({ revision: 3, object: { resource: 'widgets', group: 'a.b' }, kind: 'Widget' })])
			expect((await store.kinds()).map(({ kind }) => kind)).toContain('Widget')
			expect((await store.timeline({ kind: 'widget' }, { limit: 10 })).items).toHaveLength(1)
			await store.put([aReject('blue', noon), aReject('blue', noon + dayMicros), aReject('green', noon + 1)])
			const refused = async (narrowed: Partial<Parameters<Store['rejects']>[0]>): Promise<readonly string[]> =>
				(await store.rejects({ limit: 10, order: 'asc', ...narrowed })).items.map(
					({ cluster, occurredAt }) => `${cluster} ${occurredAt - noon}`,
				)
			expect(await refused({})).toEqual(['blue 0', 'green 1', `blue ${dayMicros}`])
			expect(await refused({ cluster: 'blue' })).toEqual(['blue 0', `blue ${dayMicros}`])
			expect(await refused({ from: noon + 1 })).toEqual(['green 1', `blue ${dayMicros}`])
			expect(await refused({ to: noon })).toEqual(['blue 0'])
		})
	})
}
