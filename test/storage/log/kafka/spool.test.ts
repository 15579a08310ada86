// The spool: what was added is found again in order, also after a crash at any byte; what is done goes; what is damaged is told; what has no room is refused.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Spool, type SpoolLoss, type Spooled } from '#storage/log/kafka/spool.ts'
import { temporaryFolder } from '#test/support/program.ts'

const folder = temporaryFolder('spool')
afterAll(() => folder.remove())
let made = 0
const freshDir = (): string => join(folder.path, String(++made))
const openIn = (dir: string, bytesMax = 1_000_000, losses: SpoolLoss[] = []): Spool =>
	new Spool({ dir, bytesMax, onLoss: (loss) => losses.push(loss) })
const files = (dir: string): string[] => readdirSync(dir).toSorted()

async function readAll(spool: Spool): Promise<Spooled[]> {
	const entries: Spooled[] = []
	for (let entry = await spool.next(); entry; entry = await spool.next()) entries.push(entry)
	return entries
}
const texts = (entries: readonly Spooled[]): string[] => entries.map(({ stream, data }) => `${stream} ${String(data)}`)

describe('the spool', () => {
	it('gives back what was added, in order, also to the next process, and is gone when all of it is done', async () => {
		const dir = freshDir()
		const spool = openIn(dir)
		expect(spool.isEmpty).toBe(true)
		expect(await Promise.all(['a', 'b', 'c'].map((text) => spool.add('logs', Buffer.from(text), false)))).toEqual([0, 1, 2])
		await spool.add('records', Buffer.from('d'), true)
		expect(spool.isEmpty).toBe(false)
		await spool.close()
		const again = openIn(dir)
		expect(again.isEmpty).toBe(false)
		expect(again.bytes).toBe(spool.bytes)
		const entries = await readAll(again)
		expect(texts(entries)).toEqual(['logs a', 'logs b', 'logs c', 'records d'])
		expect(await again.add('ledger', Buffer.from('e'), false), 'numbers go on').toBe(4)
		entries.push(...(await readAll(again)))
		for (const entry of entries.toReversed()) await again.done(entry)
		expect(again.isEmpty).toBe(true)
		expect(again.bytes).toBe(0)
		expect(files(dir)).toEqual([])
		await again.add('logs', Buffer.from('f'), false)
		expect(texts(await readAll(again)), 'and begins anew').toEqual(['logs f'])
		await again.close()
	})

	it('does not give again what was done before an orderly end', async () => {
		const dir = freshDir()
		const spool = openIn(dir)
		for (const text of ['a', 'b', 'c', 'd']) await spool.add('logs', Buffer.from(text), false)
		const [a, b, c] = await readAll(spool)
		for (const entry of [a, c, b]) if (entry) await spool.done(entry)
		await spool.close()
		const again = openIn(dir)
		expect(again.bytes).toBe(10)
		const [d] = await readAll(again)
		expect(String(d?.data)).toBe('d')
		if (d) await again.done(d)
		expect(files(dir)).toEqual([])
		await again.close()
	})

	it('is read as far as it is whole, whatever byte a crash ended it at', async () => {
		const dir = freshDir()
		const spool = openIn(dir)
		for (const text of ['one', 'two', 'three']) await spool.add('records', Buffer.from(text), false)
		await spool.close()
		const [name = ''] = files(dir)
		const { size } = statSync(join(dir, name))
		for (let bytes = 0; bytes <= size; bytes++) {
			const cut = freshDir()
			mkdirSync(cut)
			copyFileSync(join(dir, name), join(cut, name))
			truncateSync(join(cut, name), bytes)
			const losses: SpoolLoss[] = []
			const left = openIn(cut, 1_000_000, losses)
			const found = texts(await readAll(left))
			expect(found).toEqual(['records one', 'records two', 'records three'].slice(0, found.length))
			expect(found.length).toBe(bytes < 12 ? 0 : bytes < 24 ? 1 : bytes < size ? 2 : 3)
			expect(losses, 'what was not whole was never acknowledged').toEqual([])
			await left.add('records', Buffer.from('next'), false)
			expect(texts(await readAll(left)), `after ${bytes} bytes`).toEqual(['records next'])
			await left.close()
		}
	})

	it('passes over what is damaged, tells it, and reads the rest', async () => {
		const dir = freshDir()
		const spool = openIn(dir)
		for (const text of ['one', 'two', 'three']) await spool.add('records', Buffer.from(text), false)
		await spool.close()
		const path = join(dir, files(dir)[0] ?? '')
		const bytes = readFileSync(path)
		bytes.writeUInt8(bytes.readUInt8(22) ^ 4, 22)
		writeFileSync(path, bytes)
		const losses: SpoolLoss[] = []
		const again = openIn(dir, 1_000_000, losses)
		const entries = await readAll(again)
		expect(texts(entries)).toEqual(['records one', 'records three'])
		expect(losses).toEqual([{ path, bytes: 12, reason: 'an entry fails its checksum' }])
		for (const entry of entries) await again.done(entry)
		expect(again.isEmpty).toBe(true)
		expect(files(dir)).toEqual([])
	})

	it('refuses what has no room, and keeps the last quarter for what cannot wait elsewhere', async () => {
		const dir = freshDir()
		const spool = openIn(dir, 1000)
		const data = Buffer.alloc(91) // 100 with its head
		for (let entry = 0; entry < 7; entry++) await spool.add('logs', data, false)
		await expect(spool.add('logs', data, false)).rejects.toMatchObject({
			code: 'STORAGE_BUSY',
			message: expect.stringMatching(/700 of 1000 bytes.*for audit/),
		})
		for (let entry = 0; entry < 3; entry++) await spool.add('records', data, true)
		await expect(spool.add('records', data, true)).rejects.toMatchObject({ code: 'STORAGE_BUSY' })
		const [first] = await readAll(spool)
		if (first) await spool.done(first)
		await spool.add('records', data, true)
		await spool.close()
	})

	it('begins another file when one is full, and removes each when it is done', async () => {
		const dir = freshDir()
		const spool = new Spool({ dir, bytesMax: 1_000_000, segmentBytesMax: 250, onLoss: () => undefined })
		const data = Buffer.alloc(91, 'x')
		for (let entry = 0; entry < 5; entry++) await spool.add('logs', data, false)
		expect(files(dir)).toEqual(['0000000001.spool', '0000000002.spool'])
		const entries = await readAll(spool)
		for (const entry of entries.slice(0, 3)) await spool.done(entry)
		expect(files(dir)).toEqual(['0000000002.spool'])
		for (const entry of entries.slice(3)) await spool.done(entry)
		expect(files(dir)).toEqual([])
		await spool.close()
	})

	it('says where it cannot be written, and goes on when it can', async () => {
		const dir = freshDir()
		const spool = openIn(dir)
		mkdirSync(join(dir, '0000000001.spool')) // in the place of its file
		await expect(spool.add('logs', Buffer.from('a'), false)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
		expect(spool.isEmpty).toBe(true)
		expect(spool.bytes).toBe(0)
		rmdirSync(join(dir, '0000000001.spool'))
		expect(await spool.add('logs', Buffer.from('b'), false)).toBe(0)
		expect(texts(await readAll(spool))).toEqual(['logs b'])
		await spool.close()
	})
})
