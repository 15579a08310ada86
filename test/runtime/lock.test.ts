// The lock of a data directory: held by the living, taken over from the dead.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { takeLock } from '#runtime/lock.ts'

const locked = expect.objectContaining({ code: 'RUNTIME_DATA_DIR_LOCKED' })
let dir = ''
beforeEach(() => {
	dir = mkdtempSync(join(tmpdir(), 'kubetape-lock-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const holder = (): unknown => JSON.parse(readFileSync(join(dir, 'collect.lock'), 'utf8'))

async function deadPid(): Promise<number> {
	const child = spawn(process.execPath, ['-e', ''])
	await once(child, 'exit')
	return child.pid ?? 0
}

describe('lock', () => {
	it('is refused while the holder lives, names it, and is free afterwards', () => {
		const lock = takeLock(join(dir, 'data'), 'collect')
		expect(() => takeLock(join(dir, 'data'), 'collect')).toThrow(locked)
		expect(() => takeLock(join(dir, 'data'), 'collect')).toThrow(String(process.pid))
		takeLock(join(dir, 'data'), 'process')[Symbol.dispose]()
		lock[Symbol.dispose]()
		expect(existsSync(join(dir, 'data', 'collect.lock'))).toBe(false)
		takeLock(join(dir, 'data'), 'collect')[Symbol.dispose]()
	})

	it('is refused while another process holds it', async () => {
		const child = spawn(process.execPath, ['-e', 'process.stdin.resume(); process.stdin.on("end", () => process.exit())'], {
			stdio: ['pipe', 'ignore', 'ignore'],
		})
		writeFileSync(join(dir, 'collect.lock'), JSON.stringify({ pid: child.pid, started: '' }))
		expect(() => takeLock(dir, 'collect')).toThrow(locked)
		child.stdin.end()
		await once(child, 'exit')
		takeLock(dir, 'collect')[Symbol.dispose]()
	})

	it('is taken over from a process that is gone', async () => {
		writeFileSync(join(dir, 'collect.lock'), JSON.stringify({ pid: await deadPid(), started: '1' }))
		const lock = takeLock(dir, 'collect')
		expect(holder()).toMatchObject({ pid: process.pid })
		lock[Symbol.dispose]()
	})

	it('is taken over where the pid was given to another process since', () => {
		writeFileSync(join(dir, 'collect.lock'), JSON.stringify({ pid: process.pid, started: '1' }))
		const lock = takeLock(dir, 'collect')
		expect(holder()).toMatchObject({ pid: process.pid })
		lock[Symbol.dispose]()
	})

	it.each(['', '{"pid":', 'null', '"text"', '{}', '{"pid":"x"}', '{"pid":0,"started":""}', '{"pid":-1,"started":""}'])(
		'is taken over where the file says %j, which nobody wrote whole',
		(text) => {
			writeFileSync(join(dir, 'collect.lock'), text)
			const lock = takeLock(dir, 'collect')
			expect(holder()).toMatchObject({ pid: process.pid })
			lock[Symbol.dispose]()
		},
	)

	it('says so where the directory cannot be made', () => {
		writeFileSync(join(dir, 'file'), '')
		expect(() => takeLock(join(dir, 'file', 'data'), 'collect')).toThrow(expect.objectContaining({ code: 'RUNTIME_NO_PERMISSION' }))
	})
})
