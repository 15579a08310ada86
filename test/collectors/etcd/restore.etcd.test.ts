// An etcd that is set back to an older state: a new revision space begins, with a gap, and nothing of the old one is written over.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { KubetapeRecord, VersionRecord } from '#records/record.ts'
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
const start = (onEmit?: (records: readonly KubetapeRecord[]) => Promise<void>): Running =>
	new Running({ stateDir: join(dir, 'state'), config: { endpoints: [etcd.endpoint] }, ...(onEmit ? { onEmit } : {}) })
const valueOf = (version: VersionRecord): unknown => (version.after?.object['data'] as Record<string, unknown> | undefined)?.['value']
const spaceOf = (running: Running, space: string): readonly string[] =>
	running.versions.filter((version) => version.space === space).map((version) => `${version.object.name}=${String(valueOf(version))}`)

/** Some keys, a backup of them, and what is written and recorded after it. */
async function recordedBeyondBackup(): Promise<{
	readonly backup: string
	readonly records: readonly VersionRecord[]
	readonly last: bigint
}> {
	for (const name of ['a', 'b', 'c']) await put(name, 'before')
	await etcd.kill()
	const backup = etcd.backup()
	await etcd.restart()
	await using running = start()
	await running.until('the snapshot', () => running.versions.length >= 3)
	for (let index = 0; index < 5; index += 1) await put('a', `lost ${index}`)
	const last = await put('new', 'lost')
	await running.seen(last)
	await etcd.kill()
	return { backup, records: running.versions, last }
}

/** Every record of both times has an id of its own, and the later ones are in a space of their own. */
function expectNewSpace(running: Running, before: readonly VersionRecord[], name = 'the gap'): string {
	const [gap, ...others] = running.gaps
	expect(others, name).toEqual([])
	expect(gap, name).toMatchObject({ reason: 'space-changed' })
	expect(gap?.space).not.toBe('main')
	expect(new Set(running.versions.map(({ space }) => space))).toEqual(new Set([gap?.space]))
	const ids = [...before, ...running.versions].map(({ id }) => id)
	expect(new Set(ids).size).toBe(ids.length)
	return gap?.space ?? ''
}

describe('a restore', () => {
	it('whose revisions are behind is a new space', async () => {
		const { backup, records } = await recordedBeyondBackup()
		etcd.restore(backup)
		await etcd.restart()
		await using running = start()
		await running.until('the gap', () => running.gaps.length === 1)
		const space = expectNewSpace(running, records)
		expect(spaceOf(running, space).toSorted()).toEqual(['a=before', 'b=before', 'c=before', 'new=undefined'])
		expect(running.versions.find(({ object }) => object.name === 'new')).toMatchObject({
			operation: 'deleted',
			note: 'gone: when, is not known',
		})
		expect(running.gaps[0]?.touched).toEqual(['configmaps/shop/a', 'configmaps/shop/new'])
		// The same revisions once more, of another history.
		await running.seen(await put('a', 'after'))
		expectNewSpace(running, records)
		expect(spaceOf(running, space)).toContain('a=after')
	})

	it('while it is watched is a new space', async () => {
		for (const name of ['a', 'b']) await put(name, 'before')
		await etcd.kill()
		const backup = etcd.backup()
		await etcd.restart()
		await using running = start()
		await running.seen(await put('a', 'lost'))
		await etcd.kill()
		etcd.restore(backup)
		await etcd.restart()
		const revision = await put('b', 'after')
		await running.until('the gap', () => running.gaps.length === 1)
		const [gap] = running.gaps
		await running.until('the write behind it', () =>
			running.versions.some((version) => version.space === gap?.space && valueOf(version) === 'after'),
		)
		expect(running.versions.find((version) => version.space !== gap?.space && version.revision === revision)).toMatchObject({
			object: { name: 'a' },
		})
		expect(new Set(running.versions.map(({ id }) => id)).size).toBe(running.versions.length)
	})

	it('that has passed the old revisions unseen is a new space', async () => {
		const { backup, records, last } = await recordedBeyondBackup()
		etcd.restore(backup)
		await etcd.restart()
		let revision = 0n
		while (revision < last + 5n) revision = await put('b', `after ${revision}`)
		await using running = start()
		await running.until('the gap', () => running.gaps.length === 1)
		const space = expectNewSpace(running, records)
		expect(spaceOf(running, space)).toContain('a=before')
		await running.seen(await put('c', 'last'))
		expectNewSpace(running, records)
	})

	it('that has passed the old revisions and compacted them is a new space', async () => {
		const { backup, records, last } = await recordedBeyondBackup()
		etcd.restore(backup)
		await etcd.restart()
		let revision = 0n
		while (revision < last + 5n) revision = await put('new', `after ${revision}`)
		await etcd.compact(revision)
		await using running = start()
		await running.until('the gap', () => running.gaps.length === 1)
		const space = expectNewSpace(running, records)
		expect(spaceOf(running, space)).toContain(`new=after ${revision - 1n}`)
	})

	it('that is done twice is two spaces', async () => {
		const { backup, records } = await recordedBeyondBackup()
		const spaces = new Set<string>()
		const all = [...records]
		for (let round = 0; round < 2; round += 1) {
			etcd.restore(backup)
			await etcd.restart()
			await using running = start()
			await running.until('the gap', () => running.gaps.length === 1)
			spaces.add(expectNewSpace(running, all, `round ${round}`))
			await running.seen(await put('a', 'lost again'))
			all.push(...running.versions)
			await running[Symbol.asyncDispose]()
			await etcd.kill()
		}
		expect(spaces.size).toBe(2)
		expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
	})

	it('whose snapshot is broken off goes on in the same space', async () => {
		for (let index = 0; index < 20; index += 1) await put(`k${index}`, 'before')
		const { backup, records } = await recordedBeyondBackup()
		etcd.restore(backup)
		await etcd.restart()
		let emits = 0
		await using broken = start(async () => {
			emits += 1
			if (emits > 1) throw new Error('the log is gone')
		})
		expect(await broken.failure()).toMatchObject({ message: 'the log is gone' })
		await put('k19', 'meanwhile')
		await using running = start()
		await running.until('the gap', () => running.gaps.length === 1)
		// What was durable already is given once more, under the same ids.
		const space = expectNewSpace(running, records)
		expect(new Set(broken.versions.map((version) => version.space))).toEqual(new Set([space]))
		expect(new Set([...spaceOf(broken, space), ...spaceOf(running, space)].map((text) => text.split('=')[0])).size).toBe(24)
	})
})

describe('no restore', () => {
	it('but a compaction of everything that was recorded, with hot keys written since, stays in its space', async () => {
		const first = start()
		for (const name of ['a', 'b', 'c']) await put(name, 'before')
		await first.seen(await put('hot', '0'))
		await first[Symbol.asyncDispose]()
		let last = 0n
		for (let index = 1; index < 10; index += 1) last = await put('hot', String(index))
		await etcd.delete(key('b'))
		last = await put('d', 'x')
		await etcd.compact(last)
		await using running = start()
		await running.until('the gap', () => running.gaps.length === 1)
		expect(running.gaps[0]).toMatchObject({ reason: 'compacted', space: 'main' })
	})
})
