// The page over 100,000 records and more: what exists in it and what it asks for stay bounded, nothing is asked for after it is not wanted any more, and what matters is seen from the whole range.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openBrowser } from '#test/support/chromium.ts'
import { eventually } from '#test/support/program.ts'
import { aChange, asRedacted } from '#test/support/records.ts'
import { Body } from '#records/body.ts'
import { busyBegin, busyCluster, fillBusyStore, versionsOfMany } from './busy-store.ts'
import { servePage, visit, type ServedPage, type Visit } from './support.ts'

const records = 102_000
/** Records that the page holds, elements that it is made of, requests for one view. */
const heldMax = 13_000
const nodesMax = 3000
const requestsMax = 30
let served: ServedPage
let browser: Browser
let guest: Visit
let page: Page
let asked: string[] = []

beforeAll(async () => {
	served = await servePage((store) => fillBusyStore(store, records), [{ name: busyCluster, replay: true }])
	browser = await openBrowser()
	guest = await visit(browser, served.address, { width: 1440, height: 900 })
	page = guest.page
	page.on('request', (request) => asked.push(request.url()))
}, 240_000)
afterAll(async () => {
	await browser?.close()
	await served[Symbol.asyncDispose]()
})
beforeEach(() => {
	asked = []
	guest.problems.length = 0
})

const nodes = (): Promise<number> => page.evaluate(() => document.querySelectorAll('*').length)
const timelines = (): readonly string[] => asked.filter((url) => url.includes('/api/v1/timeline?'))

describe('very many records', () => {
	it('are counted whole and held in part: the newest, and of the rest what matters', async () => {
		await guest.open('')
		const status = (await page.locator('.status').textContent()) ?? ''
		expect(status).toMatch(new RegExp(`of ${records.toLocaleString('en-US')} records of \\d+ objects$`))
		expect(await guest.records()).toBeGreaterThanOrEqual(10_000)
		expect(await guest.records()).toBeLessThan(heldMax)
		expect(asked.filter((url) => url.includes('/api/')).length).toBeLessThan(requestsMax)
		expect(await nodes()).toBeLessThan(nodesMax)
		// The first refusal is 100,000 records old.
		expect(await page.locator('.trust').textContent()).toContain('mallory refused 50×: patch deployments team-3/web-0')
		expect(await page.locator('.trust').textContent()).toMatch(/requests about pods are not recorded: [\d,]+ changes of unknown origin/)
		expect(await page.locator('.hole.unloaded').getAttribute('title')).toContain('older records are not loaded here')
		expect(guest.problems).toEqual([])
	})

	it('scroll to the last lane without more elements than fit', async () => {
		const lanes = Number(/of ([\d,]+) objects/.exec((await page.locator('.status').textContent()) ?? '')?.[1])
		expect(lanes).toBeGreaterThan(400)
		await page.locator('.lanes').evaluate((scroller) => (scroller.scrollTop = scroller.scrollHeight))
		await page.waitForSelector(`.row[data-row="${lanes - 1}"]`)
		expect(await nodes()).toBeLessThan(nodesMax)
	})

	it('are whole again where the range is small', async () => {
		const box = await page.locator('.density .u-over').boundingBox()
		if (!box) throw new Error('the density is not there')
		await page.mouse.move(box.x + box.width * 0.5, box.y + 20)
		await page.mouse.down()
		await page.mouse.move(box.x + box.width * 0.55, box.y + 20, { steps: 3 })
		await page.mouse.up()
		await page.waitForFunction(() => location.hash.includes('from='))
		await guest.ready()
		expect(await page.locator('.status').textContent()).toMatch(/^[\d,]+ records of/)
		expect(await page.locator('.hole').count()).toBe(0)
		// Back to the whole: it is there before any answer is.
		await page.route('**/api/v1/timeline**', () => undefined)
		await page.keyboard.press('Escape')
		await page.waitForFunction((total) => document.querySelector('.status')?.textContent?.includes(total), records.toLocaleString('en-US'))
		expect(await guest.records()).toBeGreaterThanOrEqual(10_000)
		await page.unrouteAll({ behavior: 'ignoreErrors' })
	})

	it('are a table without more elements than fit', async () => {
		await guest.go('#/view=table')
		await page.locator('.records').evaluate((scroller) => (scroller.scrollTop = scroller.scrollHeight / 2))
		await page.waitForFunction(() => Number(document.querySelector('.records .row')?.getAttribute('data-row')) > 1000)
		expect(await nodes()).toBeLessThan(nodesMax)
	})

	it('are not asked for any more when another filter is set meanwhile', async () => {
		await guest.go('#/')
		asked = []
		const failed: string[] = []
		page.on('requestfailed', (request) => failed.push(request.failure()?.errorText ?? ''))
		// Those of the filters before the last one have no answer as long as these are set.
		const isLast = (url: string): boolean => url.includes('q=web-5')
		await page.route('**/api/v1/timeline?*', (route) => (isLast(route.request().url()) ? route.continue() : undefined))
		for (const name of ['web-1', 'web-2', 'web-3', 'web-4']) {
			const asks = page.waitForRequest((request) => request.url().includes('/api/v1/timeline?') && request.url().includes(`q=${name}`))
			await page.evaluate((next) => (location.hash = `#/q=${next}`), name)
			await asks
		}
		await page.evaluate(() => (location.hash = '#/q=web-5'))
		await guest.ready()
		await eventually(
			async () => failed.length,
			(count) => count >= 4,
		)
		await page.unrouteAll({ behavior: 'ignoreErrors' })
		expect(new Set(failed)).toEqual(new Set(['net::ERR_ABORTED']))
		expect(timelines().filter(isLast).length).toBeGreaterThan(0)
		// Of each superseded filter the first page, not the ten that follow it.
		expect(timelines().filter((url) => url.includes('q=') && !isLast(url))).toHaveLength(4)
	})
})

describe('an object', () => {
	it('of a thousand versions comes page by page; a link to an old one finds it', async () => {
		await guest.go(`#/object=${encodeURIComponent('configmaps/team-1/leader')}`)
		await page.waitForSelector('.version[aria-current=true]')
		const total = async (): Promise<number> => Number(await page.locator('.versions [aria-setsize]').first().getAttribute('aria-setsize'))
		expect(await total()).toBe(200)
		expect(await nodes()).toBeLessThan(nodesMax)
		await page.locator('.versions').evaluate((scroller) => (scroller.scrollTop = scroller.scrollHeight))
		await page.getByRole('button', { name: 'older versions' }).click()
		await eventually(total, (count) => count === 400)
		await guest.go(`#/object=${encodeURIComponent('configmaps/team-1/leader')}&rev=105`)
		await page.waitForSelector('.version[aria-current=true]')
		expect(await page.locator('.version[aria-current=true] .revision').textContent()).toBe('rev 105')
		expect(await page.locator('.version-detail h3').textContent()).toContain('revision 105')
		await eventually(total, (count) => count === versionsOfMany)
		expect(await nodes()).toBeLessThan(nodesMax)
	})

	it('of a megabyte is shown and compared in part, and copied whole', async () => {
		const lines = 30_000
		const config = (changed: number): string =>
			Array.from({ length: lines }, (_, line) => (line < changed ? `other ${line}` : `setting-${line}: "value of it"`)).join('\n')
		const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`key-${index}`, `${index}`]))
		const fewer = Object.fromEntries(Object.entries(many).map(([name, value]) => [name, `${value}!`]))
		const object = { resource: 'configmaps', group: '', namespace: 'team-1', name: 'large' }
		const version = (revision: bigint, data: object) => ({
			record: asRedacted(
				aChange({
					cluster: busyCluster,
					object,
					objectKind: 'ConfigMap',
					uid: 'uid-large',
					revision,
					occurredAt: busyBegin + Number(revision),
					operation: revision === 900_001n ? 'created' : 'updated',
					after: Body.ofValue({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'large', namespace: 'team-1' }, data }),
				}),
			),
			...({ severity: 'normal', facets: ['data'], paths: [], labels: {}, owners: [], images: [], text: '' } as const),
			summary: 'changed',
		})
		await served.store.put([version(900_001n, { 'app.yaml': config(0), ...many }), version(900_002n, { 'app.yaml': config(3), ...fewer })])
		await guest.go(`#/object=${encodeURIComponent('configmaps/team-1/large')}&rev=900002`)
		await page.waitForSelector('.diff .skipped')
		expect(await page.locator('.diff caption').textContent()).toContain('1,001 fields changed')
		expect(await page.locator('.diff del, .diff ins').count()).toBeLessThan(500)
		expect(await nodes()).toBeLessThan(2 * nodesMax)
		await page.keyboard.press('y')
		await page.waitForSelector('.yaml code')
		expect(await page.locator('.body-bar').textContent()).toContain('31,007 lines')
		expect(await nodes()).toBeLessThan(nodesMax)
		await page.locator('.yaml').evaluate((scroller) => (scroller.scrollTop = scroller.scrollHeight))
		await page.waitForFunction(() => document.querySelector('.yaml')?.textContent?.includes('key-999'))
	})
})
