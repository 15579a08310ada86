// A disk that is full: the put is refused whole with a code that says so, what was acknowledged stays, and when there is room again the same put goes through.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '#test/support/program.ts'
import { batchRecords } from './store-batches.ts'

const child = join(import.meta.dirname, 'store-full-child.ts')
const node = [process.execPath, '--disable-warning=ExperimentalWarning', child].join(' ')

interface Ran {
	readonly code: string
	readonly output: string
	readonly stderr: string
}

/** On a file system of 6 MiB, in a mount namespace of its own, so that nothing is left of it; where that is not allowed, under a limit of 4 MiB for each file. */
function run(folder: string): Ran {
	const small = `mount -t tmpfs -o size=6m tmpfs ${folder} && exec ${node} ${folder} small`
	for (const flags of ['-m', '-rm']) {
		const allowed = spawnSync('sh', ['-c', `unshare ${flags} sh -c 'mount -t tmpfs -o size=1m tmpfs ${folder}'`])
		if (allowed.status !== 0) continue
		const { stdout, stderr } = spawnSync('sh', ['-c', `unshare ${flags} sh -c '${small}'`], { encoding: 'utf8' })
		return { code: 'STORAGE_DISK_FULL', output: stdout, stderr }
	}
	const limited = `trap '' XFSZ; ulimit -f 8192; exec ${node} ${folder} limited`
	const { stdout, stderr } = spawnSync('sh', ['-c', limited], { encoding: 'utf8' })
	return { code: 'STORAGE_UNAVAILABLE', output: stdout, stderr }
}

it('a put that finds the disk full is refused whole, loses nothing, and goes through when there is room', () => {
	const folder = temporaryFolder('full')
	try {
		const { code, output, stderr } = run(folder.path)
		expect(stderr).toBe('')
		const seen = JSON.parse(output) as { acknowledged: number }
		expect(seen).toMatchObject({ code, retryable: true, inPart: 0, missing: 0, after: { stored: batchRecords, duplicates: 0 } })
		expect(seen.acknowledged).toBeGreaterThan(3)
	} finally {
		folder.remove()
	}
})
