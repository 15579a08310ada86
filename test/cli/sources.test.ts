// What all-in-one records: each recording apart from every other one, refused before anything is made or said.
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { WireCluster, WirePage, WireState } from '#api/wire.ts'
import { chooseSource } from '#cli/sources.ts'
import { eventually, getJson, startProgram, temporaryFolder } from '#test/support/program.ts'

const folder = temporaryFolder('sources')
const data = join(folder.path, 'data')
const one = join(folder.path, 'one', 'same')
const other = join(folder.path, 'other', 'same')

beforeAll(() => {
	for (const dir of [one, other]) mkdirSync(dir, { recursive: true })
	const lines = gunzipSync(readFileSync('demo/etcd.jsonl.gz')).toString('utf8').split('\n').slice(0, 40)
	writeFileSync(join(one, 'etcd.jsonl'), lines.join('\n'))
	// The same revisions and keys, other contents, the same size.
	writeFileSync(join(other, 'etcd.jsonl'), lines.map((line) => line.replace(/"observed":"2026/, '"observed":"2025')).join('\n'))
})
afterAll(() => folder.remove())

async function firstTime(dir: string): Promise<string> {
	const program = startProgram(['all-in-one', '--replay', dir, '--port', '0', '--data-dir', data], { KUBETAPE_LOG_LEVEL: 'silent' })
	try {
		const address = await program.address
		const { items } = await eventually(
			() => getJson<WirePage<WireCluster>>(address, '/api/v1/clusters'),
			(page) => page.items[0]?.counts.change === 40,
		)
		expect(items.map(({ name }) => name)).toEqual(['same'])
		const state = await getJson<WireState>(address, '/api/v1/history/same/namespaces/-/kube-system/state')
		return state.item.time
	} finally {
		program.process.kill('SIGTERM')
		await program.exited
	}
}

it('two recordings of one name in one data directory do not mix', async () => {
	expect(await firstTime(one)).toMatch(/^2026/)
	expect(await firstTime(other)).toMatch(/^2025/)
	expect(await firstTime(one)).toMatch(/^2026/)
})

it('the same recording finds its data again, a changed file does not', async () => {
	const copy = join(folder.path, 'copy')
	cpSync(one, copy, { recursive: true, preserveTimestamps: true })
	const subfolder = async (): Promise<string> => (await chooseSource({ replay: copy }, {})).subfolder
	const before = await subfolder()
	expect(await subfolder()).toBe(before)
	writeFileSync(join(copy, 'etcd-meta.json'), '{"from":"2"}')
	expect(await subfolder()).not.toBe(before)
})

it('a folder that is no recording is refused before anything is made', async () => {
	const nowhere = join(folder.path, 'nowhere')
	for (const dir of [nowhere, join(folder.path)]) {
		const program = startProgram(['all-in-one', '--replay', dir, '--port', '0', '--data-dir', join(folder.path, 'none')])
		expect(await program.exited).toBe(3)
		expect(program.output().trim().split('\n')).toHaveLength(1)
		expect(program.output()).toContain('RECORDING_INVALID')
	}
	expect(existsSync(join(folder.path, 'none'))).toBe(false)
	await expect(chooseSource({ replay: '' }, {})).rejects.toMatchObject({ code: 'CLI_USAGE' })
})
