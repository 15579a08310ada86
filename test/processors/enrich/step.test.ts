// Log lines and cluster events are told by what stood when they happened, from our own history, in whatever order the streams come.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDescribe } from '#processors/describe/step.ts'
import { createEnrich, type Enricher } from '#processors/enrich/step.ts'
import { Body } from '#records/body.ts'
import type { Indexed } from '#records/indexed.ts'
import type { Change, LogLine, Redacted, StoredRecord } from '#records/record.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { silentLogger } from '#runtime/log.ts'
import { createMetrics } from '#runtime/metrics.ts'
import type { Item, Store } from '#storage/store/port.ts'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'
import {
	aChange as storedChange,
	aLine as storedLine,
	anEvent as storedEvent,
	dayMicros,
	fixedClock,
	noon,
} from '#test/storage/store/records.ts'

const second = 1_000_000
let dir: string
let store: Store
let enricher: Enricher
const describeRecord = createDescribe()

beforeEach(async () => {
	dir = mkdtempSync(join(tmpdir(), 'kubetape-enrich-'))
	store = await openSqliteStore({ dir, clock: fixedClock })
	enricher = restarted()
})
afterEach(async () => {
	await store[Symbol.asyncDispose]()
	rmSync(dir, { recursive: true, force: true })
})

/** A process that has just begun, on the same store. */
function restarted(more: { readonly objectsMax?: number; readonly store?: Store } = {}): Enricher {
	return createEnrich({ store, metrics: createMetrics(), logger: silentLogger, ...more })
}

interface PodOptions {
	readonly revision: number
	/** Seconds after noon. */
	readonly at: number
	readonly bound?: number
	readonly observedAt?: number
	readonly name?: string
	readonly uid?: string
	readonly operation?: Change['operation']
	readonly sighting?: Change['sighting']
	readonly labels?: Readonly<Record<string, string>>
	readonly image?: string
	readonly node?: string
	readonly hash?: string
	readonly phase?: string
	readonly owner?: string
}

/** `before` is the version that `of` made before, so that the changed paths are told. */
function pod(of: PodOptions, before?: StoredRecord): StoredRecord {
	const name = of.name ?? 'web-7f9c'
	const at = noon + of.at * second
	const body = {
		kind: 'Pod',
		metadata: { name, labels: of.labels ?? { app: 'web' }, ...(of.hash ? { annotations: { 'kubernetes.io/config.hash': of.hash } } : {}) },
		spec: {
			...(of.node === undefined ? {} : { nodeName: of.node }),
			containers: [
				{ name: 'web', image: of.image ?? 'web:1' },
				{ name: 'proxy', image: 'proxy:7' },
			],
		},
		status: { phase: of.phase ?? 'Pending' },
	}
	const { record } = storedChange({
		revision: of.revision,
		at,
		object: { name },
		operation: of.operation ?? 'updated',
		uid: of.uid ?? 'pod-1',
		body,
	})
	return {
		...(record as Change),
		occurredBound: (of.bound ?? 0) * second,
		observedAt: noon + (of.observedAt ?? of.at) * second,
		sighting: of.sighting ?? 'watch',
		before: of.operation === 'deleted' ? Body.ofValue(body) : before?.kind === 'change' ? before.after : null,
		owners: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: of.owner ?? 'web', uid: of.owner ?? 'rs' }],
	}
}

function line(at: number, more: Partial<LogLine> = {}): StoredRecord {
	return storedLine({ at: noon + at * second, offset: Math.round(at * 1000), more: { podUid: 'pod-1', ...more } }).record
}

async function feed(...records: readonly StoredRecord[]): Promise<readonly Indexed[]> {
	const described = records.map((record) => {
		const result = describeRecord(record as Redacted<StoredRecord>)
		if (!('ok' in result)) throw new Error('not described')
		return result.ok
	})
	const enriched = await enricher.enrich(described)
	await store.put(enriched)
	await enricher.repair(described)
	return enriched
}

/** All lines, oldest first, as they are stored: `app image node`. */
async function told(): Promise<string[]> {
	const { items } = await store.timeline({ include: ['log'] }, { limit: 100, order: 'asc' })
	return items.map(said)
}
const said = (item: Pick<Item, 'labels' | 'images' | 'log'>): string =>
	[item.labels?.['app'] ?? '-', item.images?.join() || '-', item.log?.node || '-'].join(' ')

describe('a log line', () => {
	it('has labels, owners, image and node of its Pod as they were then', async () => {
		const first = pod({ revision: 1, at: 0, operation: 'created' })
		const second_ = pod({ revision: 2, at: 1, node: 'node-a' }, first)
		const third = pod({ revision: 3, at: 10, node: 'node-a', labels: { app: 'canary' }, image: 'web:2' }, second_)
		await feed(first, second_, third)
		const [a, b, c] = await feed(line(5), line(15), line(5.5, { container: 'proxy' }))
		expect(a).toMatchObject({ labels: { app: 'web' }, images: ['web:1'], owners: [{ uid: 'rs' }], record: { node: 'node-a' } })
		expect(b).toMatchObject({ labels: { app: 'canary' }, images: ['web:2'] })
		expect(c).toMatchObject({ labels: { app: 'web' }, images: ['proxy:7'] })
		expect(await told()).toEqual(['web web:1 node-a', 'web proxy:7 node-a', 'canary web:2 node-a'])
		const kept = await feed(line(6, { node: 'told-by-the-collector' }))
		expect(kept).toMatchObject([{ record: { node: 'told-by-the-collector' } }])
	})

	it('is of the Pod by its uid, whoever had the name before or after', async () => {
		await feed(
			pod({ revision: 1, at: 0, operation: 'created', labels: { app: 'old' }, node: 'node-a' }),
			pod({ revision: 5, at: 10, operation: 'deleted', labels: { app: 'old' }, node: 'node-a' }),
			pod({ revision: 6, at: 11, operation: 'created', uid: 'pod-2', labels: { app: 'new' }, image: 'web:9', node: 'node-b' }),
		)
		const lines = [line(12), line(12.5, { podUid: 'pod-2' }), line(13, { podUid: 'pod-3' }), line(11.5, { podUid: 'pod-1' })]
		await feed(...lines)
		expect(await told()).toEqual(['old web:1 node-a', 'old web:1 node-a', 'new web:9 node-b', '- - -'])
	})

	it('is told nothing where it is not known what stood: before the first version, and where two may have stood', async () => {
		await feed(pod({ revision: 5, at: 10, sighting: 'snapshot', node: 'node-a', labels: { app: 'web', tier: 'x' } }))
		await feed(line(5), line(15))
		// The node of a Pod never changes.
		expect(await told()).toEqual(['- - node-a', 'web web:1 node-a'])
		await feed(pod({ revision: 9, at: 30, bound: 5, observedAt: 32, node: 'node-a', labels: { app: 'web', tier: 'y' }, image: 'web:2' }))
		const [between] = await feed(line(28))
		expect(between).toMatchObject({ labels: { app: 'web' }, images: [], owners: [{ uid: 'rs' }] })
		expect(Object.keys(between?.labels ?? {})).toEqual(['app'])
		// What was seen had happened by then.
		expect(await feed(line(33))).toMatchObject([{ labels: { tier: 'y' }, images: ['web:2'] }])
	})

	it('that was stored before its Pod was known is told when it is, and found by it', async () => {
		await feed(line(5), line(6), line(25))
		expect(await told()).toEqual(['- - -', '- - -', '- - -'])
		const first = pod({ revision: 1, at: 0, operation: 'created' })
		await feed(first)
		expect(await told()).toEqual(['web web:1 -', 'web web:1 -', 'web web:1 -'])
		const second_ = pod({ revision: 2, at: 1, node: 'node-a' }, first)
		await feed(second_, pod({ revision: 3, at: 20, node: 'node-a', labels: { app: 'canary' } }, second_))
		expect(await told()).toEqual(['web web:1 node-a', 'web web:1 node-a', 'canary web:1 node-a'])
		expect((await store.timeline({ node: 'node-a' }, { limit: 9 })).items).toHaveLength(3)
	})

	it('is told of a process that has just begun, from the store; older days included', async () => {
		const first = pod({ revision: 1, at: -86_400, operation: 'created', node: 'node-a' })
		const later = pod({ revision: 2, at: 10, node: 'node-a', labels: { app: 'canary' } }, first)
		await feed(first, later, pod({ revision: 3, at: 11, node: 'node-a', labels: { app: 'canary' }, phase: 'Running' }, later))
		enricher = restarted()
		await feed(line(5), line(15))
		expect(await told()).toEqual(['web web:1 node-a', 'canary web:1 node-a'])
		// Of what retention removed the keyframe of the day that is left still tells.
		await store.retain({ ageMs: dayMicros / 2000, bytesMax: 0 })
		enricher = restarted()
		expect(await feed(line(6))).toMatchObject([{ labels: { app: 'web' }, images: ['web:1'], record: { node: 'node-a' } }])
	})

	it('is told also where the process ended between storing a version and telling its lines', async () => {
		const first = pod({ revision: 1, at: 0, operation: 'created', node: 'node-a' })
		await feed(first, line(5), line(15))
		const change = pod({ revision: 2, at: 10, node: 'node-a', labels: { app: 'canary' } }, first)
		const described = describeRecord(change as Redacted<StoredRecord>)
		if ('ok' in described) await store.put(await enricher.enrich([described.ok]))
		enricher = restarted()
		await feed(change)
		expect(await told()).toEqual(['web web:1 node-a', 'canary web:1 node-a'])
	})

	it('is told right when versions come late and in disorder', async () => {
		const versions = [
			pod({ revision: 1, at: 0, operation: 'created', node: 'n' }),
			pod({ revision: 2, at: 10, labels: { app: 'b' }, node: 'n' }),
			pod({ revision: 3, at: 20, labels: { app: 'web' }, node: 'n' }),
			pod({ revision: 4, at: 30, labels: { app: 'web' }, node: 'n' }),
		]
		await feed(line(5), line(15), line(25), line(35))
		for (const index of [0, 3, 2, 1]) await feed(...versions.slice(index, index + 1))
		expect(await told()).toEqual(['web web:1 n', 'b web:1 n', 'web web:1 n', 'web web:1 n'])
	})

	it('of a static pod is known by the hash in its path, and of a recreated mirror too', async () => {
		await feed(
			pod({ revision: 1, at: 0, operation: 'created', uid: 'mirror-1', hash: 'hash-1', labels: { app: 'etcd' }, node: 'cp' }),
			pod({ revision: 4, at: 20, operation: 'created', uid: 'mirror-2', hash: 'hash-1', labels: { app: 'etcd', again: 'y' }, node: 'cp' }),
			pod({ revision: 6, at: 40, operation: 'created', uid: 'mirror-3', hash: 'hash-2', labels: { app: 'other' }, node: 'cp' }),
		)
		for (const each of [enricher, restarted()]) {
			enricher = each
			const found = await feed(line(-1, { podUid: 'hash-1' }), line(25, { podUid: 'hash-1' }), line(41, { podUid: 'hash-2' }))
			expect(found.map(({ labels, record }) => [labels, record.kind === 'log' && record.node])).toEqual([
				[{ app: 'etcd' }, 'cp'],
				[{ app: 'etcd', again: 'y' }, 'cp'],
				[{ app: 'other' }, 'cp'],
			])
		}
	})
})

describe('memory', () => {
	it('is bounded; what was forgotten is read again', async () => {
		enricher = restarted({ objectsMax: 2 })
		const names = ['a', 'b', 'c', 'd', 'e']
		for (const [index, name] of names.entries())
			await feed(pod({ revision: index + 1, at: index, name, uid: name, operation: 'created', labels: { app: name }, node: 'n' }))
		const found = await feed(...names.map((name) => line(50, { pod: name, podUid: name, file: name })))
		expect(found.map(({ labels }) => labels['app'])).toEqual(names)
		const many = Array.from({ length: 200 }, (_, n) => pod({ revision: 100 + n, at: 100 + n, labels: { app: `v${n}` } }))
		await feed(pod({ revision: 99, at: 99, operation: 'created' }), ...many)
		expect(await feed(line(101.5), line(250.5))).toMatchObject([{ labels: { app: 'v1' } }, { labels: { app: 'v150' } }])
	})

	it('asks the store once for a Pod that nobody knows', async () => {
		let asked = 0
		const counting = new Proxy(store, {
			get: (target, name: keyof Store) =>
				name === 'history' ? (...given: Parameters<Store['history']>) => ((asked += 1), target.history(...given)) : target[name],
		})
		enricher = restarted({ store: counting })
		for (let n = 0; n < 5; n++) await feed(line(n), line(n + 0.5))
		expect(asked).toBe(1)
	})

	it('goes on without what a damaged day knew, and waits for a store that is away', async () => {
		const failing = (code: 'STORAGE_CORRUPT' | 'STORAGE_UNAVAILABLE'): Store =>
			new Proxy(store, {
				get: (target, name: keyof Store) => (name === 'history' ? () => Promise.reject(new KubetapeError(code, 'broken')) : target[name]),
			})
		enricher = restarted({ store: failing('STORAGE_CORRUPT') })
		expect(await feed(line(1))).toMatchObject([{ labels: {} }])
		enricher = restarted({ store: failing('STORAGE_UNAVAILABLE') })
		await expect(feed(line(2))).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
	})
})

describe('a cluster event', () => {
	it('has labels and owners of what it regards as of its revision, also after a restart', async () => {
		const first = pod({ revision: 2, at: 2, uid: 'uid-web-7f9c', operation: 'created', labels: { app: 'one' } })
		const later = pod({ revision: 6, at: 6, uid: 'uid-web-7f9c', labels: { app: 'two' } }, first)
		const events = [3, 7].map((revision) => storedEvent({ revision, at: noon + revision * second }).record)
		for (const [index, records] of [[first, later, ...events], events].entries()) {
			if (index > 0) enricher = restarted()
			const found = (await feed(...records)).filter(({ record }) => record.kind === 'event')
			expect(found).toMatchObject([
				{ labels: { app: 'one' }, owners: [{ uid: 'rs' }] },
				{ labels: { app: 'two' }, owners: [{ uid: 'rs' }] },
			])
		}
	})
})
