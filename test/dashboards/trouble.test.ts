// What the page says when something is missing or wrong: gaps, rejects, nothing recorded, wrong filters, a damaged day, a server that is gone.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { statementId } from '#records/id.ts'
import type { Indexed } from '#records/indexed.ts'
import type { StoredRecord } from '#records/record.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { openBrowser } from '#test/support/chromium.ts'
import { aChange, aCoverage, aGap, aReject, anAuditEntry, asRedacted, testBegin } from '#test/support/records.ts'
import { axeFindings, servePage, visit, type ServedPage, type Visit } from './support.ts'

const cluster = 'test'
const rejects = 120
let served: ServedPage
let browser: Browser
let guest: Visit
let page: Page

const indexed = (record: StoredRecord, summary = ''): Indexed => ({
	record: asRedacted(record),
	summary,
	severity: 'normal',
	facets: ['spec'],
	paths: [],
	labels: {},
	owners: [],
	images: [],
	text: '',
})
const second = (number: number): number => testBegin + number * 1_000_000

function records(): readonly Indexed[] {
	const changes = Array.from({ length: 40 }, (_, index) =>
		indexed(
			aChange({
				revision: BigInt(100 + index),
				occurredAt: second(index),
				object: { resource: 'pods', group: '', namespace: 'shop', name: `web-${index % 4}` },
			}),
			`change ${index}`,
		),
	)
	const refused = Array.from({ length: rejects }, (_, index) =>
		indexed(
			aReject({
				id: statementId('reject', cluster, second(index), `${index}`),
				occurredAt: second(index),
				where: `/registry/pods/shop/bad-${index}@${200 + index}`,
				reason: 'truncated',
				sizeBytes: 1000 + index,
			}),
		),
	)
	const lost = aGap({
		reason: 'compacted',
		fromRevision: 110n,
		toRevision: 119n,
		fromAt: second(10),
		toAt: second(19),
		touched: ['pods/shop/web-1', 'pods/shop/web-2'],
		touchedCount: 7,
		detail: 'etcd had compacted up to 119',
	})
	return [
		...changes,
		...refused,
		indexed(aCoverage({ fromRevision: 10n, toRevision: 109n })),
		indexed(lost),
		indexed(anAuditEntry({ occurredAt: second(1) })),
	]
}

beforeAll(async () => {
	served = await servePage((store) => store.put(records()), [{ name: cluster, replay: true }])
	browser = await openBrowser()
	guest = await visit(browser, served.address, { width: 1280, height: 800 })
	page = guest.page
}, 120_000)
afterAll(async () => {
	await browser?.close()
	await served[Symbol.asyncDispose]()
})
beforeEach(() => {
	guest.problems.length = 0
})

const text = async (selector: string): Promise<string> => (await page.locator(selector).first().textContent()) ?? ''
const says = (selector: string, what: string): Promise<unknown> =>
	page.waitForFunction(([place, wanted]) => document.querySelector(place)?.textContent?.includes(wanted) ?? false, [
		selector,
		what,
	] as const)

describe('what is missing', () => {
	it('is said in the first line, in the summary, and over the lanes where it was', async () => {
		await guest.open('')
		await says('.coverage', `1 gap, ${rejects} rejects`)
		expect(await text('.headline')).toContain(`1 gap in the record·${rejects} inputs rejected`.replace('·', ''))
		const [lanes, hole] = [await page.locator('.holes').boundingBox(), await page.locator('.hole.gap').boundingBox()]
		if (!lanes || !hole) throw new Error('the gap is not drawn')
		// From second 10 to 19; the last reject is at second 119.
		expect((hole.x - lanes.x) / lanes.width).toBeCloseTo(10 / 119, 2)
		expect(hole.width / lanes.width).toBeCloseTo(9 / 119, 2)
		expect(guest.problems).toEqual([])
	})

	it('can be looked at: the gap with its reason and what it touched, each reject with step, reason, place, size and hash', async () => {
		await page.keyboard.press('c')
		await says('.gaps', 'compacted revisions 110 to 119')
		const gap = await text('.gaps')
		expect(gap).toContain('2026-11-23T10:00:10.000000Z to 2026-11-23T10:00:19.000000Z')
		expect(gap).toContain('etcd had compacted up to 119')
		expect(gap).toContain('7 objects differed after it: pods/shop/web-1pods/shop/web-2 and 5 more')
		expect(await text('.statements')).toBe('revisions 10..109: all 100 present (/registry/)')
		await says('.rejects', 'bad-119')
		const row = await page.locator('.rejects tbody tr').first().locator('td').allTextContents()
		expect(row).toEqual(['2026-11-23 10:01:59', 'etcd.decode', 'truncated', '/registry/pods/shop/bad-119@319', '1,119', 'cd'.repeat(6)])
		expect(await axeFindings(page)).toEqual([])
	})

	it('has rejects page by page, each once, also when more come meanwhile', async () => {
		const rows = page.locator('.rejects tbody tr')
		expect(await rows.count()).toBe(50)
		const older = page.getByRole('button', { name: 'older rejects' })
		const shows = (wanted: number) =>
			page.waitForFunction((count) => document.querySelectorAll('.rejects tbody tr').length === count, wanted)
		await older.click()
		await shows(100)
		await served.store.put([indexed(aReject({ id: statementId('reject', cluster, second(rejects), 'late'), occurredAt: second(rejects) }))])
		await shows(101)
		await older.click()
		await shows(rejects + 1)
		expect(await older.count()).toBe(0)
		const hashes = await rows.locator('td').allTextContents()
		expect(new Set(Array.from({ length: rejects + 1 }, (_, row) => hashes.slice(row * 6, row * 6 + 6).join())).size).toBe(rejects + 1)
	})

	it('leads to the objects that a gap touched', async () => {
		await page.locator('.touched').first().click()
		await page.waitForSelector('.version')
		expect(await text('.object h2')).toBe('Pod shop/web-1')
	})
})

describe('what is wrong', () => {
	it('a filter that the server refuses is shown as it was said, and mended by the next one', async () => {
		await guest.open('#/from=yesterday')
		await says('.problem', '"yesterday" is no time')
		await guest.go('#/from=now-9000w')
		await page.waitForFunction(() => !document.querySelector('.problem'))
		expect(await guest.records()).toBe(41)
		await guest.go('#/q=code%3Anonsense')
		await says('.problem', 'code')
	})

	it('nothing that matches, nothing in the range, no kind, no such cluster: each is said', async () => {
		await guest.open('#/q=nowhere')
		expect(await text('.empty')).toBe('Nothing matches nowhere in this range.')
		await guest.go('#/from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z')
		await says('.empty', 'there are records from 2026-11-23T10:00:00')
		await guest.go('#/include=')
		await says('.empty', 'No kind of record is chosen.')
		await guest.go('#/cluster=elsewhere')
		await says('.empty', 'There is no cluster elsewhere: test.')
	})

	it('an object or a revision that never was', async () => {
		await guest.open('#/object=pods%2Fshop%2Fnobody')
		await says('.object .problem', 'was never seen in cluster test')
		await guest.go('#/object=pods%2Fshop%2Fweb-1&rev=3')
		await says('.object .problem', 'was not there at 3')
		await page.waitForSelector('.version')
		expect(await text('.object h2')).toBe('Pod shop/web-1')
	})

	it('a damaged day is named, and the page goes on when it is mended', async () => {
		served.failWith(new KubetapeError('STORAGE_CORRUPT', '2026-11-23.db is damaged: row 7 missing from index'))
		await guest.open('')
		await says('.problem', '2026-11-23.db is damaged: row 7 missing from index')
		served.failWith(undefined)
		await guest.go('#/q=change')
		await page.waitForFunction(() => !document.querySelector('.problem'))
		expect(await guest.records()).toBe(40)
	})

	it('a server that is gone is noticed, what is shown stays, and all is well when it is back', async () => {
		await guest.open('')
		await served.stop()
		await says('.problem', 'the server does not answer: trying again')
		expect(await page.locator('.lane').count()).toBeGreaterThan(3)
		await page.keyboard.press('/')
		await page.keyboard.type('name:web-1')
		await page.keyboard.press('Enter')
		await says('.problem', 'the server does not answer')
		await served.start()
		await page.waitForFunction(() => !document.querySelector('.problem'))
		await page.waitForFunction(() => document.querySelector('.status')?.textContent?.startsWith('10 records of 1 object'))
	})
})

describe('nothing at all', () => {
	it('is said, and the first records are shown when they come', async () => {
		await using empty = await servePage(async () => undefined, [])
		await page.goto(`${empty.address}/`)
		await says('.empty', 'Nothing is recorded yet.')
		await empty.store.put(records())
		// A cluster that is not a recording opens on the last hour: these records are older.
		await says('.empty', 'there are records from 2026-11-23T10:00:00')
		await page.locator('select[aria-label="Time range"]').selectOption('all')
		await page.waitForSelector('.lane')
		expect(await guest.records()).toBe(41)
	})
})
