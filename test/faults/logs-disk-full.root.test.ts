// F8: the disk fills up while container logs are recorded, under the record log or under the store alone: the program pauses and says so, files are rotated meanwhile, and when there is room again every line is there once.
// Needs root, for small file systems of its own.
import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { WireCluster, WireCoverage, WireItem, WirePage } from '#api/wire.ts'
import { podFolder } from '#test/collectors/logs/support.ts'
import { eventually, getJson, startProgram, temporaryFolder, type Program } from '#test/support/program.ts'
import { backupStamp, NumberedWriter } from './logs-support.ts'

let folder: ReturnType<typeof temporaryFolder>
let program: Program | undefined
let disk: string | undefined

beforeEach(() => {
	folder = temporaryFolder('logs-disk-full')
	mkdirSync(join(folder.path, 'pods'))
})
afterEach(async () => {
	program?.process.kill('SIGKILL')
	await program?.exited
	program = undefined
	if (disk !== undefined) execFileSync('umount', [disk])
	disk = undefined
	folder.remove()
})

/** A file system of so many MiB in this part of the data folder. */
function mount(part: string, size: number): void {
	disk = join(folder.path, 'data', part)
	mkdirSync(disk, { recursive: true })
	execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}m`, 'tmpfs', disk])
}

it.each([
	['the record log', 'log', 3],
	['the store', 'store', 5],
	['all data', '', 8],
])('the disk of %s is full: it pauses, says so, goes on; nothing is lost, nothing twice', async (_what, part, size) => {
	mount(part, size)
	const config = join(folder.path, 'config.yaml')
	const pods = join(folder.path, 'pods')
	writeFileSync(
		config,
		`dataDir: ${join(folder.path, 'data')}\nlogLevel: silent\nclusters: [{ name: prod, logs: { pods: { root: ${pods} } } }]\n`,
	)
	program = startProgram(['all-in-one', '--config', config, '--port', '0'])
	const address = await program.address
	const readiness = async (): Promise<string> => (await fetch(`${address}/readyz`)).text()
	const path = join(podFolder(pods), '0.log')
	const writer = new NumberedWriter(path)
	let rounds = 0
	const isFull = await eventually(
		async () => {
			if (writer.count < 400_000) writer.write(4000)
			if (rounds++ % 4 === 3) {
				renameSync(path, `${path}.${backupStamp(rounds)}`)
				writer.reopen()
			}
			return readiness()
		},
		(text) => text.includes('STORAGE_DISK_FULL'),
		60_000,
	)
	expect(isFull).toContain('paused')
	// Nobody stops writing for it.
	for (let round = 0; round < 4; round += 1) {
		writer.write(1000)
		renameSync(path, `${path}.${backupStamp(1000 + round)}`)
		writer.reopen()
	}
	writer.write(1000)
	execFileSync('mount', ['-o', 'remount,size=512m', String(disk)])
	const page = await eventually(
		() => getJson<WirePage<WireCluster>>(address, '/api/v1/clusters'),
		({ items }) => (items[0]?.counts.log ?? 0) >= writer.count,
		120_000,
	)
	writer.close()
	expect(page.items[0]?.counts.log).toBe(writer.count)
	expect(await eventually(readiness, (text) => text.includes('"ok":true'))).not.toContain('paused')
	for (const number of [0, Math.floor(writer.count / 2), writer.count - 1]) {
		const { items } = await getJson<WirePage<WireItem>>(address, `/api/v1/logs?q=${encodeURIComponent(`"end ${number}"`)}`)
		expect(items.map(({ summary }) => JSON.parse(summary) as { n: number })).toMatchObject([{ n: number }])
	}
	expect(await getJson<WireCoverage>(address, '/api/v1/coverage?cluster=prod')).toMatchObject({ gaps: [], rejects: 0 })
	process.stdout.write(`F8 ${part || 'all'}: ${writer.count} written, 0 lost, 0 duplicated, 0 gap records\n`)
})
