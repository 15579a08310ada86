// A disk that fills up while the program records: it pauses and says so; when there is room again it goes on, and nothing is lost. Needs root, for a small file system of its own.
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { WireCluster, WireCoverage, WirePage } from '#api/wire.ts'
import { eventually, getJson, startProgram, temporaryFolder, type Program } from '#test/support/program.ts'

const folder = temporaryFolder('disk-full')
const disk = join(folder.path, 'disk')
let program: Program

beforeAll(() => {
	mkdirSync(disk)
	execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk])
})
afterAll(async () => {
	program?.process.kill('SIGKILL')
	await program?.exited
	execFileSync('umount', [disk])
	folder.remove()
})

it('pauses, says so, and loses nothing', async () => {
	program = startProgram(['all-in-one', '--demo', '--port', '0', '--data-dir', disk], { KUBETAPE_LOG_LEVEL: 'silent' })
	const address = await program.address
	const readiness = async (): Promise<string> => (await fetch(`${address}/readyz`)).text()
	expect(await eventually(readiness, (text) => text.includes('STORAGE_DISK_FULL'))).toContain('paused')
	// Whoever asks is answered meanwhile, with what is there.
	const clusters = (): Promise<WirePage<WireCluster>> => getJson(address, '/api/v1/clusters')
	expect((await clusters()).items[0]?.counts.change ?? 0).toBeLessThan(2117)
	execFileSync('mount', ['-o', 'remount,size=256m', disk])
	const { items } = await eventually(
		clusters,
		(page) => page.items[0]?.counts.log === 12_440 && page.items[0].counts.audit === 3363,
		60_000,
	)
	expect((items[0]?.counts.change ?? 0) + (items[0]?.counts.event ?? 0)).toBe(2817)
	expect(await eventually(readiness, (text) => text.includes('"ok":true'))).not.toContain('paused')
	const coverage = await eventually(
		() => getJson<WireCoverage>(address, '/api/v1/coverage?cluster=demo'),
		({ ranges }) => ranges[0]?.to === '2683',
	)
	expect(coverage).toMatchObject({ gaps: [], rejects: 0, ranges: [{ from: '2', to: '2683', versions: 2817 }] })
})
