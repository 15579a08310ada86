// Readers in other threads of the process are woken by an append; those of another file are not.
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Wakers } from '#storage/log/sqlite/wakers.ts'

const hourMs = 3_600_000
let dir = ''

describe('wakers of readers', () => {
	beforeEach(() => {
		dir = mkdtempSync(join(tmpdir(), 'kubetape-wakers-'))
		for (const name of ['a', 'b']) writeFileSync(join(dir, name), '')
	})
	afterEach(() => rmSync(dir, { recursive: true, force: true }))

	it('wakes a reader in another thread', async () => {
		const thread = new Worker(new URL('./wakers-thread.ts', import.meta.url), { workerData: join(dir, 'a') })
		const ended = once(thread, 'exit') // it may end together with its last word
		const wakers = new Wakers(join(dir, 'a'))
		expect(await once(thread, 'message')).toEqual(['waits'])
		const heard = once(thread, 'message')
		wakers.wake()
		expect(await heard).toEqual(['woken'])
		await ended
		wakers.close()
	})

	it('wakes its own readers at once, and none of another file', async () => {
		const [a, b] = [new Wakers(join(dir, 'a')), new Wakers(join(dir, 'b'))]
		const stop = new AbortController()
		let other = 'waits'
		const waiting = b.wait(hourMs, stop.signal).then(() => (other = 'woken'))
		const own = a.wait(hourMs, stop.signal)
		a.wake()
		await own
		await new Promise((resolve) => void setImmediate(resolve))
		expect(other).toBe('waits')
		stop.abort()
		await waiting
		a.close()
		b.close()
	})
})
