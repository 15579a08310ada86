// The etcd collector against a real etcd: nothing lost, nothing twice, and what is missing is stated.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Coverage, VersionRecord } from '#records/record.ts'
import { startEtcd, type EtcdServer } from '#test/support/etcd.ts'
import { Running } from './running.ts'

let dir: string
let etcd: EtcdServer

beforeEach(async () => {
	dir = mkdtempSync(join(tmpdir(), 'kubetape-test-'))
	etcd = await startEtcd()
})

afterEach(async () => {
	await etcd.stop()
	rmSync(dir, { recursive: true, force: true })
})

const key = (name: string): string => `/registry/configmaps/shop/${name}`
const body = (name: string, data: string): string =>
	JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop', uid: `uid-${name}` }, data: { value: data } })
const put = (name: string, data: string): Promise<bigint> => etcd.put(key(name), body(name, data))
const start = (options: Partial<ConstructorParameters<typeof Running>[0]> = {}): Running =>
	new Running({ stateDir: join(dir, 'state'), ...options, config: { endpoints: [etcd.endpoint], ...options.config } })

function valueOf(version: VersionRecord | undefined): unknown {
	return (version?.after?.object['data'] as Record<string, unknown> | undefined)?.['value']
}

/** The ranges, joined where they touch. */
function joined(coverage: readonly Coverage[]): readonly (readonly [from: bigint, to: bigint])[] {
	const ranges: [bigint, bigint][] = []
	for (const { fromRevision, toRevision } of coverage) {
		const last = ranges.at(-1)
		if (last && last[1] + 1n === fromRevision) last[1] = toRevision
		else ranges.push([fromRevision, toRevision])
	}
	return ranges
}

describe('start', () => {
	it('takes a snapshot in pages, then follows', async () => {
		for (let i = 0; i < 20; i += 1) await put(`a${i}`, 'first')
		await using running = start()
		await running.until('the snapshot', () => running.versions.length === 20)
		expect(new Set(running.versions.map((version) => version.sighting))).toEqual(new Set(['snapshot']))
		const changed = await put('a3', 'second')
		await running.seen(changed)
		const version = running.versions.find(({ revision }) => revision === changed)
		expect(version).toMatchObject({
			sighting: 'watch',
			operation: 'updated',
			object: { resource: 'configmaps', namespace: 'shop', name: 'a3' },
		})
		expect(valueOf(version)).toBe('second')
		expect(version?.before?.object['data']).toEqual({ value: 'first' })
		expect(version?.after?.object['metadata']).toMatchObject({ resourceVersion: changed.toString() })
		expect(running.gaps).toEqual([])
	})

	it('fails at once where the credentials cannot be read', async () => {
		await using running = start({ config: { endpoints: [etcd.endpoint], caFile: join(dir, 'none.pem') } })
		expect(await running.failure()).toMatchObject({ code: 'ETCD_AUTH' })
	})
})

describe('resume', () => {
	it('gives every version once over many restarts, with coverage without a hole', async () => {
		const seen: VersionRecord[] = []
		const coverage: Coverage[] = []
		const first = (await etcd.revision()) + 1n
		let last = 0n
		for (let round = 0; round < 4; round += 1) {
			// Half is written while nobody looks.
			for (let i = 0; i < 300; i += 1) last = await put(`b${i % 40}`, `${round}-${i}`)
			await using running = start()
			for (let i = 0; i < 300; i += 1) last = await put(`b${i % 40}`, `${round}+${i}`)
			await running.seen(last)
			await running[Symbol.asyncDispose]()
			seen.push(...running.versions)
			coverage.push(...running.coverage)
			expect(running.gaps).toEqual([])
		}
		const watched = seen.filter((version) => version.sighting === 'watch')
		const snapshot = seen.filter((version) => version.sighting === 'snapshot')
		expect(snapshot.length).toBeGreaterThan(0)
		expect(new Set(seen.map((version) => version.id)).size).toBe(seen.length)
		const [range, ...others] = joined(coverage)
		expect(others).toEqual([])
		expect(range?.[1]).toBe(last)
		expect(watched.map((version) => version.revision)).toEqual(
			Array.from({ length: watched.length }, (_, i) => last - BigInt(watched.length - 1 - i)),
		)
		expect(watched[0]?.revision).toBe(range?.[0])
		expect(coverage.reduce((sum, { versions }) => sum + versions, 0)).toBe(watched.length)
		expect(first).toBeLessThan(range?.[0] ?? 0n)
	})

	it('repeats what was not durable when the append failed', async () => {
		const breaksAt = (await put('c', '0')) + 50n
		const kept: bigint[] = []
		const broken = start({
			onEmit: async (records) => {
				if (records.some((record) => record.kind === 'change' && record.revision >= breaksAt)) throw new Error('the log is gone')
				for (const record of records) if (record.kind === 'change') kept.push(record.revision)
			},
		})
		let last = 0n
		const failed = broken.failure()
		for (let i = 0; i < 100; i += 1) last = await put('c', String(i))
		expect(await failed).toMatchObject({ message: 'the log is gone' })
		await using running = start()
		await running.seen(last)
		const all = new Set([...kept, ...running.versions.map((version) => version.revision)])
		const [from = 0n] = [...all].toSorted((a, b) => Number(a - b))
		expect(all.size).toBe(Number(last - from) + 1)
	})

	it('goes on where it was after SIGKILL of etcd', async () => {
		await put('d', '0')
		await using running = start()
		await running.until('the snapshot', () => running.versions.length === 1)
		await running.seen(await put('d', '1'))
		await etcd.kill()
		await etcd.restart()
		const revision = await put('d', '2')
		await running.seen(revision)
		expect(running.versions.map(valueOf)).toEqual(['0', '1', '2'])
		expect(running.gaps).toEqual([])
	})

	it('takes the next endpoint where one does not answer', async () => {
		const revision = await put('e', '0')
		await using running = start({ config: { endpoints: ['http://127.0.0.1:1', etcd.endpoint] } })
		await running.seen(revision)
		expect(running.versions.map((version) => version.revision)).toEqual([revision])
	})
})

describe('compaction', () => {
	it('states a gap with what differed, and gives the state behind it', async () => {
		for (const name of ['kept', 'changed', 'gone']) await put(name, 'before')
		const first = start()
		await first.until('the snapshot', () => first.versions.length === 3)
		await first.seen(await put('kept', 'still before'))
		await first[Symbol.asyncDispose]()
		const position = await etcd.revision()
		for (let i = 0; i < 10; i += 1) await put('changed', String(i))
		await put('new', 'x')
		await etcd.delete(key('gone'))
		const end = await put('unseen', 'y')
		await etcd.compact(end)
		await using running = start()
		await running.until('the gap', () => running.gaps.length === 1)
		expect(running.gaps[0]).toMatchObject({
			reason: 'compacted',
			fromRevision: position + 1n,
			toRevision: end,
			touchedCount: 4,
			touched: ['changed', 'gone', 'new', 'unseen'].map((name) => `configmaps/shop/${name}`),
		})
		const byName = new Map(running.versions.map((version) => [version.object.name, version]))
		expect([...byName.keys()].toSorted()).toEqual(['changed', 'gone', 'new', 'unseen'])
		expect(byName.get('changed')).toMatchObject({ sighting: 'gap', operation: 'updated', revision: position + 10n })
		expect(byName.get('changed')?.before?.object['data']).toEqual({ value: 'before' })
		expect(byName.get('gone')).toMatchObject({
			sighting: 'gap',
			operation: 'deleted',
			revision: end,
			after: null,
			note: 'gone: when, is not known',
		})
		const next = await put('kept', 'after')
		await running.seen(next)
		await running[Symbol.asyncDispose]()
		expect(joined(running.coverage)).toEqual([[end + 1n, next]])
	})

	it('takes no more than what etcd no longer has: what was written behind it is watched', async () => {
		await put('n', '0')
		const first = start()
		await first.until('the snapshot', () => first.versions.length === 1)
		const position = await put('n', 'watched')
		await first.seen(position)
		await first[Symbol.asyncDispose]()
		await put('n', '1')
		const compacted = await put('n', '2')
		await put('n', '3')
		await etcd.delete(key('n'))
		const last = await put('n', '4')
		await etcd.compact(compacted)
		await using running = start()
		await running.seen(last)
		expect(running.gaps).toMatchObject([{ fromRevision: position + 1n, toRevision: compacted, touched: ['configmaps/shop/n'] }])
		expect(running.versions.map(({ operation, sighting, revision }) => [operation, sighting, revision - compacted])).toEqual([
			['updated', 'gap', 0n],
			['updated', 'watch', 1n],
			['deleted', 'watch', 2n],
			['created', 'watch', 3n],
		])
	})

	it('of a snapshot that was broken off is no gap: the rest is found as the state of the start', async () => {
		for (let i = 0; i < 20; i += 1) await put(`l${i}`, 'first')
		let emits = 0
		await using broken = start({
			onEmit: async () => {
				emits += 1
				if (emits > 1) throw new Error('the log is gone')
			},
		})
		expect(await broken.failure()).toMatchObject({ message: 'the log is gone' })
		expect(broken.versions.length).toBe(7)
		await etcd.compact(await put('l19', 'second'))
		await using running = start()
		await running.seen(await put('m', 'last'))
		const all = [...broken.versions, ...running.versions]
		expect(all.map((version) => version.object.name).toSorted()).toEqual([...Array.from({ length: 20 }, (_, i) => `l${i}`), 'm'].toSorted())
		expect(running.gaps).toEqual([])
	})

	it('is no gap where everything was seen before', async () => {
		await put('f', '0')
		await using running = start()
		const last = await put('f', '1')
		await running.seen(last)
		await etcd.compact(last)
		const next = await put('f', '2')
		await running.seen(next)
		expect(running.gaps).toEqual([])
	})
})

describe('another etcd', () => {
	it('begins a new revision space when the cluster id changes', async () => {
		for (let i = 0; i < 5; i += 1) await put('g', String(i))
		await put('h', 'same')
		await using running = start()
		await running.until('the snapshot', () => running.versions.length === 2)
		await etcd.kill()
		await etcd.restart({ fresh: true })
		const revision = await put('h', 'same')
		await running.until('the gap', () => running.gaps.length === 1)
		const [gap] = running.gaps
		expect(gap).toMatchObject({ reason: 'space-changed' })
		expect(gap?.touched).toContain('configmaps/shop/g')
		expect(gap?.space).not.toBe('main')
		await running.until('the new space', () =>
			running.versions.some((version) => version.space === gap?.space && version.revision === revision),
		)
		const next = await put('h', 'other')
		await running.until('the next version', () =>
			running.versions.some((version) => version.space === gap?.space && version.revision === next),
		)
	})
})

describe('large revisions', () => {
	it('joins fragments of one revision', async () => {
		await using running = start()
		await running.seen(await put('i', '0'))
		const large = 'x'.repeat(100_000)
		const entries = Object.fromEntries(Array.from({ length: 13 }, (_, i) => [key(`large${i}`), body(`large${i}`, large)]))
		const made = await etcd.putTogether(entries)
		// With the values before the answer is twice as large, above etcd's 1.5 MiB.
		const changed = await etcd.putTogether(
			Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, value.replace('xx', 'yy')])),
		)
		await running.until('both', () => running.versions.filter(({ revision }) => revision === changed).length === 13)
		expect(running.versions.filter(({ revision }) => revision === made).length).toBe(13)
		expect(running.versions.filter(({ revision }) => revision === changed).every((version) => version.before !== null)).toBe(true)
		const after = await put('i', '1')
		await running.seen(after)
		expect(new Set(running.versions.map(({ id }) => id)).size).toBe(running.versions.length)
	})
})

describe('overlap', () => {
	it('gives the same ids from two collectors', async () => {
		await put('j', '0')
		await using one = start({ stateDir: join(dir, 'one') })
		await using two = start({ stateDir: join(dir, 'two') })
		await one.until('its snapshot', () => one.versions.length === 1)
		await two.until('its snapshot', () => two.versions.length === 1)
		let last = 0n
		for (let i = 0; i < 50; i += 1) last = await put('j', String(i))
		await one.seen(last)
		await two.seen(last)
		expect(one.versions.map(({ id }) => id)).toEqual(two.versions.map(({ id }) => id))
	})
})

describe('bad input', () => {
	it('sets aside a key that is not UTF-8 and a value that cannot be read, and goes on', async () => {
		await using running = start()
		await running.seen(await put('k', '0'))
		await etcd.client.kv.put({ key: Buffer.from([0x2f, 0xff, 0xfe]), value: Buffer.from('x') })
		await etcd.put(key('broken'), Buffer.concat([Buffer.from('k8s\0'), Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])]))
		await running.seen(await put('k', '1'))
		expect(running.rejects.map(({ step }) => step)).toEqual(['etcd.key', 'etcd.decode'])
	})
})
