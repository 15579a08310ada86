// What stays as it is while records come, and while the reader does something: the choice, the place, the focus, what is being typed; and what must not stay: records of another view, errors, numbers of before.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Body } from '#records/body.ts'
import type { Change } from '#records/record.ts'
import { systemClock } from '#runtime/clock.ts'
import { openBrowser } from '#test/support/chromium.ts'
import { eventually } from '#test/support/program.ts'
import { aChange, aGap, asRedacted } from '#test/support/records.ts'
import { servePage, visit, type ServedPage, type Visit } from './support.ts'

let browser: Browser
let served: ServedPage
let guest: Visit
let page: Page
let last = 1000

const found = { summary: 'changed', severity: 'normal', facets: ['spec'], paths: [], labels: {}, owners: [], images: [], text: '' } as const

async function store(
	cluster: string,
	count: number,
	more: Partial<Change> = {},
	name = (number: number) => `${cluster}-${number % 3}`,
): Promise<void> {
	const records = Array.from({ length: count }, () => {
		last += 1
		const at = systemClock.nowMicros()
		const object = { resource: 'pods', group: '', namespace: 'shop', name: name(last) }
		return asRedacted(aChange({ cluster, object, revision: BigInt(last), occurredAt: at, observedAt: at, ...more }))
	})
	await served.store.put(records.map((record) => ({ ...found, record })))
}

beforeAll(async () => {
	served = await servePage(
		async () => undefined,
		[
			{ name: 'alpha', replay: false },
			{ name: 'beta', replay: false },
		],
	)
	await store('alpha', 30)
	await store('beta', 20)
	browser = await openBrowser()
}, 120_000)
afterAll(async () => {
	await browser?.close()
	await served[Symbol.asyncDispose]()
})
beforeEach(async () => {
	await guest?.page.close()
	guest = await visit(browser, served.address, { width: 1280, height: 500 })
	page = guest.page
})

const marked = (): Promise<string> => page.locator('.row.chosen .revision').first().textContent().then(String)
const hash = (): string => new URL(page.url()).hash
const text = async (selector: string): Promise<string> => (await page.locator(selector).first().textContent()) ?? ''

describe('another view', () => {
	it('has none of the records of the one before, though its answer comes late and the stream begins meanwhile', async () => {
		await guest.open('#/cluster=alpha&live=1&view=table')
		await page.waitForSelector('.live.on')
		// The stream that begins asks once more: only then there is an answer.
		const again = Promise.withResolvers<undefined>()
		let asked = 0
		await page.route('**/api/v1/timeline?*', async (route) => {
			asked += 1
			if (asked > 1) again.resolve(undefined)
			await again.promise
			await route.continue()
		})
		await page.getByLabel('Cluster').selectOption('beta')
		await eventually(guest.records, (records) => records === 20)
		await page.waitForSelector('.live.on')
		await guest.ready()
		await store('beta', 1)
		await eventually(guest.records, (records) => records >= 21)
		expect(await guest.records()).toBe(21)
		expect((await page.locator('.record .about').allTextContents()).every((about) => about.includes('beta-'))).toBe(true)
	})

	it('does not take over a page that names no cluster when an earlier one appears', async () => {
		await guest.open('#/view=table')
		expect(await page.getByLabel('Cluster').inputValue()).toBe('alpha')
		await store('aaa', 1)
		await page.waitForFunction(() => document.querySelector('select option')?.textContent === 'aaa')
		expect(await page.getByLabel('Cluster').inputValue()).toBe('alpha')
	})
})

describe('while records come', () => {
	it('the chosen record stays chosen, in its place on the screen, and Enter opens it', async () => {
		await guest.open('#/cluster=alpha&live=1&view=table')
		await page.waitForSelector('.live.on')
		for (let step = 0; step < 25; step++) await page.keyboard.press('j')
		const before = await marked()
		const place = await page.locator('.row.chosen').boundingBox()
		const records = await guest.records()
		await store('alpha', 4)
		await eventually(guest.records, (now) => now === records + 4)
		expect(await marked()).toBe(before)
		expect(Math.abs(((await page.locator('.row.chosen').boundingBox())?.y ?? 0) - (place?.y ?? 0))).toBeLessThan(2)
		expect(await page.evaluate(() => document.activeElement?.textContent)).toContain(before)
		await page.keyboard.press('Enter')
		expect(hash()).toContain(`rev=${before}`)
	})

	it('the density and the kinds follow, also without a pause between them, and a pause of the reader sets nothing back', async () => {
		await guest.open('#/cluster=alpha&live=1')
		await page.waitForSelector('.live.on')
		const began = await guest.records()
		const inDensity = async (): Promise<number> =>
			Number(/^([\d,]+) records/.exec((await page.locator('.density-plot').getAttribute('aria-label')) ?? '')?.[1])
		await eventually(
			async () => {
				await store('alpha', 1)
				return inDensity()
			},
			(now) => now > began,
		)
		const now = await inDensity()
		await page.keyboard.press('Space')
		await page.waitForSelector('.pause[aria-pressed=true]')
		expect(await inDensity()).toBeGreaterThanOrEqual(now)
	})

	it('a gap, and a version of the open object, appear by themselves; the version that is read stays', async () => {
		await guest.open('#/cluster=beta&live=1&object=pods/shop/beta-0')
		await page.waitForSelector('.live.on')
		await page.waitForSelector('.version-detail h3')
		const versions = await page.locator('.version').count()
		const read = await text('.version-detail .revision')
		await store('beta', 1, {}, () => 'beta-0')
		await eventually(
			() => page.locator('.version').count(),
			(count) => count === versions + 1,
		)
		expect(await text('.version-detail .revision')).toBe(read)
		const { severity, facets, paths, labels, owners, images } = found
		const gap = asRedacted(aGap({ cluster: 'beta', fromRevision: 5n, toRevision: 6n }))
		await served.store.put([{ record: gap, summary: 'gap', severity, facets, paths, labels, owners, images, text: '' }])
		await page.waitForFunction(() => document.querySelector('.coverage')?.textContent?.includes('1 gap'))
	})

	it('turning live off leaves nothing to be shown', async () => {
		await guest.open('#/cluster=alpha&live=1')
		await page.waitForSelector('.live.on')
		const records = await guest.records()
		await store('alpha', 3)
		await eventually(guest.records, (now) => now === records + 3)
		// The list of clusters has them too.
		await page.waitForResponse((response) => response.url().includes('/api/v1/clusters'))
		await page.waitForResponse((response) => response.url().includes('/api/v1/clusters'))
		await page.keyboard.press('l')
		await guest.ready()
		expect(await page.locator('.fresh').count()).toBe(0)
	})

	it('what was held back for another filter is not shown, and nothing is missing after the pause', async () => {
		await guest.open('#/cluster=alpha&live=1&q=name:alpha-1&view=table')
		await page.waitForSelector('.live.on')
		await page.keyboard.press('Space')
		await page.waitForSelector('.pause[aria-pressed=true]')
		await store('alpha', 6)
		await page.waitForFunction(() => document.querySelector('.pause')?.textContent === 'paused: 2 new records')
		await guest.go('#/cluster=alpha&live=1&q=name:alpha-2&view=table')
		await store('alpha', 3)
		await page.locator('.pause').click()
		await guest.ready()
		const { items } = await served.store.timeline({ cluster: 'alpha', name: 'alpha-2' }, { limit: 1000 })
		await eventually(guest.records, (records) => records >= items.length)
		expect(await guest.records()).toBe(items.length)
	})
})

describe('keys', () => {
	it('a step of the range leaves the live tail, goes on from the step before, and back returns to what was before the first', async () => {
		await guest.open('#/cluster=alpha&from=all&live=1')
		for (const key of ['+', '+', 'ArrowLeft']) await page.keyboard.press(key)
		const view = new URLSearchParams(hash().slice(2))
		expect(view.has('live')).toBe(false)
		await guest.ready()
		await page.goBack()
		expect(hash()).toContain('from=all&live=1')
	})

	it('work after a click on a kind, and not behind the sheet of keys; Escape takes back what was typed', async () => {
		await guest.open('#/cluster=alpha')
		await page.getByLabel('requests').click()
		await page.keyboard.press('t')
		expect(hash()).toContain('view=table')
		await page.keyboard.press('?')
		await page.waitForSelector('dialog[open]')
		await page.keyboard.press('t')
		await page.keyboard.press('Escape')
		expect(hash()).toContain('view=table')
		await page.keyboard.press('/')
		await page.keyboard.type('nobody')
		await page.keyboard.press('Escape')
		expect([hash().includes('nobody'), await page.locator('.filter').inputValue()]).toEqual([false, ''])
	})

	it('words of the filter are read in any case', async () => {
		await guest.open('#/cluster=alpha&q=NAME:alpha-1&view=table')
		expect(await guest.records()).toBeGreaterThan(5)
		expect((await page.locator('.record .about').allTextContents()).every((about) => about.includes('alpha-1'))).toBe(true)
	})
})

describe('an object of an etcd that was restored', () => {
	const begin = systemClock.nowMicros() - 600_000_000
	const version = (space: string, revision: bigint, seconds: number) => {
		const at = begin + seconds * 1_000_000
		const after = Body.ofValue({ kind: 'Pod', metadata: { name: 'spaced', namespace: 'shop' }, status: { phase: `${space}-${revision}` } })
		const object = { resource: 'pods', group: '', namespace: 'shop', name: 'spaced' }
		return asRedacted(aChange({ cluster: 'gamma', space, object, revision, occurredAt: at, observedAt: at, after }))
	}

	it('has each of its versions, also those whose numbers came again', async () => {
		const versions = [
			version('main', 50n, 0),
			version('main', 51n, 1),
			...[50n, 51n, 52n].map((revision, index) => version('restored', revision, 10 + index)),
		]
		await served.store.put(versions.map((record) => ({ ...found, record })))
		await guest.open('#/cluster=gamma&object=pods/shop/spaced&show=whole')
		const phase = async (): Promise<string> => /(?:main|restored)-\d+/.exec(await text('.yaml'))?.[0] ?? ''
		const seen: string[] = []
		for (const wanted of ['restored-52', 'restored-51', 'restored-50', 'main-51', 'main-50']) {
			seen.push(await eventually(phase, (now) => now === wanted))
			await page.keyboard.press('j')
		}
		expect(seen.length).toBe(5)
		expect(await page.locator('.version[aria-current=true]').count()).toBe(1)
		expect(hash()).toContain('rev=50%40main')
		await page.reload()
		await eventually(phase, (now) => now === 'main-50')
	})
})

describe('what failed', () => {
	it('is asked for again: records, coverage, an object', async () => {
		served.failWith(new Error('the disk is away'))
		await guest.open('#/cluster=alpha&object=pods/shop/alpha-0')
		await page.waitForSelector('.problem')
		served.failWith(undefined)
		await page.waitForFunction(() => document.querySelectorAll('.problem').length === 0)
		await page.waitForSelector('.version-detail h3')
		expect(await guest.records()).toBeGreaterThan(20)
		expect(await page.locator('.coverage').count()).toBe(1)
	})
})
