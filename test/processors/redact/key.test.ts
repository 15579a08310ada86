// The key is made once where none is given, and never where one should be.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { loadRedactionKey } from '#processors/redact/key.ts'
import { temporaryFolder } from '#test/support/program.ts'

const folder = temporaryFolder('key')
afterAll(() => folder.remove())

it('makes a key that only its owner can read, and finds it again', async () => {
	const path = join(folder.path, 'data', 'redaction.key')
	const key = await loadRedactionKey(path)
	expect(key).toHaveLength(32)
	expect(statSync(path).mode & 0o777).toBe(0o600)
	expect(Buffer.from(await loadRedactionKey(path)).toString('hex')).toBe(readFileSync(path, 'utf8'))
})

it('reads one that is given, and makes none', async () => {
	const path = join(folder.path, 'given.key')
	writeFileSync(path, `${'ab'.repeat(32)}\n`)
	expect(await loadRedactionKey(path, true)).toEqual(Buffer.alloc(32, 0xab))
	const missing = join(folder.path, 'missing.key')
	await expect(loadRedactionKey(missing, true)).rejects.toMatchObject({ code: 'RUNTIME_NO_PERMISSION' })
	expect(existsSync(missing)).toBe(false)
})

it('refuses a file that holds something else', async () => {
	const path = join(folder.path, 'wrong.key')
	writeFileSync(path, 'abc')
	await expect(loadRedactionKey(path, true)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})
