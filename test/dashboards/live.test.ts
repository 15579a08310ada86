// The live tail in Chromium: new records appear by themselves, a pause holds them back, and a server that goes and comes costs and doubles nothing.
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser } from '#test/support/chromium.ts'
import { eventually, startProgram, temporaryFolder, type Program } from '#test/support/program.ts'
import { aChange, asRedacted } from '#test/support/records.ts'
import { servePage, visit, type ServedPage, type Visit } from './support.ts'

let browser: Browser

beforeAll(async () => {
	browser = await openBrowser()
}, 120_000)
afterAll(() => browser?.close())

/** Revisions in the table, newest first, as far as they are in sight. */
function revisions(page: Page): Promise<readonly string[]> {
	return page.locator('.record .revision').allTextContents()
}

describe('over the store', () => {
	let served: ServedPage
	let guest: Visit
	let page: Page
	let last = 100

	const store = async (count: number): Promise<void> => {
		const records = Array.from({ length: count }, () => {
			last += 1
			const at = Date.now() * 1000
			const object = { resource: 'pods', group: '', namespace: 'shop', name: `web-${last % 3}` }
			return asRedacted(aChange({ cluster: 'live', object, revision: BigInt(last), occurredAt: at, observedAt: at }))
		})
		const found = { severity: 'normal', facets: ['spec'], paths: [], labels: {}, owners: [], images: [], text: '' } as const
		await served.store.put(records.map((record) => ({ ...found, record, summary: 'changed' })))
	}
	const shown = async (count: number): Promise<void> => {
		await eventually(guest.records, (records) => records === count)
		const newest = Array.from({ length: Math.min(count, 10) }, (_, index) => String(last - index))
		expect((await revisions(page)).slice(0, newest.length)).toEqual(newest)
	}

	beforeAll(async () => {
		served = await servePage(async () => undefined, [{ name: 'live', replay: false }])
		await store(5)
		guest = await visit(browser, served.address, { width: 1280, height: 800 })
		page = guest.page
	}, 120_000)
	afterAll(async () => {
		await page?.close()
		await served[Symbol.asyncDispose]()
	})

	it('says that there is more while it is off, and shows it when asked', async () => {
		await guest.open('#/view=table')
		await shown(5)
		await store(3)
		await page.waitForSelector('.fresh')
		expect(await guest.records()).toBe(5)
		expect(await page.locator('.fresh').textContent()).toBe('3 new records: show')
		await page.locator('.fresh').click()
		await shown(8)
	})

	it('shows what was stored before it began and what is stored after, without a reload', async () => {
		await store(2)
		await page.keyboard.press('l')
		await page.waitForSelector('.live.on')
		await shown(10)
		await store(4)
		await shown(14)
		expect(new URL(page.url()).hash).toContain('live=1')
	})

	it('holds records back while it is paused, counts them, and shows all of them afterwards', async () => {
		await page.keyboard.press('Space')
		await page.waitForSelector('.pause[aria-pressed=true]')
		await store(6)
		await page.waitForFunction(() => document.querySelector('.pause')?.textContent === 'paused: 6 new records')
		expect(await guest.records()).toBe(14)
		await page.locator('.pause').click()
		await shown(20)
	})

	it('resumes behind the last record when the server was away: nothing twice, nothing missing', async () => {
		const asked: string[] = []
		page.on('request', (request) => {
			if (request.url().includes('/api/v1/stream')) void request.allHeaders().then((headers) => asked.push(headers['last-event-id'] ?? ''))
		})
		await served.stop()
		await page.waitForSelector('.live.lost')
		await store(7)
		await served.start()
		await page.waitForSelector('.live.on')
		await shown(27)
		await store(1)
		await shown(28)
		const ids = await eventually(
			async () => asked,
			(all) => all.some((id) => id !== ''),
		)
		expect(ids[0]).not.toBe('')
	})

	it('keeps what is being typed while records come', async () => {
		await page.locator('.filter').fill('name:web-1')
		await store(1)
		await shown(29)
		expect(await page.locator('.filter').inputValue()).toBe('name:web-1')
	})

	it('streams what the filter selects, and the density follows', async () => {
		await page.keyboard.press('Enter')
		await page.waitForFunction(() => location.hash.includes('web-1'))
		await guest.ready()
		const before = await guest.records()
		await store(3)
		await eventually(guest.records, (records) => records === before + 1)
		expect((await revisions(page)).every((revision) => Number(revision) % 3 === 1)).toBe(true)
		await page.waitForFunction(
			(count) => document.querySelector('.density-plot')?.getAttribute('aria-label')?.startsWith(`${count} records`) ?? false,
			before + 1,
		)
	})
})

describe('over the program', () => {
	const folder = temporaryFolder('live')
	const recording = join(folder.path, 'etcd.jsonl')
	const line = (revision: number): string => {
		const value = Buffer.from(
			JSON.stringify({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a', namespace: 'shop' }, data: { n: `${revision}` } }),
		)
		const [key, observed] = ['/registry/configmaps/shop/a', new Date(Date.UTC(2026, 10, 23, 10) + revision * 1000).toISOString()]
		const before = revision === 2 ? null : { mod_revision: revision - 1, value: '' }
		const fields = {
			rev: revision,
			type: 'PUT',
			key,
			create_revision: 2,
			version: revision - 1,
			lease: '0',
			value: value.toString('base64'),
		}
		return `${JSON.stringify({ ...fields, prev: before, observed })}\n`
	}
	let program: Program
	const start = async (port: string, speed: string): Promise<string> => {
		program = startProgram([
			'all-in-one',
			'--replay',
			folder.path,
			'--speed',
			speed,
			'--port',
			port,
			'--data-dir',
			join(folder.path, 'data'),
		])
		return program.address
	}
	const end = async (): Promise<void> => {
		program.process.kill('SIGTERM')
		await program.exited
	}
	afterAll(async () => {
		await end()
		folder.remove()
	})

	it('shows a recording as it is replayed, over a restart: every revision once', async () => {
		const many = 160
		writeFileSync(recording, '')
		for (let revision = 2; revision < many + 2; revision++) appendFileSync(recording, line(revision))
		const address = await start('0', '5')
		const guest = await visit(browser, address, { width: 1280, height: 1400 })
		await guest.open('#/view=table&live=1')
		const early = await eventually(guest.records, (records) => records > 10)
		expect(early).toBeLessThan(many)
		await end()
		await guest.page.waitForSelector('.live.lost')
		const before = await guest.records()
		expect(before).toBeLessThan(many)
		await start(new URL(address).port, 'max')
		await eventually(guest.records, (records) => records === many)
		await guest.page.waitForFunction((newest) => document.querySelector('.record .revision')?.textContent === newest, String(many + 1))
		expect((await revisions(guest.page)).slice(0, 40)).toEqual(Array.from({ length: 40 }, (_, index) => String(many + 1 - index)))
		await guest.page.close()
	}, 180_000)
})
