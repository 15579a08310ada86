// Logs behind links: Docker keeps a container's file elsewhere, and rotates it there; the kubelet's name for it is a link, and another link leads to that one.
import { appendFileSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { temporaryFolder } from '#test/support/program.ts'
import { collect, criLine, podFolder, type Collecting } from './support.ts'

let folder: ReturnType<typeof temporaryFolder>
let root: string
let links: string
let real: string
const running: Collecting[] = []

beforeEach(() => {
	folder = temporaryFolder('logs-links')
	root = join(folder.path, 'pods')
	links = join(folder.path, 'containers')
	mkdirSync(join(folder.path, 'docker', 'abc'), { recursive: true })
	mkdirSync(links)
	real = join(folder.path, 'docker', 'abc', 'abc-json.log')
	writeFileSync(real, criLine(1))
	const named = join(podFolder(root), '0.log')
	symlinkSync(real, named)
	symlinkSync(named, join(links, 'checkout-0_shop_app-abc.log'))
})
afterEach(async () => {
	for (const collecting of running.splice(0)) await collecting.stop()
	folder.remove()
})

function start(config: Readonly<Record<string, unknown>> = { pods: { root }, files: [{ paths: [join(links, '*.log')] }] }): Collecting {
	const collecting = collect(join(folder.path, 'state'), config)
	running.push(collecting)
	return collecting
}
async function stop(collecting: Collecting): Promise<void> {
	running.splice(running.indexOf(collecting), 1)
	await collecting.stop()
}
const rotate = (number: number): void => {
	renameSync(real, `${real}.${number}`)
	writeFileSync(real, '')
}

it('are of the container that the kubelet names, once, and go on where Docker rotates them', async () => {
	const collecting = start()
	await collecting.lineCount(1)
	expect(collecting.lines[0]).toMatchObject({ namespace: 'shop', pod: 'checkout-0', container: 'app', component: '' })
	for (let round = 2; round < 8; round += 2) {
		appendFileSync(real, criLine(round))
		if (existsSync(`${real}.1`)) renameSync(`${real}.1`, `${real}.2`)
		rotate(1)
		appendFileSync(real, criLine(round + 1))
		await collecting.lineCount(round + 1)
	}
	expect(collecting.texts()).toEqual([1, 2, 3, 4, 5, 6, 7].map((number) => `line ${number}`))
	expect(collecting.gaps).toEqual([])
})

it('go on in the backups beside what the link leads to, packed ones too, where they were rotated while nobody ran', async () => {
	const first = start()
	await first.lineCount(1)
	await stop(first)
	appendFileSync(real, criLine(2))
	writeFileSync(`${real}.2.gz`, gzipSync(criLine(1) + criLine(2)))
	writeFileSync(`${real}.1`, criLine(3))
	rmSync(real)
	writeFileSync(real, criLine(4))
	const second = start()
	await second.lineCount(3)
	expect(second.texts()).toEqual(['line 2', 'line 3', 'line 4'])
	expect(second.gaps).toEqual([])
	expect(second.lines.every(({ pod }) => pod === 'checkout-0')).toBe(true)
})

it('without the kubelet’s folder: the link’s own name counts; one file behind two links is read once; a link that is turned leads to another log', async () => {
	const other = join(folder.path, 'docker', 'other.log')
	const link = join(links, 'b.log')
	writeFileSync(other, 'other 1\n')
	symlinkSync(other, link)
	symlinkSync(other, join(links, 'c.log'))
	rmSync(join(links, 'checkout-0_shop_app-abc.log'))
	const collecting = start({ files: [{ paths: [join(links, '*.log')] }] })
	await collecting.lineCount(1)
	appendFileSync(other, 'other 2\n')
	await collecting.lineCount(2)
	expect(collecting.texts()).toEqual(['other 1', 'other 2'])
	expect(collecting.lines[0]?.component).toMatch(/^[bc]$/)
	rmSync(join(links, 'c.log'))
	rmSync(link)
	const next = join(folder.path, 'docker', 'next.log')
	writeFileSync(next, 'next 1\n')
	symlinkSync(next, link)
	await collecting.lineCount(3)
	appendFileSync(next, 'next 2\n')
	await collecting.lineCount(4)
	expect(collecting.texts().slice(2)).toEqual(['next 1', 'next 2'])
	expect(collecting.gaps).toEqual([])
})
